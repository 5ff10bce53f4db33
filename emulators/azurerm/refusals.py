"""What the real provider, or Azure, refuses only when it is asked to create the thing.

Found by running azurerm 5.2 and azuread 3.9 against a control plane with deliberate mistakes in the configuration. A
client id where an object id belongs is refused at once here; the real provider retries for minutes and then fails.
"""

from __future__ import annotations

from collections.abc import Callable

from emulators.azurerm import container_apps, mongo_cluster
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.directory import DEFAULT_ACCESS, kind_of, owner_of_client_id, roles_offered
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.network_rules import (
    agents_subnet,
    container_group_subnet,
    security_rule,
    subnet,
    undelegated_subnet,
    v2_gateway,
    virtual_network,
)
from emulators.azurerm.values import is_unknown
from emulators.base.well_known import ROLES

Check = Callable[[Cloud, Values], None]


def refuse(cloud: Cloud, type_: str, values: Values) -> None:
    """Raises ProviderError, one sentence, where the object could not be created."""
    _identities(values)
    if type_ in CHECKS:
        CHECKS[type_](cloud, values)


def _given(value: object) -> bool:
    """Set and not empty; at an apply, what is not known yet is what only the cloud decides."""
    return not is_unknown(value) and bool(value)


def _principal(cloud: Cloud, argument: str, object_id: str) -> None:
    if kind_of(cloud, object_id):
        return
    owner = owner_of_client_id(cloud, object_id)
    hint = f"; it is the client id of {owner!r}, whose object (principal) id is wanted" if owner else ""
    raise ProviderError(
        f"{argument} {object_id!r} is not the object id of a service principal, user, group or identity{hint}"
    )


def _role_assignment(cloud: Cloud, values: Values) -> None:
    _principal(cloud, "principal_id", values["principal_id"])
    role = str(values.get("role_definition_name"))
    _known_role(cloud, values.get("role_definition_name"))
    if _given(values.get("condition_version")) and not _given(values.get("condition")):
        raise ProviderError("`condition_version` should not be set without `condition`")
    same = {"scope": values["scope"], "principal_id": values["principal_id"]}
    for other in cloud.every("azurerm_role_assignment", **same, role_definition_name=role):
        if isinstance(values.get("name"), str) and values["name"] != other["name"]:
            raise ProviderError(
                f"RoleAssignmentExists: the role assignment already exists: {role!r} for principal "
                f"{values['principal_id']!r} at {values['scope']!r}, as {other['name']!r}"
            )


def _known_role(cloud: Cloud, name: object) -> None:
    """role_assignment_resource.go looks the name up among the built-in and the custom roles of the scope."""
    if isinstance(name, str) and name not in ROLES and not cloud.find("azurerm_role_definition", name=name):
        raise ProviderError(
            f"listing role definitions: could not find role `{name}` (emulators/base/well_known.py lists the "
            "built-in ones that are known here)"
        )


def _app_role_assignment(cloud: Cloud, values: Values) -> None:
    _principal(cloud, "principal_object_id", values["principal_object_id"])
    offered = roles_offered(cloud, values["resource_object_id"])
    if offered is None:
        _principal(cloud, "resource_object_id", values["resource_object_id"])
        raise ProviderError(
            f"resource_object_id {values['resource_object_id']!r} is not the object id of a service principal"
        )
    if values["app_role_id"] not in {*offered.values(), DEFAULT_ACCESS}:
        roles = ", ".join(sorted(offered)) or "none"
        raise ProviderError(
            f"app_role_id {values['app_role_id']!r} is not an app role of that resource, which offers: {roles}"
        )


