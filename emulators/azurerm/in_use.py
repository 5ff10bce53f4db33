"""What is in use, and therefore stays: who refers to an object that is about to be deleted.

Not everything that is referred to is kept. Azure deletes a user-assigned identity that is still attached, a secret that
a named value or a container group has read, a workspace that settings write to, and an Entra group that holds a role:
what used them fails later, and its next change is refused, because what it names is gone (`references`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from emulators.azurerm.addresses import holders
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.ids import joined, pairs_of
from emulators.azurerm.policy_text import ATTRIBUTE

Users = Callable[[Cloud, Values], Iterator[str]]

SERVICE_PAIRS = 4  # /subscriptions/…/resourceGroups/…/providers/…/service/…
DIAGNOSTICS = ("azurerm_api_management_diagnostic", "azurerm_api_management_api_diagnostic")


def refuse_in_use(cloud: Cloud, type_: str, values: Values) -> None:
    """Raises ProviderError, with Azure's code, where something that still exists refers to the object."""
    if type_ not in IN_USE:
        return
    code, noun, users = IN_USE[type_]
    found = sorted(set(users(cloud, values)))
    if found:
        raise ProviderError(
            f"{code}: {noun} {values['name']} is in use by {', '.join(found)} and cannot be deleted; "
            "delete or detach what uses it first"
        )


def _held_subnet(cloud: Cloud, values: Values) -> Iterator[str]:
    yield from holders(cloud, values["id"])


def _network(cloud: Cloud, values: Values) -> Iterator[str]:
    here = {"virtual_network_name": values["name"], "resource_group_name": values["resource_group_name"]}
    for subnet in cloud.every("azurerm_subnet", **here):
        yield from _held_subnet(cloud, subnet)


def _security_group(cloud: Cloud, values: Values) -> Iterator[str]:
    yield from (subnet["id"] for subnet in cloud.every("azurerm_subnet", network_security_group_id=values["id"]))


def _public_ip(cloud: Cloud, values: Values) -> Iterator[str]:
    yield from (gateway["id"] for gateway in cloud.every("azurerm_api_management", public_ip_address_id=values["id"]))
    associations = cloud.every("azurerm_nat_gateway_public_ip_association", public_ip_address_id=values["id"])
    yield from (association["nat_gateway_id"] for association in associations)


def _nat_gateway(cloud: Cloud, values: Values) -> Iterator[str]:
    associations = cloud.every("azurerm_subnet_nat_gateway_association", nat_gateway_id=values["id"])
    yield from (association["subnet_id"] for association in associations)


def _private_zone(cloud: Cloud, values: Values) -> Iterator[str]:
    links = cloud.every("azurerm_private_dns_zone_virtual_network_link", private_dns_zone_id=values["id"])
    yield from (link["id"] for link in links)


def _named_value(cloud: Cloud, values: Values) -> Iterator[str]:
    """By its display name, in double braces: in policies, and in addresses, credentials and headers beside them."""
    wanted = f"{{{{{values['display_name']}}}}}"
    for type_ in cloud.store.types():
        if type_.startswith("azurerm_api_management_") and type_ != "azurerm_api_management_named_value":
            yield from (o["id"] for o in _in_service(cloud, type_, values) if any(wanted in text for text in _texts(o)))


def _named_in_policies(pattern: str) -> Users:
    compiled = re.compile(pattern)

    def users(cloud: Cloud, values: Values) -> Iterator[str]:
        for type_, attribute in ATTRIBUTE.items():
            for policy in _in_service(cloud, type_, values):
                if values["name"] in compiled.findall(policy.get(attribute) or ""):
                    yield policy["id"]

    return users


def _logger(cloud: Cloud, values: Values) -> Iterator[str]:
    for type_ in DIAGNOSTICS:
        yield from (diagnostic["id"] for diagnostic in cloud.every(type_, api_management_logger_id=values["id"]))


def _version_set(cloud: Cloud, values: Values) -> Iterator[str]:
    yield from (api["id"] for api in cloud.every("azurerm_api_management_api", version_set_id=values["id"]))


# "Policy fragment … is used by the following entities" (Azure/apiops-cli#261), named values likewise (apiops#326); that
# backends and loggers are kept is taken to be so: a policy or diagnostic that names a missing one is refused.
IN_USE: dict[str, tuple[str, str, Users]] = {
    "azurerm_subnet": ("InUseSubnetCannotBeDeleted", "subnet", _held_subnet),
    "azurerm_virtual_network": ("InUseSubnetCannotBeDeleted", "virtual network", _network),
    "azurerm_network_security_group": (
        "InUseNetworkSecurityGroupCannotBeDeleted",
        "network security group",
        _security_group,
    ),
    "azurerm_public_ip": ("PublicIPAddressCannotBeDeleted", "public IP address", _public_ip),
    "azurerm_nat_gateway": ("InUseNatGatewayCannotBeDeleted", "NAT gateway", _nat_gateway),
    "azurerm_private_dns_zone": ("CannotDeleteResource", "private DNS zone", _private_zone),
    "azurerm_api_management_named_value": ("ValidationError", "named value", _named_value),
    "azurerm_api_management_policy_fragment": (
        "ValidationError",
        "policy fragment",
        _named_in_policies(r'<include-fragment\b[^>]*?\bfragment-id="([^"]+)"'),
    ),
    "azurerm_api_management_backend": (
        "ValidationError",
        "backend",
        _named_in_policies(r'<set-backend-service\b[^>]*?\bbackend-id="([^"]+)"'),
    ),
    "azurerm_api_management_logger": ("ValidationError", "logger", _logger),
    "azurerm_api_management_api_version_set": ("ValidationError", "API version set", _version_set),
}


def _in_service(cloud: Cloud, type_: str, values: Values) -> Iterator[Values]:
    service = f"{joined(pairs_of(values['id'])[:SERVICE_PAIRS])}/".lower()
    yield from (o for o in cloud.store.of_type(type_) if f"{o['id']}/".lower().startswith(service))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
