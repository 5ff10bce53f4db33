"""What Azure refuses only when it is asked: with the code that Azure gives, and nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.lifecycle import apply, destroy
from emulators.azurerm.tests.conftest import Applied

IN = {"resource_group_name": "rg", "location": "westeurope"}
IN_APIM = {"resource_group_name": "rg", "api_management_name": "apim"}
RG = "/subscriptions/sub/resourceGroups/rg"
NETWORK = f"{RG}/providers/Microsoft.Network"
DELEGATED = {"name": "d", "service_delegation": [{"name": "Microsoft.ContainerInstance/containerGroups"}]}
PLACE = {"location": "westeurope", "failover_priority": 0}
MONGO = {"offer_type": "Standard", "kind": "MongoDB", "geo_location": [PLACE]}


@pytest.fixture
def platform(applied: Applied) -> None:
    """A group with one of what others live in."""
    applied("azurerm_resource_group", name="rg", location="westeurope")
    applied("azurerm_virtual_network", name="vnet", **IN, address_space=["10.0.0.0/16"])
    subnet(applied, "plain", "10.0.0.0/24")
    subnet(applied, "containers", "10.0.1.0/24", delegation=[DELEGATED])
    applied("azurerm_network_security_group", name="nsg", **IN)
    applied("azurerm_network_security_rule", name="one", **RULE)
    applied("azurerm_api_management", name="apim", **IN, sku_name="Developer_1")
    applied("azurerm_api_management_api", name="mcp", **IN_APIM, revision="1", display_name="MCP", protocols=["https"])
    serverless = [{"name": "EnableMongo"}, {"name": "EnableServerless"}]
    applied("azurerm_cosmosdb_account", name="serverless", **IN, **MONGO, capabilities=serverless)


def subnet(applied: Applied, name: str, prefix: str, **more: Any) -> dict[str, Any]:
    where = {"resource_group_name": "rg", "virtual_network_name": "vnet"}
    return applied("azurerm_subnet", name=name, **where, address_prefixes=[prefix], **more)


RULE = {
    "resource_group_name": "rg",
    "network_security_group_name": "nsg",
    "priority": 100,
    "direction": "Inbound",
    "access": "Allow",
    "protocol": "Tcp",
    "source_port_range": "*",
    "destination_port_range": "8000",
}
ENDPOINT = {"subnet_id": f"{NETWORK}/virtualNetworks/vnet/subnets/plain", **IN}
GROUP = {"os_type": "Linux", "ip_address_type": "Private", **IN}


@pytest.mark.parametrize(
    ("type_", "arguments", "said"),
    [
        (
            "azurerm_api_management_api_operation",
            {**IN_APIM, "api_name": "none", "operation_id": "post", "url_template": "/mcp"},
            "ParentResourceNotFound.*service/apim/apis/none'",
        ),
        (
            "azurerm_api_management_backend",
            {"resource_group_name": "rg", "api_management_name": "none", "name": "b", "url": "http://a"},
            "ParentResourceNotFound.*service/none'",
        ),
        ("azurerm_api_management_api_policy", {**IN_APIM, "api_name": "none"}, "ParentResourceNotFound.*apis/none'"),
        (
            "azurerm_key_vault_secret",
            {"name": "s", "key_vault_id": f"{RG}/providers/Microsoft.KeyVault/vaults/none", "value": "x"},
            "InvalidResourceReference.*vaults/none' .*was not found",
        ),
        (
            "azurerm_subnet",
            {"name": "s", "resource_group_name": "rg", "virtual_network_name": "none", "address_prefixes": []},
            "ParentResourceNotFound.*virtualNetworks/none'",
        ),
        (
            "azurerm_monitor_diagnostic_setting",
            {
                "name": "d",
                "target_resource_id": f"{RG}/providers/Microsoft.ApiManagement/service/none",
                "enabled_metric": [{"category": "AllMetrics"}],
            },
            "ParentResourceNotFound.*service/none'",
        ),
        (
            "azurerm_container_group",
            {**GROUP, "name": "g", "subnet_ids": [f"{NETWORK}/virtualNetworks/vnet/subnets/none"]},
            "InvalidResourceReference.*subnets/none' .*was not found",
        ),
        ("azurerm_container_group", {**GROUP, "name": "g"}, "`subnet_ids` must be set when `ip_address_type`"),
        (
            "azurerm_container_group",
            {**GROUP, "name": "g", "subnet_ids": [ENDPOINT["subnet_id"]]},
            "SubnetMissingRequiredDelegation.*ContainerInstance",
        ),
        (
            "azurerm_api_management",
            {
                **IN,
                "name": "two",
                "sku_name": "Developer_1",
                "virtual_network_type": "External",
                "virtual_network_configuration": [{"subnet_id": f"{NETWORK}/virtualNetworks/vnet/subnets/containers"}],
            },
            "SubnetIsDelegated.*a gateway of a classic tier",
        ),
        (
            "azurerm_network_security_rule",
            {**RULE, "name": "two"},
            "SecurityRuleConflict.*'two' conflicts with rule 'one'",
        ),
        (
            "azurerm_network_security_rule",
            {**RULE, "name": "two", "priority": 101, "source_port_range": None},
            "one of `source_port_range` or `source_port_ranges` must be set",
        ),
        ("azurerm_public_ip", {**IN, "name": "p", "allocation_method": "Dynamic"}, "static IP allocation must be used"),
        (
            "azurerm_api_management_api",
            {**IN_APIM, "name": "a", "revision": "1"},
            "`display_name`, `protocols` are required when",
        ),
        (
            "azurerm_api_management_api_operation",
            {**IN_APIM, "api_name": "mcp", "operation_id": "get", "url_template": "/{id}"},
            "template parameter `id` used in `url_template` is not defined",
        ),
        (
            "azurerm_container_registry",
            {**IN, "name": "acr", "sku": "Basic", "zone_redundancy_enabled": True},
            "Premium Sku",
        ),
        (
            "azurerm_container_registry",
            {**IN, "name": "acr", "sku": "Standard", "public_network_access_enabled": False},
            "can only be disabled for a Premium Sku",
        ),
        ("azurerm_cosmosdb_account", {**IN, **MONGO, "name": "c", "geo_location": []}, "`failover_priority` set to 0"),
        (
            "azurerm_cosmosdb_account",
            {**IN, **MONGO, "name": "c", "geo_location": [PLACE, {**PLACE, "failover_priority": 1}]},
            "in a unique location",
        ),
        (
            "azurerm_cosmosdb_mongo_database",
            {"resource_group_name": "rg", "account_name": "serverless", "name": "d", "throughput": 400},
            "not supported for serverless accounts",
        ),
        (
            "azurerm_private_endpoint",
            {**ENDPOINT, "name": "pe", "private_service_connection": [{"is_manual_connection": True}]},
            '"request_message" attribute must not be empty',
        ),
    ],
)
@pytest.mark.usefixtures("platform")
def test_azure_refuses(cloud: Cloud, applied: Applied, type_: str, arguments: dict[str, Any], said: str) -> None:
    """The mistake is named, and the object does not exist afterwards."""
    before = len(cloud.store.of_type(type_))
    with pytest.raises(ProviderError, match=said):
        applied(type_, **arguments)
    assert len(cloud.store.of_type(type_)) == before


@pytest.mark.usefixtures("platform")
def test_a_subnet_in_use_keeps_its_range(cloud: Cloud, applied: Applied) -> None:
    """Free, it takes another one."""
    containers = cloud.find("azurerm_subnet", name="containers") or {}
    wider = {**containers, "address_prefixes": ["10.0.4.0/23"]}
    group = applied("azurerm_container_group", **GROUP, **INSIDE, name="g", container=[CONTAINER])
    with pytest.raises(ProviderError, match=r"InUseSubnetCannotBeUpdated: subnet 'containers' is in use by .*/g "):
        apply(cloud, "azurerm_subnet", containers, wider)
    destroy(cloud, "azurerm_container_group", group)
    assert apply(cloud, "azurerm_subnet", containers, wider)["address_prefixes"] == ["10.0.4.0/23"]


@pytest.mark.parametrize("sku", ["Basic", "Premium"])
@pytest.mark.usefixtures("platform")
def test_a_basic_registry_serves_a_network(applied: Applied, sku: str) -> None:
    """Microsoft names Premium, people report Basic: it is not refused, and the live check `groups` sees the pull."""
    registry = applied("azurerm_container_registry", name="acr", **IN, sku=sku)
    puller = applied("azurerm_user_assigned_identity", name="puller", **IN)
    pull = {"server": registry["login_server"], "user_assigned_identity_id": puller["id"]}
    image = f"{registry['login_server']}/mongodb-mcp:1"
    group = {**GROUP, **INSIDE, "name": "g", "container": [{**CONTAINER, "image": image}]}
    made = applied("azurerm_container_group", **group, image_registry_credential=[pull])
    assert (made["image_registry_credential"][0]["server"], made["container"][0]["image"]) == ("acr.azurecr.io", image)


@pytest.mark.usefixtures("platform")
def test_agents_have_a_subnet_of_their_own(cloud: Cloud, applied: Applied) -> None:
    """Delegated to the service, used by one pool, and in use while the pool is there."""
    fabric = {"sku_name": "s", "image": [{"well_known_image_name": "ubuntu-24.04"}]}
    organization = [{"organization": [{"url": "https://dev.azure.com/o", "parallelism": 1}]}]
    pool = {**IN, "maximum_concurrency": 1, "azure_devops_organization": organization, "stateless_agent": [{}]}

    def made(name: str, of: dict[str, Any]) -> dict[str, Any]:
        inside = [{**fabric, "subnet_id": of["id"]}]
        return applied("azurerm_managed_devops_pool", name=name, **pool, virtual_machine_scale_set_fabric=inside)

    with pytest.raises(ProviderError, match=r"SubnetMissingRequiredDelegation.*DevOpsInfrastructure/pools"):
        made("mdp", cloud.find("azurerm_subnet", name="containers") or {})
    agents = [{"name": "d", "service_delegation": [{"name": "Microsoft.DevOpsInfrastructure/pools"}]}]
    own = subnet(applied, "agents", "10.0.9.0/28", delegation=agents)
    first = made("mdp", own)
    with pytest.raises(ProviderError, match="is used by pool 'mdp' already"):
        made("two", own)
    with pytest.raises(ProviderError, match="InUseSubnetCannotBeDeleted"):
        destroy(cloud, "azurerm_subnet", own)
    destroy(cloud, "azurerm_managed_devops_pool", first)
    destroy(cloud, "azurerm_subnet", own)


@pytest.fixture
def v2_subnets(platform: None, applied: Applied) -> dict[str, str]:
    """Ids of a subnet for each way into a network, and of such that lack something."""
    group = applied("azurerm_network_security_group", name="gateways", **IN)["id"]
    farms, environments = ([{"name": "d", "service_delegation": [{"name": f"Microsoft.Web/{kind}"}]}] for kind in KINDS)
    made = {
        "integrated": subnet(applied, "integrated", "10.0.20.0/27", delegation=farms)["id"],
        "injected": subnet(applied, "injected", "10.0.21.0/27", delegation=environments)["id"],
        "small": subnet(applied, "small", "10.0.22.0/28", delegation=farms)["id"],
        "undelegated": subnet(applied, "undelegated", "10.0.23.0/27")["id"],
        "without a group": subnet(applied, "bare", "10.0.24.0/27", delegation=farms)["id"],
    }
    for name, id_ in made.items():
        if name != "without a group":
            association = {"subnet_id": id_, "network_security_group_id": group}
            applied("azurerm_subnet_network_security_group_association", **association)
    return made


KINDS = ("serverFarms", "hostingEnvironments")


def v2_gateway(sku: str, kind: str, subnet_id: str, name: str = "v2") -> dict[str, Any]:
    inside = {"virtual_network_type": kind, "virtual_network_configuration": [{"subnet_id": subnet_id}]}
    return {**IN, "name": name, "sku_name": sku, "publisher_name": "p", "publisher_email": "p@example.com", **inside}


@pytest.mark.parametrize(
    ("sku", "kind", "where", "said"),
    [
        ("StandardV2_1", "Internal", "injected", "ManagingVirtualNetworkConfigurationNotSupported.*'Internal'"),
        ("StandardV2_1", "External", "undelegated", r"SubnetMissingRequiredDelegation.*Microsoft\.Web/serverFarms"),
        ("PremiumV2_1", "External", "injected", r"SubnetMissingRequiredDelegation.*Microsoft\.Web/serverFarms"),
        ("PremiumV2_1", "Internal", "integrated", r"RequiredDelegation.*Microsoft\.Web/hostingEnvironments"),
        ("StandardV2_1", "External", "small", "is too small for gateway 'v2'.*/27"),
        ("StandardV2_1", "External", "without a group", "has no network security group"),
    ],
)
def test_v2_gateways_have_a_subnet_of_their_own(
    applied: Applied, v2_subnets: dict[str, str], sku: str, kind: str, where: str, said: str
) -> None:
    """Each way into a network wants its delegation, /27, a security group; StandardV2 is never internal."""
    with pytest.raises(ProviderError, match=said):
        applied("azurerm_api_management", **v2_gateway(sku, kind, v2_subnets[where]))


def test_a_v2_gateway_s_subnet_holds_one(applied: Applied, v2_subnets: dict[str, str]) -> None:
    """One service for each subnet; an integrated gateway is not reached there, an injected one is."""
    integrated = applied("azurerm_api_management", **v2_gateway("StandardV2_1", "External", v2_subnets["integrated"]))
    injected = v2_gateway("PremiumV2_2", "Internal", v2_subnets["injected"], "inside")
    assert integrated["private_ip_addresses"] == []
    assert integrated["public_ip_addresses"] != []
    assert applied("azurerm_api_management", **injected)["private_ip_addresses"] == ["10.0.21.4"]
    second = v2_gateway("PremiumV2_1", "External", v2_subnets["integrated"], "two")
    with pytest.raises(ProviderError, match="is used by gateway 'v2' already"):
        applied("azurerm_api_management", **second)


@pytest.mark.parametrize("sku", ["StandardV2_1", "PremiumV2_3", "Developer_1"])
def test_only_classic_premium_has_zones(applied: Applied, sku: str) -> None:
    """azurerm refuses to send them, though Azure makes a PremiumV2 service zone-redundant in its own way."""
    named = {"publisher_name": "p", "publisher_email": "p@example.com"}
    with pytest.raises(ProviderError, match="`zones` is only supported when sku type is `Premium`"):
        applied("azurerm_api_management", **IN, name="z", sku_name=sku, zones=["1", "2"], **named)


@pytest.mark.usefixtures("platform")
def test_subnets_share_their_network(applied: Applied) -> None:
    """A subnet outside of its network or over another one is refused; beside it, it is not."""
    with pytest.raises(ProviderError, match=r"NetcfgSubnetRangeOutsideVnet.*10\.1\.0\.0/24"):
        subnet(applied, "outside", "10.1.0.0/24")
    with pytest.raises(ProviderError, match=r"NetcfgSubnetRangesOverlap.*'containers'"):
        subnet(applied, "over", "10.0.1.128/25")
    assert subnet(applied, "beside", "10.0.2.0/24")["name"] == "beside"


def test_what_is_not_ours_is_not_judged(applied: Applied) -> None:
    """Zones and networks of a landing zone are not in the store, and count as there."""
    zone = "/subscriptions/hub/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/mcp.internal"
    assert applied("azurerm_private_dns_a_record", name="a", private_dns_zone_id=zone, ttl=30, records=["10.0.0.4"])[
        "id"
    ]


@pytest.mark.usefixtures("platform")
def test_what_is_in_use_stays(cloud: Cloud, applied: Applied) -> None:
    """A subnet with a container group in it, and a security group that guards a subnet, cannot be deleted."""
    containers = cloud.find("azurerm_subnet", name="containers") or {}
    group = applied("azurerm_container_group", **GROUP, name="g", subnet_ids=[containers["id"]])
    with pytest.raises(ProviderError, match=r"InUseSubnetCannotBeDeleted: subnet containers is in use by .*/g "):
        destroy(cloud, "azurerm_subnet", containers)
    destroy(cloud, "azurerm_container_group", group)
    destroy(cloud, "azurerm_subnet", containers)
    nsg, plain = cloud.find("azurerm_network_security_group") or {}, cloud.find("azurerm_subnet", name="plain") or {}
    association = {"subnet_id": plain["id"], "network_security_group_id": nsg["id"]}
    held = applied("azurerm_subnet_network_security_group_association", **association)
    with pytest.raises(ProviderError, match=r"InUseNetworkSecurityGroupCannotBeDeleted.*/subnets/plain"):
        destroy(cloud, "azurerm_network_security_group", nsg)
    destroy(cloud, "azurerm_subnet_network_security_group_association", held)
    destroy(cloud, "azurerm_network_security_group", nsg)


@pytest.mark.usefixtures("platform")
def test_a_lock_keeps_what_it_covers(cloud: Cloud, applied: Applied) -> None:
    """The account under a lock, and all below it, stay until the lock has gone."""
    account = cloud.find("azurerm_cosmosdb_account") or {}
    where = {"resource_group_name": "rg", "account_name": "serverless"}
    database = applied("azurerm_cosmosdb_mongo_database", **where, name="d")
    lock = applied("azurerm_management_lock", name="keep", scope=account["id"], lock_level="CanNotDelete")
    for type_, held in (("azurerm_cosmosdb_account", account), ("azurerm_cosmosdb_mongo_database", database)):
        with pytest.raises(ProviderError, match=r"ScopeLocked.*remove the lock 'keep'"):
            destroy(cloud, type_, held)
    destroy(cloud, "azurerm_management_lock", lock)
    destroy(cloud, "azurerm_cosmosdb_mongo_database", database)
    assert cloud.store.of_type("azurerm_cosmosdb_mongo_database") == []


def test_a_role_is_assigned_once(applied: Applied) -> None:
    """Also under another name of its own."""
    principal = applied("azurerm_user_assigned_identity", name="id-one", **IN)["principal_id"]
    role = {"scope": "/subscriptions/sub", "role_definition_name": "Reader", "principal_id": principal}
    applied("azurerm_role_assignment", **role)
    with pytest.raises(ProviderError, match="needs to be imported"):
        applied("azurerm_role_assignment", **role, description="again")
    with pytest.raises(ProviderError, match="RoleAssignmentExists"):
        applied("azurerm_role_assignment", **role, name="11111111-aaaa-4aaa-8aaa-000000000042")


VAULT = {"name": "kv", "tenant_id": "t", "sku_name": "standard", **IN}


@pytest.mark.parametrize(
    ("features", "again", "said"),
    [
        ({}, VAULT, None),
        ({"purge_soft_delete_on_destroy": False}, VAULT, None),
        ({"purge_soft_delete_on_destroy": False}, {**VAULT, "resource_group_name": "other"}, "VaultAlreadyExists"),
        (
            {"purge_soft_delete_on_destroy": False, "recover_soft_deleted_key_vaults": False},
            VAULT,
            "`features.key_vault.recover_soft_deleted_key_vaults` is false",
        ),
    ],
)
def test_a_deleted_vault_keeps_its_name(
    cloud: Cloud, applied: Applied, features: dict[str, bool], again: dict[str, Any], said: str | None
) -> None:
    """It is purged or taken back as the provider's features say; otherwise the name is taken."""
    cloud.features = {"key_vault": features}
    destroy(cloud, "azurerm_key_vault", applied("azurerm_key_vault", **VAULT))
    if said is None:
        assert applied("azurerm_key_vault", **again)["name"] == "kv"
        return
    with pytest.raises(ProviderError, match=said):
        applied("azurerm_key_vault", **again)


