"""Groups, identities, storage accounts and vaults: name rules, conflicts, soft delete."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.arm import blobs
from emulators.arm.call import Caller
from emulators.arm.errors import AzureError, NotReproduced

from .conftest import CONTRIBUTOR, OWNER, SUB, Azure

VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
UK = {"location": "uksouth"}
STORAGE = {**UK, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}


def refused(azure: Azure, *arguments: Any, **named: Any) -> str:
    with pytest.raises(AzureError) as error:
        azure.call(*arguments, **named)
    return error.value.code


def vault_path(azure: Azure, name: str = "kv-x") -> str:
    return f"{azure.group()}/providers/Microsoft.KeyVault/vaults/{name}"


def vault(azure: Azure, **more: Any) -> str:
    path = vault_path(azure)
    azure.call("PUT", path, {**UK, "properties": {"enableRbacAuthorization": True, **more}})
    return path


def test_a_group_stays_where_it_was_made(azure: Azure) -> None:
    azure.group()
    moved = refused(azure, "PUT", f"{SUB}/resourcegroups/rg", {"location": "westeurope"})
    assert moved == "InvalidResourceGroupLocation"


def test_a_resource_needs_its_group_and_its_provider(azure: Azure) -> None:
    path = f"{SUB}/resourceGroups/none/providers/Microsoft.Storage/storageAccounts/stx"
    assert refused(azure, "PUT", path, STORAGE) == "ResourceGroupNotFound"
    azure.cloud.providers.clear()
    assert refused(azure, "PUT", path, STORAGE) == "MissingSubscriptionRegistration"


def test_a_federated_credential_has_one_audience_and_is_no_twin(azure: Azure) -> None:
    identity = f"{azure.group()}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-x"
    azure.call("PUT", identity, UK)
    body = {"properties": {"issuer": "https://i.example", "subject": "s", "audiences": ["api://x"]}}
    azure.call("PUT", f"{identity}/federatedIdentityCredentials/one", body)
    assert refused(azure, "PUT", f"{identity}/federatedIdentityCredentials/two", body) == "Conflict"
    body["properties"]["audiences"] = []
    assert refused(azure, "PUT", f"{identity}/federatedIdentityCredentials/one", body) == "BadRequest"
    (known,) = azure.cloud.tenant.document()["identities"]
    assert [credential["subject"] for credential in known["federated"]] == ["s"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("St_1", "AccountNameInvalid"), ("ab", "AccountNameInvalid"), ("sttaken", "StorageAccountAlreadyTaken")],
)
def test_storage_accounts_have_names_that_are_valid_and_free(azure: Azure, name: str, code: str) -> None:
    path = f"{azure.group()}/providers/Microsoft.Storage/storageAccounts/{name}"
    assert refused(azure, "PUT", path, STORAGE) == code


def test_blob_retention_needs_days(azure: Azure) -> None:
    account = f"{azure.group()}/providers/Microsoft.Storage/storageAccounts/stx"
    azure.call("PUT", account, STORAGE)
    path = f"{account}/blobServices/default"
    body = {"properties": {"deleteRetentionPolicy": {"enabled": True}}}
    assert refused(azure, "PUT", path, body) == "InvalidXmlDocument"
    body["properties"]["deleteRetentionPolicy"]["days"] = 30  # type: ignore[assignment]
    azure.call("PUT", path, body)
    azure.call("PUT", path, {"properties": {"isVersioningEnabled": True}})
    kept = azure.call("GET", path).body["properties"]
    assert (kept["isVersioningEnabled"], kept["deleteRetentionPolicy"]["days"]) == (True, 30)


def test_an_owner_opens_no_blobs_and_a_reader_only_reads(azure: Azure) -> None:
    account = f"{azure.group()}/providers/Microsoft.Storage/storageAccounts/stx"
    azure.call("PUT", account, STORAGE)
    host, caller = "stx.blob.core.windows.net", Caller(OWNER, "owner", "az", False, "storage")
    with pytest.raises(AzureError, match="AuthorizationPermissionMismatch"):
        blobs.authorize(azure.cloud, caller, "PUT", host, "/tfstate", {"restype": "container"})
    azure.assign(BLOB_READER, OWNER, account)
    blobs.authorize(azure.cloud, caller, "GET", host, "/tfstate/a", {})
    with pytest.raises(AzureError, match="AuthorizationPermissionMismatch"):
        blobs.authorize(azure.cloud, caller, "PUT", host, "/tfstate/a", {})


def test_a_deleted_vault_keeps_its_name_and_its_secrets_until_purged(azure: Azure) -> None:
    path = vault(azure)
    azure.assign(VAULT_ADMINISTRATOR, OWNER)
    azure.call("PUT", "/secrets/s", {"value": "v"}, host="kv-x.vault.azure.net")
    azure.call("DELETE", path)
    body = {**UK, "properties": {"enableRbacAuthorization": True}}
    assert refused(azure, "PUT", path, body) == "ConflictError"
    azure.call("PUT", path, {**UK, "properties": {"createMode": "recover"}})
    assert azure.call("GET", "/secrets/s", host="kv-x.vault.azure.net").body["value"] == "v"
    azure.call("DELETE", path)
    azure.call("POST", f"{SUB}/providers/Microsoft.KeyVault/locations/uksouth/deletedVaults/kv-x/purge")
    assert azure.call("PUT", path, body).status == 201


def test_purge_protection_cannot_be_undone_or_purged(azure: Azure) -> None:
    path = vault(azure, enablePurgeProtection=True)
    off = {**UK, "properties": {"enableRbacAuthorization": True, "enablePurgeProtection": False}}
    assert refused(azure, "PUT", path, off) == "BadRequest"
    azure.call("DELETE", path)
    purge = f"{SUB}/providers/Microsoft.KeyVault/locations/uksouth/deletedVaults/kv-x/purge"
    assert refused(azure, "POST", purge) == "MethodNotAllowed"


def test_secrets_need_a_data_role_which_owning_the_vault_is_not(azure: Azure) -> None:
    vault(azure)
    with pytest.raises(AzureError) as error:
        azure.call("GET", "/secrets/s", host="kv-x.vault.azure.net")
    assert (error.value.code, error.value.headers["x-inner-error"]) == ("Forbidden", "ForbiddenByRbac")


def test_a_deleted_secret_blocks_its_name_until_recovered(azure: Azure) -> None:
    vault(azure)
    azure.assign(VAULT_ADMINISTRATOR, OWNER)
    at = {"host": "kv-x.vault.azure.net"}
    azure.call("PUT", "/secrets/s", {"value": "one"}, **at)
    azure.call("PUT", "/secrets/s", {"value": "two"}, **at)
    azure.call("DELETE", "/secrets/s", **at)
    assert refused(azure, "PUT", "/secrets/s", {"value": "three"}, **at) == "Conflict"
    azure.call("POST", "/deletedsecrets/s/recover", **at)
    assert azure.call("GET", "/secrets/s", **at).body["value"] == "two"
    assert "value" not in azure.call("GET", "/secrets", **at).body["value"][0]


def test_deleting_a_group_deletes_what_is_in_it_and_its_assignments(azure: Azure) -> None:
    group = azure.group()
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-x"
    principal = azure.call("PUT", identity, UK).body["properties"]["principalId"]
    azure.assign(BLOB_READER, CONTRIBUTOR, group)
    azure.call("DELETE", f"{SUB}/resourcegroups/rg")
    assert azure.cloud.tenant.kind_of(principal) is None
    assert not [a for a in azure.cloud.assignments.values() if a.scope == group]


def test_what_is_not_implemented_is_refused_by_name(azure: Azure) -> None:
    with pytest.raises(
        NotReproduced, match=r"does not implement GET https://management\.azure\.com/subscriptions/.*/vms"
    ):
        azure.call("GET", f"{SUB}/providers/Microsoft.Compute/vms")
