"""Plans show what the real providers would."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.catalog import catalog_of
from emulators.azurerm.planning import plan
from emulators.azurerm.tests.conftest import Applied
from emulators.azurerm.values import UNKNOWN, empty


def config(type_: str, **arguments: Any) -> dict[str, Any]:
    return {**empty(catalog_of(type_).resource(type_)["block"]), **arguments}


GROUP = {"name": "g", "resource_group_name": "rg", "location": "westeurope", "os_type": "Linux"}
CONTAINER = {
    **empty(
        catalog_of("azurerm_container_group").resource("azurerm_container_group")["block"]["block_types"]["container"][
            "block"
        ]
    ),
    "name": "c",
    "image": "i:1",
    "cpu": 1,
    "memory": 1,
    "ports": [{"port": 8000, "protocol": None}],
}


def test_defaults_are_planned_and_declared() -> None:
    """Where a default is added the answer says so, or Terraform would call the plan invalid."""
    result = plan("azurerm_public_ip", None, config("azurerm_public_ip", name="p", allocation_method="Static"))
    assert result.planned is not None
    assert result.planned["sku"] == "Standard"
    assert result.legacy


def test_nothing_is_declared_where_nothing_was_added() -> None:
    """A plan without defaults is held to Terraform's strict rules."""
    result = plan("azurerm_resource_group", None, config("azurerm_resource_group", name="g", location="westeurope"))
    assert not result.legacy


def test_what_azure_decides_is_unknown_at_every_depth() -> None:
    """Computed values are unknown until applied, in nested blocks too."""
    identity = [{"type": "SystemAssigned", "identity_ids": None, "principal_id": None, "tenant_id": None}]
    planned = plan(
        "azurerm_container_group", None, config("azurerm_container_group", **GROUP, identity=identity)
    ).planned
    assert planned is not None
    assert planned["ip_address"] == UNKNOWN
    assert planned["identity"][0]["principal_id"] == UNKNOWN


def test_locations_are_kept_the_way_azure_spells_them() -> None:
    """ "West Europe" and "westeurope" are one place: no replacement between them."""
    prior = plan(
        "azurerm_resource_group", None, config("azurerm_resource_group", name="g", location="West Europe")
    ).planned
    assert prior is not None
    assert prior["location"] == "westeurope"
    again = plan("azurerm_resource_group", {**prior, "id": "x"}, {**prior, "id": "x", "location": "West Europe"})
    assert again.replace == ()


def test_an_image_replaces_its_container_group(applied: Applied) -> None:
    """The path of what forces replacement is named, down to the list element."""
    prior = applied("azurerm_container_group", **GROUP, container=[CONTAINER])
    changed = {**prior, "container": [{**prior["container"][0], "image": "i:2"}]}
    assert plan("azurerm_container_group", prior, changed).replace == (("container", 0, "image"),)


def test_elements_of_sets_keep_what_azure_decided(applied: Applied) -> None:
    """Adding one place to a set leaves the computed id of the other known, although defaults were added to both."""
    place = {"location": "westeurope", "failover_priority": 0, "zone_redundant": None, "id": None}
    arguments = {"name": "c", "resource_group_name": "rg", "location": "westeurope", "offer_type": "Standard"}
    prior = applied("azurerm_cosmosdb_account", **arguments, geo_location=[place])
    other = {**place, "location": "northeurope", "failover_priority": 1}
    planned = plan("azurerm_cosmosdb_account", prior, {**prior, "geo_location": [other, place]}).planned
    assert planned is not None
    assert {p["location"]: p["id"] for p in planned["geo_location"]} == {
        "westeurope": "c-westeurope",
        "northeurope": UNKNOWN,
    }


def test_what_follows_from_a_change_is_decided_anew(applied: Applied) -> None:
    """A new app role makes the map of role ids unknown; a new secret value makes the version unknown."""
    app = applied("azuread_application", display_name="api")
    role = {
        "id": "1",
        "value": "R",
        "display_name": "R",
        "description": "R",
        "enabled": True,
        "allowed_member_types": ["User"],
    }
    planned = plan("azuread_application", app, {**app, "app_role": [role]}).planned
    assert planned is not None
    assert planned["app_role_ids"] == UNKNOWN
    assert planned["client_id"] == app["client_id"]


def test_destroy_needs_no_plan() -> None:
    """A null proposal is a destroy."""
    assert plan("azurerm_resource_group", {"id": "x"}, None).planned is None


@pytest.mark.parametrize(("level", "planned"), [("Session", (None, None)), ("BoundedStaleness", (5, 100))])
def test_bounds_of_staleness_belong_to_their_level(level: str, planned: tuple[int | None, int | None]) -> None:
    """The provider suppresses them at every other level, its own defaults included."""
    policy = [{"consistency_level": level, "max_interval_in_seconds": None, "max_staleness_prefix": None}]
    found = plan(
        "azurerm_cosmosdb_account", None, config("azurerm_cosmosdb_account", consistency_policy=policy)
    ).planned
    assert found is not None
    (one,) = found["consistency_policy"]
    assert (one["max_interval_in_seconds"], one["max_staleness_prefix"]) == planned
