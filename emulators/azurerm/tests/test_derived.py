"""Computed values are what Azure and Entra ID would answer."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.cloud import DEPLOYER_OBJECT_ID, TENANT_ID, Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.tests.conftest import Applied

IN = {"resource_group_name": "rg", "location": "westeurope"}
ROLE = "5d2a3b18-54c5-4a0e-8b0a-6f3d6c0a0001"
SUBNET = {
    "name": "s",
    "resource_group_name": "rg",
    "virtual_network_name": "v",
    "address_prefixes": ["10.1.2.0/29"],
}
CONTAINERS = {
    "name": "containers",
    "service_delegation": [{"name": "Microsoft.ContainerInstance/containerGroups", "actions": None}],
}
VNET = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"


def test_container_groups_share_no_address(cloud: Cloud, applied: Applied) -> None:
    """Addresses come from the subnet, after the four that Azure keeps, and are free again after destroy."""
    from emulators.azurerm.lifecycle import destroy

    subnet = applied("azurerm_subnet", **SUBNET, delegation=[CONTAINERS])
    first, second = (
        applied("azurerm_container_group", name=n, **IN, os_type="Linux", subnet_ids=[subnet["id"]]) for n in "ab"
    )
    assert [first["ip_address"], second["ip_address"]] == ["10.1.2.4", "10.1.2.5"]
    destroy(cloud, "azurerm_container_group", first)
    third = applied("azurerm_container_group", name="c", **IN, os_type="Linux", subnet_ids=[subnet["id"]])
    assert third["ip_address"] == "10.1.2.4"


def test_a_diagnostic_setting_restarts_a_container_group(cloud: Cloud, applied: Applied) -> None:
    """A restart changes the address: made, changed, but not once more where nothing changes."""
    subnet = applied("azurerm_subnet", **SUBNET, delegation=[CONTAINERS])
    group = applied("azurerm_container_group", name="a", **IN, os_type="Linux", subnet_ids=[subnet["id"]])
    workspace = "/subscriptions/sub/resourceGroups/hub/providers/Microsoft.OperationalInsights/workspaces/w"
    where = {"target_resource_id": group["id"].upper().replace("/SUBSCRIPTIONS/SUB", "/subscriptions/sub")}
    logs = [{"category": "ContainerEvent", "category_group": None}]
    applied(
        "azurerm_monitor_diagnostic_setting", name="d", **where, log_analytics_workspace_id=workspace, enabled_log=logs
    )
    moved = cloud.get("azurerm_container_group", group["id"])
    assert (group["ip_address"], moved["ip_address"]) == ("10.1.2.4", "10.1.2.5")
    other = applied("azurerm_container_group", name="b", **IN, os_type="Linux", subnet_ids=[subnet["id"]])
    assert other["ip_address"] == "10.1.2.4"


def test_a_full_subnet_is_said_to_be_full(applied: Applied) -> None:
    """A /29 has room for three holders; the fourth is refused with the subnet's name."""
    subnet = applied("azurerm_subnet", **SUBNET, delegation=[CONTAINERS])
    for name in "abc":
        applied("azurerm_container_group", name=name, **IN, os_type="Linux", subnet_ids=[subnet["id"]])
    with pytest.raises(ProviderError, match="subnets/s has no free address"):
        applied("azurerm_container_group", name="d", **IN, os_type="Linux", subnet_ids=[subnet["id"]])


def test_an_association_shows_on_the_subnet(cloud: Cloud, applied: Applied) -> None:
    """Azure keeps the security group on the subnet itself."""
    subnet = applied("azurerm_subnet", **SUBNET)
    assert subnet["network_security_group_id"] == ""
    applied(
        "azurerm_subnet_network_security_group_association", subnet_id=subnet["id"], network_security_group_id="/nsg"
    )
    assert cloud.get("azurerm_subnet", subnet["id"])["network_security_group_id"] == "/nsg"


def test_identities_have_two_ids(applied: Applied) -> None:
    """A user-assigned identity's client id and principal id differ, and are the same on every machine."""
    identity = applied("azurerm_user_assigned_identity", name="i", **IN)
    assert identity["client_id"] != identity["principal_id"]
    assert identity["tenant_id"] == TENANT_ID


def test_borrowed_identities_have_no_principal(applied: Applied) -> None:
    """Only a system-assigned identity gives its resource a principal."""
    blocks: list[dict[str, Any]] = [
        {"type": type_, "identity_ids": [], "principal_id": None, "tenant_id": None}
        for type_ in ("UserAssigned", "SystemAssigned")
    ]
    own = [
        applied("azurerm_container_registry", name=f"acr{n}abc", **IN, sku="Basic", identity=[b])
        for n, b in enumerate(blocks)
    ]
    assert own[0]["identity"][0]["principal_id"] == ""
    assert len(own[1]["identity"][0]["principal_id"]) == 36


