"""The end of a deployment on Azure: a real call to each server and tier that the deployer's token leads to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ops.azure import az
from ops.checks import azure_smoke, smoke
from ops.checks.smoke import Seen
from ops.cli.steps import Runner
from ops.clients import access_token
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.errors import AzError, OpsError, SmokeError
from tests.unit.ops.clients.test_access_token import jwt
from tests.unit.ops.conftest import Make

ENDPOINT = "https://apim-mcp-dev.azure-api.net/mongodb/mcp"
PLATFORM = Platform("https://apim-mcp-dev.azure-api.net", {"mongodb": ENDPOINT}, "https://issuer/v2.0", "t", "s", {})
TIERS = {"reader": {"role": "Mcp.Read"}, "admin": {"role": "Mcp.Admin"}}
FINE = Seen(frozenset({"find", "count"}), frozenset())
RECORDS = [{"name": f"mongodb-{tier}-a", "aRecords": [{"ipv4Address": "10.0.0.4"}]} for tier in TIERS]
Capture = pytest.CaptureFixture[str]


class Azure:
    """What the gateway answers, and who is signed in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.roles: list[str] | None = None
        self.answers: list[Seen | SmokeError] = [FINE]
        self.address = "10.0.0.4"
        self.calls: list[str] = []
        self.slept = 0.0
        monkeypatch.setattr(access_token, "signed_in", self.signed_in)
        monkeypatch.setattr(smoke, "http_status", lambda _, token=None: 200 if token else 401)
        monkeypatch.setattr(smoke, "see", self.see)
        monkeypatch.setattr(az, "run", self.run)
        monkeypatch.setattr(azure_smoke, "time", self)

    def signed_in(self, _: Platform) -> str:
        if self.roles is None:
            raise OpsError("nobody is signed in that may have a token")
        return jwt(roles=self.roles)

    async def see(self, endpoint: str, token: str, user: str) -> Seen:
        self.calls.append(user)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SmokeError):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def monotonic(self) -> float:
        return self.slept

    def run(self, *arguments: str) -> Any:
        if arguments[:2] == ("container", "show"):
            return {"ipAddress": {"ip": self.address}}
        return RECORDS


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Azure:
    return Azure(monkeypatch)


@pytest.fixture
def dev(make: Make) -> Environment:
    return replace(make("dev"), variables={"mcp_servers": {"mongodb": {"tiers": TIERS}}})


def said(environment: Environment, capsys: Capture) -> str:
    azure_smoke.check(environment, PLATFORM, Runner())
    return " ".join(capsys.readouterr().err.split())


def test_the_tier_of_ones_role_is_called(azure: Azure, dev: Environment, capsys: Capture) -> None:
    """The others are named with the reason, and their addresses are compared instead."""
    azure.roles = ["Mcp.Read"]
    text = said(dev, capsys)
    assert azure.calls == ["reader"]
    assert "no token: 401; admin: not called, as your account's roles lead to reader; reader: 2 tools, a read" in text
    assert "addresses 2 records" in text


def test_both_roles_lead_to_the_administrators(azure: Azure, dev: Environment, capsys: Capture) -> None:
    """As the gateway decides."""
    azure.roles = ["Mcp.Read", "Mcp.Admin"]
    assert "reader: not called, as your account's roles lead to admin" in said(dev, capsys)
    assert azure.calls == ["admin"]


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        (None, "admin: not called, as nobody is signed in that may have a token"),
        ([], "admin: not called, as your account does not have the role Mcp.Admin"),
    ],
)
def test_why_nothing_was_called(
    azure: Azure, dev: Environment, capsys: Capture, roles: list[str] | None, reason: str
) -> None:
    azure.roles = roles
    assert reason in said(dev, capsys)
    assert azure.calls == []


