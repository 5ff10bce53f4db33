"""Real Terraform against the stand-in provider, from init to destroy, on a root module of a dozen types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.azurerm import Served, serve
from emulators.azurerm.cloud import TENANT_ID

ROOT = Path(__file__).parent / "root"
CONSUMER = Path(__file__).parent / "consumer"
SUBSCRIPTION = "00000000-0000-4000-8000-000000000000"


class Terraform:
    """One root module in a work folder of its own."""

    def __init__(self, folder: Path, served: Served) -> None:
        self.folder = folder
        self.environment = {**os.environ, **served.env, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}

    def __call__(self, *arguments: str, expect: int = 0) -> str:
        command = ["terraform", *arguments, "-no-color"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == expect, f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def actions(self, *variables: str) -> dict[str, list[str]]:
        """What a plan would do, by address, without what it would leave alone."""
        self("plan", "-out=plan.bin", "-input=false", *variables)
        text = subprocess.run(
            ["terraform", "show", "-json", "plan.bin"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            check=True,
        ).stdout
        changes = {change["address"]: change["change"]["actions"] for change in json.loads(text)["resource_changes"]}
        return {address: actions for address, actions in changes.items() if actions != ["no-op"]}

    def outputs(self) -> dict[str, Any]:
        text = subprocess.run(
            ["terraform", "output", "-json"], cwd=self.folder, env=self.environment, capture_output=True, check=True
        ).stdout
        return {name: output["value"] for name, output in json.loads(text).items()}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if shutil.which("terraform") is None:
        pytest.fail(
            "these tests run real Terraform, and `terraform` is not on PATH: `invoke doctor` says how to get it"
        )
    with serve(tmp_path_factory.mktemp("cloud") / "cloud.json") as served:
        yield served


def _copied(source: Path, folder: Path, served: Served) -> Terraform:
    shutil.copytree(source, folder, dirs_exist_ok=True)
    terraform = Terraform(folder, served)
    terraform("init", "-input=false")
    return terraform


@pytest.fixture(scope="module")
def applied(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    terraform = _copied(ROOT, tmp_path_factory.mktemp("root"), served)
    terraform("validate")
    terraform("apply", "-auto-approve", "-input=false")
    return terraform


def test_second_plan_changes_nothing(applied: Terraform) -> None:
    """What was applied matches its configuration."""
    assert applied("plan", "-detailed-exitcode", "-input=false", expect=0)


def test_outputs_have_the_forms_of_azure(applied: Terraform) -> None:
    """Computed values are what the services would answer."""
    outputs = applied.outputs()
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-test"
    assert outputs["tenant_id"] == TENANT_ID
    assert (
        outputs["subnet_id"] == f"{group}/providers/Microsoft.Network/virtualNetworks/vnet-test/subnets/snet-containers"
    )
    assert outputs["login_server"] == "acrtest0.azurecr.io"
    assert sorted(outputs["addresses"]) == ["10.0.1.4", "10.0.1.5"]
    assert outputs["role_ids"] == {"Mcp.Read": "5d2a3b18-54c5-4a0e-8b0a-6f3d6c0a0001"}
    assert outputs["connection_string"].startswith("mongodb://cosmos-test:")
    assert outputs["connection_string"].endswith("@cosmos-test.mongo.cosmos.azure.com:10255/" + COSMOS_OPTIONS)
    assert outputs["secret_id"].startswith("https://kv-test-0.vault.azure.net/secrets/connection/")


COSMOS_OPTIONS = "?ssl=true&replicaSet=globaldb&retrywrites=false&maxIdleTimeMS=120000&appName=@cosmos-test@"


def test_force_new_replaces_and_others_update(applied: Terraform) -> None:
    """A container's image replaces its group, a tag does not; a new secret value is a new version."""
    replaced = applied.actions("-var=image=mcp:2")
    assert replaced['azurerm_container_group.tier["admin"]'] == ["delete", "create"]
    updated = applied.actions("-var=owner=someone")
    assert updated == {"azurerm_resource_group.this": ["update"]}
    renewed = applied.actions("-var=secret=another")
    assert renewed["azurerm_key_vault_secret.connection"] == ["update"]


def test_moved_blocks_change_nothing(applied: Terraform, tmp_path: Path, served: Served) -> None:
    """A renamed resource keeps its object."""
    shutil.copytree(applied.folder, tmp_path, dirs_exist_ok=True)
    main = tmp_path / "main.tf"
    text = main.read_text().replace("azurerm_resource_group.this", "azurerm_resource_group.renamed")
    text = text.replace('"azurerm_resource_group" "this"', '"azurerm_resource_group" "renamed"')
    moved = "moved {\n  from = azurerm_resource_group.this\n  to   = azurerm_resource_group.renamed\n}\n"
    main.write_text(text + moved)
    assert Terraform(tmp_path, served).actions() == {}


