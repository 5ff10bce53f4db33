from __future__ import annotations

import os
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest

from ops.checks import smoke
from ops.checks.smoke import Seen
from ops.errors import SmokeError

ENDPOINT = "http://127.0.0.1:8080/mongodb/mcp"
READS = frozenset({"find", "list-databases"})
WRITES = frozenset({"insert-many", "update-many", "delete-many"})
GOOD: dict[str, Any] = {
    "admin": Seen(READS | WRITES, WRITES),
    "reader": Seen(READS, frozenset()),
    "outsider": 403,
    "nobody": 401,
    "writable": True,
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
        ({"admin": Seen(READS, frozenset())}, "the admin sees no write tools"),
        ({"admin": Seen(WRITES, WRITES)}, "the reader sees tools .* that the admin does not: find, list-databases"),
        (
            {"reader": Seen(READS | {"delete-many"}, frozenset({"delete-many"}))},
            "the reader sees write tools .*: delete",
        ),
        (
            {"reader": Seen(READS, frozenset(), "find: no database")},
            "reading call of the reader fails .*: find: no data",
        ),
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


def test_a_tool_that_a_list_names_need_not_say_that_it_reads() -> None:
    """The operator's list is the decision; what it does not name stops the deployment, with the remedy."""
    silent = Seen(frozenset({"ping", "erase"}), frozenset({"ping", "erase"}))
    with pytest.raises(SmokeError, match=r"write tools at \S+: erase; those that only read .* into tools.allow"):
        smoke.judge(ENDPOINT, silent, silent, outsider=403, nobody=401, writable=False, named=["p*g"])
    only = Seen(frozenset({"ping"}), frozenset({"ping"}))
    found = smoke.judge(ENDPOINT, silent, only, outsider=403, nobody=401, writable=False, named=["p*g"])
    assert found[0].endswith("reader: 1, of which tools.allow alone says that they may be called: ping")


def test_a_server_that_only_reads() -> None:
    """Where no tier may write, nobody has to see a write tool."""
    seen = Seen(READS, frozenset())
    assert smoke.judge(ENDPOINT, seen, seen, outsider=403, nobody=401, writable=False)


class Opener:
    """Answers 401 instead of opening a connection."""

    def __init__(self, used: list[Any], *handlers: Any) -> None:
        used.extend(handlers)

    def open(self, request: urllib.request.Request, timeout: float) -> Any:
        raise urllib.error.HTTPError(request.full_url, 401, "", Message(), None)


@pytest.mark.parametrize(("url", "direct"), [(ENDPOINT, True), ("https://apim-mcp-dev.azure-api.net/mcp", False)])
def test_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch, url: str, direct: bool) -> None:
    """Whatever the environment says, which stays as it is: what the task starts later inherits it."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.test:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    used: list[Any] = []
    monkeypatch.setattr(urllib.request, "build_opener", lambda *handlers: Opener(used, *handlers))
    before = dict(os.environ)
    assert smoke.http_status(url) == 401
    assert dict(os.environ) == before
    proxies = [handler.proxies for handler in used if isinstance(handler, urllib.request.ProxyHandler)]
    assert proxies == ([{}] if direct else [])
