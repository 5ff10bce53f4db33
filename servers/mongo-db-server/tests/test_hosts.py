from __future__ import annotations

from typing import Any

import pytest
from mongo_db_server.hosts import Hosts


def request(host: str, origin: str | None = None) -> dict[str, Any]:
    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    return {"type": "http", "scheme": "http", "server": ("10.0.0.1", 8000), "headers": headers}


@pytest.mark.parametrize(
    ("host", "origin", "admitted"),
    [
        ("reader.mcp.internal:8000", None, True),
        ("localhost:8000", None, True),
        ("reader.mcp.internal", "https://app.example", True),
        ("evil.example", None, False),
        ("reader.mcp.internal", "https://evil.example", False),
    ],
)
async def test_judged_alike_each_time(host: str, origin: str | None, admitted: bool) -> None:
    """What was judged before is judged the same again."""
    hosts = Hosts(["reader.mcp.internal"], ["https://app.example"])
    assert [await hosts.admits(request(host, origin)) for _ in range(3)] == [admitted] * 3


async def test_strangers_do_not_fill_the_memory() -> None:
    """However many names are tried, few are remembered, and a good one is still admitted."""
    hosts = Hosts(["*"], [])
    assert all([await hosts.admits(request(f"h{number}.example")) for number in range(500)])
    assert len(hosts.admitted) == 64