def test_service_principals_show_their_application(cloud: Cloud, applied: Applied) -> None:
    """Roles and scopes of an application are the service principal's too."""
    role = {
        "id": ROLE,
        "value": "Mcp.Read",
        "display_name": "R",
        "description": "R",
        "enabled": True,
        "allowed_member_types": ["User"],
    }
    app = applied("azuread_application", display_name="api", app_role=[role])
    principal = applied("azuread_service_principal", client_id=app["client_id"])
    assert principal["app_role_ids"] == {"Mcp.Read": ROLE}
    assert principal["display_name"] == "api"
    assert principal["id"] == f"/servicePrincipals/{principal['object_id']}"


def test_principals_of_role_assignments_must_exist(cloud: Cloud, applied: Applied) -> None:
    """An object id is accepted, a client id is refused with the name of its owner."""
    identity = applied("azurerm_user_assigned_identity", name="id-gateway", **IN)
    assignment = {"scope": "/subscriptions/sub", "role_definition_name": "Reader"}
    made = applied("azurerm_role_assignment", **assignment, principal_id=identity["principal_id"])
    assert made["role_definition_id"].endswith("/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7")
    assert made["principal_type"] == "ServicePrincipal"
    applied("azurerm_role_assignment", **assignment, principal_id=DEPLOYER_OBJECT_ID)
    with pytest.raises(ProviderError, match="it is the client id of 'id-gateway'"):
        applied("azurerm_role_assignment", **assignment, principal_id=identity["client_id"])


def test_app_roles_must_be_the_resources_own(applied: Applied) -> None:
    """An app role that the resource does not declare is refused, and those that it does are named."""
    role = {
        "id": ROLE,
        "value": "Mcp.Read",
        "display_name": "R",
        "description": "R",
        "enabled": True,
        "allowed_member_types": ["User"],
    }
    app = applied("azuread_application", display_name="api", app_role=[role])
    principal = applied("azuread_service_principal", client_id=app["client_id"])
    group = applied("azuread_group", display_name="Readers", security_enabled=True)
    arguments = {"principal_object_id": group["object_id"], "resource_object_id": principal["object_id"]}
    made = applied("azuread_app_role_assignment", app_role_id=ROLE, **arguments)
    assert made["principal_display_name"] == "Readers"
    assert made["principal_type"] == "Group"
    assert made["resource_display_name"] == "api"
    with pytest.raises(ProviderError, match=r"is not an app role of that resource, which offers: Mcp\.Read"):
        applied("azuread_app_role_assignment", app_role_id=DEPLOYER_OBJECT_ID, **arguments)


@pytest.mark.parametrize(
    ("type_", "arguments", "said"),
    [
        (
            "azurerm_api_management",
            {"sku_name": "Developer_1", "virtual_network_type": "External"},
            "virtual_network_configuration",
        ),
        (
            "azurerm_api_management",
            {"sku_name": "Developer_1", "zones": ["1"]},
            "only supported when sku type is `Premium`",
        ),
        ("azurerm_api_management_logger", {}, "needs one of the blocks"),
        (
            "azurerm_api_management_product",
            {"approval_required": True, "subscription_required": False},
            "subscription_required",
        ),
        ("azurerm_container_group", {"dns_name_label": "x", "subnet_ids": ["/s"]}, "cannot be given with `subnet_ids`"),
        ("azurerm_cosmosdb_mongo_collection", {}, "needs an `index` block"),
    ],
)
def test_what_azure_refuses_on_creation(applied: Applied, type_: str, arguments: dict[str, object], said: str) -> None:
    """Mistakes that no plan shows fail the apply, and leave nothing behind."""
    with pytest.raises(ProviderError, match=said):
        applied(type_, **{"product_id" if type_.endswith("_product") else "name": "x"}, **arguments)


def test_write_only_values_reach_the_cloud_but_no_state(cloud: Cloud, applied: Applied) -> None:
    """A secret given as `value_wo` is what a data source reads, and is in no object that Terraform gets."""
    from emulators.azurerm.datasources import read_data

    vault = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
    secret = applied("azurerm_key_vault_secret", name="s", key_vault_id=vault, value_wo="hidden", value_wo_version=1)
    assert "hidden" not in str(secret)
    assert read_data(cloud, "azurerm_key_vault_secret", {"name": "s", "key_vault_id": vault})["value"] == "hidden"


def test_the_names_of_a_vault_s_secrets_are_read_without_values(cloud: Cloud, applied: Applied) -> None:
    """Those of this vault, and those that were put in before there was one."""
    from emulators.azurerm.datasources import read_data

    vaults = [f"/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}" for name in "ab"]
    for name, vault in zip(("mine", "other"), vaults, strict=True):
        applied("azurerm_key_vault_secret", name=name, key_vault_id=vault, value="hidden")
    cloud.store.put("azurerm_key_vault_secret", {"id": "/secrets/early", "name": "early", "value": "hidden"})
    found = read_data(cloud, "azurerm_key_vault_secrets", {"key_vault_id": vaults[0]})
    assert (sorted(found["names"]), "hidden" in str(found)) == (["early", "mine"], False)
