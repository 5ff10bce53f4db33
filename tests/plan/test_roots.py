"""Small roots, applied, looked at and destroyed: what modules hand each other arrives."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import pytest
from pytest_terraform import terraform
from pytest_terraform.tf import TerraformTestApi

from tests.plan import root
from tests.plan.bench import Bench


@pytest.fixture(scope="module", autouse=True)
def attached(own_bench: Bench) -> Iterator[None]:
    """Attached before the first root is applied and until the last one is destroyed."""
    with root.attached(own_bench):
        yield


@pytest.fixture(autouse=True)
def nothing_left(own_bench: Bench, attached: None) -> Iterator[None]:
    """`terraform destroy`, with which pytest-terraform ends each test, leaves nothing in the cloud."""
    before = root.cloud(own_bench) if (own_bench.home / "cloud.json").exists() else set()
    yield
    assert root.cloud(own_bench) - before == set()


@terraform("private_database", replay=False)
def test_a_database_answers_at_its_endpoint_only(private_database: TerraformTestApi) -> None:
    """Closed to the public, with an endpoint in the subnet that registers its name; four secret keys that differ."""
    found = root.applied(private_database)
    account = found.resources["module.database.azurerm_cosmosdb_account.this"]
    endpoint = found.resources["module.endpoint.azurerm_private_endpoint.this"]
    subnet = found.resources['module.network.azurerm_subnet.this["endpoints"]']

    assert account["public_network_access_enabled"] is False
    assert endpoint["private_service_connection"][0]["private_connection_resource_id"] == account["id"]
    assert endpoint["subnet_id"] == subnet["id"]
    zone = found.resources["azurerm_private_dns_zone.mongo"]
    assert endpoint["private_dns_zone_group"][0]["private_dns_zone_ids"] == [zone["id"]]
    assert ipaddress.ip_address(found.outputs["address"]) in ipaddress.ip_network(subnet["address_prefixes"][0])
    assert len(set(found.outputs["connection_strings"].values())) == 4
    assert "connection_strings" in found.secret_outputs
    secret = found.secret["module.database.azurerm_cosmosdb_account.this"]
    assert secret["primary_mongodb_connection_string"] is True


@terraform("server", replay=False)
def test_a_slot_starts_with_what_it_may_do(server: TerraformTestApi) -> None:
    """It runs as an identity that may pull from this registry, in the subnet, under its name, its secret hidden."""
    found = root.applied(server)
    group = found.resources["module.slot.azurerm_container_group.this"]
    identity = found.resources["module.identity.azurerm_user_assigned_identity.this"]
    role = found.resources['module.roles.azurerm_role_assignment.this["pull"]']

    assert group["identity"][0]["identity_ids"] == [identity["id"]]
    assert (role["role_definition_name"], role["principal_id"]) == ("AcrPull", identity["principal_id"])
    assert role["scope"] == found.resources["module.registry.azurerm_container_registry.this"]["id"]
    record = found.resources["module.slot.azurerm_private_dns_a_record.this"]
    assert record["records"] == [group["ip_address"]] == [found.outputs["address"]]
    assert found.outputs["fqdn"] == "notes-reader-a.mcp.internal"
    subnet = found.resources['module.network.azurerm_subnet.this["containers"]']
    assert ipaddress.ip_address(group["ip_address"]) in ipaddress.ip_network(subnet["address_prefixes"][0])
    assert group["subnet_ids"] == [subnet["id"]]
    assert "hidden" not in str(group["container"][0]["environment_variables"])
    assert found.secret["module.slot.azurerm_container_group.this"]["container"][0]["secure_environment_variables"]


@terraform("vault", replay=False)
def test_a_vault_admits_by_role_and_reports(vault: TerraformTestApi) -> None:
    """One identity holds one role on this vault; its diagnostics reach the workspace, which takes no key."""
    found = root.applied(vault)
    kept = found.resources["module.vault.azurerm_key_vault.this"]
    role = found.resources['module.roles.azurerm_role_assignment.this["read"]']
    setting = found.resources['module.monitoring.azurerm_monitor_diagnostic_setting.this["vault"]']

    assert (role["scope"], role["role_definition_name"]) == (kept["id"], "Key Vault Secrets User")
    assert kept["network_acls"][0]["default_action"] == "Deny"
    assert (kept["purge_protection_enabled"], kept["rbac_authorization_enabled"]) == (True, True)
    assert setting["target_resource_id"] == kept["id"]
    workspace = found.resources["module.monitoring.azurerm_log_analytics_workspace.this"]
    assert setting["log_analytics_workspace_id"] == workspace["id"]
    assert found.outputs["vault_uri"] == "https://keyvault-root.vault.azure.net/"
    assert found.secret["azurerm_key_vault_secret.this"]["value"] is True
    assert workspace["local_authentication_enabled"] is False


@terraform("sign_in", replay=False)
def test_people_hold_a_role_of_the_api(sign_in: TerraformTestApi) -> None:
    """The group holds the API's own role, the client is pre-authorised for its scope, and neither app has a secret."""
    found = root.applied(sign_in)
    api = found.resources["module.api.azuread_application.this"]
    assigned = found.resources['module.api.azuread_app_role_assignment.this["reader"]']
    allowed = found.resources['module.api.azuread_application_pre_authorized.this["client"]']

    assert assigned["app_role_id"] == api["app_role"][0]["id"]
    assert assigned["principal_object_id"] == found.outputs["reader"]
    service = found.resources["module.api.azuread_service_principal.this"]
    assert assigned["resource_object_id"] == service["object_id"]
    assert allowed["authorized_client_id"] == found.outputs["client_id"] != api["client_id"]
    assert allowed["permission_ids"] == [api["api"][0]["oauth2_permission_scope"][0]["id"]]
    assert api["optional_claims"][0]["access_token"][0]["name"] == "idtyp"
    assert found.outputs["scope"] == f"api://{api['client_id']}/Mcp.Access"
    assert found.resources["module.client.azuread_application.this"]["fallback_public_client_enabled"] is True
    assert not [address for address in found.resources if "password" in address]


@terraform("gateway", replay=False)
def test_a_gateway_knows_what_its_policies_name(gateway: TerraformTestApi) -> None:
    """Every {{named value}} and backend of the applied policies exists, and leads to the slots that were given."""
    found = root.applied(gateway)
    made = {address: values for address, values in found.resources.items() if ".azurerm_api_management" in address}
    text = "".join(str(values.get("xml_content") or values.get("value")) for values in made.values())
    names = {values["name"] for address, values in made.items() if "_named_value." in address}
    backends = {values["name"]: values["url"] for address, values in made.items() if "_backend." in address}

    assert set(re.findall(r"\{\{([a-z0-9-]+)\}\}", text)) <= names
    assert set(backends.values()) == {f"http://notes-reader-{slot}.mcp.internal:8000" for slot in "ab"}
    assert found.outputs["endpoint"] == "https://apim-root.azure-api.net/notes/mcp"
    service = found.resources["module.apim.azurerm_api_management.this"]
    identity = found.resources["module.identity.azurerm_user_assigned_identity.this"]
    assert service["identity"][0]["identity_ids"] == [identity["id"]]
    assert (
        made['module.apim.azurerm_api_management_named_value.this["gateway-identity-client-id"]']["value"]
        == (identity["client_id"])
    )
    logger = 'module.apim.azurerm_api_management_logger.application_insights["this"]'
    assert found.secret[logger]["application_insights"]
