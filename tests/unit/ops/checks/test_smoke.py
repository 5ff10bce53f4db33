from __future__ import annotations

import asyncio
import os
import re
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest

from ops.checks import smoke
from ops.checks.smoke import Judgement, Seen, Tier
from ops.clients.outputs import Platform
from ops.errors import SmokeError
from tests.support.platform_under_test import ROOT

ENDPOINT = "http://127.0.0.1:8080/mongodb/mcp"
READS = frozenset({"find", "list-databases"})
WRITES = frozenset({"insert-many", "update-many", "delete-many"})
ADMIN, READER = Tier("admin", "ada", writable=True), Tier("reader", "rae", reads=True)
GOOD: dict[str, Any] = {
    "admin": Seen(READS | WRITES, WRITES),
    "reader": Seen(READS, frozenset()),
    "refused": {"outsider": 403, "payroll": 403},
    "nobody": 401,
}


def judged(given: dict[str, Any], *tiers: Tier) -> list[str]:
    found = judgement(given, *tiers)
    assert found.warnings == []
    return found.lines


def judgement(given: dict[str, Any], *tiers: Tier) -> Judgement:
    seen = {name: given[name] for name in ("admin", "reader") if name in given}
    more = {name: value for name, value in given.items() if name not in seen}
    return smoke.judge(ENDPOINT, seen, tiers or (ADMIN, READER), **more)


def test_as_promised() -> None:
    """What was seen is told in short, tiers apart from people: either may be called admin."""
    assert judged(GOOD) == [
        "tier admin, as ada: 5 tools",
        "tier reader, as rae: 2 tools, none of them writes",
        "without a role here, as outsider and payroll: 403",
        "without a token: 401",
    ]


DOWN = "list-orders: the API answers 503"


def test_a_tool_s_own_error_behind_somebody_else_s_server_is_a_warning() -> None:
    """It proves the way through; what the platform promises of that server is looked at all the same."""
    given = {**GOOD, "reader": Seen(READS, frozenset(), DOWN), "of_others": True}
    found = judgement(given)
    assert found.lines == judged(GOOD)
    (warning,) = found.warnings
    assert warning.startswith(f"a reading call of reader at {ENDPOINT} ends with an error of the server's own: {DOWN};")
    with pytest.raises(SmokeError, match="answers 200 to somebody without a role"):
        judgement({**given, "refused": {"outsider": 200}})
    with pytest.raises(SmokeError, match="reader, whose role only reads, sees write tools"):
        judgement({**given, "reader": Seen(READS, frozenset({"find"}), DOWN)})


