"""What cannot be changed once it is there, and is refused only when the change is applied."""

from __future__ import annotations

from collections.abc import Callable

from emulators.azurerm import container_apps, mongo_cluster
from emulators.azurerm.addresses import holders
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError

Check = Callable[[Cloud, Values, Values], None]


def refuse_update(cloud: Cloud, type_: str, prior: Values, planned: Values) -> None:
    """Raises ProviderError, one sentence, where the object as it is forbids the object as it should be."""
    if type_ in CHECKS:
        CHECKS[type_](cloud, prior, planned)


def _throughput(_: Cloud, prior: Values, planned: Values) -> None:
    """cosmos/common/throughput.go, and "if … not been created with an initial throughput, you cannot configure it"."""
    before, after = (_throughput_of(values) for values in (prior, planned))
    if before == after:
        return
    if None in (before, after):
        raise ProviderError(
            f"setting throughput for {planned['name']!r}: if it has not been created with an initial throughput, you "
            "cannot configure it later, nor take it away"
        )
    raise ProviderError(
        "checking `autoscale_settings` and `throughput`: switching between autoscale and manually provisioned "
        f"throughput via Terraform is not supported at this time ({planned['name']!r}: from {before} to {after})"
    )


def _throughput_of(values: Values) -> str | None:
    if values.get("autoscale_settings"):
        return "autoscale"
    return "fixed" if isinstance(values.get("throughput"), int) else None


def _collection(cloud: Cloud, prior: Values, planned: Values) -> None:
    _throughput(cloud, prior, planned)
    where = {"name": planned["account_name"], "resource_group_name": planned["resource_group_name"]}
    account = cloud.find("azurerm_cosmosdb_account", **where) or {}
    continuous = any(backup.get("type") == "Continuous" for backup in account.get("backup") or [])
    added = _unique(planned) - _unique(prior)
    if continuous and added:
        keys = "; ".join(sorted(", ".join(index) for index in added))
        raise ProviderError(
            f"BadRequest: unique indexes ({keys}) cannot be added to collection {planned['name']!r}, which exists: an "
            "account with continuous backup makes them together with their collection"
        )


def _unique(values: Values) -> set[tuple[str, ...]]:
    return {tuple(index["keys"]) for index in values.get("index") or [] if index.get("unique")} - {("_id",)}


def _cosmos_account(_: Cloud, prior: Values, planned: Values) -> None:
    """cosmosdb_account_resource.go: which region is the first one is decided by a failover, not here."""
    before = {_region(place): place["failover_priority"] for place in prior.get("geo_location") or []}
    for place in planned.get("geo_location") or []:
        if place["failover_priority"] == 0 and before.get(_region(place), 0) != 0:
            raise ProviderError(
                f"cannot change the failover priority of {prior['id']!r} location {_region(place)!r} to 0"
            )


def _region(place: Values) -> str:
    return str(place["location"]).replace(" ", "").lower()


def _vault(_: Cloud, prior: Values, planned: Values) -> None:
    """key_vault_resource.go, resourceKeyVaultUpdate."""
    if prior.get("purge_protection_enabled") and not planned.get("purge_protection_enabled"):
        raise ProviderError("once Purge Protection has been Enabled it's not possible to disable it")
    if prior.get("soft_delete_retention_days") != planned.get("soft_delete_retention_days"):
        raise ProviderError("once `soft_delete_retention_days` has been configured it cannot be modified")


def _insights(_: Cloud, prior: Values, planned: Values) -> None:
    """application_insights_resource.go."""
    if prior.get("workspace_id") and not planned.get("workspace_id"):
        raise ProviderError("`workspace_id` cannot be removed after set")


def _subnet(cloud: Cloud, prior: Values, planned: Values) -> None:
    """ "Add, change, or delete a virtual network subnet": the range changes only while nothing is in the subnet."""
    if prior.get("address_prefixes") == planned.get("address_prefixes"):
        return
    held = sorted(holders(cloud, prior["id"]))
    if held:
        raise ProviderError(
            f"InUseSubnetCannotBeUpdated: subnet {prior['name']!r} is in use by {', '.join(held)} and cannot have "
            "another address range"
        )


CHECKS: dict[str, Check] = {
    "azurerm_application_insights": _insights,
    container_apps.APP: container_apps.app_updated,
    "azurerm_cosmosdb_account": _cosmos_account,
    "azurerm_cosmosdb_mongo_collection": _collection,
    "azurerm_cosmosdb_mongo_database": _throughput,
    "azurerm_key_vault": _vault,
    mongo_cluster.TYPE: mongo_cluster.updated,
    "azurerm_subnet": _subnet,
}