def test_purge_protection_forbids_purging(cloud: Cloud, applied: Applied) -> None:
    """The features ask for a purge by default, and do not get it."""
    destroy(cloud, "azurerm_key_vault", applied("azurerm_key_vault", **VAULT, purge_protection_enabled=True))
    with pytest.raises(ProviderError, match="VaultAlreadyExists: the name 'kv' is taken by a soft-deleted Key Vault"):
        applied("azurerm_key_vault", **{**VAULT, "location": "northeurope"})


POLICY = """<policies>
  <inbound>
    {inbound}
  </inbound>
</policies>"""


@pytest.mark.parametrize(
    ("inbound", "said"),
    [
        ("<base>", r"ValidationError.*not well-formed XML.*mismatch"),
        ('<set-header name="{{unknown}}" />', "cannot find a property 'unknown'"),
        (
            '<include-fragment fragment-id="none" />',
            "'include-fragment' on line 3: policy fragment 'none' was not found",
        ),
        ('<set-backend-service backend-id="none" />', "backend with id 'none' was not found"),
    ],
)
@pytest.mark.usefixtures("platform")
def test_a_policy_names_what_there_is(applied: Applied, inbound: str, said: str) -> None:
    """Malformed XML, and names that the service does not hold, are answered with 400 ValidationError."""
    with pytest.raises(ProviderError, match=said):
        applied(
            "azurerm_api_management_api_policy", **IN_APIM, api_name="mcp", xml_content=POLICY.format(inbound=inbound)
        )


