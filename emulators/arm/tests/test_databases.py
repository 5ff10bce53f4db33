"""Keys of Cosmos DB accounts: who may regenerate them, and where the new value is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.arm.errors import AzureError
from emulators.base import account_keys
from emulators.base.store import Store
from emulators.base.tests.database_account import ACCOUNT, GROUP, with_database_account
from emulators.base.well_known import ROLES

from .conftest import CONTRIBUTOR, NOBODY, SUB, Azure

# Azure compares names without case.
PATH = f"{SUB}/resourceGroups/{GROUP.upper()}/providers/Microsoft.DocumentDB/databaseAccounts/{ACCOUNT}"


@pytest.fixture
def store(azure: Azure, tmp_path: Path) -> Store:
    store = azure.cloud.applied = with_database_account(tmp_path / "cloud.json")
    return store


def regenerate(azure: Azure, kind: str, who: str = CONTRIBUTOR) -> None:
    azure.call("POST", f"{PATH}/regenerateKey", {"keyKind": kind}, who)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("primary", "primaryMasterKey"),
        ("secondary", "secondaryMasterKey"),
        ("primaryReadonly", "primaryReadonlyMasterKey"),
        ("secondaryReadonly", "secondaryReadonlyMasterKey"),
    ],
)
def test_the_kinds_key_is_another_one(azure: Azure, store: Store, kind: str, name: str) -> None:
    """In the list of keys, and for Terraform."""
    before = azure.call("POST", f"{PATH}/listKeys").body
    regenerate(azure, kind)
    after = azure.call("POST", f"{PATH}/listKeys").body
    assert [key for key in after if after[key] != before[key]] == [name]
    assert after[name] == store.of_type(account_keys.TYPE)[0][f"{account_keys.KINDS[kind]}_key"]


@pytest.mark.parametrize("role", [None, "Reader", "Cosmos DB Account Reader Role", "Key Vault Administrator"])
def test_who_may_not(azure: Azure, store: Store, role: str | None) -> None:
    """Reading an account is not enough."""
    if role:
        azure.assign(ROLES[role], NOBODY)
    before = store.of_type(account_keys.TYPE)
    with pytest.raises(AzureError, match=r"AuthorizationFailed.*databaseAccounts/regenerateKey/action"):
        regenerate(azure, "primary", NOBODY)
    assert store.of_type(account_keys.TYPE) == before


@pytest.mark.parametrize("role", ["Contributor", "DocumentDB Account Contributor"])
def test_who_may(azure: Azure, store: Store, role: str) -> None:
    """Held at the resource group is enough."""
    azure.assign(ROLES[role], NOBODY, azure.group(GROUP))
    before = store.of_type(account_keys.TYPE)
    regenerate(azure, "primary", NOBODY)
    assert store.of_type(account_keys.TYPE) != before


@pytest.mark.parametrize("with_store", [True, False])
def test_an_account_that_nobody_made(azure: Azure, store: Store, with_store: bool) -> None:
    azure.cloud.applied = store if with_store else None
    with pytest.raises(AzureError, match="ResourceNotFound"):
        azure.call("POST", f"{PATH}-other/regenerateKey", {"keyKind": "primary"})


def test_a_kind_that_does_not_exist(azure: Azure, store: Store) -> None:
    with pytest.raises(AzureError, match="'tertiary' must be one of primary, secondary"):
        regenerate(azure, "tertiary")
