"""What Azure's network refuses when it is asked to create the thing: ranges, delegations, clashing rules."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from emulators.azurerm.addresses import pools_in
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError

Network = IPv4Network | IPv6Network

POOL_DELEGATION = "Microsoft.DevOpsInfrastructure/pools"
ACI_DELEGATION = "Microsoft.ContainerInstance/containerGroups"


def subnet(cloud: Cloud, values: Values) -> None:
    """A subnet lies within its network, and beside the network's other subnets."""
    name, group = values["virtual_network_name"], values["resource_group_name"]
    network = cloud.find("azurerm_virtual_network", name=name, resource_group_name=group)
    mine = list(_ranges(values.get("address_prefixes")))
    space = list(_ranges((network or {}).get("address_space")))
    for prefix in mine:
        if space and not any(_within(prefix, whole) for whole in space):
            raise ProviderError(
                f"NetcfgSubnetRangeOutsideVnet: subnet {values['name']!r} is not valid because its IP address range "
                f"{prefix} is outside the IP address range of virtual network {name!r}"
            )
    for other in cloud.every("azurerm_subnet", virtual_network_name=name, resource_group_name=group):
        clash = any(_overlap(a, b) for a in mine for b in _ranges(other["address_prefixes"]))
        if other["name"] != values["name"] and clash:
            raise ProviderError(
                f"NetcfgSubnetRangesOverlap: subnet {values['name']!r} is not valid because its IP address range "
                f"overlaps with that of an existing subnet in virtual network {name!r}: {other['name']!r}"
            )


def virtual_network(cloud: Cloud, values: Values) -> None:
    """A network that shrinks keeps room for its subnets."""
    space = list(_ranges(values.get("address_space")))
    here = {"virtual_network_name": values["name"], "resource_group_name": values["resource_group_name"]}
    for held in cloud.every("azurerm_subnet", **here) if space else ():
        for prefix in _ranges(held["address_prefixes"]):
            if not any(_within(prefix, whole) for whole in space):
                raise ProviderError(
                    f"InUsePrefixCannotBeDeleted: virtual network {values['name']!r} cannot lose the range that "
                    f"its subnet {held['name']!r} ({prefix}) lies in"
                )


def container_group_subnet(cloud: Cloud, values: Values) -> None:
    for subnet_id in values.get("subnet_ids") or []:
        held = cloud.get("azurerm_subnet", subnet_id)
        if held and ACI_DELEGATION not in _delegations(held):
            raise ProviderError(
                f"SubnetMissingRequiredDelegation: subnet {subnet_id!r} requires any of the following delegation(s) "
                f"[{ACI_DELEGATION}] to hold container group {values['name']!r}"
            )


def agents_subnet(cloud: Cloud, values: Values) -> None:
    """ "Configure Managed DevOps Pools networking": a subnet that is delegated to them, for one pool only."""
    for fabric in values.get("virtual_machine_scale_set_fabric") or []:
        subnet_id = fabric.get("subnet_id")
        held = cloud.get("azurerm_subnet", subnet_id) if subnet_id else {}
        if held and POOL_DELEGATION not in _delegations(held):
            raise ProviderError(
                f"SubnetMissingRequiredDelegation: subnet {subnet_id!r} requires any of the following delegation(s) "
                f"[{POOL_DELEGATION}] to hold pool {values['name']!r}"
            )
        for other in pools_in(cloud, subnet_id) if subnet_id else ():
            if other["name"] != values["name"]:
                raise ProviderError(f"subnet {subnet_id!r} is used by pool {other['name']!r} already, and takes one")


#: What a v2 gateway's subnet is delegated to, by `virtual_network_type`, and the tiers that have it.
V2_NETWORKS = {
    "External": ("Microsoft.Web/serverFarms", ("StandardV2", "PremiumV2")),
    "Internal": ("Microsoft.Web/hostingEnvironments", ("PremiumV2",)),
}
V2_PREFIX = 27  # the longest: 32 addresses


