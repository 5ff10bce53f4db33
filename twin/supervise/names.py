"""Private DNS, from the gateway's place in the network: which local port answers for each backend's host and port.

A backend with an https address is a server elsewhere, and so is one on this machine, which plays one: both are called
as they are named, if the rules of the gateway's subnet let it out.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from emulators.base.state import Resource, State
from twin.errors import RuntimeFailure
from twin.supervise import apps, arm, network, private_dns
from twin.supervise.containers import Container

_LOOPBACK = "127.0.0.1"
# For documentation (RFC 5737): it stands for every address of the internet.
_INTERNET = "203.0.113.1"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass
class Routes:
    """`resolve`: `host:port` → `127.0.0.1:port`; `elsewhere`: `host:port` of servers that are called as they are named.

    `unreachable`: `host:port` → why production could not connect.
    """

    resolve: dict[str, str] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    unreachable: dict[str, str] = field(default_factory=dict)


def route_backends(state: State, service: Resource, containers: Sequence[Container], tls_port: int = 0) -> Routes:
    """One entry per API Management backend, either way. `tls_port`: where the ingress of apps answers."""
    routes = Routes()
    for backend in state.of_type("azurerm_api_management_backend"):
        parts = urlsplit(backend["url"])
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        try:
            if (found := apps.find(state, host)) is not None and port == apps.PORTS[0]:
                subnet = service.block("virtual_network_configuration").get("subnet_id")
                apps.require_passage(state, subnet, *found, _lookup(state, subnet, host))
                routes.resolve[f"{host}:{port}"] = f"127.0.0.1:{tls_port}"
                continue
            if parts.scheme == "https" or host == _LOOPBACK:
                _require_way_out(state, service, port)
                routes.elsewhere.append(f"{host}:{port}")
                continue
            container = _locate(state, service, containers, host, port)
            routes.resolve[f"{host}:{port}"] = f"127.0.0.1:{container.process.port}"
        except RuntimeFailure as error:
            routes.unreachable[f"{host}:{port}"] = f"backend {backend['name']} cannot be reached: {error}"
    return routes


def _require_way_out(state: State, service: Resource, port: int) -> None:
    subnet = service.block("virtual_network_configuration").get("subnet_id")
    if subnet and (rule := network.blocked_outside(state, subnet, _INTERNET, port)):
        raise RuntimeFailure(f"rule {rule} denies port {port} from the gateway's subnet to the internet")


def _locate(state: State, service: Resource, containers: Sequence[Container], host: str, port: int) -> Container:
    subnet = service.block("virtual_network_configuration").get("subnet_id")
    addresses = _lookup(state, subnet, host)
    for container in containers:
        if container.ip_address in addresses and container.listens_on == port:
            _require_passage(state, subnet, container)
            return container
    raise RuntimeFailure(
        f"{host} is {', '.join(sorted(addresses))}, and no container group with that address listens on {port};"
        " run `invoke heal` if the address changed"
    )


def _lookup(state: State, subnet: str | None, host: str) -> set[str]:
    with contextlib.suppress(ValueError):
        return {str(ipaddress.ip_address(host))}
    for record in state.of_type("azurerm_private_dns_a_record"):
        zone_id = record["private_dns_zone_id"]
        zone = arm.name_of(zone_id).lower()
        # A wildcard answers for names of one more label (RFC 4592); nothing here has more.
        wildcard = record["name"] == "*" and host.lower().partition(".")[2] == zone
        if wildcard or f"{record['name']}.{zone}".lower() == host.lower():
            _require_link(state, zone_id, subnet)
            return set(record["records"])
    raise RuntimeFailure(f"{host} has no azurerm_private_dns_a_record")


def _require_link(state: State, zone_id: str, subnet: str | None) -> None:
    gateway_network = arm.network_of(subnet)
    if gateway_network is None:
        raise RuntimeFailure(
            "API Management is in no virtual network (virtual_network_configuration), so no private name resolves"
        )
    if not private_dns.answers_in(state, zone_id, gateway_network):
        raise RuntimeFailure(
            f"zone {arm.name_of(zone_id)} has no link to the gateway's network {arm.name_of(gateway_network)}"
        )


def _require_passage(state: State, subnet: str | None, container: Container) -> None:
    target = next(iter(container.group.get("subnet_ids", ())), "")
    rule = network.blocked(state, subnet or "", target, container.ip_address, container.listens_on)
    if rule:
        raise RuntimeFailure(f"rule {rule} denies port {container.listens_on} from the gateway's subnet")
