"""A database that production could not reach is not reached here either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.platform_state import ACCOUNT, Edit, build, fill_image_store
from twin.supervise.containers import Container, PlanContext, plan_containers
from twin.supervise.spec import Health, Liveness

Resources = dict[str, dict[str, Any]]
LOCAL, NOWHERE = "@127.0.0.1:21000/", "@127.0.0.1:1/"


def reader(home: Path, edit: Edit | None = None) -> Container:
    fill_image_store(home)
    containers, refused = plan_containers(build(edit), PlanContext(home, 21000, None, lambda _: 21001))
    assert refused == {}
    return containers[1]


def no_endpoint(resources: Resources) -> None:
    del resources["azurerm_private_endpoint.database"]


def endpoint_of_the_sql_api(resources: Resources) -> None:
    connection = resources["azurerm_private_endpoint.database"]["private_service_connection"][0]
    connection["subresource_names"] = ["Sql"]


def endpoint_of_another_account(resources: Resources) -> None:
    connection = resources["azurerm_private_endpoint.database"]["private_service_connection"][0]
    connection["private_connection_resource_id"] = f"{ACCOUNT}-other"


def zone_not_linked(resources: Resources) -> None:
    del resources["azurerm_private_dns_zone_virtual_network_link.database"]


def endpoint_not_registered(resources: Resources) -> None:
    resources["azurerm_private_endpoint.database"]["private_dns_zone_group"] = []


def no_mongo(resources: Resources) -> None:
    resources["azurerm_cosmosdb_account.this"]["capabilities"] = [{"name": "EnableServerless"}]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (no_endpoint, "closed to public networks and has no azurerm_private_endpoint for MongoDB"),
        (endpoint_of_the_sql_api, "has no azurerm_private_endpoint for MongoDB"),
        (endpoint_of_another_account, "has no azurerm_private_endpoint for MongoDB"),
        (zone_not_linked, "has no name in the containers' network"),
        (endpoint_not_registered, "has no name in the containers' network"),
        (no_mongo, "lacks the capability EnableMongo"),
    ],
)
def test_a_database_without_a_way_to_it_refuses_connections(tmp_path: Path, edit: Edit, says: str) -> None:
    """The server starts, as in production, and its calls fail; the status says why."""
    found = reader(tmp_path, edit)
    assert NOWHERE in found.process.env["MONGODB_URI"]
    assert says in found.cut_off["cosmos-mcp"]


def open_to_the_public(resources: Resources) -> None:
    del resources["azurerm_private_endpoint.database"]
    resources["azurerm_cosmosdb_account.this"]["public_network_access_enabled"] = True


def registered_by_a_landing_zone(resources: Resources) -> None:
    resources["azurerm_private_endpoint.database"]["private_dns_zone_group"] = []
    del resources["azurerm_private_dns_zone.database"]
    del resources["azurerm_private_dns_zone_virtual_network_link.database"]


def asks_a_hub_s_servers(resources: Resources) -> None:
    zone_not_linked(resources)
    resources["azurerm_container_group.reader"]["dns_config"] = [{"nameservers": ["10.1.0.4"]}]


@pytest.mark.parametrize("edit", [None, open_to_the_public, registered_by_a_landing_zone, asks_a_hub_s_servers])
def test_a_reachable_database_is_the_local_one(tmp_path: Path, edit: Edit | None) -> None:
    found = reader(tmp_path, edit)
    assert LOCAL in found.process.env["MONGODB_URI"]
    assert found.cut_off == {}


def test_a_network_s_name_servers_are_not_those_of_its_groups(tmp_path: Path) -> None:
    """ "Virtual network scenarios and resources for Azure Container Instances": a group asks Azure's, or its own."""

    def asks_a_hub(resources: Resources) -> None:
        zone_not_linked(resources)
        resources["azurerm_virtual_network.this"]["dns_servers"] = ["10.1.0.4"]

    assert "has no name in the containers' network" in reader(tmp_path, asks_a_hub).cut_off["cosmos-mcp"]


def test_azure_s_own_name_server_knows_linked_zones_only(tmp_path: Path) -> None:
    """Named by its address it is still Azure's."""

    def asks_azure(resources: Resources) -> None:
        zone_not_linked(resources)
        resources["azurerm_container_group.reader"]["dns_config"] = [{"nameservers": ["168.63.129.16"]}]

    assert "has no name in the containers' network" in reader(tmp_path, asks_azure).cut_off["cosmos-mcp"]


def test_probes_say_where_to_ask_for_health(tmp_path: Path) -> None:
    def probe(resources: Resources) -> None:
        container = resources["azurerm_container_group.reader"]["container"][0]
        container["liveness_probe"] = [{"http_get": [{"path": "/alive", "port": 8000}]}]

    assert reader(tmp_path, probe).process.health.path == "/alive"


def test_a_liveness_probe_is_executed_as_it_says(tmp_path: Path) -> None:
    """With the defaults of Kubernetes where it says nothing; without a probe a hung container is left alone."""

    def probe(resources: Resources) -> None:
        container = resources["azurerm_container_group.reader"]["container"][0]
        request = [{"path": "/alive", "port": 8000, "scheme": "http"}]
        container["liveness_probe"] = [{"http_get": request, "initial_delay_seconds": 7, "period_seconds": 2}]

    health = Health("http", "/alive", statuses=(200, 399))
    assert reader(tmp_path, probe).process.liveness == Liveness(health, delay=7, period=2, timeout=1, failures=3)
    assert reader(tmp_path).process.liveness is None
    assert reader(tmp_path).process.health.path == "/healthz"