@pytest.mark.parametrize(
    ("seen", "broken"),
    [
        ({"admin": Seen(READS, frozenset())}, "admin sees no write tools"),
        ({"admin": Seen(WRITES, WRITES)}, "reader sees tools .* that admin does not: find, list-databases"),
        (
            {"reader": Seen(READS | {"delete-many"}, frozenset({"delete-many"}))},
            "reader, whose role only reads, sees write tools .*: delete",
        ),
        (
            {"reader": Seen(READS, frozenset(), "find: no database")},
            "reading call of reader fails .*: find: no data",
        ),
        ({"refused": {"outsider": 200}}, "answers 200 to somebody without a role, where 403 is right"),
        ({"refused": {"outsider": 401}}, "answers 401 to somebody without a role, where 403 is right"),
        (
            {"refused": {"outsider": 403, "payroll": 200}},
            "answers 200 to payroll, whose roles are of other servers, where 403 is right",
        ),
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
    tiers = (Tier("admin", "ada"), Tier("reader", "rae", reads=True, named=["p*g"], listed=True))
    silent = Seen(frozenset({"ping", "erase"}), frozenset({"ping", "erase"}))
    with pytest.raises(SmokeError, match=r"write tools at \S+: erase; those that only read .* into tools.allow"):
        judged({**GOOD, "admin": silent, "reader": silent}, *tiers)
    only = Seen(frozenset({"ping"}), frozenset({"ping"}))
    found = judged({**GOOD, "admin": silent, "reader": only}, *tiers)
    assert found[1] == "tier reader, as rae: 1 tool, of which tools.allow alone says that they may be called: ping"


def test_a_server_that_only_reads() -> None:
    """Where no tier may write, nobody has to see a write tool."""
    seen = Seen(READS, frozenset())
    assert judged({**GOOD, "admin": seen, "reader": seen}, Tier("admin", "ada"), READER)


@pytest.mark.parametrize(
    ("tier", "told"),
    [(ADMIN, "tier admin, as ada: 5 tools"), (READER, "tier reader, as rae: 2 tools, none")],
    ids=["admin", "reader"],
)
def test_a_server_of_one_tier(tier: Tier, told: str) -> None:
    """Who has no tier there is not called for; the others' promises hold."""
    others = {"admin", "reader"} - {tier.name}
    assert judged({name: value for name, value in GOOD.items() if name not in others}, tier)[0].startswith(told)


def test_a_tier_that_nobody_here_gets_is_named() -> None:
    """What was not called was not proved."""
    given = {name: value for name, value in GOOD.items() if name != "reader"}
    assert judged(given, ADMIN, Tier("reader", reads=True))[1] == "not called, as nobody here gets it: tier reader"


def test_only_people_with_a_tier_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call as each tier, and a refusal for each who has none: the outsider, and people of other servers."""
    asked: list[tuple[str, str]] = []
    refused: list[str | None] = []

    async def see(endpoint: str, token: str, user: str) -> Seen:
        asked.append((token, user))
        return Seen(READS, frozenset())

    def answer(endpoint: str, token: str | None = None) -> int:
        refused.append(token)
        return 403 if token else 401

    monkeypatch.setattr(smoke, "see", see)
    monkeypatch.setattr(smoke, "http_status", answer)
    platform = Platform("", {"notes": ENDPOINT}, "", "", "", {})
    tiers = [Tier("writers"), Tier("payroll", "pat", reads=True)]
    assert smoke.check_server(platform, "notes", lambda user: f"token of {user}", tiers, strangers=["rae"])
    assert asked == [("token of pat", "payroll")]
    assert refused == ["token of outsider", "token of rae", None]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ExceptionGroup("unhandled", [ExceptionGroup("", [OSError("it is\n away.")])]), "it is away"),
        (ExceptionGroup("unhandled", [TimeoutError()]), r"TimeoutError \(it waits 15 s\)"),
    ],
)
def test_why_a_client_cannot_is_said(monkeypatch: pytest.MonkeyPatch, error: Exception, why: str) -> None:
    """In the words of what went wrong, or by its name: a timeout has none."""

    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("mcp.Client", fails)
    with pytest.raises(SmokeError, match=f"client of rae cannot use {ENDPOINT}: {why}; see `invoke logs`"):
        asyncio.run(smoke.see(ENDPOINT, "token", "rae"))


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


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ([], 1),
        (["cannot use it: The gateway could not complete this request; quote 1 to the platform team"], 2),
        (["cannot use it: No server could take this request: try again in a moment"], 2),
        (["answers 200 to a call without a token"], 1),
        (["The gateway could not complete this request"] * 2, 2),
    ],
)
def test_an_open_breaker_is_waited_for_once(said: list[str], asked: int) -> None:
    """Whoever calls a server with one slot while that is replaced opens its breaker, which is no failed deployment."""
    slept: list[float] = []
    left, tried = list(said), 0

    def check() -> Judgement:
        nonlocal tried
        tried += 1
        if left:
            raise SmokeError(left.pop(0))
        return Judgement(["well"], [])

    if len(said) == asked:
        with pytest.raises(SmokeError):
            smoke.after_breakers(check, slept.append)
    else:
        assert smoke.after_breakers(check, slept.append).lines == ["well"]
    assert (tried, slept) == (asked, [smoke.BREAKER_OPEN] * (asked - 1))


def test_a_breaker_is_open_no_longer_than_it_is_waited_for() -> None:
    """As Terraform has it."""
    text = (ROOT / "terraform/modules/apim/mcp-apis.tf").read_text(encoding="utf-8")
    (seconds,) = re.findall(r'trip_duration\s+= "PT(\d+)S"', text)
    assert float(seconds) < smoke.BREAKER_OPEN
