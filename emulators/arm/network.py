"""Network rules of vaults, registries and storage accounts: from which addresses each answers.

A caller's address is what its proxy credentials say (web/proxy.py). Whoever calls from a private address is inside the
network, and is let in through a private endpoint only; nobody here is a trusted service of Microsoft's, as agents of
Azure DevOps and GitHub are none either.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from emulators.arm.call import Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError

OUTSIDE = "198.51.100.1"
"""Whoever does not say where from: an address of RFC 5737 that no rule lists."""

_PRIVATE = tuple(ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def lets_in(cloud: Cloud, resource: Document, address: str) -> bool:
    """Whether that resource answers this address."""
    if is_inside(address) and has_endpoint(cloud, resource["id"]):
        return True
    return not is_closed(resource) and (is_open(resource) or _listed(resource, address))


def is_inside(address: str) -> bool:
    return any(ipaddress.ip_address(address) in network for network in _PRIVATE)


def is_closed(resource: Document) -> bool:
    """Whether only private endpoints answer."""
    return str(resource["properties"].get("publicNetworkAccess")).lower() == "disabled"


def is_open(resource: Document) -> bool:
    return str(_rules(resource).get("defaultAction") or "Allow").lower() == "allow"


def _rules(resource: Document) -> Document:
    found: Any = resource["properties"].get("networkAcls") or resource["properties"].get("networkRuleSet") or {}
    return dict(found)


def _listed(resource: Document, address: str) -> bool:
    given = (str(rule.get("value") or "") for rule in _rules(resource).get("ipRules") or ())
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(one, strict=False) for one in given)


def has_endpoint(cloud: Cloud, resource_id: str) -> bool:
    """Whether Terraform made a private endpoint for it."""
    targets = (str(one.get("private_connection_resource_id")) for one in _connections(cloud))
    return any(target.lower() == resource_id.lower() for target in targets)


def _connections(cloud: Cloud) -> Iterator[Document]:
    for endpoint in cloud.applied.of_type("azurerm_private_endpoint") if cloud.applied else ():
        yield from endpoint.get("private_service_connection") or ()


def refuse_vault(cloud: Cloud, vault: Document, address: str) -> None:
    """Raises Key Vault's two refusals ("Key Vault firewall", 2026-04; azurerm#4553)."""
    if lets_in(cloud, vault, address):
        return
    if is_closed(vault):
        raise AzureError(
            403,
            "Forbidden",
            "Public network access is disabled and request is not from a trusted service nor via an approved private "
            f"link.\nVault: {vault['name']};location={vault['location']}",
            {"x-inner-error": "ForbiddenByConnection"},
        )
    raise AzureError(
        403,
        "Forbidden",
        f"Client address is not authorized and caller is not a trusted service.\nClient address: {address}\n"
        f"Vault: {vault['name']};location={vault['location']}",
        {"x-inner-error": "ForbiddenByFirewall"},
    )


def refuse_registry(cloud: Cloud, registry: Document, address: str) -> None:
    """As docker/build-push-action#1214 met it."""
    if not lets_in(cloud, registry, address):
        raise AzureError(
            403,
            "DENIED",
            f"client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
        )


def refuse_account(cloud: Cloud, account: Document, address: str) -> None:
    """As "Troubleshoot 403 errors" of Azure Storage words it."""
    if not lets_in(cloud, account, address):
        raise AzureError(403, "AuthorizationFailure", "This request is not authorized to perform this operation.")
