"""What the real provider, or Azure, refuses only when it is asked to create the thing.

Found by running azurerm 5.2 and azuread 3.9 against a control plane with deliberate mistakes in the configuration. A
client id where an object id belongs is refused at once here; the real provider retries for minutes and then fails.
"""

from __future__ import annotations

from collections.abc import Callable

from twin.errors import ProviderError
from twin.provider.catalog import Values
from twin.provider.cloud import Cloud
from twin.provider.directory import DEFAULT_ACCESS, kind_of, owner_of_client_id, roles_offered

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


def _role_assignment(cloud: Cloud, it: Values) -> None:
    _principal(cloud, "principal_id", it["principal_id"])


def _app_role_assignment(cloud: Cloud, it: Values) -> None:
    _principal(cloud, "principal_object_id", it["principal_object_id"])
    offered = roles_offered(cloud, it["resource_object_id"])
    if offered is None:
        _principal(cloud, "resource_object_id", it["resource_object_id"])
        raise ProviderError(
            f"resource_object_id {it['resource_object_id']!r} is not the object id of a service principal"
        )
    if it["app_role_id"] not in {*offered.values(), DEFAULT_ACCESS}:
        roles = ", ".join(sorted(offered)) or "none"
        raise ProviderError(
            f"app_role_id {it['app_role_id']!r} is not an app role of that resource, which offers: {roles}"
        )


def _api_management(_: Cloud, it: Values) -> None:
    kind = it.get("virtual_network_type")
    if kind in ("External", "Internal") and not it.get("virtual_network_configuration"):
        raise ProviderError(f"`virtual_network_type` {kind!r} needs a `virtual_network_configuration` block")
    tier = str(it.get("sku_name")).partition("_")[0]
    if it.get("zones") and tier != "Premium":
        raise ProviderError(f"`zones` is only supported when sku type is `Premium`, and `sku_name` says {tier!r}")


def _logger(_: Cloud, it: Values) -> None:
    if not it.get("application_insights") and not it.get("eventhub"):
        raise ProviderError(f"logger {it['name']!r} needs one of the blocks `application_insights` and `eventhub`")


def _product(_: Cloud, it: Values) -> None:
    if it.get("approval_required") and not it.get("subscription_required"):
        raise ProviderError("`subscription_required` must be true when `approval_required` is true")


def _named_value(_: Cloud, it: Values) -> None:
    if it.get("value") is not None and it.get("value_from_key_vault"):
        raise ProviderError(f"named value {it['name']!r} has both `value` and `value_from_key_vault`; give one of them")


def _container_group(_: Cloud, it: Values) -> None:
    if it.get("dns_name_label") and it.get("subnet_ids"):
        raise ProviderError(
            "`dns_name_label` cannot be given with `subnet_ids`: a group in a network has no public name"
        )


def _mongo_collection(_: Cloud, it: Values) -> None:
    if not any(index.get("keys") == ["_id"] for index in it.get("index") or []):
        raise ProviderError(f'collection {it["name"]!r} needs an `index` block with keys = ["_id"]')


CHECKS: dict[str, Check] = {
    "azurerm_role_assignment": _role_assignment,
    "azuread_app_role_assignment": _app_role_assignment,
    "azurerm_api_management": _api_management,
    "azurerm_api_management_logger": _logger,
    "azurerm_api_management_product": _product,
    "azurerm_api_management_named_value": _named_value,
    "azurerm_container_group": _container_group,
    "azurerm_cosmosdb_mongo_collection": _mongo_collection,
}