def _api_management(cloud: Cloud, values: Values) -> None:
    kind = values.get("virtual_network_type")
    if kind in ("External", "Internal") and not values.get("virtual_network_configuration"):
        raise ProviderError(f"`virtual_network_type` {kind!r} needs a `virtual_network_configuration` block")
    tier = str(values.get("sku_name")).partition("_")[0]
    if values.get("zones") and tier != "Premium":
        raise ProviderError(f"`zones` is only supported when sku type is `Premium`, and `sku_name` says {tier!r}")
    if values.get("client_certificate_enabled") is True and tier != "Consumption":
        raise ProviderError("`client_certificate_enabled` is only supported when sku type is `Consumption`")
    if values.get("gateway_disabled") is True and not values.get("additional_location"):
        raise ProviderError("`gateway_disabled` is only supported when `additional_location` is set")
    # The provider refuses these where the service is in no network either; in one, it leaves the tier to Azure.
    if _given(values.get("public_ip_address_id")) and tier not in ("Premium", "Developer") and kind == "None":
        raise ProviderError(
            "`public_ip_address_id` is only supported when sku type is `Developer` or `Premium`, and the APIM instance "
            "is deployed in a virtual network"
        )
    for block in ("sign_in", "sign_up", "delegation", "tenant_access"):
        if (tier == "Consumption" or tier.endswith("V2")) and _asked(values.get(block)):
            raise ProviderError(f"`{block}` is not supported for sku tiers `Consumption` and `V2`")
    _additional_locations(values, tier)
    if tier.endswith("V2"):
        v2_gateway(cloud, tier, values)
        return
    for network in values.get("virtual_network_configuration") or ():
        undelegated_subnet(cloud, network["subnet_id"], "a gateway of a classic tier")


def _asked(blocks: object) -> bool:
    """Whether the configuration has the block: one that the cloud fills in is not known yet, or empty."""
    return isinstance(blocks, list) and any(isinstance(block, dict) for block in blocks)


def _additional_locations(values: Values, tier: str) -> None:
    """api_management_resource.go, expandAzureRmApiManagementAdditionalLocations."""
    above = bool(values.get("virtual_network_configuration"))
    for place in values.get("additional_location") or ():
        below = bool(place.get("virtual_network_configuration"))
        if above and not below:
            raise ProviderError(
                "`virtual_network_configuration` must be specified in any `additional_location` block when top-level "
                "`virtual_network_configuration` is supplied"
            )
        if below and not above:
            raise ProviderError(
                "`virtual_network_configuration` must be empty in all `additional_location` blocks when top-level "
                "`virtual_network_configuration` is not supplied"
            )
        if _given(place.get("public_ip_address_id")) and tier != "Premium" and not below:
            raise ProviderError(
                "`public_ip_address_id` for an additional location is only supported when sku type is `Premium`, and "
                "the APIM instance is deployed in a virtual network"
            )


def _backend(_: Cloud, values: Values) -> None:
    """api_management_backend_resource.go, expandApiManagementBackendServiceFabricCluster.

    Its second rule there (`server_certificate_thumbprints` or `server_x509_name`) is never met: both are sets.
    """
    for cluster in values.get("service_fabric_cluster") or ():
        if not _given(cluster.get("client_certificate_thumbprint")) and not _given(
            cluster.get("client_certificate_id")
        ):
            raise ProviderError(
                "at least one of `client_certificate_thumbprint` and `client_certificate_id` must be set"
            )


def _logger(_: Cloud, values: Values) -> None:
    if not values.get("application_insights") and not values.get("eventhub"):
        raise ProviderError(f"logger {values['name']!r} needs one of the blocks `application_insights` and `eventhub`")


def _product(_: Cloud, values: Values) -> None:
    if values.get("approval_required") and not values.get("subscription_required"):
        raise ProviderError("`subscription_required` must be true when `approval_required` is true")


def _named_value(_: Cloud, values: Values) -> None:
    if values.get("value") is not None and values.get("value_from_key_vault"):
        raise ProviderError(
            f"named value {values['name']!r} has both `value` and `value_from_key_vault`; give one of them"
        )
    if values.get("value_from_key_vault") and values.get("secret") is not True:
        raise ProviderError("`secret` must be true when `value_from_key_vault` is set")