def test_import_finds_what_exists(applied: Terraform, tmp_path: Path, served: Served) -> None:
    """`terraform import` of a stored object leaves nothing to change; of another one it says what is missing."""
    terraform = _copied(CONSUMER, tmp_path, served)
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-test"
    terraform("import", "-input=false", "azurerm_resource_group.adopted", group)
    assert "cannot import non-existent remote object" in terraform(
        "import", "-input=false", "azurerm_resource_group.other", f"{group}-none", expect=1
    )
    assert "azurerm_resource_group.adopted" not in terraform.actions()


def test_another_root_finds_it_by_name(applied: Terraform, tmp_path: Path, served: Served) -> None:
    """Data sources answer, across root modules, with what was applied; for anything else they name what is missing."""
    terraform = _copied(CONSUMER, tmp_path, served)
    terraform("apply", "-auto-approve", "-input=false", "-target=terraform_data.found")
    found = terraform.outputs()["found"]
    mine = applied.outputs()
    assert found["login_server"] == mine["login_server"]
    assert found["vault_uri"] == "https://kv-test-0.vault.azure.net/"
    assert found["principal_id"] == mine["principal_id"]
    assert found["address_prefixes"] == ["10.0.1.0/24"]
    assert found["secret"] == "s3cret-0"
    assert found["group"] == "Readers"
    said = terraform("plan", "-input=false", "-var=registry=acrnone", expect=1)
    assert "container registry (name = 'acrnone'" in said
    assert "was not found" in said


PUBLIC_IP = """
resource "azurerm_public_ip" "x" {
  name                = "pip"
  resource_group_name = "rg"
  location            = "westeurope"
  allocation_method   = "Static"
  %s
}
"""


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ('domain_name_label = "9-label"', "domain_name_label cannot start with '9'"),
        ('sku = "Gold"', 'expected sku to be one of ["Basic" "Standard" "StandardV2"], got Gold'),
        ("idle_timeout_in_minutes = 99", "to be in the range (4 - 30), got 99"),
        ('ip_address = "198.51.100.1"', "Value for unconfigurable attribute"),
        ('public_ip_prefix_id = "my-prefix"', "public_ip_prefix_id must be an id of the form"),
    ],
)
def test_mistakes_are_refused_by_validate(tmp_path: Path, served: Served, argument: str, message: str) -> None:
    """Mistakes that the schema cannot express are refused before any plan."""
    (tmp_path / "main.tf").write_text((CONSUMER / "terraform.tf").read_text() + PUBLIC_IP % argument)
    terraform = Terraform(tmp_path, served)
    terraform("init", "-input=false")
    assert message in " ".join(terraform("validate", expect=1).replace("│", " ").split())


def test_a_client_id_is_not_a_principal(served: Served, tmp_path: Path) -> None:
    """A role assignment that names a client id fails at once, and says whose it is."""
    (tmp_path / "main.tf").write_text((CONSUMER / "terraform.tf").read_text() + CLIENT_ID_AS_PRINCIPAL)
    terraform = Terraform(tmp_path, served)
    terraform("init", "-input=false")
    said = " ".join(terraform("apply", "-auto-approve", "-input=false", expect=1).replace("│", " ").split())
    assert "is not the object id of a service principal, user, group or identity" in said
    assert "it is the client id of 'id-mistake'" in said
    terraform("destroy", "-auto-approve", "-input=false")


CLIENT_ID_AS_PRINCIPAL = """
resource "azurerm_resource_group" "this" {
  name     = "rg-mistake"
  location = "westeurope"
}

resource "azurerm_user_assigned_identity" "this" {
  name                = "id-mistake"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

resource "azurerm_role_assignment" "this" {
  scope                = azurerm_resource_group.this.id
  role_definition_name = "Reader"
  principal_id         = azurerm_user_assigned_identity.this.client_id
}
"""


def test_destroy_leaves_nothing(served: Served, tmp_path: Path) -> None:
    """After destroy the cloud holds no object of the root module, and its addresses are free again."""
    with serve(tmp_path / "cloud.json") as own:
        terraform = _copied(ROOT, tmp_path / "root", own)
        terraform("apply", "-auto-approve", "-input=false")
        terraform("destroy", "-auto-approve", "-input=false")
        store = own.cloud.store
        assert [type_ for type_ in store.types() if store.of_type(type_)] == []
