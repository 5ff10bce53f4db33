"""Container Apps: the domain and address of an environment, the names of apps and of their revisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm import container_apps
from emulators.azurerm.addresses import allot, give_back, public_address
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.registry import affects, derives


@derives(container_apps.ENVIRONMENT)
def environment(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    subnet, internal = values.get("infrastructure_subnet_id"), values.get("internal_load_balancer_enabled")
    number = guid("environment", values["id"])
    return {
        "custom_domain_verification_id": number.replace("-", "").upper(),
        # "Custom environment DNS suffix" (2024-07-18): <unique identifier>.<region>.azurecontainerapps.io.
        "default_domain": f"calmsea-{number[:8]}.{values['location']}.azurecontainerapps.io",
        "static_ip_address": allot(cloud, subnet, values["id"])
        if subnet and internal
        else public_address(values["id"]),
        "docker_bridge_cidr": "",
        "platform_reserved_cidr": "",
        "platform_reserved_dns_ip_address": "",
        "public_network_access": "Disabled" if internal else "Enabled",
    }


@affects(container_apps.ENVIRONMENT)
def free_address(cloud: Cloud, before: Values | None, after: Values | None) -> None:
    if before and not after:
        give_back(cloud, before["id"])


@derives(
    container_apps.APP,
    # azurerm plans the old ones and reads the new ones after the apply: nothing is to rely on the old ones.
    changes={"latest_revision_name": ("template",), "latest_revision_fqdn": ("template",)},
)
def app(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    environment = cloud.get(container_apps.ENVIRONMENT, str(values["container_app_environment_id"]))
    domain = environment.get("default_domain") or "elsewhere.azurecontainerapps.io"
    revision = container_apps.revision_of(cloud, values)

    def host(name: str) -> str:
        outside = any(ingress.get("external_enabled") for ingress in values.get("ingress") or [])
        return f"{name}.{domain}" if outside else f"{name}.internal.{domain}"

    return {
        "location": environment.get("location") or "",
        "custom_domain_verification_id": environment.get("custom_domain_verification_id") or "",
        "latest_revision_name": revision,
        "latest_revision_fqdn": host(revision) if values.get("ingress") else "",
        "outbound_ip_addresses": [public_address(values["id"])],
        "ingress.fqdn": host(values["name"]),
        "ingress.custom_domain": [],
        "template.revision_suffix": "",
        "template.container.ephemeral_storage": container_apps.ephemeral_storage,
        "template.init_container.ephemeral_storage": container_apps.ephemeral_storage,
        **{f"template.container.{probe}_probe.path": "/" for probe in ("startup", "liveness", "readiness")},
    }


affects(container_apps.APP)(container_apps.keep_revision)
