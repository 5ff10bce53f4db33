"""Forms of text that a regular expression alone does not describe: addresses, ranges, ports, URIs."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

SERVICE_TAG = re.compile(r"[A-Z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*")
VAULT_ITEM = re.compile(
    r"https://[A-Za-z0-9-]+\.(vault|managedhsm)\.(azure\.net|azure\.cn|usgovcloudapi\.net)(:443)?"
    r"/(?P<kind>[a-z]+)/[A-Za-z0-9-]{1,127}(?P<version>/[0-9a-f]+)?/?"
)
SMALLEST_SUBNET = 29  # Azure keeps five addresses of each subnet
HIGHEST_PORT = 65535
LONGEST_REDIRECT = 256
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def is_network(value: str) -> bool:
    """A range whose host bits are zero: Azure refuses 10.0.0.1/24 and proposes 10.0.0.0/24."""
    try:
        ip_network(value)
    except ValueError:
        return False
    return "/" in value


def is_subnet_range(value: str) -> bool:
    if not is_network(value):
        return False
    network = ip_network(value)
    return network.version == 6 or network.prefixlen <= SMALLEST_SUBNET


def is_address(value: str) -> bool:
    try:
        return ip_address(value).version == 4
    except ValueError:
        return False


def is_port(value: float) -> bool:
    return 1 <= value <= HIGHEST_PORT


def is_port_range(value: str) -> bool:
    """What a rule of a network security group takes for ports."""
    if value == "*":
        return True
    ends = value.split("-")
    if not all(end.isdecimal() and int(end) <= HIGHEST_PORT for end in ends):
        return False
    return len(ends) == 1 or (len(ends) == 2 and int(ends[0]) <= int(ends[1]))


def is_peer(value: str) -> bool:
    """What a rule of a network security group takes for a source or destination."""
    return value == "*" or is_address(value) or is_network(value) or bool(SERVICE_TAG.fullmatch(value))


def is_vault_item(value: str, kind: str, *, version: bool | None = None) -> bool:
    """The id of a Key Vault's secret or key (`kind` is `secrets` or `keys`); `version` says whether it must have one.

    go-azure-helpers `resourcemanager/keyvault/nested_item.go`, ValidateNestedItemID; the host is Azure's.
    """
    found = VAULT_ITEM.fullmatch(value)
    return found is not None and found["kind"] == kind and version in (None, found["version"] is not None)


def is_redirect_uri(value: str, *, native: bool) -> bool:
    """`native` is the platform of mobile and desktop applications, which takes schemes of their own."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not parts.scheme or len(value) > LONGEST_REDIRECT or "#" in value or "*" in value:
        return False
    if parts.scheme in ("http", "https"):
        # azuread wants the slash that Entra ID would add, or every plan would show a change.
        return bool(host) and bool(parts.path) and (parts.scheme == "https" or host in LOOPBACK)
    return native and ":" in value
