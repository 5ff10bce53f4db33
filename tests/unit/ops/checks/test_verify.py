"""Locks and live checks: what is decided on what az and the platform answered."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from ops.azure import az
from ops.checks import azure_probes, probes, smoke, verify
from ops.checks.probes import Answer, NotRun, Target
from ops.checks.smoke import Seen
from ops.cli.steps import Runner
from ops.clients import access_token
from ops.clients.outputs import Platform
from ops.errors import AzError, SmokeError, UsageError
from ops.rollout import unlock
from ops.rollout.unlock import Lock, parse
from tests.unit.ops.conftest import Make

PLATFORM = Platform("http://gateway", {"mongodb": "http://gateway/mongodb/mcp"}, "http://issuer", "t", "s", {})
HELD = {"ID": "1-2-3", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Created": "2026-11-23T08:00:00Z"}


def test_the_holder_of_a_lock_is_named() -> None:
    """As Terraform's azurerm backend writes it into the blob's metadata."""
    encoded = base64.b64encode(json.dumps(HELD).encode()).decode()
    held = parse({"terraformlockid": encoded})
    assert held == Lock("1-2-3", "ada@laptop", "OperationTypeApply", "2026-11-23T08:00:00Z")
    assert held.text() == "ada@laptop, Apply, since 2026-11-23T08:00:00Z"


@pytest.mark.parametrize("metadata", [None, {}, {"terraformlockid": ""}])
def test_no_lock(metadata: dict[str, Any] | None) -> None:
    """A state that is free, or not there yet."""
    assert parse(metadata) is None


def test_a_lock_that_nobody_can_read() -> None:
    """It is not broken on a guess."""
    with pytest.raises(AzError, match="is not what Terraform writes"):
        parse({"terraformlockid": "e30="})


def test_no_lock_to_end_on_this_machine(make: Make) -> None:
    """One sentence says why."""
    with pytest.raises(UsageError, match="there is nothing"):
        unlock.unlock(make("local"), Runner())


def test_a_check_passes_fails_or_says_why_not(make: Make) -> None:
    """Three verdicts, never silence."""

    def fails(_: Target) -> str:
        raise SmokeError("it answers 500")

    def cannot(_: Target) -> str:
        raise NotRun("no test identity")

    checks = (
        verify.Check("a", "holds", lambda _: "seen"),
        verify.Check("b", "holds", fails),
        verify.Check("c", "holds", cannot),
    )
    found = verify.findings(Target(make("local"), PLATFORM), checks)
    assert [(f.verdict, f.text) for f in found] == [
        ("pass", "seen"),
        ("fail", "it answers 500"),
        ("not run", "no test identity"),
    ]


def test_azures_own_checks_are_not_run_locally(make: Make) -> None:
    """The twin would agree with itself."""
    target = Target(make("local"), PLATFORM)
    for check in verify.CHECKS:
        if check.run.__module__ == azure_probes.__name__:
            with pytest.raises(NotRun):
                check.run(target)


@pytest.mark.parametrize("front", [{}, None])
def test_the_first_server_of_mcp_servers_is_tried(
    make: Make, monkeypatch: pytest.MonkeyPatch, front: dict[str, Any] | None
) -> None:
    """Wherever the name of another one sorts; what an API behind a front answers is no failure of the platform."""
    endpoints = {name: f"http://gateway/{name}/mcp" for name in ("clock", "mongodb")}
    environment = replace(make("local"), variables={"mcp_servers": {"mongodb": {"front": front}, "clock": {}}})
    asked: list[str] = []

    async def see(endpoint: str, token: str, user: str) -> Seen:
        asked.append(endpoint)
        return Seen(frozenset({"find"}), frozenset(), "find: 503")

    monkeypatch.setattr(smoke, "see", see)
    monkeypatch.setattr(access_token, "mint", lambda *_: "token")
    target = Target(environment, replace(PLATFORM, endpoints=endpoints))
    if front is None:
        with pytest.raises(SmokeError, match=r"a reading call of reader fails at .*: find: 503"):
            probes.reader(target)
    else:
        assert probes.reader(target) == "1 tool, a reading call answered with an error"
    assert asked == ["http://gateway/mongodb/mcp"]


@pytest.mark.parametrize(("connection", "verdict"), [("read-write", "fail"), ("read-only", "not run")])
def test_only_a_server_that_writes_needs_tools_that_write(
    make: Make, monkeypatch: pytest.MonkeyPatch, connection: str, verdict: str
) -> None:
    """What another server may do is no promise of the one that is asked."""
    entries = {"notes": {"tiers": {"admin": {"connection": connection}}}}
    others = {"mongodb": {"tiers": {"admin": {"connection": "read-write"}}}}
    environment = replace(make("local"), variables={"mcp_servers": {**entries, **others}})

    async def see(endpoint: str, token: str, user: str) -> Seen:
        return Seen(frozenset({"find"}), frozenset())

    monkeypatch.setattr(smoke, "see", see)
    monkeypatch.setattr(access_token, "mint", lambda *_: "token")
    target = Target(environment, replace(PLATFORM, endpoints=dict.fromkeys(environment.servers, "http://gateway")))
    (found,) = verify.findings(target, [check for check in verify.CHECKS if check.name == "admin"])
    assert found.verdict == verdict


GROUPS = {"aci-mongodb-admin-a": {"ipAddress": {"ip": "10.0.2.4"}}}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"one": '<a b="1&#xA;2" />'}, "1 documents; line breaks in attributes are kept"),
        ({"one": '<a b="1 2" />'}, "1 documents; line breaks in attributes became spaces"),
    ],
)
def test_policies_that_come_back_as_written(texts: dict[str, str], said: str) -> None:
    assert azure_probes.spelling(texts) == said


def test_a_policy_that_comes_back_otherwise() -> None:
    """Here the quotes: the provider would plan a change for ever."""
    with pytest.raises(SmokeError, match="two: spelt otherwise"):
        azure_probes.spelling({"one": "<a />", "two": "<a b='1' />"})


def test_breakers_that_are_kept_and_one_that_is_not() -> None:
    rule = {"tripDuration": "PT10S", "failureCondition": {"errorReasons": ["BackendConnectionFailure"]}}
    kept = {"circuitBreaker": {"rules": [rule]}}
    assert azure_probes.breakers_kept({"a": kept}) == "1 backends"
    with pytest.raises(SmokeError, match="b, c: the circuit breaker"):
        azure_probes.breakers_kept(
            {"a": kept, "b": {}, "c": {"circuitBreaker": {"rules": [{**rule, "tripDuration": "PT1M"}]}}}
        )


def test_calls_that_were_repeated() -> None:
    """The gateway's own log says it: a call that met a dead slot and was answered all the same."""
    assert azure_probes.repeated([{"Met": "3", "Answered": "2"}]) == "2 of 3 calls that met a failed connection"
    with pytest.raises(SmokeError, match="3 calls met a failed connection, and no other slot answered one"):
        azure_probes.repeated([{"Met": 3, "Answered": 0}])
    for nothing in ([], [{"Met": 0, "Answered": 0}]):
        with pytest.raises(NotRun, match="nothing is stopped to find out"):
            azure_probes.repeated(nothing)