def v2_gateway(cloud: Cloud, tier: str, values: Values) -> None:
    """Refuse what a v2 tier's network cannot be.

    "Integrate an Azure API Management instance with a private virtual network for outbound connections", 2025-12-04,
    and "Inject an Azure API Management instance in a private virtual network - Premium v2 tier", 2025-10-08: delegated,
    /27, a security group, one service for each subnet. Of the refusals only the first has Azure's error
    code; the words of the others are the emulator's.
    """
    kind = str(values.get("virtual_network_type") or "None")
    if kind not in V2_NETWORKS:
        return
    delegation, tiers = V2_NETWORKS[kind]
    if tier not in tiers:
        raise ProviderError(
            f"ManagingVirtualNetworkConfigurationNotSupported: setting up virtual network type {kind!r} is not "
            f"supported for sku type {tier!r}"
        )
    for network in values.get("virtual_network_configuration") or ():
        _v2_subnet(cloud, network["subnet_id"], delegation, values)


def _v2_subnet(cloud: Cloud, subnet_id: str, delegation: str, values: Values) -> None:
    held = cloud.get("azurerm_subnet", subnet_id)
    if not held:
        return  # an existing network's, which this store does not hold
    what = f"gateway {values['name']!r}"
    if delegation not in _delegations(held):
        raise ProviderError(
            f"SubnetMissingRequiredDelegation: subnet {subnet_id!r} requires any of the following delegation(s) "
            f"[{delegation}] to hold {what}"
        )
    if all(prefix.prefixlen > V2_PREFIX for prefix in _ranges(held.get("address_prefixes"))):
        raise ProviderError(f"subnet {subnet_id!r} is too small for {what}: a v2 tier wants /{V2_PREFIX} or more")
    if not held.get("network_security_group_id"):
        raise ProviderError(f"subnet {subnet_id!r} has no network security group, without which it cannot hold {what}")
    for other in cloud.every("azurerm_api_management"):
        inside = [one.get("subnet_id") for one in other.get("virtual_network_configuration") or ()]
        if other["name"] != values["name"] and subnet_id in inside:
            raise ProviderError(f"subnet {subnet_id!r} is used by gateway {other['name']!r} already, and takes one")


def undelegated_subnet(cloud: Cloud, subnet_id: str, what: str) -> None:
    """A classic gateway and a private endpoint want a subnet that is delegated to nobody."""
    held = cloud.get("azurerm_subnet", subnet_id)
    if _delegations(held):
        raise ProviderError(
            f"SubnetIsDelegated: subnet {subnet_id!r} is delegated to {', '.join(_delegations(held))} and cannot hold "
            f"{what}; give it a subnet without delegation"
        )


def security_rule(cloud: Cloud, values: Values) -> None:
    """Priority and direction identify a rule within its group."""
    wanted = ("network_security_group_name", "resource_group_name", "priority", "direction")
    for other in cloud.every("azurerm_network_security_rule", **{name: values[name] for name in wanted}):
        if other["name"] != values["name"]:
            raise ProviderError(
                f"SecurityRuleConflict: security rule {values['name']!r} conflicts with rule {other['name']!r}: rules "
                f"cannot have the same priority ({values['priority']}) and direction ({values['direction']})"
            )
    for end in ("source", "destination"):
        if not values.get(f"{end}_port_range") and not values.get(f"{end}_port_ranges"):
            raise ProviderError(
                f"one of `{end}_port_range` or `{end}_port_ranges` must be set in rule {values['name']!r}"
            )


def _delegations(held: Values) -> list[str]:
    return [service["name"] for d in held.get("delegation") or [] for service in d.get("service_delegation") or []]


def _ranges(prefixes: object) -> Iterator[Network]:
    for prefix in prefixes if isinstance(prefixes, list) else ():
        yield ip_network(prefix, strict=False)


def _overlap(one: Network, other: Network) -> bool:
    return _within(one, other) or _within(other, one)  # ranges overlap only where one holds the other


def _within(prefix: Network, whole: Network) -> bool:
    if prefix.version != whole.version:
        return False
    return prefix.network_address in whole and prefix.broadcast_address in whole
