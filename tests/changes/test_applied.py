"""Each change of tests/plan/changes, applied to a production that runs, and taken back; or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.base.store import Store
from ops.terraform.messages import would_destroy
from tests.changes.as_pipeline import Pipelines
from tests.changes.running import Running, is_refused, turn
from tests.changes.summary import Told
from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.change import CASES, FILES

IN_TURN = sorted(CASES, key=lambda one: turn(FILES[one[0]][one[1]]))
IDS = [f"{path.stem}: {name}" for path, name in IN_TURN]

DOMAIN = {
    "host_name": "mcp.example.com",
    "key_vault_certificate_id": "https://keyvault-mcp-pod-prod.vault.azure.net/secrets/mcp",
}
FIXED = {"set": {"cosmos/throughput_mode": "fixed"}}
FORGET = "-replace=terraform_data.as_made"


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
    # What Terraform says of a guard, ops says in a sentence that names what would be lost.
    lost = would_destroy(" ".join(f"Resource {guard} has lifecycle.prevent_destroy set" for guard in guards))
    assert bool(lost) == bool(guards)
    assert change.Snapshot(applied).cloud == before.cloud
    told.outcome, told.note = "refused at plan", " ".join((named or [lost])[0].split())


def test_production_is_as_it_was(running: Running) -> None:
    """The last change is taken back too, and nothing of the others is left."""
    running.take_back()
    assert [change.left(running.bench, stage, change.on_prod(running.bench)) for stage in (1, 2)] == [{}, {}]


def test_a_domain_is_taken_away_under_a_lock(running: Running) -> None:
    """docs/custom-domain.md: refused while the lock holds the role; then one deployment without the lock, one with."""
    running.take_back()
    applied, before = running.bench, change.Snapshot(running.bench)
    base = change.on_prod(applied)
    domain = {"apim/custom_domain": DOMAIN}
    renewed = {"apim/custom_domain": {**DOMAIN, "key_vault_certificate_id": f"{DOMAIN['key_vault_certificate_id']}-2"}}
    unlocked = change.changed(base, {"set": {"data_protection/locks": ["database", "registry"]}})
    try:
        assert change.attempt(applied, 2, change.changed(base, {"set": domain})) == ""
        reached = change.Snapshot(applied)
        for refused in (base, change.changed(base, {"set": renewed})):
            assert "apim.custom_domain cannot be taken away" in change.attempt(applied, 2, refused)
            assert change.Snapshot(applied).cloud == reached.cloud
        for values in (unlocked, base):
            for stage in (1, 2):
                assert change.attempt(applied, stage, values) == ""
                assert change.left(applied, stage, values) == {}
    finally:
        before.restore()


def test_throughput_is_migrated(running: Running) -> None:
    """The sentence of terraform/shared/as-made.tf: migrate with the Azure CLI, then have both stages forget."""
    running.take_back()
    applied, before = running.bench, change.Snapshot(running.bench)
    fixed = change.on_prod(applied, FIXED)
    try:
        _migrate(applied)
        for stage in (1, 2):
            assert "cosmos.throughput_mode cannot change" in change.attempt(applied, stage, fixed)
        for stage in (1, 2):
            assert change.attempt(applied, stage, fixed, FORGET) == ""
            assert change.left(applied, stage, fixed) == {}
    finally:
        before.restore()


def _migrate(bench: Bench) -> None:
    """`az cosmosdb mongodb database throughput migrate --throughput-type manual`: the maximum becomes the throughput.

    "Provision autoscale throughput on database or container in Azure Cosmos DB - API for MongoDB".
    """
    store = Store(bench.home / "cloud.json")
    for type_ in ("azurerm_cosmosdb_mongo_database", "azurerm_cosmosdb_mongo_collection"):
        for found in store.of_type(type_):
            for scale in found.get("autoscale_settings") or ():
                store.update(type_, found["id"], {"throughput": scale["max_throughput"], "autoscale_settings": []})


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
