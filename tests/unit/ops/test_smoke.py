from __future__ import annotations

from typing import Any

import pytest

from ops import smoke
from ops.errors import SmokeError
from ops.smoke import Seen

ENDPOINT = "http://127.0.0.1:8080/mongodb/mcp"
READS = frozenset({"find", "list-databases"})
WRITES = frozenset({"insert-many", "update-many", "delete-many"})
GOOD: dict[str, Any] = {
    "admin": Seen(READS | WRITES, "library"),
    "reader": Seen(READS, "library"),
    "outsider": 403,
    "nobody": 401,
}


def test_as_promised() -> None:
    """What was seen is told in short."""
    assert smoke.judge(ENDPOINT, **GOOD) == [
        "admin: 5 tools, reader: 2, none of them writes",
        "outsider: 403, no token: 401",
    ]


@pytest.mark.parametrize(
    ("seen", "broken"),
    [
        ({"admin": Seen(READS, "library")}, "the admin does not see the write tools"),
        ({"reader": Seen(READS | {"delete-many"}, "library")}, "the reader sees write tools .*: delete-many"),
        ({"reader": Seen(READS, "")}, "answers the reader nothing"),
        ({"outsider": 200}, "answers 200 to somebody without a role, where 403 is right"),
        ({"outsider": 401}, "answers 401 to somebody without a role, where 403 is right"),
        ({"nobody": 200}, "answers 200 to a call without a token, where 401 is right"),
        ({"nobody": 403}, "answers 403 to a call without a token, where 401 is right"),
    ],
)
def test_broken_promise(seen: dict[str, Any], broken: str) -> None:
    """Each promise that does not hold fails the deployment, by name."""
    with pytest.raises(SmokeError, match=broken):
        smoke.judge(ENDPOINT, **{**GOOD, **seen})