@pytest.mark.usefixtures("platform")
def test_a_policy_that_holds_together_is_taken(applied: Applied) -> None:
    """Raw expressions, computed backends, and names that exist."""
    service = f"{RG}/providers/Microsoft.ApiManagement/service/apim"
    applied("azurerm_api_management_named_value", **IN_APIM, name="nv", display_name="issuer", value="x")
    applied("azurerm_api_management_backend", **IN_APIM, name="b", protocol="http", url="http://a")
    fragment = {"api_management_id": service, "name": "f", "value": "<fragment>{{issuer}}</fragment>"}
    applied("azurerm_api_management_policy_fragment", **fragment)
    inbound = (
        '<include-fragment fragment-id="f" /><set-backend-service backend-id="b" />'
        '<set-backend-service backend-id="@((string)context.Variables["b"])" />'
    )
    made = applied(
        "azurerm_api_management_api_policy", **IN_APIM, api_name="mcp", xml_content=POLICY.format(inbound=inbound)
    )
    assert made["id"] == f"{service}/apis/mcp"


@pytest.mark.parametrize(
    ("type_", "arguments"),
    [
        (
            "azurerm_api_management_logger",
            {"name": "azuremonitor", "application_insights": [{"connection_string": "x"}]},
        ),
        ("azurerm_api_management_group", {"name": "developers", "display_name": "Developers"}),
    ],
)
@pytest.mark.usefixtures("platform")
def test_what_a_service_made_by_itself_must_be_imported(
    cloud: Cloud, applied: Applied, type_: str, arguments: dict[str, Any]
) -> None:
    """It is there with the service, and goes with it."""
    with pytest.raises(ProviderError, match="needs to be imported"):
        applied(type_, **IN_APIM, **arguments)
    destroy(cloud, "azurerm_api_management", cloud.find("azurerm_api_management") or {})
    assert cloud.store.of_type(type_) == []


