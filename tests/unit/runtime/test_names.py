"""Private DNS and network rules decide which backends the gateway reaches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.platform_state import Edit, build, fill_image_store, rule
from twin.supervise.containers import PlanContext, plan_containers
from twin.supervise.names import Routes, route_backends

Resources = dict[str, dict[str, Any]]
ADMIN, READER = "mongodb-admin-a.mcp.internal:8000", "mongodb-reader-a.mcp.internal:8000"
PORTS = {"aci-mongodb-admin-a": 21001, "aci-mongodb-reader-a": 21002}


def routes(home: Path, edit: Edit | None = None) -> Routes:
    fill_image_store(home)
    state = build(edit)
    containers, _ = plan_containers(state, PlanContext(home, 21000, None, PORTS.__getitem__))
    return route_backends(state, state.one("azurerm_api_management"), containers)


def test_each_backend_resolves_to_its_own_process(tmp_path: Path) -> None:
    found = routes(tmp_path)
    assert (found.resolve, found.unreachable) == ({ADMIN: "127.0.0.1:21001", READER: "127.0.0.1:21002"}, {})


def test_swapped_records_swap_the_servers(tmp_path: Path) -> None:
    """DNS decides, not names: what Terraform wired wrongly is wrong here too."""

    def swap(resources: Resources) -> None:
        admin, reader = (resources[f"azurerm_private_dns_a_record.{tier}"] for tier in ("admin", "reader"))
        admin["records"], reader["records"] = reader["records"], admin["records"]

    assert routes(tmp_path, swap).resolve == {ADMIN: "127.0.0.1:21002", READER: "127.0.0.1:21001"}


def no_record(resources: Resources) -> None:
    del resources["azurerm_private_dns_a_record.admin"]


def stale_address(resources: Resources) -> None:
    resources["azurerm_private_dns_a_record.admin"]["records"] = ["10.20.2.99"]


def wrong_port(resources: Resources) -> None:
    resources["azurerm_api_management_backend.admin"]["url"] = "http://mongodb-admin-a.mcp.internal:9000"
    resources["azurerm_network_security_group.containers"]["security_rule"] = []


def server_listens_elsewhere(resources: Resources) -> None:
    resources["azurerm_container_group.admin"]["container"][0]["environment_variables"]["PORT"] = "9000"


@pytest.mark.parametrize(
    ("edit", "host", "says"),
    [
        (no_record, ADMIN, "has no azurerm_private_dns_a_record"),
        (stale_address, ADMIN, "is 10.20.2.99, and no container group with that address listens on 8000"),
        (wrong_port, "mongodb-admin-a.mcp.internal:9000", "listens on 9000"),
        (server_listens_elsewhere, ADMIN, "no container group with that address listens on 8000"),
    ],
)
def test_one_broken_backend_is_left_out_and_named(tmp_path: Path, edit: Edit, host: str, says: str) -> None:
    found = routes(tmp_path, edit)
    assert list(found.resolve) == [READER]
    assert list(found.unreachable) == [host]
    assert says in found.unreachable[host]


def no_link(resources: Resources) -> None:
    del resources["azurerm_private_dns_zone_virtual_network_link.this"]


def link_to_another_network(resources: Resources) -> None:
    resources["azurerm_private_dns_zone_virtual_network_link.this"]["virtual_network_id"] += "-other"


def gateway_outside(resources: Resources) -> None:
    resources["azurerm_api_management.this"]["virtual_network_configuration"] = []


def gateway_not_admitted(resources: Resources) -> None:
    group = resources["azurerm_network_security_group.containers"]
    group["security_rule"] = [rule("web", 100, "Allow", "10.20.9.0/24", "8000"), rule("stop", 4096, "Deny", "*", "*")]


def port_not_admitted(resources: Resources) -> None:
    group = resources["azurerm_network_security_group.containers"]
    group["security_rule"][0]["destination_port_range"] = "8001-8100"


def denied_first(resources: Resources) -> None:
    group = resources["azurerm_network_security_group.containers"]
    group["security_rule"].append(rule("first", 99, "Deny", "VirtualNetwork", "*"))


def denied_on_the_way_out(resources: Resources) -> None:
    resources["azurerm_network_security_rule.out"] = rule("out", 200, "Deny", "*", "8000") | {
        "direction": "Outbound",
        "network_security_group_name": "nsg-gateway",
        "resource_group_name": "RG-MCP",
    }
    containers = resources["azurerm_network_security_group.containers"]
    gateway = containers | {"id": containers["id"] + "2", "name": "nsg-gateway", "security_rule": []}
    resources["azurerm_network_security_group.gateway"] = gateway
    resources["azurerm_subnet_network_security_group_association.gateway"] = {
        "subnet_id": resources["azurerm_subnet.gateway"]["id"],
        "network_security_group_id": gateway["id"],
    }


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (no_link, "zone mcp.internal has no link to the gateway's network vnet-mcp"),
        (link_to_another_network, "has no link to the gateway's network"),
        (gateway_outside, "API Management is in no virtual network"),
        (gateway_not_admitted, "rule stop (inbound, network security group nsg-containers) denies port 8000"),
        (port_not_admitted, "rule nothing-else (inbound"),
        (denied_first, "rule first (inbound"),
        (denied_on_the_way_out, "rule out (outbound, network security group nsg-gateway)"),
    ],
)
def test_the_network_can_cut_off_every_backend(tmp_path: Path, edit: Edit, says: str) -> None:
    found = routes(tmp_path, edit)
    assert found.resolve == {}
    assert [says in reason for reason in found.unreachable.values()] == [True, True]


def test_default_rules_let_the_network_talk_to_itself(tmp_path: Path) -> None:
    def no_rules(resources: Resources) -> None:
        resources["azurerm_network_security_group.containers"]["security_rule"] = []

    assert set(routes(tmp_path, no_rules).resolve) == {ADMIN, READER}


def test_a_hub_zone_is_taken_as_linked(tmp_path: Path) -> None:
    """A zone that somebody else applied is linked where we cannot see it."""

    def hub(resources: Resources) -> None:
        del resources["azurerm_private_dns_zone.this"], resources["azurerm_private_dns_zone_virtual_network_link.this"]

    assert set(routes(tmp_path, hub).resolve) == {ADMIN, READER}


def test_an_address_in_a_backend_url_needs_no_name(tmp_path: Path) -> None:
    def address(resources: Resources) -> None:
        del resources["azurerm_private_dns_a_record.admin"]
        resources["azurerm_api_management_backend.admin"]["url"] = "http://10.20.2.4:8000"

    assert routes(tmp_path, address).resolve == {"10.20.2.4:8000": "127.0.0.1:21001", READER: "127.0.0.1:21002"}


def elsewhere(resources: Resources) -> None:
    for name, url in (("vendor", "https://mcp.example.com"), ("stand_in", "http://127.0.0.1:9000")):
        backend = {"name": name, "url": url}
        resources[f"azurerm_api_management_backend.{name}"] = backend


def test_a_server_elsewhere_is_called_as_it_is_named(tmp_path: Path) -> None:
    """By https, or on this machine; no record of the network is asked for."""
    found = routes(tmp_path, elsewhere)
    assert (found.elsewhere, found.unreachable) == (["mcp.example.com:443", "127.0.0.1:9000"], {})
    assert set(found.resolve) == {ADMIN, READER}


@pytest.mark.parametrize(
    ("rules", "cut_off"),
    [
        ([], False),
        ([("network", 200, "Deny", "VirtualNetwork")], False),
        ([("out", 200, "Deny", "Internet")], True),
        ([("https", 100, "Allow", "Internet"), ("all", 200, "Deny", "*")], False),
        ([("all", 200, "Deny", "*")], True),
    ],
)
def test_the_gateway_s_subnet_may_keep_it_in(
    tmp_path: Path, rules: list[tuple[str, int, str, str]], cut_off: bool
) -> None:
    """Azure lets the internet be reached where no rule says otherwise (AllowInternetOutBound)."""

    def ruled(resources: Resources) -> None:
        denied_on_the_way_out(resources)
        del resources["azurerm_network_security_rule.out"]
        elsewhere(resources)
        resources["azurerm_network_security_group.gateway"]["security_rule"] = [
            rule(name, priority, access, "*", "443") | {"direction": "Outbound", "destination_address_prefix": target}
            for name, priority, access, target in rules
        ]

    found = routes(tmp_path, ruled)
    assert ("mcp.example.com:443" in found.unreachable) is cut_off
    assert all("from the gateway's subnet to the internet" in why for why in found.unreachable.values())
