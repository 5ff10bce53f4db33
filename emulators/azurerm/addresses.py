"""Addresses: private ones are allotted from a subnet, each to one holder; public ones are documentation addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_network

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError

RESERVED = 4  # Azure keeps the network address and the three after it; the last one is the broadcast address
LEDGER = "twin_private_address"  # a type of the stand-in's own: {"id": holder, "subnet_id", "address"}


def allot(cloud: Cloud, subnet_id: str, holder: str) -> str:
    """The holder's address in that subnet: the one it has, else the lowest free one."""
    with cloud.store.transaction():
        key = f"{subnet_id}|{holder}"
        held = cloud.store.get(LEDGER, key)
        if held:
            return str(held["address"])
        taken = {entry["address"] for entry in cloud.store.of_type(LEDGER) if entry["subnet_id"] == subnet_id}
        address = next((a for a in _addresses(_prefix(cloud, subnet_id)) if a not in taken), None)
        if address is None:
            raise ProviderError(f"{subnet_id} has no free address: {len(taken)} are in use; give it a larger range")
        cloud.store.put(LEDGER, {"id": key, "subnet_id": subnet_id, "address": address, "holder": holder})
        return address


def move(cloud: Cloud, subnet_id: str, holder: str) -> str:
    """Another address for the holder than the one it has, which nobody gets meanwhile: what a restart may bring."""
    with cloud.store.transaction():
        before = allot(cloud, subnet_id, holder)
        cloud.store.put(LEDGER, {"id": f"{before}|moved", "subnet_id": subnet_id, "address": before, "holder": ""})
        cloud.store.remove(LEDGER, f"{subnet_id}|{holder}")
        address = allot(cloud, subnet_id, holder)
        cloud.store.remove(LEDGER, f"{before}|moved")
        return address


def give_back(cloud: Cloud, holder: str) -> None:
    for entry in cloud.store.of_type(LEDGER):
        if entry["holder"] == holder:
            cloud.store.remove(LEDGER, entry["id"])


def holders(cloud: Cloud, subnet_id: str) -> Iterator[str]:
    """Ids of what is in that subnet. A pool's agents come and go; the pool has the subnet all the time."""
    yield from (entry["holder"] for entry in cloud.every(LEDGER, subnet_id=subnet_id))
    yield from (pool["id"] for pool in pools_in(cloud, subnet_id))


def pools_in(cloud: Cloud, subnet_id: str) -> Iterator[Values]:
    """Managed DevOps Pools whose agents get their addresses there."""
    for pool in cloud.every("azurerm_managed_devops_pool"):
        if any(fabric.get("subnet_id") == subnet_id for fabric in pool.get("virtual_machine_scale_set_fabric") or []):
            yield pool


def public_address(*parts: str) -> str:
    """One of TEST-NET-2 (RFC 5737), so that nothing real is ever addressed."""
    return f"198.51.100.{1 + hashlib.sha256(''.join(parts).encode()).digest()[0] % 254}"


def _prefix(cloud: Cloud, subnet_id: str) -> IPv4Network:
    subnet = cloud.get("azurerm_subnet", subnet_id)
    for prefix in subnet.get("address_prefixes") or []:
        network = ip_network(prefix, strict=False)
        if isinstance(network, IPv4Network):
            return network
    return IPv4Network("10.0.0.0/16")  # a subnet that this store does not hold: an existing network was given


def _addresses(network: IPv4Network) -> Iterator[str]:
    """One after the other, because a large range has far more than are ever asked for."""
    for index in range(RESERVED, max(RESERVED + 1, network.num_addresses - 1)):
        if index < network.num_addresses:
            yield str(network[index])