def _container_group(cloud: Cloud, values: Values) -> None:
    if values.get("ip_address_type") == "Private" and not values.get("subnet_ids"):
        raise ProviderError("`subnet_ids` must be set when `ip_address_type` is `Private`")
    container_group_subnet(cloud, values)
    if values.get("dns_name_label") and values.get("subnet_ids"):
        raise ProviderError(
            "`dns_name_label` cannot be given with `subnet_ids`: a group in a network has no public name"
        )
    _exposed_ports(values)
    for container in (*(values.get("container") or ()), *(values.get("init_container") or ())):
        for volume in container.get("volume") or ():
            _volume(volume)


def _exposed_ports(values: Values) -> None:
    """container_group_resource.go, expandContainerGroupContainers."""
    opened = {
        (port["port"], port["protocol"])
        for container in values.get("container") or ()
        for port in container.get("ports") or ()
    }
    asked = values.get("exposed_port")
    for port in asked if isinstance(asked, list) else ():
        if (port["port"], port["protocol"]) not in opened:
            raise ProviderError(
                f"port {port['port']}/{port['protocol']} is not exposed on any individual container in the container "
                "group: any ports exposed on the container group must also be exposed on an individual container"
            )


_STORAGE_VOLUME = ("share_name", "storage_account_name", "storage_account_key")


def _volume(volume: Values) -> None:
    """container_group_resource.go, expandContainerVolumes: a volume is of one kind, and of that one whole."""
    kinds = "`empty_dir` volume, `git_repo` volume, `secret` volume or storage account volume (`share_name`, "
    kinds += "`storage_account_name`, and `storage_account_key`)"
    share = [name for name in _STORAGE_VOLUME if _given(volume.get(name))]
    given = [_given(volume.get(name)) for name in ("empty_dir", "git_repo", "secret")]
    count = sum(given) + bool(share)
    if count > 1:
        raise ProviderError(f"only one of {kinds} can be specified, and volume {volume.get('name')!r} has {count}")
    if count == 0:
        raise ProviderError(f"exactly one of {kinds} must be specified, and volume {volume.get('name')!r} has none")
    if share and len(share) < len(_STORAGE_VOLUME):
        wanted = ", ".join(f"`{name}`" for name in _STORAGE_VOLUME)
        raise ProviderError(f"when using a storage account volume, all of {wanted} must be specified")


def _mongo_collection(cloud: Cloud, values: Values) -> None:
    _mongo_throughput(cloud, values)
    _shared_throughput(cloud, values)
    if not any(index.get("keys") == ["_id"] for index in values.get("index") or []):
        raise ProviderError(f'collection {values["name"]!r} needs an `index` block with keys = ["_id"]')


def _private_endpoint(cloud: Cloud, values: Values) -> None:
    undelegated_subnet(cloud, values["subnet_id"], "a private endpoint")


def _public_ip(_: Cloud, values: Values) -> None:
    if values.get("sku") != "Basic" and values.get("allocation_method") != "Static":
        raise ProviderError("static IP allocation must be used when creating Standard SKU public IP addresses")
    if _given(values.get("ddos_protection_plan_id")) and values.get("ddos_protection_mode") != "Enabled":
        raise ProviderError("ddos protection plan id can only be set when ddos protection is enabled")


def _query_alert(_: Cloud, values: Values) -> None:
    """monitor_scheduled_query_rules_alert_v2_resource.go, at create and at update."""
    if _given(values.get("mute_actions_after_alert_duration")) and values.get("auto_mitigation_enabled") is True:
        raise ProviderError("auto mitigation must be disabled when mute action duration is set")