def test_one_slot_has_nowhere_to_repeat(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(make("dev"), PLATFORM)
    monkeypatch.setattr(azure_probes, "_logged", lambda *_: pytest.fail("the log was read"))
    with pytest.raises(NotRun, match="no server has a second slot"):
        azure_probes.retries(target)


def test_addresses_that_agree() -> None:
    """The record holds the group's one address."""
    records = [{"name": "mongodb-admin-a", "aRecords": [{"ipv4Address": "10.0.2.4"}]}]
    assert azure_probes.compare(GROUPS, records) == "1 records"


@pytest.mark.parametrize(
    ("said", "records", "says"),
    [
        ([], ["10.0.0.4"], "says no private address"),
        (["10.0.0.4"], ["10.0.0.5"], "has 10.0.0.4, its record 10.0.0.5"),
        (["10.0.0.4"], [], "its record nothing"),
    ],
)
def test_a_gateway_that_its_record_does_not_lead_to(said: list[str], records: list[str], says: str) -> None:
    """Then nobody in the network finds it."""
    listed = [{"name": "@", "aRecords": [{"ipv4Address": address} for address in records]}, {"name": "other"}]
    with pytest.raises(SmokeError, match=says):
        azure_probes.same_address(said, listed)


def test_a_gateway_that_its_record_leads_to(make: Make) -> None:
    """A public one has a record of Azure's, which is not asked for."""
    listed = [{"name": "@", "aRecords": [{"ipv4Address": "10.0.0.4"}]}]
    assert azure_probes.same_address(["10.0.0.4"], listed) == "10.0.0.4"
    with pytest.raises(NotRun, match="the gateway is public"):
        azure_probes.gateway_address(Target(make("dev"), PLATFORM))


@pytest.mark.parametrize("records", [[], [{"name": "mongodb-admin-a", "aRecords": [{"ipv4Address": "10.0.2.9"}]}]])
def test_an_address_that_changed(records: list[Any]) -> None:
    """Both are named, and what mends it."""
    with pytest.raises(SmokeError, match=r"aci-mongodb-admin-a has 10\.0\.2\.4, its record .*invoke heal"):
        azure_probes.compare(GROUPS, records)


LISTED = {"name": "com.example/mongodb", "remotes": [{"url": "http://gateway/mongodb/mcp"}]}


def answering(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> list[str]:
    """The platform answers by the end of the address: a document, or a status; what was asked is noted."""
    asked: list[str] = []

    def ask(url: str, body: bytes | None = None, headers: Any = None, *, method: str | None = None) -> Answer:
        asked.append(url)
        for end, answer in answers.items():
            if url.split("?")[0].endswith(end):
                return Answer(answer, {}, "") if isinstance(answer, int) else Answer(200, {}, json.dumps(answer))
        raise SmokeError(f"{url} does not answer")

    monkeypatch.setattr(probes, "ask", ask)
    return asked


def test_a_registry_that_lists_and_finds_every_server(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, whose slash is encoded."""
    asked = answering(monkeypatch, servers={"servers": [{"server": LISTED}]}, latest={"server": LISTED})
    target = Target(make("local"), replace(PLATFORM, registry="http://gateway"))
    assert probes.registry(target) == "1 servers"
    assert asked[-1] == "http://gateway/v0.1/servers/com.example%2Fmongodb/versions/latest"


def test_a_registry_that_does_not_find_an_encoded_name(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, servers={"servers": [{"server": LISTED}]}, latest=404)
    with pytest.raises(SmokeError, match="%2Fmongodb/versions/latest answers 404"):
        probes.registry(Target(make("local"), replace(PLATFORM, registry="http://gateway")))


@pytest.mark.parametrize("servers", [[], [{"server": {**LISTED, "remotes": [{"url": "https://evil.example/mcp"}]}}]])
def test_a_registry_that_lists_nothing_or_another(
    make: Make, monkeypatch: pytest.MonkeyPatch, servers: list[Any]
) -> None:
    answering(monkeypatch, servers={"servers": servers})
    with pytest.raises(SmokeError, match=r"lists (nothing|https://evil\.example/mcp)"):
        probes.registry(Target(make("local"), replace(PLATFORM, registry="http://gateway")))


def test_no_registry_to_check(make: Make) -> None:
    with pytest.raises(NotRun, match="off"):
        probes.registry(Target(make("local"), PLATFORM))


@pytest.mark.parametrize("headers", [{"server": "uvicorn"}, {"server": ""}, {"x-powered-by": "ASP.NET"}])
def test_an_answer_that_names_its_software(
    make: Make, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    """The header and its value are said; an answer that no backend gave tells nothing."""
    given = [Answer(200, headers, "{}"), Answer(200, {"x-correlation-id": "1"}, "{}"), Answer(401, {}, "")]
    monkeypatch.setattr(probes, "_token", lambda target, role: role)
    monkeypatch.setattr(probes, "ask", lambda *_, **__: given.pop(0))
    target = Target(make("local"), PLATFORM)
    ((name, value),) = headers.items()
    with pytest.raises(SmokeError, match=f"{name}: {value}"):
        probes.software(target)
    assert "neither" in probes.software(target)
    with pytest.raises(SmokeError, match="answers 401"):
        probes.software(target)


@pytest.mark.parametrize(
    ("grants", "scopes"),
    [
        ([{"consentType": "AllPrincipals", "scope": "openid profile"}], {"openid", "profile"}),
        ([{"consentType": "Principal", "scope": "openid"}], set()),
        ([{"consentType": "AllPrincipals", "scope": None}, {}], set()),
    ],
)
def test_consent_counts_where_it_is_for_everybody(grants: list[Any], scopes: set[str]) -> None:
    assert azure_probes.scopes_for_everybody(grants) == scopes


def test_databases_that_nobody_reaches_from_outside() -> None:
    """Each is named where the public network reaches it."""
    assert azure_probes.closed({"cosmos-mcp": {"publicNetworkAccess": "Disabled"}}) == (
        "public access of cosmos-mcp is disabled"
    )
    with pytest.raises(SmokeError, match="publicNetworkAccess of docdb-mcp is Enabled, where Disabled is right"):
        azure_probes.closed({"docdb-mcp": {"publicNetworkAccess": "Enabled"}})


@pytest.mark.parametrize(
    ("modes", "says"),
    [
        (["NativeAuth", "MicrosoftEntraID"], "docdb-mcp takes NativeAuth, MicrosoftEntraID, where"),
        ([], "docdb-mcp takes no word of its sign-in, where"),
    ],
)
def test_a_cluster_that_takes_passwords(modes: list[str], says: str) -> None:
    """What the page of Microsoft says of a new cluster, and the template does not do, only Azure can tell."""
    with pytest.raises(SmokeError, match=says):
        azure_probes.without_keys("docdb-mcp", {"authConfig": {"allowedModes": modes}})


def test_a_cluster_without_keys(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the cluster and of the job in the environment's resource group; not where no server uses one."""
    answers: dict[str, Any] = {
        "resource": {"properties": {"authConfig": {"allowedModes": ["MicrosoftEntraID"]}}},
        "container": {"instanceView": {"state": "Succeeded"}},
    }
    monkeypatch.setattr(az, "run", lambda *words: answers[words[0]])
    with pytest.raises(NotRun, match="no server has the database documentdb"):
        azure_probes.keyless(Target(make("dev"), PLATFORM))
    path = make("dev").folder / "terraform.tfvars"
    text = path.read_text(encoding="utf-8").replace('"cosmosdb-mongodb"', '"documentdb"')
    path.write_text(text + 'documentdb = { name = "docdb-mcp" }\n', encoding="utf-8")
    target = Target(make("dev"), PLATFORM)
    assert azure_probes.keyless(target) == "docdb-mcp takes tokens of Entra ID only"
    assert azure_probes.users_job(target) == "the tiers' identities are users"
    answers["container"] = {"instanceView": {"state": "Failed"}}
    with pytest.raises(SmokeError, match="aci-database-users is Failed; read `invoke logs --part database-users`"):
        azure_probes.users_job(target)


def _token_of(**claims: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()}.sig"


def _refusal(sentence: str) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": sentence}})


@pytest.mark.parametrize(
    ("answer", "verdict", "says"),
    [
        (Answer(200, {}, "{}"), "pass", "me: called as a person"),
        (Answer(502, {}, _refusal("The gateway could not act for you.")), "fail", "me answers 502 The gateway"),
        (Answer(502, {}, "<html>"), "fail", "me answers 502; a federated credential counts minutes"),
        (Answer(403, {}, _refusal("Nobody consented to this.")), "fail", "me answers 403 Nobody consented to this"),
        (Answer(403, {}, _refusal("Your account holds no role on this server.")), "not run", "somebody who may call"),
        (Answer(401, {}, ""), "fail", "me answers 401"),
        (
            Answer(401, {"www-authenticate": 'Bearer error="insufficient_claims"'}, ""),
            "not run",
            "conditional access",
        ),
    ],
)  # fmt: skip
def test_an_exchange_is_tried_by_a_call(
    make: Make, monkeypatch: pytest.MonkeyPatch, answer: Answer, verdict: str, says: str
) -> None:
    """Of the servers that act as their caller, and of no other; what only the person lacks is no failure."""
    entries = {"mongodb": {}, "me": {"identity": "caller", "downstream": {"scope": "s"}}}
    environment = replace(make("dev"), variables={"mcp_servers": entries})
    asked: list[str] = []

    def ask(url: str, *_: Any, **__: Any) -> Answer:
        asked.append(url)
        return answer

    monkeypatch.setattr(probes, "ask", ask)
    monkeypatch.setattr(access_token, "signed_in", lambda _: _token_of(scp="Mcp.Access"))
    target = Target(environment, replace(PLATFORM, endpoints={name: f"http://gateway/{name}/mcp" for name in entries}))
    check = [one for one in verify.CHECKS if one.name == "exchange"]
    (found,) = verify.findings(target, check)
    assert (found.verdict, says in found.text, asked) == (verdict, True, ["http://gateway/me/mcp"])
    monkeypatch.setattr(access_token, "signed_in", lambda _: _token_of(roles=["Mcp.Admin"]))
    (found,) = verify.findings(target, check)
    assert (found.verdict, "an application is signed in" in found.text) == ("not run", True)
    (found,) = verify.findings(replace(target, environment=replace(environment, variables={})), check)
    assert (found.verdict, found.text) == ("not run", "no server acts as its caller")
