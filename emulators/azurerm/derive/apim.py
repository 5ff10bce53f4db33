"""API Management: addresses of the service, and the ids of what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive import IdRule, derives, identifies
from emulators.azurerm.derive.addresses import allot, public_address


@derives("azurerm_api_management")
def service(cloud: Cloud, it: Values) -> Mapping[str, Any]:
    name, region = it["name"], it.get("location") or ""
    network = (it.get("virtual_network_configuration") or [{}])[0]
    inside = bool(network.get("subnet_id"))
    private = allot(cloud, network["subnet_id"], it["id"]) if inside else None
    internal = it.get("virtual_network_type") == "Internal"
    return {
        "gateway_url": f"https://{name}.azure-api.net",
        "gateway_regional_url": f"https://{name}-{region}-01.regional.azure-api.net",
        "developer_portal_url": f"https://{name}.developer.azure-api.net",
        "portal_url": f"https://{name}.portal.azure-api.net",
        "management_api_url": f"https://{name}.management.azure-api.net",
        "scm_url": f"https://{name}.scm.azure-api.net",
        "notification_sender_email": "apimgmt-noreply@mail.windowsazure.com",
        "private_ip_addresses": [private] if private else [],
        "public_ip_addresses": [] if internal and not it.get("public_ip_address_id") else [public_address(it["id"])],
        "tenant_access.tenant_id": "access",
        "tenant_access.primary_key": cloud.secret(it["id"], "tenant-primary"),
        "tenant_access.secondary_key": cloud.secret(it["id"], "tenant-secondary"),
        "hostname_configuration.proxy.default_ssl_binding": True,
        "additional_location.gateway_regional_url": lambda at: (
            f"https://{name}-{at['location']}-01.regional.azure-api.net"
        ),
    }


@identifies("azurerm_api_management_api")
def api_id(cloud: Cloud, it: Values, _: int) -> str:
    return f"{service_id(cloud, it)}/apis/{it['name']};rev={it.get('revision') or '1'}"


@derives("azurerm_api_management_api")
def api(_: Cloud, it: Values) -> Mapping[str, Any]:
    return {
        "is_current": True,
        "is_online": False,
        "api_type": "http",
        "display_name": it["name"],
        "path": "",
        "protocols": ["https"],
        "service_url": "",
        "version": "",
        "version_set_id": "",
    }


def _identity_provider(kind: str) -> IdRule:
    return lambda cloud, it, _: f"{service_id(cloud, it)}/identityProviders/{kind}"


for _kind in ("aad", "aadb2c", "facebook", "google", "microsoft", "twitter"):
    identifies(f"azurerm_api_management_identity_provider_{_kind}")(_identity_provider(_kind))


@identifies("azurerm_api_management_custom_domain")
def custom_domain_id(_: Cloud, it: Values, __: int) -> str:
    return f"{it['api_management_id']}/customDomains/default"


def service_id(cloud: Cloud, it: Values) -> str:
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{it['resource_group_name']}"
    return f"{group}/providers/Microsoft.ApiManagement/service/{it['api_management_name']}"


@derives("azurerm_api_management_diagnostic", "azurerm_api_management_api_diagnostic")
def diagnostic(_: Cloud, it: Values) -> Mapping[str, Any]:
    correlated = it["identifier"] == "applicationinsights"
    return {"http_correlation_protocol": "Legacy" if correlated else "", "verbosity": "information"}


@derives("azurerm_api_management_subscription")
def subscription(cloud: Cloud, it: Values) -> Mapping[str, Any]:
    return {"primary_key": cloud.secret(it["id"], "1", size=16), "secondary_key": cloud.secret(it["id"], "2", size=16)}