def _cosmos_account(cloud: Cloud, values: Values) -> None:
    places = values.get("geo_location") or []
    if not any(place["failover_priority"] == 0 for place in places):
        raise ProviderError("there needs to be a `geo_location` with `failover_priority` set to 0")
    if len({place["failover_priority"] for place in places}) < len(places):
        raise ProviderError("each `geo_location` needs to have a unique `failover_priority`")
    if len({place["location"].replace(" ", "").lower() for place in places}) < len(places):
        raise ProviderError("each `geo_location` needs to be in a unique location")
    if len(places) > 1:
        _staleness(values)
    _backup(values)
    where = {"name": values["name"], "resource_group_name": values["resource_group_name"]}
    # An account that exists gives back a mode that nobody asked for.
    asked = values.get("create_mode") if cloud.find("azurerm_cosmosdb_account", **where) is None else None
    if asked in ("Default", "Restore") and not any(b["type"] == "Continuous" for b in values.get("backup") or []):
        raise ProviderError("`create_mode` only works when `backup.type` is `Continuous`")


def _staleness(values: Values) -> None:
    """cosmosdb_account_resource.go: with several regions the bounds have minima."""
    for policy in values.get("consistency_policy") or ():
        for name, least, noun in (
            ("max_staleness_prefix", 100000, "100000"),
            ("max_interval_in_seconds", 300, "300 (5 minutes)"),
        ):
            bound = policy.get(name)
            if policy.get("consistency_level") == "BoundedStaleness" and isinstance(bound, int) and bound < least:
                raise ProviderError(
                    f"{name} ({bound}) must be greater than {noun} when more then one geo_location is used"
                )


def _backup(values: Values) -> None:
    """cosmosdb_account_resource.go, expandCosmosdbAccountBackup."""
    for backup in values.get("backup") or []:
        for name in ("interval_in_minutes", "retention_in_hours", "storage_redundancy"):
            if backup["type"] == "Continuous" and backup.get(name) and not is_unknown(backup[name]):
                raise ProviderError(f'`{name}` cannot be defined when the `backup.type` is set to "Continuous"')
        if backup["type"] == "Periodic" and backup.get("tier") and not is_unknown(backup["tier"]):
            raise ProviderError("`tier` can not be set when `type` in `backup` is `Periodic`")


def _workspace(cloud: Cloud, values: Values) -> None:
    """log_analytics_workspace_resource.go."""
    where = {"name": values["name"], "resource_group_name": values["resource_group_name"]}
    if values.get("sku") == "LACluster" and cloud.find("azurerm_log_analytics_workspace", **where) is None:
        raise ProviderError(
            "`sku` cannot be set to `LACluster` during creation unless the workspace is in a soft-deleted state while "
            "linked to a Log Analytics Cluster"
        )
    capacity = values.get("reservation_capacity_in_gb_per_day")
    known, reserved = isinstance(capacity, int), values.get("sku") == "CapacityReservation"
    name = "`reservation_capacity_in_gb_per_day`"
    if known and not reserved:
        raise ProviderError(f"{name} can only be used with the `CapacityReservation` SKU")
    if reserved and not known:
        raise ProviderError(f"{name} must be set when using the `CapacityReservation` SKU")


def _diagnostic_setting(_: Cloud, values: Values) -> None:
    """monitor_diagnostic_setting_resource.go; a log has one of the two (Azure: either, and not both)."""
    for log in values.get("enabled_log") or []:
        given = [name for name in ("category", "category_group") if log.get(name)]
        if len(given) != 1:
            raise ProviderError(
                f"exactly one of `category` or `category_group` must be given, and {given or 'none'} is"
            )
    if not values.get("enabled_log") and not values.get("enabled_metric"):
        raise ProviderError("at least one type of Log or Metric must be enabled")


def _identities(values: Values) -> None:
    """identity.Expand…: of a block that takes both kinds of identity."""
    for block in values.get("identity") or [] if isinstance(values.get("identity"), list) else []:
        kind, ids = str(block.get("type")), block.get("identity_ids")
        if ids and not is_unknown(ids) and "UserAssigned" not in kind:
            raise ProviderError(
                f'`identity_ids` can only be specified when `type` is set to "UserAssigned", not {kind!r}'
            )


