"""What the real provider, or Azure, refuses only when it is asked to create the thing.

Found by running azurerm 5.2 and azuread 3.9 against a control plane with deliberate mistakes in the configuration. A
client id where an object id belongs is refused at once here; the real provider retries for minutes and then fails.
"""

from __future__ import annotations

from collections.abc import Callable

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.directory import DEFAULT_ACCESS, kind_of, owner_of_client_id, roles_offered
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.network_rules import (
    container_group_subnet,
    security_rule,
    subnet,
    undelegated_subnet,
    virtual_network,
)
from emulators.azurerm.values import is_unknown

Check = Callable[[Cloud, Values], None]


def refuse(cloud: Cloud, type_: str, values: Values) -> None:
    """Raises ProviderError, one sentence, where the object could not be created."""
    if type_ in CHECKS:
        CHECKS[type_](cloud, values)


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
    same = {"scope": values["scope"], "principal_id": values["principal_id"]}
    for other in cloud.every("azurerm_role_assignment", **same, role_definition_name=role):
        if isinstance(values.get("name"), str) and values["name"] != other["name"]:
            raise ProviderError(
                f"RoleAssignmentExists: the role assignment already exists: {role!r} for principal "
                f"{values['principal_id']!r} at {values['scope']!r}, as {other['name']!r}"
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
    for network in values.get("virtual_network_configuration") or ():
        if not tier.endswith("V2"):
            undelegated_subnet(cloud, network["subnet_id"], "a gateway of a classic tier")


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


def _container_group(cloud: Cloud, values: Values) -> None:
    if values.get("ip_address_type") == "Private" and not values.get("subnet_ids"):
        raise ProviderError("`subnet_ids` must be set when `ip_address_type` is `Private`")
    container_group_subnet(cloud, values)
    if values.get("dns_name_label") and values.get("subnet_ids"):
        raise ProviderError(
            "`dns_name_label` cannot be given with `subnet_ids`: a group in a network has no public name"
        )


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


def _cosmos_account(_: Cloud, values: Values) -> None:
    places = values.get("geo_location") or []
    if not any(place["failover_priority"] == 0 for place in places):
        raise ProviderError("there needs to be a `geo_location` with `failover_priority` set to 0")
    if len({place["failover_priority"] for place in places}) < len(places):
        raise ProviderError("each `geo_location` needs to have a unique `failover_priority`")
    if len({place["location"].replace(" ", "").lower() for place in places}) < len(places):
        raise ProviderError("each `geo_location` needs to be in a unique location")


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
    "azurerm_api_management_logger": _logger,
    "azurerm_api_management_product": _product,
    "azurerm_api_management_named_value": _named_value,
    "azurerm_container_group": _container_group,
    "azurerm_cosmosdb_account": _cosmos_account,
    "azurerm_cosmosdb_mongo_collection": _mongo_collection,
    "azurerm_cosmosdb_mongo_database": _mongo_throughput,
    "azurerm_container_registry": _registry,
    "azurerm_network_security_rule": security_rule,
    "azurerm_private_endpoint": _private_endpoint,
    "azurerm_public_ip": _public_ip,
    "azurerm_subnet": subnet,
    "azurerm_virtual_network": virtual_network,
}
