"""Each change of tests/plan/changes, applied to a production that runs, and taken back; or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.base.store import Store
from ops.terraform.cli import would_destroy
from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.change import CASES, FILES, IDS

DOMAIN = {
    "host_name": "mcp.example.com",
    "key_vault_certificate_id": "https://keyvault-mcp-pod-prod.vault.azure.net/secrets/mcp",
}
FIXED = {"set": {"cosmos/throughput_mode": "fixed"}}
FORGET = "-replace=terraform_data.as_made"


@pytest.mark.parametrize(("file", "name"), CASES, ids=IDS)
def test_a_change_is_applied_and_taken_back_or_refused(applied: Bench, file: Path, name: str) -> None:
    """Refused in a sentence before anything is touched; else applied in an order that Azure accepts, there and back."""
    case, before = FILES[file][name], change.Snapshot(applied)
    base, given = change.on_prod(applied), change.on_prod(applied, case)
    stages = [1, 2] if case.get("stage 1 first") else [case["stage"]]
    try:
        if "refused by" in case or "refused" in case:
            guards, sentences = change.refusals(applied, stages[0], given)
            named = [one for one in sentences if one.startswith(case.get("refused", "nothing"))]
            # A precondition can keep Terraform from coming as far as some of the guards.
            stopped = guards == case.get("refused by", []) or ("refused" in case and {*guards} < {*case["refused by"]})
            assert (stopped, len(named)) == (True, int("refused" in case)), (guards, sentences)
            # What Terraform says of a guard, ops says in a sentence that names what would be lost.
            said = would_destroy(" ".join(f"Resource {guard} has lifecycle.prevent_destroy set" for guard in guards))
            assert bool(said) == bool(guards)
            assert change.Snapshot(applied).cloud == before.cloud
            return
        for stage in stages:
            assert change.attempt(applied, stage, given) == ""
            assert change.left(applied, stage, given) == {}
        for stage in reversed(stages):
            reached = change.Snapshot(applied)
            said, refused = change.attempt(applied, stage, base), case.get("back refused", "")
            assert (refused in said) if refused else not said, said
            if refused:
                assert change.Snapshot(applied).cloud == reached.cloud
                return
            assert change.left(applied, stage, base) == {}
    finally:
        before.restore()


def test_a_domain_is_taken_away_under_a_lock(applied: Bench) -> None:
    """docs/custom-domain.md: refused while the lock holds the role; then one deployment without the lock, one with."""
    before = change.Snapshot(applied)
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


def test_throughput_is_migrated(applied: Bench) -> None:
    """The sentence of terraform/shared/as-made.tf: migrate with the Azure CLI, then have both stages forget."""
    before = change.Snapshot(applied)
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