def _application_insights(cloud: Cloud, values: Values) -> None:
    """application_insights_resource.go waits 30 seconds and more for the rule that it is to switch off."""
    said = cloud.features.get("application_insights", {}).get("disable_generated_rule")
    made = cloud.find(
        "azurerm_application_insights", name=values["name"], resource_group_name=values["resource_group_name"]
    )
    if said is True and made is None:
        raise ProviderError(
            f"waiting for the alert rule 'Failure Anomalies - {values['name']}', which Azure may never make: `features."
            "application_insights.disable_generated_rule` makes azurerm wait for it, up to 60 minutes (azurerm#18026)"
        )


def _mongo_throughput(cloud: Cloud, values: Values) -> None:
    """Serverless accounts have no throughput to divide."""
    where = {"name": values["account_name"], "resource_group_name": values["resource_group_name"]}
    account = cloud.find("azurerm_cosmosdb_account", **where) or {}
    serverless = any(c["name"] == "EnableServerless" for c in account.get("capabilities") or [])
    if serverless and _has_throughput(values):
        raise ProviderError(
            f"BadRequest: setting offer throughput or autopilot on container is not supported for serverless accounts, "
            f"and {values['account_name']!r} is one"
        )


def _has_throughput(values: Values) -> bool:
    return isinstance(values.get("throughput"), int) or bool(values.get("autoscale_settings"))


def _shared_throughput(cloud: Cloud, values: Values) -> None:
    """ "Introduction to provisioned throughput" (2025-07-24): each container that shares a database's has a key."""
    where = {"account_name": values["account_name"], "resource_group_name": values["resource_group_name"]}
    database = cloud.find("azurerm_cosmosdb_mongo_database", **where, name=values["database_name"]) or {}
    if _has_throughput(database) and not _has_throughput(values) and not values.get("shard_key"):
        raise ProviderError(
            f"BadRequest: shared throughput collection should have a partition key: {values['name']!r} shares the "
            f"throughput of database {values['database_name']!r} and has no `shard_key`"
        )


def _registry(_: Cloud, values: Values) -> None:
    """container_registry_resource.go: checked when it is made; the tiers' other limits already when it is planned."""
    if values.get("sku") == "Premium":
        return
    if values.get("network_rule_set") and not is_unknown(values["network_rule_set"]):
        raise ProviderError(
            f"`network_rule_set` can only be specified for a Premium Sku, and `sku` says {values['sku']!r}"
        )
    if values.get("public_network_access_enabled") is False:
        raise ProviderError(
            f"`public_network_access_enabled` can only be disabled for a Premium Sku, and `sku` says {values['sku']!r}"
        )


CHECKS: dict[str, Check] = {
    "azurerm_role_assignment": _role_assignment,
    "azuread_app_role_assignment": _app_role_assignment,
    "azurerm_api_management": _api_management,
    "azurerm_api_management_backend": _backend,
    "azurerm_api_management_logger": _logger,
    "azurerm_api_management_product": _product,
    "azurerm_api_management_named_value": _named_value,
    "azurerm_application_insights": _application_insights,
    container_apps.APP: container_apps.app_made,
    container_apps.ENVIRONMENT: container_apps.environment_made,
    "azurerm_container_group": _container_group,
    "azurerm_cosmosdb_account": _cosmos_account,
    "azurerm_cosmosdb_mongo_collection": _mongo_collection,
    "azurerm_cosmosdb_mongo_database": _mongo_throughput,
    "azurerm_container_registry": _registry,
    "azurerm_log_analytics_workspace": _workspace,
    "azurerm_managed_devops_pool": agents_subnet,
    "azurerm_monitor_diagnostic_setting": _diagnostic_setting,
    "azurerm_monitor_scheduled_query_rules_alert_v2": _query_alert,
    mongo_cluster.TYPE: mongo_cluster.made,
    "azurerm_mongo_cluster_user": mongo_cluster.registers,
    "azurerm_network_security_rule": security_rule,
    "azurerm_private_endpoint": _private_endpoint,
    "azurerm_public_ip": _public_ip,
    "azurerm_subnet": subnet,
    "azurerm_virtual_network": virtual_network,
}
