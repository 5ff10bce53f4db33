"""Secrets of a server: Key Vault holds them, stage 2 reads them, the container gets them where Azure shows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tftest

from ops import tfvars
from tests.plan.bench import Bench
from tests.plan.inventory import resources

SECRET = """
data "azurerm_key_vault" "ours" {
  name                = "keyvault-mcp-local"
  resource_group_name = "rg-mcp-local"
}

resource "azurerm_key_vault_secret" "search" {
  name         = "search-key"
  key_vault_id = data.azurerm_key_vault.ours.id
  value        = "found in the vault"
}

provider "azurerm" {
  subscription_id = "00000000-0000-4000-8000-000000000001"
  features {}
}
"""


@pytest.fixture(scope="module")
def stage2(own_bench: Bench) -> Path:
    """Stage 2 of the local environment, whose server asks for the secret search-key; stage 1 is applied."""
    values = tfvars.read(own_bench.tfvars("local"))
    values["mcp_servers"]["mongodb"]["secrets"] = {"SEARCH_KEY": "search-key", "RERANK_KEY": "search-key"}
    own_bench.apply(own_bench.stage(1), case="local")
    (own_bench.stage(2) / "secrets.auto.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    return own_bench.stage(2)


def test_a_missing_secret_stops_the_plan(own_bench: Bench, stage2: Path) -> None:
    """The error names the secret and the vault: nothing is made that would start without it."""
    with pytest.raises(tftest.TerraformTestError) as failed:
        own_bench.plan(stage2)
    said = str(failed.value.cmd_error)
    assert "search-key" in said
    assert "keyvault-mcp-local" in said


def test_a_secret_is_in_the_secure_environment_only(own_bench: Bench, stage2: Path) -> None:
    """Under each of its names, beside the platform's own, and in no plain value."""
    root = own_bench.home / "terraform" / "root-secret"
    root.mkdir()
    (root / "main.tf").write_text(SECRET, encoding="utf-8")
    own_bench.apply(root)
    planned = resources(own_bench.plan(stage2)._raw)
    for slot in ("mongodb-admin-a", "mongodb-reader-a"):
        group = planned[f'module.servers["{slot}"].azurerm_container_group.this']
        assert "found in the vault" not in json.dumps(group["container"][0]["environment_variables"])
        secure = group["container"][0].get("secure_environment_variables") or {}
        assert {name: secure.get(name) for name in ("SEARCH_KEY", "RERANK_KEY")} == dict.fromkeys(
            ("SEARCH_KEY", "RERANK_KEY"), "found in the vault"
        )