@pytest.mark.parametrize("setting_first", [True, False])
@pytest.mark.usefixtures("platform")
def test_azure_monitor_s_diagnostic_comes_before_the_setting(applied: Applied, setting_first: bool) -> None:
    """A diagnostic setting brings it, and what exists is not created; made before, it is ours."""
    service = f"{RG}/providers/Microsoft.ApiManagement/service/apim"
    logger = {"identifier": "azuremonitor", "api_management_logger_id": f"{service}/loggers/azuremonitor"}
    setting = {"name": "d", "target_resource_id": service, "enabled_log": [{"category": "GatewayLogs"}]}
    if not setting_first:
        applied("azurerm_api_management_diagnostic", **IN_APIM, **logger)
    applied("azurerm_monitor_diagnostic_setting", **setting)
    if setting_first:
        with pytest.raises(ProviderError, match="diagnostics/azuremonitor' already exists"):
            applied("azurerm_api_management_diagnostic", **IN_APIM, **logger, verbosity="information")


def test_a_generated_alert_rule_is_not_waited_for(cloud: Cloud, applied: Applied) -> None:
    """The provider would wait up to an hour for a rule that Azure may not make."""
    cloud.features = {"application_insights": {"disable_generated_rule": True}}
    with pytest.raises(ProviderError, match="up to 60 minutes"):
        applied("azurerm_application_insights", name="appi", **IN, application_type="web")
    cloud.features = {}
    assert applied("azurerm_application_insights", name="appi", **IN, application_type="web")["app_id"]


