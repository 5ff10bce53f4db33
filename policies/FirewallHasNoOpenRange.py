"""CKV_MCP_36: see `guideline`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy_base import Policy, blocks, many

# Per type, where its ranges stand: block names, the last one an attribute.
PLACES = {
    "azurerm_key_vault": ("network_acls", "ip_rules"),
    "azurerm_storage_account": ("network_rules", "ip_rules"),
    "azurerm_container_registry": ("network_rule_set", "ip_rule", "ip_range"),
    "azurerm_cosmosdb_account": ("ip_range_filter",),
}
ADDRESS = re.compile(r"[0-9a-f.:]+(/\d+)?")  # what else stands there is an expression
SMALLEST_PREFIX = 24


class FirewallHasNoOpenRange(Policy):
    id = "CKV_MCP_36"
    summary = "No firewall admits a range larger than a site"
    severity_name = "CRITICAL"
    resources = tuple(PLACES)
    guideline = (
        "0.0.0.0/0 is the internet, and 0.0.0.0 is every Azure customer: list the addresses that deployments "
        "run from, /24 at most."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        ranges = [str(address) for address in _ranges(values, PLACES[self.entity_type])]
        known = [address for address in ranges if ADDRESS.fullmatch(address)]
        return not any(_open(address) for address in known)


def _ranges(values: Mapping[str, Any], path: Sequence[str]) -> Iterator[Any]:
    if len(path) == 1:
        yield from many(values.get(path[0]))
        return
    for block in blocks(values, path[0]):
        yield from _ranges(block, path[1:])


def _open(address: str) -> bool:
    network = ipaddress.ip_network(address, strict=False)
    return network.prefixlen < SMALLEST_PREFIX or str(network.network_address) == "0.0.0.0"  # noqa: S104


check = FirewallHasNoOpenRange()
