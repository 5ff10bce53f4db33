"""What is said before a long step: how long Azure usually takes, and who says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.checks import durations
from ops.terraform.cli import ANYTHING, Plan, Stage
from tests.unit.ops.conftest import Make

GATEWAY = "module.apim.azurerm_api_management.this"
ACCOUNT = 'module.database["this"].azurerm_cosmosdb_account.this'
POLICY = "module.apim.azurerm_api_management_api_policy.mcp"


def plan(number: int = 2, **actions: str) -> Plan:
    found = {
        {"gateway": GATEWAY, "account": ACCOUNT, "policy": POLICY}[name]: action for name, action in actions.items()
    }
    return Plan(Stage(number, Path(), Path(), Path(), Path()), found, bool(found))


def said(make: Make, planned: Plan, name: str = "dev") -> list[str]:
    return list(durations.sentences(make(name), planned))


def test_a_first_deployment(make: Make) -> None:
    """The longest first; each with its source and date."""
    gateway, account = said(make, plan(gateway="create", account="create", policy="create"))
    assert gateway.startswith("creating API Management usually takes 30–45 minutes, now and then 90 (“Quickstart")
    assert account.startswith("creating a Cosmos DB account usually takes 10–15 minutes")
    assert durations.first_deployment(make("dev")).startswith(
        "45–90 minutes for the first deployment, of which API Management alone 30–45"
    )


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ({"gateway": "update"}, ["changing API Management's tier"]),
        ({"account": "replace"}, ["creating a Cosmos DB account"]),
        ({"policy": "create"}, []),
        ({"account": "update", "policy": "update"}, []),
        ({}, []),
    ],
)
def test_what_changes_decides(make: Make, actions: dict[str, str], expected: list[str]) -> None:
    """A policy is written in a moment, whatever its type's name begins with."""
    found = said(make, plan(**actions))
    assert [sentence.partition(",")[0].partition(" usually")[0] for sentence in found] == expected


def test_a_dry_run_knows_no_plan(make: Make) -> None:
    """It names what a first deployment makes; stage 1 makes nothing that takes long."""
    stage = plan().stage
    first = said(make, Plan(stage, ANYTHING, changes=True))
    assert all(sentence.startswith("the first time, creating ") for sentence in first)
    assert len(first) == 2
    assert said(make, Plan(plan(1).stage, ANYTHING, changes=True)) == []
    path = make("dev").folder / "terraform.tfvars"
    path.write_text(path.read_text(encoding="utf-8").replace('"cosmosdb-mongodb"', '"documentdb"'), encoding="utf-8")
    (gateway,) = said(make, Plan(stage, ANYTHING, changes=True))
    assert "API Management" in gateway


def test_a_v2_gateway_is_there_in_minutes(make: Make) -> None:
    """Microsoft names no number, so none is said; what then takes longest is the database."""
    path = make("dev").folder / "terraform.tfvars"
    path.write_text(path.read_text(encoding="utf-8") + 'apim = { sku_name = "StandardV2_1" }\n', encoding="utf-8")
    account, gateway = said(make, plan(gateway="create", account="create", policy="create"))
    assert account.startswith("creating a Cosmos DB account usually takes 10–15 minutes")
    assert gateway == f"creating API Management in a v2 tier usually takes minutes ({durations._V2_TIERS})"
    assert said(make, plan(gateway="update")) == []
    assert durations.first_deployment(make("dev")).startswith(
        "25–60 minutes for the first deployment, of which API Management alone some minutes"
    )


def test_the_twin_is_quick(make: Make) -> None:
    assert said(make, plan(gateway="create"), "local") == []


def test_every_duration_has_a_source() -> None:
    """A page with its date, or an issue with its own."""
    for usual in (*durations.USUAL, durations.ROLE):
        assert usual.source[-10:].count("-") == 2, usual
        assert 0 < usual.shortest < usual.longest or usual.shortest == usual.longest == 0