@pytest.mark.parametrize(("scp", "calls"), [(None, []), ("Mcp.Access", ["admin"])])
def test_an_application_has_nobody_to_act_for(
    azure: Azure, dev: Environment, capsys: Capture, monkeypatch: pytest.MonkeyPatch, scp: str | None, calls: list[str]
) -> None:
    """The gateway answers 403 to a pipeline where a server acts as its caller, which is no reason to stop it."""
    entry = {"tiers": {"admin": TIERS["admin"]}, "identity": "caller"}
    claims = {"roles": ["Mcp.Admin"]} | ({"scp": scp} if scp else {})
    monkeypatch.setattr(access_token, "signed_in", lambda _: jwt(**claims))
    text = said(replace(dev, variables={"mcp_servers": {"mongodb": entry}}), capsys)
    assert azure.calls == calls
    why = "admin: not called, as it acts as the person who calls, and an application is signed in"
    assert (why in text) is (not scp)


def test_a_stale_address_is_seen_without_a_token(azure: Azure, dev: Environment) -> None:
    azure.address = "10.0.0.9"
    with pytest.raises(SmokeError, match=r"aci-mongodb-reader-a has 10\.0\.0\.9, its record 10\.0\.0\.4"):
        azure_smoke.check(dev, PLATFORM, Runner())


def test_a_new_role_may_take_minutes(azure: Azure, dev: Environment, capsys: Capture) -> None:
    azure.roles, azure.answers = ["Mcp.Admin"], [SmokeError("502"), SmokeError("502"), FINE]
    assert "a reading call answered" in said(dev, capsys)
    assert (len(azure.calls), azure.slept) == (3, 20)


def test_what_never_answers_says_what_to_look_at(azure: Azure, dev: Environment) -> None:
    azure.roles, azure.answers = ["Mcp.Admin"], [SmokeError("the call ends with 502")]
    with pytest.raises(SmokeError, match=r"502; `invoke verify --env dev` .* `invoke heal --env dev` mends an address"):
        azure_smoke.check(dev, PLATFORM, Runner())
    assert azure.slept <= 310


def test_a_reading_call_that_fails_is_an_error(azure: Azure, dev: Environment) -> None:
    """The gateway answers, and the database behind the server does not."""
    azure.roles, azure.answers = ["Mcp.Admin"], [replace(FINE, failure="count: no database")]
    with pytest.raises(SmokeError, match=r"a reading call of admin fails .*: count: no database"):
        azure_smoke.check(dev, PLATFORM, Runner())


@pytest.mark.parametrize("authorization", ["roles", "groups"])
def test_an_api_that_is_away_is_a_warning(azure: Azure, dev: Environment, capsys: Capture, authorization: str) -> None:
    """Behind a front the error is the API's: the call met gateway, container and program."""
    azure.roles, azure.answers = ["Mcp.Admin"], [replace(FINE, failure="count: the API answers 503")]
    servers = {"mongodb": {"tiers": TIERS, "front": {}}}
    text = said(replace(dev, variables={"mcp_servers": servers, "authorization": authorization}), capsys)
    assert "2 tools, a reading call answered with an error" in text
    assert "warning: a reading call of " in text
    assert "ends with an error of the server's own: count: the API answers 503; the way there is open" in text


def test_groups_lead_to_a_tier_too(
    azure: Azure, dev: Environment, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`authorization = "groups"`: the gateway compares them, so one call is made and its tier is the gateway's."""
    azure.roles = []
    by_groups = replace(dev, variables={**dev.variables, "authorization": "groups"})
    assert "the tier of your groups: 2 tools, a reading call answered" in said(by_groups, capsys)
    monkeypatch.setattr(smoke, "http_status", lambda _, token=None: 403 if token else 401)
    assert "not called, as your account is in none of the groups" in said(by_groups, capsys)


def test_a_landing_zones_records_are_not_ours(azure: Azure, dev: Environment, capsys: Capture) -> None:
    zones = {"network": {"existing_private_dns_zone_ids": {"servers": "/subscriptions/…"}}}
    text = said(replace(dev, variables={**dev.variables, **zones}), capsys)
    assert "addresses not compared: the DNS zone belongs to the landing zone" in text


def test_who_may_not_look_is_told(
    azure: Azure, dev: Environment, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform is deployed: that its records cannot be read is no failure of it."""

    def refuses(*_: str) -> Any:
        raise AzError("the account lacks a role", kind="missing-role")

    monkeypatch.setattr(az, "run", refuses)
    assert "addresses not compared: the account lacks a role" in said(dev, capsys)
