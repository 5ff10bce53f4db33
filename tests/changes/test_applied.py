"""Each change of tests/plan/changes, applied to a production that runs, and taken back; or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.changes.as_pipeline import Pipelines
from tests.changes.running import Running, is_refused, turn
from tests.changes.summary import Told
from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.change import CASES, FILES

IN_TURN = sorted(CASES, key=lambda one: turn(FILES[one[0]][one[1]]))
IDS = [f"{path.stem}: {name}" for path, name in IN_TURN]


@pytest.mark.parametrize(("file", "name"), IN_TURN, ids=IDS)
def test_a_change_is_applied_and_taken_back_or_refused(running: Running, told: Told, file: Path, name: str) -> None:
    """Refused in a sentence before anything is touched; else applied in an order that Azure accepts, there and back.

    Each takes back the one before; whoever bootstrap prepared may do all of it.
    """
    case = FILES[file][name]
    told.name = f"{file.stem}: {name}"
    if not is_refused(case):
        running.change(name, case)
        told.outcome = "applied"
        told.note = f"taking it back is refused: {case['back refused']}" if "back refused" in case else ""
        return
    running.take_back()
    applied, before = running.bench, change.Snapshot(running.bench)
    stage = 1 if case.get("stage 1 first") else case["stage"]
    guards, sentences = change.refusals(applied, stage, change.on_prod(applied, case))
    named = [one for one in sentences if one.startswith(case.get("refused", "nothing"))]
    # A precondition can keep Terraform from coming as far as some of the guards.
    stopped = guards == case.get("refused by", []) or ("refused" in case and {*guards} < {*case["refused by"]})
    assert (stopped, len(named)) == (True, int("refused" in case)), (guards, sentences)
    assert change.Snapshot(applied).cloud == before.cloud
    told.outcome, told.note = "refused at plan", " ".join((named or [f"prevent_destroy of {guards[0]}"])[0].split())


def test_production_is_as_it_was(running: Running) -> None:
    """The last change is taken back too, and nothing of the others is left."""
    running.take_back()
    assert [change.left(running.bench, stage, change.on_prod(running.bench)) for stage in (1, 2)] == [{}, {}]


@pytest.mark.parametrize(
    ("way", "lost", "type_"),
    [
        ("narrow", "Locks Contributor", "azurerm_management_lock"),
        ("narrow", "Contributor", "azurerm_api_management"),
        ("wide", "User Access Administrator", "azurerm_role_assignment"),
        ("wide", "User.Read.All", "azuread_group"),
        ("minimal", "Application.ReadWrite.OwnedBy", "azuread_application"),
        ("minimal", "DelegatedPermissionGrant.ReadWrite.All", "azuread_service_principal_delegated_permission_grant"),
    ],
)
def test_what_bootstrap_gives_is_needed(pipelines: Pipelines, way: str, lost: str, type_: str) -> None:
    """Without one of its rights, the same operations are refused: the changes before would have told."""
    refused = pipelines.again(way, without=lost)
    assert any(f" {type_}: " in one for one in refused), refused


def test_every_kind_of_operation_was_asked_for(pipelines: Pipelines, applied: Bench) -> None:
    """Production's shape and a year's changes: private endpoints, zones, a domain, locks; made, changed and deleted."""
    asked = pipelines.kinds
    assert {("create", "azurerm_private_endpoint"), ("create", "azurerm_api_management_custom_domain")} <= asked
    changed = {type_ for verb, type_ in asked if verb == "update"}
    assert changed >= {"azurerm_api_management", "azurerm_cosmosdb_account", "azurerm_key_vault_secret"}
    removed = {type_ for verb, type_ in asked if verb == "delete"}
    assert removed >= {
        "azuread_application",
        "azuread_group_member",
        "azurerm_api_management_backend",
        "azurerm_container_group",
        "azurerm_management_lock",
        "azurerm_role_assignment",
    }
