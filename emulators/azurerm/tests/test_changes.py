"""Changes of what is there: replaced where the provider's code says so, refused where it or Azure does."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.catalog import catalog_of
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.lifecycle import apply, destroy
from emulators.azurerm.planning import plan, plan_or_refuse
from emulators.azurerm.tests.conftest import Applied
from emulators.azurerm.values import UNKNOWN, empty

IN = {"resource_group_name": "rg", "location": "westeurope"}
PLACE = {"location": "westeurope", "failover_priority": 0}
ACCOUNT = {"name": "cosmos", **IN, "offer_type": "Standard", "kind": "MongoDB", "geo_location": [PLACE]}
MONGO = {"name": "EnableMongo"}
CONTINUOUS = {"type": "Continuous", "tier": "Continuous7Days"}
GATEWAY = {"name": "apim", **IN, "sku_name": "Premium_1", "publisher_name": "p", "publisher_email": "p@example.com"}


def subnet(name: str) -> str:
    return f"/subscriptions/sub/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/v/subnets/{name}"


def inside(name: str, kind: str = "External") -> dict[str, Any]:
    return {"virtual_network_type": kind, "virtual_network_configuration": [{"subnet_id": subnet(name)}]}


@pytest.mark.parametrize(
    ("type_", "before", "after", "replaced"),
    [
        ("azurerm_api_management", {**GATEWAY, **inside("a")}, inside("a", "Internal"), ("virtual_network_type",)),
        ("azurerm_api_management", {**GATEWAY, **inside("a")}, inside("b"), ("virtual_network_configuration",)),
        ("azurerm_api_management", GATEWAY, inside("a"), None),
        ("azurerm_api_management", GATEWAY, {"sku_name": "PremiumV2_1"}, ("sku_name",)),
        ("azurerm_api_management", GATEWAY, {"sku_name": "Developer_1"}, None),
        (
            "azurerm_cosmosdb_account",
            {**ACCOUNT, "capabilities": [MONGO]},
            {"capabilities": [MONGO, {"name": "EnableServerless"}]},
            ("capabilities",),
        ),
        (
            "azurerm_cosmosdb_account",
            {**ACCOUNT, "capabilities": [MONGO, {"name": "EnableServerless"}]},
            {"capabilities": [MONGO]},
            ("capabilities",),
        ),
        (
            "azurerm_cosmosdb_account",
            {**ACCOUNT, "capabilities": [MONGO]},
            {"capabilities": [MONGO, {"name": "EnableMongoRetryableWrites"}]},
            None,
        ),
        (
            "azurerm_cosmosdb_account",
            {**ACCOUNT, "backup": [CONTINUOUS]},
            {"backup": [{"type": "Periodic"}]},
            ("backup", 0, "type"),
        ),
        ("azurerm_cosmosdb_account", {**ACCOUNT, "backup": [{"type": "Periodic"}]}, {"backup": [CONTINUOUS]}, None),
        (
            "azurerm_cosmosdb_account",
            {**ACCOUNT, "analytical_storage_enabled": True},
            {"analytical_storage_enabled": False},
            ("analytical_storage_enabled",),
        ),
        ("azurerm_log_analytics_workspace", {"name": "l", **IN, "sku": "PerNode"}, {"sku": "PerGB2018"}, ("sku",)),
        (
            "azurerm_public_ip",
            {"name": "p", **IN, "allocation_method": "Static", "domain_name_label_scope": "TenantReuse"},
            {"domain_name_label_scope": "NoReuse"},
            ("domain_name_label_scope",),
        ),
    ],
)
def test_replaced_where_the_provider_s_code_says_so(
    applied: Applied, type_: str, before: dict[str, Any], after: dict[str, Any], replaced: tuple[str | int, ...] | None
) -> None:
    """CustomizeDiff of each type that the project uses; no schema says it."""
    prior = applied(type_, **before)
    found = plan(type_, prior, {**prior, **after})
    assert (replaced in found.replace if replaced else found.replace == ()) is True


def test_a_workspace_that_a_cluster_took_stays(applied: Applied) -> None:
    """Linking a workspace to a cluster changes its tier in Azure; what the configuration says is no replacement."""
    linked = {**applied("azurerm_log_analytics_workspace", name="l", **IN, sku="PerGB2018"), "sku": "LACluster"}
    assert plan("azurerm_log_analytics_workspace", linked, {**linked, "sku": "PerGB2018"}).replace == ()


def test_a_hidden_membership_is_another_group(applied: Applied) -> None:
    """group_resource.go: from Private or Public."""
    unified = {"types": ["Unified"], "mail_enabled": True, "mail_nickname": "g", "security_enabled": True}
    prior = applied("azuread_group", display_name="g", visibility="Private", **unified)
    assert plan("azuread_group", prior, {**prior, "visibility": "Hiddenmembership"}).replace == (("visibility",),)


def test_what_lives_in_an_object_goes_with_it(cloud: Cloud, applied: Applied) -> None:
    """A deleted service takes its APIs, policies and named values along; a setting on it stays, as reported."""
    applied("azurerm_resource_group", name="rg", location="westeurope")
    gateway = applied("azurerm_api_management", **GATEWAY)
    here = {"resource_group_name": "rg", "api_management_name": "apim"}
    applied("azurerm_api_management_api", name="mcp", **here, revision="1", display_name="MCP", protocols=["https"])
    applied("azurerm_api_management_api_policy", **here, api_name="mcp", xml_content="<policies><inbound /></policies>")
    applied("azurerm_api_management_named_value", **here, name="nv", display_name="nv", value="x")
    applied(
        "azurerm_monitor_diagnostic_setting",
        name="d",
        target_resource_id=gateway["id"],
        enabled_metric=[{"category": "AllMetrics"}],
    )
    destroy(cloud, "azurerm_api_management", gateway)
    left = {type_ for type_ in cloud.store.types() if cloud.store.of_type(type_) and type_.startswith("azurerm_")}
    assert left == {"azurerm_resource_group", "azurerm_monitor_diagnostic_setting"}


@pytest.fixture
def database(applied: Applied) -> dict[str, Any]:
    """Where collections live: an account with continuous backup and a database without throughput."""
    applied("azurerm_resource_group", name="rg", location="westeurope")
    applied("azurerm_cosmosdb_account", **ACCOUNT, backup=[CONTINUOUS])
    applied("azurerm_cosmosdb_mongo_database", name="d", resource_group_name="rg", account_name="cosmos")
    return {"resource_group_name": "rg", "account_name": "cosmos", "database_name": "d", "index": [ID]}


ID = {"keys": ["_id"], "unique": True}
TEN = {"autoscale_settings": [{"max_throughput": 1000}]}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (TEN, {"autoscale_settings": [], "throughput": 400}, "switching between autoscale and manually provisioned"),
        ({"throughput": 400}, {**TEN, "throughput": UNKNOWN}, "switching between autoscale and manually provisioned"),
        ({}, {"throughput": 400}, "you cannot configure it later"),
        (TEN, {"autoscale_settings": [{"max_throughput": 4000}]}, None),
        ({"throughput": 400}, {"throughput": 500}, None),
        ({}, {"index": [ID, {"keys": ["name"], "unique": True}]}, "unique indexes .name. cannot be added"),
        ({}, {"index": [ID, {"keys": ["name"], "unique": False}]}, None),
        ({"index": [ID, {"keys": ["name"], "unique": True}]}, {"index": [ID]}, None),
    ],
)
def test_a_collection_s_choices_are_made_with_it(
    cloud: Cloud,
    applied: Applied,
    database: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
    said: str | None,
) -> None:
    """Kind of throughput, throughput at all, and unique indexes: the plan says update, the apply is refused."""
    type_ = "azurerm_cosmosdb_mongo_collection"
    prior = applied(type_, **{**database, "name": "c", **before})
    planned = plan(type_, prior, {**prior, **after})
    assert planned.replace == ()
    if said is None:
        assert apply(cloud, type_, prior, planned.planned or {})["id"] == prior["id"]
        return
    with pytest.raises(ProviderError, match=said):
        apply(cloud, type_, prior, planned.planned or {})


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"soft_delete_retention_days": 30}, "once `soft_delete_retention_days` has been configured"),
        ({"purge_protection_enabled": False}, "once Purge Protection has been Enabled"),
    ],
)
def test_a_vault_s_retention_is_for_good(cloud: Cloud, applied: Applied, after: dict[str, Any], said: str) -> None:
    vault = {"name": "kv", "tenant_id": "t", "sku_name": "standard", "purge_protection_enabled": True}
    prior = applied("azurerm_key_vault", **vault, **IN, soft_delete_retention_days=90)
    with pytest.raises(ProviderError, match=said):
        apply(cloud, "azurerm_key_vault", prior, {**prior, **after})


def test_no_other_region_is_made_the_first(cloud: Cloud, applied: Applied) -> None:
    """The provider refuses it before it asks Azure, whose word for that is a failover."""
    second = {"location": "northeurope", "failover_priority": 1}
    prior = applied("azurerm_cosmosdb_account", **{**ACCOUNT, "geo_location": [PLACE, second]})
    turned = [{**PLACE, "failover_priority": 1}, {**second, "failover_priority": 0}]
    with pytest.raises(ProviderError, match=r"cannot change the failover priority of .*'northeurope' to 0"):
        apply(cloud, "azurerm_cosmosdb_account", prior, {**prior, "geo_location": turned})
    apart = [PLACE, {"location": "francecentral", "failover_priority": 2}]
    planned = plan("azurerm_cosmosdb_account", prior, {**prior, "geo_location": apart}).planned or {}
    assert len(apply(cloud, "azurerm_cosmosdb_account", prior, planned)["geo_location"]) == 2


def test_an_identity_that_an_update_adds_has_its_ids(cloud: Cloud, applied: Applied) -> None:
    """The plan takes over that there was none; what is applied has one."""
    mine = "/subscriptions/sub/resourceGroups/hub/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
    prior = applied("azurerm_api_management", **GATEWAY, identity=[{"type": "UserAssigned", "identity_ids": [mine]}])
    assert prior["identity"][0]["principal_id"] == ""
    both = [{**prior["identity"][0], "type": "SystemAssigned, UserAssigned"}]
    planned = plan("azurerm_api_management", prior, {**prior, "identity": both}).planned or {}
    assert planned["identity"][0]["principal_id"] == ""
    after = apply(cloud, "azurerm_api_management", prior, planned)
    assert len(after["identity"][0]["principal_id"]) == 36


def config(type_: str, **arguments: Any) -> dict[str, Any]:
    return {**empty(catalog_of(type_).resource(type_)["block"]), **arguments}


POOL = {
    "name": "mdp",
    **IN,
    "maximum_concurrency": 1,
    "azure_devops_organization": [{"organization": [{"url": "https://dev.azure.com/o", "parallelism": 1}]}],
    "virtual_machine_scale_set_fabric": [{"sku_name": "s", "image": [{"well_known_image_name": "ubuntu-24.04"}]}],
}
INHERITED = {"kind": "Inherit", "administrator_account": [{"users": ["a@example.com"]}]}
API = {"resource_group_name": "rg", "api_management_name": "apim", "name": "a", "revision": "1", "protocols": ["https"]}
REGISTRY = {"name": "acr", **IN}
CONNECTION = {"name": "c", "is_manual_connection": False, "private_connection_resource_id": "/a/b"}
ROLE = {
    "id": "1",
    "value": "R",
    "display_name": "R",
    "description": "R",
    "enabled": True,
    "allowed_member_types": ["User"],
}


@pytest.mark.parametrize(
    ("type_", "arguments", "said"),
    [
        ("azurerm_api_management_api", {**API, "display_name": "A", "version": "v1"}, "`version` without"),
        (
            "azurerm_api_management_api",
            {**API, "display_name": "A", "api_type": "websocket"},
            "`service_url` is required",
        ),
        ("azurerm_api_management_api", API, "`display_name`, `protocols` are required"),
        (
            "azurerm_api_management_api_operation",
            {"url_template": "/{*rest}", "template_parameter": [{"name": "id"}]},
            "`rest` used in `url_template` is not defined",
        ),
        (
            "azurerm_api_management_diagnostic",
            {"identifier": "azuremonitor", "operation_name_format": "Url"},
            "operation_name_format",
        ),
        (
            "azurerm_api_management_api_diagnostic",
            {"identifier": "azuremonitor", "operation_name_format": "Url"},
            "operation_name_format",
        ),
        ("azurerm_container_group", {"priority": "Spot", "ip_address_type": "Private"}, "has to be `None`"),
        (
            "azurerm_container_registry",
            {**REGISTRY, "sku": "Premium", "export_policy_enabled": False, "public_network_access_enabled": True},
            "must also be `false`",
        ),
        (
            "azurerm_container_registry",
            {**REGISTRY, "sku": "Standard", "export_policy_enabled": False},
            "export policy",
        ),
        ("azurerm_container_registry", {**REGISTRY, "sku": "Standard", "encryption": [{}]}, "an ACR encryption"),
        (
            "azurerm_container_registry",
            {**REGISTRY, "sku": "Standard", "quarantine_policy_enabled": True},
            "quarantine",
        ),
        ("azurerm_container_registry", {**REGISTRY, "sku": "Standard", "retention_policy_in_days": 7}, "retention"),
        (
            "azurerm_container_registry",
            {**REGISTRY, "sku": "Standard", "zone_redundancy_enabled": True},
            "zone redundancy",
        ),
        (
            "azurerm_container_registry",
            {**REGISTRY, "sku": "Basic", "anonymous_pull_enabled": True},
            "anonymous_pull_enabled",
        ),
        (
            "azurerm_container_registry",
            {**REGISTRY, "sku": "Basic", "data_endpoint_enabled": True},
            "data_endpoint_enabled",
        ),
        (
            "azurerm_container_registry",
            {**REGISTRY, "sku": "Premium", "georeplications": [{"location": "West Europe"}]},
            "georeplications",
        ),
        (
            "azurerm_cosmosdb_account",
            {**ACCOUNT, "capabilities": [{"name": "MongoDBv3.4"}]},
            "EnableMongo must be enabled",
        ),
        ("azurerm_log_analytics_workspace", {"name": "l", **IN, "sku": "Standard"}, "no longer supported"),
        ("azurerm_monitor_activity_log_alert", {"name": "a", "location": "uksouth"}, "following regions"),
        (
            "azurerm_managed_devops_pool",
            {**POOL, "maximum_concurrency": 2},
            r"the sum of `parallelism` .* \(1\) must equal",
        ),
        (
            "azurerm_managed_devops_pool",
            {**POOL, "virtual_machine_scale_set_fabric": [{"sku_name": "s", "image": [{"id": None}]}]},
            "one of `id` or `well_known_image_name` must be specified for image 0",
        ),
        (
            "azurerm_managed_devops_pool",
            {**POOL, "virtual_machine_scale_set_fabric": [{"image": [{"id": "/a", "well_known_image_name": "u"}]}]},
            "only one of `id` or `well_known_image_name`",
        ),
        (
            "azurerm_managed_devops_pool",
            {**POOL, "azure_devops_organization": [{"organization": [{"parallelism": 1}], "permission": [INHERITED]}]},
            "`administrator_account` must not be set when `permission` kind is `Inherit`",
        ),
        (
            "azurerm_nat_gateway",
            {"name": "n", **IN, "sku_name": "StandardV2", "zones": ["1"]},
            "`zones` must be omitted",
        ),
        (
            "azurerm_private_endpoint",
            {"private_service_connection": [{**CONNECTION, "request_message": "please"}]},
            "cannot be set",
        ),
        (
            "azurerm_private_endpoint",
            {"private_service_connection": [{**CONNECTION, "is_manual_connection": True}]},
            "must not be empty",
        ),
        (
            "azurerm_public_ip",
            {"name": "p", **IN, "sku": "Basic", "allocation_method": "Static"},
            "no longer permitted",
        ),
        ("azurerm_public_ip", {"name": "p", **IN, "sku": "StandardV2", "sku_tier": "Global"}, "sku_tier"),
        ("azurerm_subnet", {"sharing_scope": "Tenant"}, "`sharing_scope` cannot be set"),
        (
            "azuread_application",
            {"display_name": "a", "app_role": [ROLE, {**ROLE, "value": "S"}]},
            "duplicate ID found: '1'",
        ),
        (
            "azuread_application",
            {"display_name": "a", "app_role": [ROLE, {**ROLE, "id": "2"}]},
            "duplicate value found: 'R'",
        ),
        (
            "azuread_application",
            {
                "display_name": "a",
                "app_role": [ROLE],
                "api": [{"oauth2_permission_scope": [{"id": "2", "value": "R"}]}],
            },
            "duplicate value found: 'R'",
        ),
        ("azuread_application", {"display_name": "a", "sign_in_audience": "PersonalMicrosoftAccount"}, "must be 2"),
        (
            "azuread_group",
            {"display_name": "g", "types": ["DynamicMembership"], "security_enabled": True},
            "dynamic_membership",
        ),
        ("azuread_group", {"display_name": "g", "mail_enabled": True}, 'must contain "Unified"'),
        ("azuread_group", {"display_name": "g", "types": ["Unified"]}, "must be true for unified"),
        ("azuread_group", {"display_name": "g", "assignable_to_role": True}, "security-enabled"),
        ("azuread_group", {"display_name": "g", "visibility": "Hiddenmembership"}, 'only be "Hiddenmembership"'),
    ],
)
def test_the_providers_refuse_at_plan(type_: str, arguments: dict[str, Any], said: str) -> None:
    """What their code checks when it plans: before anything is applied."""
    with pytest.raises(ProviderError, match=said):
        plan_or_refuse(type_, None, config(type_, **arguments))


def test_what_is_not_known_yet_breaks_no_rule() -> None:
    """Values of other objects are judged once they are there."""
    for type_, arguments in (
        ("azurerm_container_registry", {**REGISTRY, "sku": UNKNOWN, "data_endpoint_enabled": True}),
        ("azurerm_private_endpoint", {"private_service_connection": [{**CONNECTION, "request_message": UNKNOWN}]}),
        ("azurerm_monitor_activity_log_alert", {"name": "a", "location": UNKNOWN}),
        ("azuread_application", {"display_name": "a", "app_role": [ROLE, {**ROLE, "id": UNKNOWN, "value": UNKNOWN}]}),
    ):
        assert plan_or_refuse(type_, None, config(type_, **arguments)).planned
