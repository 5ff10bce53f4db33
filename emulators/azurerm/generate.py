"""Plausible values for what no derivation knows, by the attribute's type and name.

The same object gets the same values again; nothing here looks like an address that exists (RFC 2606's `.invalid`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.identities import identity_block

CREATED = "2026-01-01T00:00:00Z"


def generate(cloud: Cloud, id_: str, attribute: Mapping[str, Any], path: str, parent: Values) -> Any:
    """`path` is the attribute's place in its object, dotted, with indexes."""
    name = path.rsplit(".", 1)[-1]
    if re.match(r"identity\.\d+\.(principal|tenant)_id$", path):
        return identity_block(cloud, id_, parent, name)
    type_ = attribute["type"]
    if not isinstance(type_, str):
        return {} if type_[0] == "map" else []
    if type_ != "string":
        return False if type_ == "bool" else 0
    if attribute.get("sensitive"):
        return cloud.secret(id_, path)
    return _text(cloud, id_, name, path)


def _text(cloud: Cloud, id_: str, name: str, path: str) -> str:
    number = guid("value", id_, path)
    if name == "tenant_id":
        return cloud.tenant_id
    if name in ("object_id", "principal_id", "client_id", "application_id", "uuid") or name.endswith(("_id", "guid")):
        return number
    if re.search(r"(_date|_time|_at|expiry)$", name):
        return CREATED
    if re.search(r"(url|uri|endpoint)$", name):
        return f"https://{number[:8]}.twin.invalid/"
    if re.search(r"(fqdn|host|host_name|hostname|domain)$", name):
        return f"{number[:8]}.twin.invalid"
    if "thumbprint" in name:
        return hashlib.sha256(number.encode()).hexdigest()[:40].upper()
    if name.endswith("version"):
        return "1"
    return f"{name.replace('_', '-')}-{number[:8]}"
