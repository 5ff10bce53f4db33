"""Real Terraform and the stand-in cloud disagree, are interrupted, or run side by side."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulators.azurerm import Served, serve
from emulators.azurerm.tests.terraform.test_lifecycle import CONSUMER, SUBSCRIPTION, Terraform

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-state"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
TYPE = "azurerm_virtual_network"
MAIN = """
resource "azurerm_resource_group" "this" {
  name     = "rg"
  location = "westeurope"
}

resource "azurerm_virtual_network" "this" {
  name                = "vnet"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_key_vault" "this" {
  name                       = "kv-state"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = azurerm_resource_group.this.location
  tenant_id                  = "7b7a1a5e-0000-4000-8000-7477696e0001"
  sku_name                   = "standard"
  soft_delete_retention_days = 30
  rbac_authorization_enabled = true
}

resource "azurerm_key_vault_secret" "this" {
  name         = "connection"
  key_vault_id = azurerm_key_vault.this.id
  value        = "s3cret"
}
"""
CONTAINERS = """
resource "azurerm_container_group" "this" {
  name                = "aci"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  os_type             = "Linux"

  container {
    name   = "server"
    image  = "mcp:1"
    cpu    = 0.1
    memory = 0.5
  }
}
"""
MANY = """
resource "azurerm_user_assigned_identity" "%(name)s" {
  count = 40

  name                = "id-%(name)s-${count.index}"
  resource_group_name = "rg"
  location            = "westeurope"
}
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path / "cloud.json") as served:
        yield served


@pytest.fixture
def root(tmp_path: Path, served: Served) -> Callable[[str, str], Terraform]:
    """Makes a root module of that name and text, initialised."""

    def make(name: str, text: str) -> Terraform:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(CONSUMER / "terraform.tf", folder)
        (folder / "main.tf").write_text(text)
        terraform = Terraform(folder, served)
        terraform("init", "-input=false")
        return terraform

    return make


Make = Callable[[str, str], Terraform]


def apply(terraform: Terraform, *arguments: str, expect: int = 0) -> str:
    return terraform("apply", "-auto-approve", "-input=false", *arguments, expect=expect)


def test_what_changed_behind_terraforms_back_is_seen(root: Make, served: Served) -> None:
    """A refresh-only plan is clean after an apply, shows drift, and what was deleted is created again."""
    terraform = root("drift", MAIN + CONTAINERS)
    apply(terraform)
    # Not by -detailed-exitcode: with any number in the state it is 2 (hashicorp/terraform#36403), here as with Azure.
    refresh = ("plan", "-refresh-only", "-input=false")
    assert "found no differences" in terraform(*refresh)
    served.cloud.store.update(TYPE, NETWORK, {"address_space": ["10.9.0.0/16"]})
    assert '"10.9.0.0/16"' in terraform(*refresh)
    assert terraform.actions() == {"azurerm_virtual_network.this": ["update"]}
    served.cloud.store.remove(TYPE, NETWORK)
    assert terraform.actions() == {"azurerm_virtual_network.this": ["create"]}
    apply(terraform)
    assert terraform.actions() == {}


def test_terraforms_own_surgery(root: Make) -> None:
    """-replace and taint replace, -target narrows, `state rm` needs an import, and an import block makes no change."""
    terraform = root("surgery", MAIN)
    apply(terraform, "-target=azurerm_virtual_network.this")
    apply(terraform)
    assert "1 added, 0 changed, 1 destroyed" in apply(terraform, "-replace=azurerm_key_vault_secret.this")
    terraform("taint", "azurerm_virtual_network.this")
    assert terraform.actions() == {"azurerm_virtual_network.this": ["delete", "create"]}
    terraform("untaint", "azurerm_virtual_network.this")
    terraform("state", "rm", "azurerm_virtual_network.this")
    said = " ".join(apply(terraform, expect=1).replace("│", " ").split())
    assert f"a resource with the ID '{NETWORK}' already exists - to be managed via Terraform" in said
    block = terraform.folder / "import.tf"
    block.write_text(f'import {{\n  to = {TYPE}.this\n  id = "{NETWORK}"\n}}\n')
    assert "1 imported, 0 added, 0 changed, 0 destroyed" in apply(terraform)
    block.write_text(
        f'import {{\n  to = {TYPE}.other\n  id = "{NETWORK}-none"\n}}\n'
        + MAIN.split("\n\n")[1].replace('"this"', '"other"')
    )
    assert "cannot import non-existent remote object" in " ".join(terraform("plan", "-input=false", expect=1).split())


def test_sensitive_values_are_marked(root: Make) -> None:
    """In the plan and in the state: nobody reads a secret over somebody's shoulder."""
    terraform = root("sensitive", MAIN)
    assert "s3cret" not in terraform("plan", "-input=false", "-out=plan.bin")
    apply(terraform)
    for arguments in (["plan.bin"], []):
        command = ["terraform", "show", "-json", *arguments]
        shown = subprocess.run(
            command, cwd=terraform.folder, env=terraform.environment, capture_output=True, check=True
        ).stdout
        document = json.loads(shown)
        values = document.get("planned_values") or document["values"]
        marked = {r["address"]: r["sensitive_values"] for r in values["root_module"]["resources"]}
        assert marked["azurerm_key_vault_secret.this"]["value"] is True


def test_another_roots_object_is_refused(root: Make) -> None:
    """Two states cannot own one object."""
    first = root("first", MAIN)
    apply(first)
    first.actions()  # any command that reads the state
    said = " ".join(apply(root("second", MAIN), expect=1).replace("│", " ").split())
    assert f"a resource with the ID '{GROUP}' already exists" in said


def test_two_roots_apply_at_the_same_time(root: Make, served: Served) -> None:
    """Nothing is lost or mixed up when two Terraform processes share the cloud."""
    roots = [root(name, MANY % {"name": name}) for name in ("left", "right")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(apply, roots))
    identities = served.cloud.store.of_type("azurerm_user_assigned_identity")
    assert len({i["principal_id"] for i in identities}) == 80
    assert [terraform.actions() for terraform in roots] == [{}, {}]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_apply_is_repeated(root: Make, served: Served, number: signal.Signals) -> None:
    """Whatever was under way: the next apply finishes, and every object exists once."""
    terraform = root("interrupted", MANY % {"name": "many"})
    command = ["terraform", "apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=2"]
    running = subprocess.Popen(
        command, cwd=terraform.folder, env=terraform.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 60
    while len(served.cloud.store.of_type("azurerm_user_assigned_identity")) < 5:
        assert running.poll() is None, "the apply ended before it could be interrupted"
        assert time.monotonic() < deadline, "nothing was created"
    running.send_signal(number)
    running.communicate(timeout=60)
    assert running.returncode != 0
    apply(terraform, "-lock-timeout=5s")
    identities = served.cloud.store.of_type("azurerm_user_assigned_identity")
    assert sorted(i["name"] for i in identities) == sorted(f"id-many-{n}" for n in range(40))
    assert terraform.actions() == {}
