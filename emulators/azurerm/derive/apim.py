"""API Management: addresses of the service, and the ids of what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.addresses import allot, public_address
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive.registry import IdRule, derives, identifies


@derives("azurerm_api_management")
def service(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    name, region = values["name"], values.get("location") or ""
    network = (values.get("virtual_network_configuration") or [{}])[0]
    inside = bool(network.get("subnet_id"))
    private = allot(cloud, network["subnet_id"], values["id"]) if inside else None
    internal = values.get("virtual_network_type") == "Internal"
    # Of an integrated v2 gateway only its calls pass the subnet: nobody reaches it there.
    called_inside = internal or "V2" not in str(values.get("sku_name"))
    return {
        "gateway_url": f"https://{name}.azure-api.net",
        "gateway_regional_url": f"https://{name}-{region}-01.regional.azure-api.net",
        "developer_portal_url": f"https://{name}.developer.azure-api.net",
        "portal_url": f"https://{name}.portal.azure-api.net",
        "management_api_url": f"https://{name}.management.azure-api.net",
        "scm_url": f"https://{name}.scm.azure-api.net",
        "notification_sender_email": "apimgmt-noreply@mail.windowsazure.com",
        "private_ip_addresses": [private] if private and called_inside else [],
        "public_ip_addresses": []
        if internal and not values.get("public_ip_address_id")
        else [public_address(values["id"])],
        "tenant_access.tenant_id": "access",
        "tenant_access.primary_key": cloud.secret(values["id"], "tenant-primary"),
        "tenant_access.secondary_key": cloud.secret(values["id"], "tenant-secondary"),
        "hostname_configuration.proxy.default_ssl_binding": True,
        "additional_location.gateway_regional_url": lambda at: (
            f"https://{name}-{at['location']}-01.regional.azure-api.net"
        ),
    }


@identifies("azurerm_api_management_api")
def api_id(cloud: Cloud, values: Values, _: int) -> str:
    return f"{service_id(cloud, values)}/apis/{values['name']};rev={values.get('revision') or '1'}"


@derives("azurerm_api_management_api")
def api(_: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "is_current": True,
        "is_online": False,
        "api_type": "http",
        "display_name": values["name"],
        "path": "",
        "protocols": ["https"],
        "service_url": "",
        "version": "",
        "version_set_id": "",
    }


def _identity_provider(kind: str) -> IdRule:
    return lambda cloud, values, _: f"{service_id(cloud, values)}/identityProviders/{kind}"


for _kind in ("aad", "aadb2c", "facebook", "google", "microsoft", "twitter"):
    identifies(f"azurerm_api_management_identity_provider_{_kind}")(_identity_provider(_kind))


@identifies("azurerm_api_management_custom_domain")
def custom_domain_id(_: Cloud, values: Values, __: int) -> str:
    return f"{values['api_management_id']}/customDomains/default"


def service_id(cloud: Cloud, values: Values) -> str:
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{values['resource_group_name']}"
    return f"{group}/providers/Microsoft.ApiManagement/service/{values['api_management_name']}"


@derives("azurerm_api_management_diagnostic", "azurerm_api_management_api_diagnostic")
def diagnostic(_: Cloud, values: Values) -> Mapping[str, Any]:
    correlated = values["identifier"] == "applicationinsights"
    return {"http_correlation_protocol": "Legacy" if correlated else "", "verbosity": "information"}


@derives("azurerm_api_management_subscription")
def subscription(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "primary_key": cloud.secret(values["id"], "1", size=16),
        "secondary_key": cloud.secret(values["id"], "2", size=16),
    }
