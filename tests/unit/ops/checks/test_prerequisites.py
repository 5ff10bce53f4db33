from __future__ import annotations

from typing import Any

import pytest

from ops.azure import az
from ops.checks import prerequisites
from ops.config.environment import ROOT
from ops.errors import AzError, ToolError
from tests.unit.ops.conftest import Make


@pytest.mark.parametrize(
    "held",
    [
        ["Owner"],
        ["Contributor", "User Access Administrator"],
        ["Contributor", "Role Based Access Control Administrator"],
    ],
)
def test_enough_roles(held: list[str]) -> None:
    """Terraform makes resources and gives roles."""
    assert prerequisites.judge_roles(held) == ", ".join(sorted(held))


@pytest.mark.parametrize("held", [[], ["Reader"], ["Contributor"], ["User Access Administrator"]])
def test_too_few_roles(held: list[str]) -> None:
    """What is held is said, and what is needed."""
    with pytest.raises(ToolError, match="Terraform needs Owner, or Contributor with"):
        prerequisites.judge_roles(held)


def test_a_missing_provider_is_named_with_its_command() -> None:
    """Copy and paste."""
    listed = [
        {"name": "microsoft.network", "state": "Registered"},
        {"name": "Microsoft.KeyVault", "state": "NotRegistered"},
    ]
    with pytest.raises(
        ToolError, match=r"^Microsoft\.KeyVault not registered.*az provider register --namespace Microsoft"
    ):
        prerequisites.judge_providers(["Microsoft.Network", "Microsoft.KeyVault"], listed)
    assert prerequisites.judge_providers(["Microsoft.Network"], listed) == "1 registered"


def test_providers_come_from_terraform(make: Make) -> None:
    """One list: what the stages register."""
    found = prerequisites.named_providers(make("dev", TERRAFORM_DIR=str(ROOT / "terraform")))
    assert {"Microsoft.ApiManagement", "Microsoft.KeyVault"} <= set(found)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(True, False), (False, True), ({"nameAvailable": True}, True), ({"nameAvailable": False, "reason": "x"}, False)],
)
def test_the_forms_of_a_free_name(answer: Any, expected: bool) -> None:
    """Cosmos DB says whether it exists, the others whether it is available."""
    assert prerequisites.free(answer) is expected


def test_a_taken_name_may_be_ours(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second `doctor`, after a deployment, finds its own names taken by itself."""
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate")
    ours: list[str] = ["STMCPTFSTATE", "acrmcp"]

    def run(*arguments: str) -> Any:
        if arguments[:2] == ("resource", "list"):
            return ours
        return (
            {"nameAvailable": arguments[-1] not in ("stmcptfstate", "acrmcp")} if "cosmosdb" not in arguments else False
        )

    monkeypatch.setattr(az, "run", run)
    assert prerequisites.names(environment) == "5 free or ours"
    ours.clear()
    with pytest.raises(ToolError, match=r"^STORAGE_ACCOUNT 'stmcptfstate', ACR_NAME 'acrmcp' taken by somebody else"):
        prerequisites.names(environment)


def test_before_bootstrap_nothing_is_ours(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resource group that does not exist holds no names."""

    def run(*arguments: str) -> Any:
        if arguments[:2] == ("resource", "list"):
            raise AzError("no group", kind="not-found")
        return {"nameAvailable": True} if "cosmosdb" not in arguments else False

    monkeypatch.setattr(az, "run", run)
    assert prerequisites.names(make("dev", STORAGE_ACCOUNT="stmcptfstate")) == "5 free or ours"
