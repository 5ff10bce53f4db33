"""Whether this machine may write to vault and registry, as Azure itself answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.azure import az, refusals
from ops.checks import reach
from ops.checks.prerequisites import Note
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.errors import AzError, ToolError
from ops.rollout import deploy
from tests.unit.ops.conftest import TFVARS, Make

# As az prints it; the addresses are of documentation.
FIREWALL = (
    "ERROR: (Forbidden) Client address is not authorized and caller is not a trusted service.\n"
    "Client address: 198.51.100.20\nCaller: appid=…;oid=…;iss=…\nVault: keyvault-mcp;location=uksouth\n"
    'Code: Forbidden\nInner error: { "code": "ForbiddenByFirewall" }'
)
DENIED = (
    "denied: client with IP '198.51.100.20' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
)
CLOSED = (
    "Public network access is disabled and request is not from a trusted service.\nInner error: ForbiddenByConnection"
)
RBAC = "Caller is not authorized to perform action on resource. Inner error: ForbiddenByRbac"


@pytest.fixture
def allowing(make: Make, terraform_dir: Path) -> Any:
    """An environment whose data planes let these addresses in."""

    def load(*rules: str, access: str = "allow-list") -> Environment:
        text = f'{TFVARS}deployer_access = "{access}"\ndeployer_ip_rules = [{", ".join(map(repr, rules))}]\n'
        (terraform_dir / "environments/dev/terraform.tfvars").write_text(text.replace("'", '"'), encoding="utf-8")
        return environments.load("dev")

    return load


def answering(monkeypatch: pytest.MonkeyPatch, said: str, there: bool = True) -> None:
    """Azure's control plane shows the thing (or not); its data plane says this on stderr, or answers."""

    def run(*arguments: str) -> Any:
        if arguments[1] == "show":
            if not there:
                raise AzError("gone", kind="not-found")
            return {"name": arguments[-1]}
        if said:
            raise AzError(az.refusal(arguments, said), kind=refusals.of(said).kind)
        return []

    monkeypatch.setattr(az, "run", run)


SHORT = "Client address (198.51.100.20) is not authorized and caller is not a trusted service. ForbiddenByFirewall"
CHECKS = [(reach.vault, FIREWALL), (reach.vault, SHORT), (reach.registry, DENIED)]


@pytest.mark.parametrize(("check", "said"), CHECKS)
def test_another_address_is_named(check: Any, said: str, allowing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that Azure sees, what the file holds, and what to do."""
    answering(monkeypatch, said)
    with pytest.raises(
        ToolError,
        match=r"does not let this machine in, which Azure sees as 198\.51\.100\.20; deployer_ip_rules in "
        r"terraform.tfvars is 192\.0\.2\.1: add the address, then `invoke deploy --env dev --stage 1`",
    ):
        check(allowing("192.0.2.1"))


@pytest.mark.parametrize(("check", "said"), CHECKS)
def test_a_rule_that_is_not_applied(check: Any, said: str, allowing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, said)
    with pytest.raises(ToolError, match="has that address, so it was not applied yet"):
        check(allowing("198.51.100.0/24"))


def test_a_closed_vault_wants_a_machine_inside(allowing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, CLOSED)
    with pytest.raises(ToolError, match=r"run this inside the network, see docs/private-deployment\.md"):
        reach.vault(allowing(access="private"))


@pytest.mark.parametrize("check", [reach.vault, reach.registry])
def test_it_answers(check: Any, allowing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing role is an answer: the address is let in."""
    answering(monkeypatch, "")
    assert check(allowing("192.0.2.1")).endswith("answers this machine")
    answering(monkeypatch, RBAC)
    assert "the role comes with" in check(allowing("192.0.2.1"))


@pytest.mark.parametrize("check", [reach.vault, reach.registry])
def test_before_stage_1_it_says_who_will_be_let_in(check: Any, allowing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "", there=False)
    found = check(allowing("192.0.2.1"))
    assert isinstance(found, Note)
    assert "it answers 192.0.2.1 only" in found
    assert "inside the network only" in check(allowing(access="private"))
    assert "any address" in check(allowing(access="public"))


def test_deploy_stops_before_api_management(allowing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after ten minutes of waiting for a role, and not after forty of a gateway."""
    answering(monkeypatch, FIREWALL)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waits for what no time mends"))
    with pytest.raises(ToolError, match="does not let this machine in"):
        deploy._wait_for_vault(allowing("192.0.2.1")).act()
