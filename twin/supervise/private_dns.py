"""Private DNS zones: which networks they answer in."""

from __future__ import annotations

from emulators.base.state import State
from twin.supervise import arm


def answers_in(state: State, zone_id: str, network_id: str) -> bool:
    """Whether machines of that network see the zone. A zone applied elsewhere (a hub's) counts as linked there."""
    if arm.find(state, "azurerm_private_dns_zone", zone_id) is None:
        return True
    return any(
        arm.same_id(link["private_dns_zone_id"], zone_id) and arm.same_id(link["virtual_network_id"], network_id)
        for link in state.of_type("azurerm_private_dns_zone_virtual_network_link")
    )
