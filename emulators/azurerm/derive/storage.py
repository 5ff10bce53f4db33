"""Storage accounts: the endpoints of each service, keys, and connection strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive.registry import derives, identifies

SERVICES = ("blob", "dfs", "file", "queue", "table", "web")


@derives("azurerm_storage_account")
def account(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    name = values["name"]
    out: dict[str, Any] = {"access_tier": "Hot", "primary_location": values["location"], "secondary_location": ""}
    for service in SERVICES:
        host = f"{name}.{service}.core.windows.net" if service != "web" else f"{name}.z1.web.core.windows.net"
        out[f"primary_{service}_endpoint"] = f"https://{host}/"
        out[f"primary_{service}_host"] = host
    for which in ("primary", "secondary"):
        key = cloud.secret(values["id"], which, size=64)
        out[f"{which}_access_key"] = key
        out[f"{which}_connection_string"] = (
            f"DefaultEndpointsProtocol=https;AccountName={name};AccountKey={key};EndpointSuffix=core.windows.net"
        )
    return out


@identifies("azurerm_storage_container")
def container_id(_: Cloud, values: Values, __: int) -> str:
    return f"{values['storage_account_id']}/blobServices/default/containers/{values['name']}"