RESERVED = {"name": "log", **IN, "sku": "CapacityReservation"}
FABRIC = {"management_endpoints": ["https://f"], "max_partition_resolution_retries": 1}
INSIDE = {"subnet_ids": [f"{NETWORK}/virtualNetworks/vnet/subnets/containers"]}
CONTAINER = {"name": "c", "image": "a/b:1", "cpu": 1, "memory": 1, "ports": [{"port": 8000, "protocol": "TCP"}]}
VOLUME = {"name": "v", "mount_path": "/v"}
TWO_PLACES = [PLACE, {"location": "northeurope", "failover_priority": 1}]
STALE = {"consistency_level": "BoundedStaleness"}
GATEWAY_IN_NETWORK = {
    **IN,
    "sku_name": "Premium_1",
    "virtual_network_type": "External",
    "virtual_network_configuration": [{"subnet_id": f"{NETWORK}/virtualNetworks/vnet/subnets/plain"}],
}
HUB = "/subscriptions/sub/resourceGroups/hub/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
DEPLOYER = "11111111-aaaa-4aaa-8aaa-000000000001"


@pytest.mark.parametrize(
    ("type_", "arguments", "said"),
    [
        (
            "azurerm_role_assignment",
            {
                "scope": "/subscriptions/sub",
                "principal_id": DEPLOYER,
                "role_definition_name": "Key Vault Secret Officer",
            },
            "could not find role `Key Vault Secret Officer`",
        ),
        (
            "azurerm_api_management",
            {**IN, "name": "two", "sku_name": "Developer_1", "client_certificate_enabled": True},
            "`client_certificate_enabled` is only supported",
        ),
        (
            "azurerm_api_management",
            {**IN, "name": "two", "sku_name": "Developer_1", "gateway_disabled": True},
            "`gateway_disabled` is only supported",
        ),
        (
            "azurerm_api_management",
            {
                **IN,
                "name": "two",
                "sku_name": "Developer_1",
                "identity": [{"type": "SystemAssigned", "identity_ids": [HUB]}],
            },
            "`identity_ids` can only be specified",
        ),
        (
            "azurerm_api_management_named_value",
            {
                **IN_APIM,
                "name": "n",
                "display_name": "n",
                "value_from_key_vault": [{"secret_id": "https://kv/secrets/s"}],
            },
            "`secret` must be true",
        ),
        (
            "azurerm_cosmosdb_account",
            {**IN, **MONGO, "name": "c", "backup": [{"type": "Continuous", "interval_in_minutes": 240}]},
            "`interval_in_minutes` cannot be defined",
        ),
        (
            "azurerm_cosmosdb_account",
            {**IN, **MONGO, "name": "c", "backup": [{"type": "Periodic", "tier": "Continuous7Days"}]},
            "`tier` can not be set",
        ),
        (
            "azurerm_cosmosdb_account",
            {**IN, **MONGO, "name": "c", "create_mode": "Restore", "backup": [{"type": "Periodic"}]},
            "`create_mode` only works",
        ),
        ("azurerm_log_analytics_workspace", RESERVED, "must be set when using the `CapacityReservation` SKU"),
        (
            "azurerm_log_analytics_workspace",
            {**RESERVED, "sku": "PerGB2018", "reservation_capacity_in_gb_per_day": 100},
            "can only be used with the `CapacityReservation` SKU",
        ),
        (
            "azurerm_monitor_diagnostic_setting",
            {"name": "d", "target_resource_id": HUB, "enabled_log": [{"category": None, "category_group": None}]},
            "exactly one of `category` or `category_group`",
        ),
        (
            "azurerm_monitor_diagnostic_setting",
            {"name": "d", "target_resource_id": HUB, "enabled_log": [{"category": "a", "category_group": "b"}]},
            "exactly one of `category` or `category_group`",
        ),
        ("azurerm_monitor_diagnostic_setting", {"name": "d", "target_resource_id": HUB}, "at least one type of Log"),
        (
            "azurerm_api_management",
            {**IN, "name": "two", "sku_name": "Standard_1", "public_ip_address_id": f"{NETWORK}/publicIPAddresses/p"},
            "`public_ip_address_id` is only supported when sku type is `Developer` or `Premium`",
        ),
        (
            "azurerm_api_management",
            {**IN, "name": "two", "sku_name": "StandardV2_1", "tenant_access": [{"enabled": True}]},
            "`tenant_access` is not supported for sku tiers `Consumption` and `V2`",
        ),
        (
            "azurerm_api_management",
            {**GATEWAY_IN_NETWORK, "name": "two", "additional_location": [{"location": "northeurope"}]},
            "`virtual_network_configuration` must be specified in any `additional_location`",
        ),
        (
            "azurerm_api_management",
            {
                **IN,
                "name": "two",
                "sku_name": "Premium_1",
                "additional_location": [
                    {"location": "northeurope", "virtual_network_configuration": [{"subnet_id": ENDPOINT["subnet_id"]}]}
                ],
            },
            "`virtual_network_configuration` must be empty in all `additional_location`",
        ),
        (
            "azurerm_api_management",
            {
                **IN,
                "name": "two",
                "sku_name": "Standard_1",
                "additional_location": [
                    {"location": "northeurope", "public_ip_address_id": f"{NETWORK}/publicIPAddresses/p"}
                ],
            },
            "`public_ip_address_id` for an additional location is only supported",
        ),
        (
            "azurerm_api_management_backend",
            {**IN_APIM, "name": "b", "url": "fabric:/a/b", "service_fabric_cluster": [FABRIC]},
            "at least one of `client_certificate_thumbprint` and `client_certificate_id` must be set",
        ),
        (
            "azurerm_container_group",
            {
                **GROUP,
                **INSIDE,
                "name": "g",
                "container": [CONTAINER],
                "exposed_port": [{"port": 80, "protocol": "TCP"}],
            },
            "port 80/TCP is not exposed on any individual container",
        ),
        (
            "azurerm_container_group",
            {**GROUP, **INSIDE, "name": "g", "container": [{**CONTAINER, "volume": [VOLUME]}]},
            "exactly one of `empty_dir` volume",
        ),
        (
            "azurerm_container_group",
            {**GROUP, **INSIDE, "name": "g", "container": [{**CONTAINER, "volume": [{**VOLUME, "share_name": "s"}]}]},
            "when using a storage account volume, all of",
        ),
        (
            "azurerm_container_group",
            {
                **GROUP,
                **INSIDE,
                "name": "g",
                "container": [{**CONTAINER, "volume": [{**VOLUME, "empty_dir": True, "secret": {"a": "Yg=="}}]}],
            },
            "only one of `empty_dir` volume",
        ),
        (
            "azurerm_cosmosdb_account",
            {
                **IN,
                **MONGO,
                "name": "c",
                "geo_location": TWO_PLACES,
                "consistency_policy": [{**STALE, "max_staleness_prefix": 99999, "max_interval_in_seconds": 300}],
            },
            "max_staleness_prefix .99999. must be greater than 100000",
        ),
        (
            "azurerm_cosmosdb_account",
            {
                **IN,
                **MONGO,
                "name": "c",
                "geo_location": TWO_PLACES,
                "consistency_policy": [{**STALE, "max_staleness_prefix": 100000, "max_interval_in_seconds": 299}],
            },
            "max_interval_in_seconds .299. must be greater than 300",
        ),
        (
            "azurerm_log_analytics_workspace",
            {**IN, "name": "log", "sku": "LACluster"},
            "`sku` cannot be set to `LACluster` during creation",
        ),
        (
            "azurerm_monitor_scheduled_query_rules_alert_v2",
            {**IN, "name": "a", "mute_actions_after_alert_duration": "PT1H", "auto_mitigation_enabled": True},
            "auto mitigation must be disabled when mute action duration is set",
        ),
        (
            "azurerm_public_ip",
            {
                **IN,
                "name": "p",
                "sku": "Standard",
                "allocation_method": "Static",
                "ddos_protection_mode": "Disabled",
                "ddos_protection_plan_id": f"{NETWORK}/ddosProtectionPlans/d",
            },
            "ddos protection plan id can only be set when ddos protection is enabled",
        ),
        (
            "azurerm_role_assignment",
            {
                "scope": "/subscriptions/sub",
                "principal_id": DEPLOYER,
                "role_definition_name": "Reader",
                "condition_version": "2.0",
            },
            "`condition_version` should not be set without `condition`",
        ),
    ],
)
@pytest.mark.usefixtures("platform")
def test_the_providers_refuse_when_they_create(
    applied: Applied, type_: str, arguments: dict[str, Any], said: str
) -> None:
    """What their code checks when it makes the object, and their schemas do not say."""
    with pytest.raises(ProviderError, match=said):
        applied(type_, **arguments)
