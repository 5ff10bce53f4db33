"""A resource of Terraform's is refused to whoever Azure would refuse it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from emulators.arm import operations, permissions
from emulators.arm.errors import AzureError
from emulators.base.store import Store
from emulators.base.well_known import ROLES

from .conftest import NOBODY, OWNER, SUB, TENANT, Azure
from .test_authorization import ONLY_ACR_PULL

ROOT = Path(__file__).parents[3]
GROUP = {"display_name": "MCP readers", "prevent_duplicate_names": True}
VAULT = f"{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
LOCK = {"scope": VAULT, "lock_level": "CanNotDelete"}
NETWORK = {"resource_group_name": "rg", "name": "vnet"}
SECRET = {"key_vault_id": VAULT, "name": "s"}
APPLICATION_ADMINISTRATOR = permissions.APPLICATION_ADMINISTRATOR


class Pipeline:
    """An identity that holds exactly these roles and permissions."""

    def __init__(self, azure: Azure, store: Store) -> None:
        path = f"{azure.group()}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-x"
        self.id: str = azure.call("PUT", path, {"location": "uksouth"}).body["properties"]["principalId"]
        self.azure, self.cloud, self.store = azure, azure.cloud, store
        azure.cloud.applied = store

    def given(self, *roles: str, condition: str = "") -> Pipeline:
        for role in roles:
            limits = condition and role.startswith("Role Based")
            more = {"condition": condition, "conditionVersion": "2.0"} if limits else {}
            self.azure.assign(ROLES[role], self.id, principalType="ServicePrincipal", **more)
        return self

    def granted(self, *names: str, directory_role: str = "") -> Pipeline:
        for name in names:
            made = {"principalId": self.id, "resourceId": self.cloud.tenant.graph_id}
            self.cloud.tenant.app_roles[name] = {**made, "id": name, "appRoleId": permissions.PERMISSIONS[name]}
        if directory_role:
            self.cloud.tenant.assign_directory_role(self.id, directory_role, effective=0)
        return self

    def refusal(self, verb: str, type_: str, values: dict[str, Any]) -> str:
        try:
            operations.authorize(self.cloud, self.id, verb, type_, values)
        except AzureError as error:
            return error.code
        return ""


@pytest.fixture
def pipeline(azure: Azure) -> Pipeline:
    return Pipeline(azure, Store())


def test_contributor_and_the_narrower_role_make_no_lock(pipeline: Pipeline) -> None:
    """Contributor excludes Microsoft.Authorization/*/write; the other one knows role assignments only."""
    pipeline.given("Contributor", "Role Based Access Control Administrator", condition=ONLY_ACR_PULL)
    assert pipeline.refusal("create", "azurerm_virtual_network", NETWORK) == ""
    assert pipeline.refusal("read", "azurerm_management_lock", LOCK) == ""
    assert pipeline.refusal("create", "azurerm_management_lock", LOCK) == "AuthorizationFailed"
    assert pipeline.refusal("delete", "azurerm_management_lock", LOCK) == "AuthorizationFailed"
    pipeline.given("Locks Contributor")
    assert [pipeline.refusal(verb, "azurerm_management_lock", LOCK) for verb in ("create", "delete")] == ["", ""]


def test_user_access_administrator_makes_locks(pipeline: Pipeline) -> None:
    pipeline.given("User Access Administrator")
    assert pipeline.refusal("create", "azurerm_management_lock", LOCK) == ""


def test_the_condition_of_a_role_counts_for_terraforms_assignments(pipeline: Pipeline) -> None:
    pipeline.given("Role Based Access Control Administrator", condition=ONLY_ACR_PULL)
    made = {"scope": f"{SUB}/resourceGroups/rg", "principal_id": NOBODY}
    assert pipeline.refusal("create", "azurerm_role_assignment", {**made, "role_definition_name": "AcrPull"}) == ""
    assert pipeline.refusal("create", "azurerm_role_assignment", {**made, "role_definition_name": "Owner"})


def test_an_owner_who_is_a_person_is_looked_up(pipeline: Pipeline) -> None:
    """Application Administrator and Group.ReadWrite.All read no users."""
    pipeline.granted("Group.ReadWrite.All", directory_role=APPLICATION_ADMINISTRATOR)
    for type_ in ("azuread_group", "azuread_application"):
        assert pipeline.refusal("create", type_, {"owners": [pipeline.id]}) == ""
        assert pipeline.refusal("create", type_, {"owners": [pipeline.id, OWNER]}) == "Authorization_RequestDenied"
    pipeline.granted("User.Read.All")
    assert pipeline.refusal("create", "azuread_group", {"owners": [pipeline.id, OWNER]}) == ""


def test_group_create_lists_no_groups(pipeline: Pipeline) -> None:
    """So a name is not compared with those of other groups."""
    pipeline.granted("Group.Create")
    assert pipeline.refusal("create", "azuread_group", GROUP) == "Authorization_RequestDenied"
    assert pipeline.refusal("create", "azuread_group", {**GROUP, "prevent_duplicate_names": False}) == ""


def test_consent_for_everybody_takes_a_role_or_its_permission(pipeline: Pipeline) -> None:
    """What `--minimal` gives does not do."""
    type_ = "azuread_service_principal_delegated_permission_grant"
    pipeline.granted("Group.Create", "Application.ReadWrite.OwnedBy")
    assert [pipeline.refusal(verb, type_, {}) for verb in ("read", "create")] == ["", "Authorization_RequestDenied"]
    pipeline.granted("DelegatedPermissionGrant.ReadWrite.All")
    assert pipeline.refusal("create", type_, {}) == ""


def test_what_is_owned_is_the_owners_to_change(pipeline: Pipeline) -> None:
    pipeline.granted("Group.Create", "Application.ReadWrite.OwnedBy")
    mine, others = {"owners": [pipeline.id]}, {"owners": [NOBODY]}
    for type_ in ("azuread_group", "azuread_application"):
        assert pipeline.refusal("update", type_, mine) == ""
        assert pipeline.refusal("update", type_, others) == "Authorization_RequestDenied"
    pipeline.store.put("azuread_group", {"id": "/groups/g", "object_id": "g", "owners": [pipeline.id]})
    pipeline.store.put("azuread_application", {"id": "/applications/a", "owners": [pipeline.id]})
    assert pipeline.refusal("create", "azuread_group_member", {"group_object_id": "g"}) == ""
    assert pipeline.refusal("create", "azuread_group_member", {"group_object_id": "h"})
    for part in ("identifier_uri", "federated_identity_credential"):
        type_ = f"azuread_application_{part}"
        assert pipeline.refusal("create", type_, {"application_id": "/applications/a"}) == ""
        assert pipeline.refusal("create", type_, {"application_id": "/applications/b"}) == "Authorization_RequestDenied"
    assert pipeline.refusal("create", "azuread_app_role_assignment", {}) == "Authorization_RequestDenied"


def test_secrets_are_the_vaults_data(pipeline: Pipeline) -> None:
    """Owner opens none; a role that Terraform gave counts."""
    pipeline.given("Owner")
    assert pipeline.refusal("create", "azurerm_key_vault_secret", SECRET) == "Forbidden"
    assert pipeline.refusal("read", "azurerm_key_vault_secrets", SECRET) == "Forbidden"
    role = {"role_definition_name": "Key Vault Secrets Officer", "principal_id": pipeline.id, "scope": VAULT}
    pipeline.store.put("azurerm_role_assignment", {"id": f"{VAULT}/x", "name": "x", **role})
    assert pipeline.refusal("create", "azurerm_key_vault_secret", SECRET) == ""
    assert pipeline.refusal("read", "azurerm_key_vault_secrets", SECRET) == ""


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("azurerm_container_group", {"resource_group_name": "rg"}),
        ("azurerm_subnet_nat_gateway_association", {}),
        ("azurerm_cosmosdb_account", {"resource_group_name": "rg"}),
        ("azurerm_log_analytics_workspace", {"resource_group_name": "rg"}),
    ],
)
def test_a_reader_reads_no_keys_and_changes_nothing(pipeline: Pipeline, type_: str, values: dict[str, str]) -> None:
    pipeline.given("Reader")
    keys = bool(operations.ARM[type_].seen)
    assert bool(pipeline.refusal("read", type_, values)) is keys
    assert pipeline.refusal("create", type_, values) == "AuthorizationFailed"


def test_every_type_of_the_project_is_known() -> None:
    """A type that nothing is known of would be allowed to everybody, or to nobody."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "terraform").rglob("*.tf")]
    used = {name for text in texts for name in re.findall(r'^(?:resource|data) "(azur\w+)"', text, re.MULTILINE)}
    assert len(used) > 40
    assert used - operations.KNOWN == set()


def test_what_is_not_known_is_refused(pipeline: Pipeline) -> None:
    assert pipeline.refusal("create", "azurerm_lb", {}) == "InvalidRequestContent"
    assert pipeline.refusal("look", "azurerm_subnet", {}) == "InvalidRequestContent"
    assert pipeline.refusal("read", "azurerm_client_config", {"tenant_id": TENANT}) == ""


@pytest.mark.parametrize("members_create", [True, False])
def test_members_create_where_the_tenant_lets_them(pipeline: Pipeline, members_create: bool) -> None:
    """Larger companies switch both off; then Owner and Privileged Role Administrator deploy nothing."""
    cloud = pipeline.cloud
    cloud.tenant.members_create = members_create
    made = {"azuread_application": {"owners": [OWNER]}, "azuread_group": {"owners": [OWNER]}}

    def refused() -> list[str]:
        found = []
        for type_, values in made.items():
            try:
                operations.authorize(cloud, OWNER, "create", type_, values)
            except AzureError:
                found.append(type_)
        return found

    assert refused() == ([] if members_create else list(made))
    cloud.tenant.assign_directory_role(OWNER, permissions.APPLICATION_ADMINISTRATOR, effective=0)
    assert refused() == ([] if members_create else ["azuread_group"])
    cloud.tenant.assign_directory_role(OWNER, permissions.GROUPS_ADMINISTRATOR, effective=0)
    assert refused() == []
