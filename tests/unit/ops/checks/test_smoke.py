from __future__ import annotations

import os
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest

from ops.checks import smoke
from ops.checks.smoke import Seen
from ops.clients.outputs import Platform
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


def judged(given: dict[str, Any]) -> list[str]:
    seen = {name: given[name] for name in ("admin", "reader") if name in given}
    return smoke.judge(ENDPOINT, seen, **{name: value for name, value in given.items() if name not in seen})


def test_as_promised() -> None:
    """What was seen is told in short."""
    assert judged(GOOD) == [
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
        judged({**GOOD, **seen})


def test_a_tool_that_a_list_names_need_not_say_that_it_reads() -> None:
    """The operator's list is the decision; what it does not name stops the deployment, with the remedy."""
    silent = Seen(frozenset({"ping", "erase"}), frozenset({"ping", "erase"}))
    with pytest.raises(SmokeError, match=r"write tools at \S+: erase; those that only read .* into tools.allow"):
        smoke.judge(
            ENDPOINT, {"admin": silent, "reader": silent}, outsider=403, nobody=401, writable=False, named=["p*g"]
        )
    only = Seen(frozenset({"ping"}), frozenset({"ping"}))
    found = smoke.judge(
        ENDPOINT, {"admin": silent, "reader": only}, outsider=403, nobody=401, writable=False, named=["p*g"]
    )
    assert found[0].endswith("reader: 1, of which tools.allow alone says that they may be called: ping")


def test_a_server_that_only_reads() -> None:
    """Where no tier may write, nobody has to see a write tool."""
    seen = Seen(READS, frozenset())
    people = {"admin": seen, "reader": seen}
    assert smoke.judge(ENDPOINT, people, outsider=403, nobody=401, writable=False)


@pytest.mark.parametrize(("who", "told"), [("admin", "admin: 5 tools"), ("reader", "reader: 2 tools, none")])
def test_a_server_of_one_tier(who: str, told: str) -> None:
    """Who has no tier there is not called for; the others' promises hold."""
    others = {name for name in ("admin", "reader") if name != who}
    assert judged({name: value for name, value in GOOD.items() if name not in others})[0].startswith(told)


def test_only_people_with_a_tier_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def see(endpoint: str, token: str, user: str) -> Seen:
        asked.append(user)
        return Seen(READS, frozenset())

    monkeypatch.setattr(smoke, "see", see)
    monkeypatch.setattr(smoke, "http_status", lambda endpoint, token=None: 403 if token else 401)
    platform = Platform("", {"notes": ENDPOINT}, "", "", "", {})
    assert smoke.check_server(platform, "notes", lambda user: user, roles={"Mcp.Read"}, writable=False)
    assert asked == ["reader"]


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
