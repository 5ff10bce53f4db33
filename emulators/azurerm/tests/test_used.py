"""Terraform is told of the types that its files name, and of all types where that would not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.azurerm import types_used
from emulators.azurerm.catalog import load
from emulators.azurerm.encode import schema_source
from emulators.azurerm.proto import tfplugin5_pb2 as pb


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stage1").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "stage1" / "main.tf").write_text('resource "azurerm_subnet" "one" {}\ndata "azuread_user" "me" {}\n')
    return tmp_path


def test_types_of_configuration_and_state_are_used(root: Path) -> None:
    """A type that was taken out of the configuration still has to be destroyed, so the state counts too."""
    (root / "state" / "stage1.tfstate").write_text('{"resources": [{"type": "azurerm_public_ip"}]}')
    assert types_used(root, root / "state") == {"azurerm_subnet", "azuread_user", "azurerm_public_ip"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("typo.tf", 'resource "azurerm_subnett" "one" {}'),
        ("kind.tf", 'resource "azurerm_client_config" "one" {}'),
        ("other.tf.json", "{}"),
    ],
)
def test_all_types_are_told_where_names_do_not_say_enough(root: Path, file: str, text: str) -> None:
    """Terraform's "did you mean" needs the whole list."""
    (root / "stage1" / file).write_text(text)
    assert types_used(root, root / "state") is None


def test_a_schema_holds_the_types_used_now(tmp_path: Path) -> None:
    """Each command asks again; a type is described like in the whole schema."""
    used: list[frozenset[str] | None] = [frozenset({"azuread_user"}), frozenset({"azuread_group"}), None]
    source = schema_source(load("azuread"), tmp_path, lambda: used.pop(0))
    user, group, whole = (pb.GetSchemaResponse.FromString(source()) for _ in range(3))
    assert set(user.resource_schemas) == set(user.data_source_schemas) == {"azuread_user"}
    assert set(group.resource_schemas) == {"azuread_group"}
    assert len(whole.resource_schemas) == 54
    assert user.resource_schemas["azuread_user"] == whole.resource_schemas["azuread_user"]
    assert user.provider == whole.provider
