"""Whether the gateway's subnet may reach a container: network security groups, evaluated as Azure does.

"Network security groups: how they filter traffic": rules by priority, the first that matches decides, then the default
rules. A subnet without a group lets everything pass. One address stands for each side: the container's own, and the
first that Azure would give out in the gateway's subnet.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.state import Resource, State
from twin.supervise import arm

_RESERVED = 4  # the first four addresses of a subnet are Azure's own


@dataclass(frozen=True)
class Flow:
    """One TCP connection; `inside` holds the address ranges that the tag VirtualNetwork stands for."""

    source: str
    destination: str
    port: int
    inside: tuple[str, ...]


def blocked(state: State, source_subnet: str, target_subnet: str, address: str, port: int) -> str | None:
    """The name of the rule that stops the gateway's request, or None. Subnets applied elsewhere are not judged."""
    source = _representative(state, source_subnet)
    if source is None or not target_subnet:
        return None
    flow = Flow(source, address, port, _address_space(state, source_subnet))
    for subnet, direction in ((source_subnet, "Outbound"), (target_subnet, "Inbound")):
        group = _group_of(state, subnet)
        rule = group and _deciding(state, group, direction, flow)
        if rule and rule["access"] == "Deny":
            return f"{rule['name']} ({direction.lower()}, network security group {group['name'] if group else ''})"
    return None


def blocked_outside(state: State, source_subnet: str, address: str, port: int) -> str | None:
    """The name of the rule that stops the gateway's request to an address of the internet, or None."""
    source = _representative(state, source_subnet)
    group = _group_of(state, source_subnet)
    if source is None or group is None:
        return None
    rule = _deciding(state, group, "Outbound", Flow(source, address, port, _address_space(state, source_subnet)))
    return f"{rule['name']} (outbound, network security group {group['name']})" if rule["access"] == "Deny" else None


def _representative(state: State, subnet_id: str) -> str | None:
    subnet = arm.find(state, "azurerm_subnet", subnet_id)
    prefixes = subnet.get("address_prefixes", ()) if subnet else ()
    return str(ipaddress.ip_network(prefixes[0])[_RESERVED]) if prefixes else None


def _address_space(state: State, subnet_id: str) -> tuple[str, ...]:
    network = arm.find(state, "azurerm_virtual_network", arm.network_of(subnet_id))
    return tuple(network.get("address_space", ())) if network else ()


def _group_of(state: State, subnet_id: str) -> Resource | None:
    for association in state.of_type("azurerm_subnet_network_security_group_association"):
        if arm.same_id(association["subnet_id"], subnet_id):
            return arm.find(state, "azurerm_network_security_group", association["network_security_group_id"])
    return None


def _deciding(state: State, group: Resource, direction: str, flow: Flow) -> Mapping[str, Any]:
    rules = [rule for rule in _rules(state, group) if rule["direction"] == direction]
    return next(rule for rule in sorted(rules, key=lambda r: int(r["priority"])) if _matches(rule, flow))


def _rules(state: State, group: Resource) -> Iterator[Mapping[str, Any]]:
    yield from group.get("security_rule", ())
    for rule in state.of_type("azurerm_network_security_rule"):
        if rule["network_security_group_name"] == group["name"] and (
            rule["resource_group_name"].lower() == group["resource_group_name"].lower()
        ):
            yield rule.values
    for direction in ("Inbound", "Outbound"):
        yield _default("AllowVnet", direction, 65000, "Allow", "VirtualNetwork")
        yield _default("DenyAll", direction, 65500, "Deny", "*")
    # "Network security groups", default security rules: AllowInternetOutBound.
    yield {**_default("AllowInternet", "Outbound", 65001, "Allow", "*"), "destination_address_prefix": "Internet"}


def _default(name: str, direction: str, priority: int, access: str, prefix: str) -> dict[str, Any]:
    return {
        "name": name,
        "direction": direction,
        "priority": priority,
        "access": access,
        "protocol": "*",
        "source_address_prefix": prefix,
        "destination_address_prefix": prefix,
        "destination_port_range": "*",
    }


def _matches(rule: Mapping[str, Any], flow: Flow) -> bool:
    return (
        rule["protocol"] in ("*", "Tcp")
        and any(_covers(prefix, flow.source, flow.inside) for prefix in _both(rule, "source_address_prefix"))
        and any(_covers(prefix, flow.destination, flow.inside) for prefix in _both(rule, "destination_address_prefix"))
        and any(_includes(ports, flow.port) for ports in _both(rule, "destination_port_range"))
    )


def _both(rule: Mapping[str, Any], attribute: str) -> Iterable[str]:
    """A rule's single value and its list: azurerm has one attribute for each."""
    single = rule.get(attribute)
    return [*([single] if single else []), *(rule.get(f"{attribute}es") or rule.get(f"{attribute}s") or ())]


def _covers(prefix: str, address: str, inside: tuple[str, ...]) -> bool:
    if prefix == "*":
        return True
    if prefix == "VirtualNetwork":
        return any(_covers(part, address, ()) for part in inside)
    if prefix == "Internet":
        return not any(_covers(part, address, ()) for part in inside)
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(prefix, strict=False)
    except ValueError:  # another service tag: AzureLoadBalancer, …: never an address of the network
        return False


def _includes(ports: str, port: int) -> bool:
    if ports == "*":
        return True
    first, _, last = ports.partition("-")
    return int(first) <= port <= int(last or first)
