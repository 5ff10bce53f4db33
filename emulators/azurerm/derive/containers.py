"""Container registry and container groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.addresses import allot, give_back, move, public_address
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive.registry import affects, derives


@derives(
    "azurerm_container_registry", changes={"admin_username": ("admin_enabled",), "admin_password": ("admin_enabled",)}
)
def registry(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    admin = values.get("admin_enabled")
    return {
        "login_server": f"{values['name'].lower()}.azurecr.io",
        "admin_username": values["name"] if admin else "",
        "admin_password": cloud.secret(values["id"], "admin") if admin else "",
        "data_endpoint_host_names": [],
    }


@derives("azurerm_container_group")
def group(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    subnets = values.get("subnet_ids") or []
    label = values.get("dns_name_label")
    ports = [
        {"port": p["port"], "protocol": p["protocol"]} for c in values.get("container") or [] for p in c["ports"] or []
    ]
    return {
        "ip_address": allot(cloud, subnets[0], values["id"]) if subnets else public_address(values["id"]),
        "fqdn": f"{label}.{values['location']}.azurecontainer.io" if label else "",
        "exposed_port": ports,
        "network_profile_id": "",
        "container.commands": [],
        "init_container.commands": [],
    }


@affects("azurerm_container_group", "azurerm_private_endpoint", "azurerm_api_management")
def free_addresses(cloud: Cloud, before: Values | None, after: Values | None) -> None:
    if before and not after:
        give_back(cloud, before["id"])


@affects("azurerm_monitor_diagnostic_setting")
def restart(cloud: Cloud, before: Values | None, after: Values | None) -> None:
    """Applying a diagnostic setting restarts a container group, and a restart may change its address.

    "Monitor Azure Container Instances reference" (2025-11-17), and the best practices for Container Instances. Here it
    always changes, so that whatever kept the old one is seen.
    """
    setting = after or {}
    wanted = str(setting.get("target_resource_id", "")).lower()
    for held in cloud.every("azurerm_container_group") if after and before != after else ():
        if held["id"].lower() == wanted and held.get("subnet_ids"):
            address = move(cloud, held["subnet_ids"][0], held["id"])
            cloud.store.update("azurerm_container_group", held["id"], {"ip_address": address})
