"""What the providers check in code when they plan (`CustomizeDiff`), for the types that the project uses.

Read in the source of azurerm 5.2.0 and azuread 3.9.0, in the file of each type's resource. A value that is not known
yet breaks no rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from emulators.azurerm import container_apps, mongo_cluster
from emulators.azurerm.catalog import Values
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.values import is_unknown

Check = Callable[[Values | None, Values], Iterator[str]]


def refuse_plan(type_: str, prior: Values | None, planned: Values) -> None:
    """Raises ProviderError with the first rule that the planned values break."""
    for said in CHECKS[type_](prior, planned) if type_ in CHECKS else ():
        raise ProviderError(said)


def _given(value: Any) -> bool:
    """Set, known, and not empty: what the SDK's `GetOk` finds."""
    return not is_unknown(value) and bool(value)


def _api(_: Values | None, values: Values) -> Iterator[str]:
    if _given(values.get("version")) and values.get("version_set_id") is None:
        yield "setting `version` without the required `version_set_id`"
    unnamed = any(values.get(name) in (None, []) for name in ("display_name", "protocols"))
    if values.get("source_api_id") is None and unnamed:
        yield "`display_name`, `protocols` are required when `source_api_id` is not set"
    if values.get("api_type") == "websocket" and not values.get("service_url"):
        yield "`service_url` is required when `api_type` is `websocket`"


def _operation(_: Values | None, values: Values) -> Iterator[str]:
    if is_unknown(values["url_template"]) or is_unknown(values.get("template_parameter")):
        return
    written = {name.removeprefix("*") for name in re.findall(r"\{([^}]+)\}", values["url_template"])}
    declared = {parameter["name"] for parameter in values.get("template_parameter") or []}
    for name in sorted(written - declared):
        yield f"template parameter `{name}` used in `url_template` is not defined in `template_parameter`"
    for name in sorted(declared - written):
        yield f"template parameter `{name}` defined in `template_parameter` is not used in `url_template`"


def _diagnostic(_: Values | None, values: Values) -> Iterator[str]:
    if _given(values.get("operation_name_format")) and values["identifier"] != "applicationinsights":
        yield "`operation_name_format` cannot be set when `identifier` is not `applicationinsights`"


def _container_group(_: Values | None, values: Values) -> Iterator[str]:
    if values.get("priority") == "Spot" and values.get("ip_address_type") != "None":
        yield "`ip_address_type` has to be `None` when `priority` is set to `Spot`"


def _registry(_: Values | None, values: Values) -> Iterator[str]:
    sku = str(values.get("sku"))
    if is_unknown(values.get("sku")):
        return
    premium = {
        "georeplications": "an ACR geo-replication",
        "quarantine_policy_enabled": "an ACR quarantine policy",
        "retention_policy_in_days": "an ACR retention policy",
        "encryption": "an ACR encryption",
        "zone_redundancy_enabled": "ACR zone redundancy",
        "data_endpoint_enabled": "`data_endpoint_enabled`",
    }
    for argument, noun in premium.items():
        if sku != "Premium" and _given(values.get(argument)):
            yield f"{noun} can only be applied when using the Premium Sku, and `sku` says {sku!r}"
    places = [str(place.get("location")).replace(" ", "").lower() for place in values.get("georeplications") or []]
    if values.get("location") in places:
        yield "the `georeplications` list cannot contain the location where the Container Registry exists"
    if values.get("export_policy_enabled") is False and sku != "Premium":
        yield f"an ACR export policy can only be disabled when using the Premium Sku, and `sku` says {sku!r}"
    if values.get("export_policy_enabled") is False and values.get("public_network_access_enabled") is True:
        yield "to disable export of artifacts, `public_network_access_enabled` must also be `false`"
    if _given(values.get("anonymous_pull_enabled")) and sku == "Basic":
        yield "`anonymous_pull_enabled` can only be applied when using the Standard/Premium Sku"


def _cosmos_account(_: Values | None, values: Values) -> Iterator[str]:
    names = {c["name"] for c in values.get("capabilities") or [] if isinstance(c, dict)}
    if values.get("kind") == "MongoDB" and "MongoDBv3.4" in names and "EnableMongo" not in names:
        yield "capability EnableMongo must be enabled if MongoDBv3.4 is also enabled"


def _workspace(prior: Values | None, values: Values) -> Iterator[str]:
    if values.get("sku") in ("Standard", "Premium") and values["sku"] != (prior or {}).get("sku"):
        yield "creation of log analytics workspaces with `Standard` or `Premium` SKUs is no longer supported by Azure"


def _agents(_: Values | None, values: Values) -> Iterator[str]:
    """managed_devops_pool_resource.go."""
    for fabric in values.get("virtual_machine_scale_set_fabric") or []:
        for index, image in enumerate(fabric.get("image") or []):
            names = [name for name in ("id", "well_known_image_name") if image.get(name)]
            if len(names) != 1:
                many = "only one" if names else "one"
                verb = "can" if names else "must"
                yield (
                    f"{many} of `id` or `well_known_image_name` {verb} be specified for image {index} in "
                    "`virtual_machine_scale_set_fabric`"
                )
    for organization in values.get("azure_devops_organization") or []:
        for permission in organization.get("permission") or []:
            if permission.get("kind") != "SpecificAccounts" and permission.get("administrator_account"):
                yield f"`administrator_account` must not be set when `permission` kind is `{permission.get('kind')}`"
        parts = [one.get("parallelism") for one in organization.get("organization") or []]
        most = values.get("maximum_concurrency")
        if not any(is_unknown(number) for number in (*parts, most)) and sum(parts) != most:
            yield (
                f"the sum of `parallelism` across all organizations ({sum(parts)}) must equal `maximum_concurrency` "
                f"({most})"
            )


ACTIVITY_PLACES = ("global", "westeurope", "northeurope", "eastus2euap")


def _activity_alert(_: Values | None, values: Values) -> Iterator[str]:
    if not is_unknown(values.get("location")) and values.get("location") not in ACTIVITY_PLACES:
        yield (
            "`azurerm_monitor_activity_log_alert` resources are only supported in the following regions: "
            f"[{', '.join(ACTIVITY_PLACES)}], got `{values.get('location')}`"
        )


def _nat_gateway(_: Values | None, values: Values) -> Iterator[str]:
    if values.get("sku_name") == "StandardV2" and values.get("zones"):
        yield "NAT gateways with `sku_name` `StandardV2` are zone-redundant by default: `zones` must be omitted"


def _private_endpoint(_: Values | None, values: Values) -> Iterator[str]:
    for connection in values.get("private_service_connection") or []:
        manual, message = connection.get("is_manual_connection"), connection.get("request_message")
        if is_unknown(manual) or is_unknown(message):
            continue
        where = f'"private_service_connection":{connection.get("name")!r} is invalid, the "request_message" attribute'
        if not manual and message:
            yield f'{where} cannot be set if the "is_manual_connection" attribute is "false"'
        if manual and not str(message or "").strip():
            yield f"{where} must not be empty"


BASIC_IP = {
    "allocation_method",
    "edge_zone",
    "ip_tags",
    "ip_version",
    "location",
    "name",
    "public_ip_prefix_id",
    "resource_group_name",
    "sku",
    "sku_tier",
    "zones",
}


def _public_ip(prior: Values | None, values: Values) -> Iterator[str]:
    if values.get("sku") == "Basic" and any((prior or {}).get(name) != values.get(name) for name in BASIC_IP):
        yield "creation of new `Basic` SKU public IP addresses is no longer permitted, and `Dynamic` needs `Basic`"
    if values.get("sku_tier") == "Global" and values.get("sku") != "Standard":
        yield "`sku` must be set to `Standard` when `sku_tier` is set to `Global`"


def _subnet(_: Values | None, values: Values) -> Iterator[str]:
    if _given(values.get("sharing_scope")) and values.get("default_outbound_access_enabled") is not False:
        yield "`sharing_scope` cannot be set if `default_outbound_access_enabled` is set to `true`"


def _application(_: Values | None, values: Values) -> Iterator[str]:
    """applicationValidateRolesScopes: a role and a scope may share id and value, and nothing may share one of them."""
    scopes = [scope for api in values.get("api") or [] for scope in api.get("oauth2_permission_scope") or []]
    pairs = {(e.get("id"), e.get("value")) for e in (*(values.get("app_role") or []), *scopes) if isinstance(e, dict)}
    known = [(id_, value) for id_, value in pairs if _given(id_) and _given(value)]
    for index, noun in enumerate(("ID", "value")):
        counted = Counter(str(pair[index]) for pair in known)
        for twice in sorted(found for found, count in counted.items() if count > 1):
            yield f"checking for duplicate app roles / OAuth2.0 permission scopes: duplicate {noun} found: {twice!r}"
    if values.get("sign_in_audience") in ("AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"):
        version = next((api.get("requested_access_token_version") for api in values.get("api") or []), None)
        if version in (None, 1):
            audience = values["sign_in_audience"]
            yield f"`requested_access_token_version` must be 2 when `sign_in_audience` is {audience!r}"


def _group(_: Values | None, values: Values) -> Iterator[str]:
    kinds = set(values.get("types") or []) if not is_unknown(values.get("types")) else set()
    if "DynamicMembership" in kinds and not values.get("dynamic_membership"):
        yield '`dynamic_membership` must be specified when `types` contains "DynamicMembership"'
    if values.get("mail_enabled") is True and "Unified" not in kinds:
        yield '`types` must contain "Unified" for mail-enabled groups'
    if values.get("mail_enabled") is not True and "Unified" in kinds:
        yield "`mail_enabled` must be true for unified groups"
    if values.get("assignable_to_role") is True and values.get("security_enabled") is not True:
        yield "`assignable_to_role` can only be `true` for security-enabled groups"
    if values.get("visibility") == "Hiddenmembership" and "Unified" not in kinds:
        yield '`visibility` can only be "Hiddenmembership" for unified groups'


CHECKS: dict[str, Check] = {
    "azurerm_api_management_api": _api,
    "azurerm_api_management_api_diagnostic": _diagnostic,
    "azurerm_api_management_api_operation": _operation,
    "azurerm_api_management_diagnostic": _diagnostic,
    container_apps.APP: container_apps.app_planned,
    container_apps.ENVIRONMENT: container_apps.environment_planned,
    "azurerm_container_group": _container_group,
    "azurerm_container_registry": _registry,
    "azurerm_cosmosdb_account": _cosmos_account,
    "azurerm_log_analytics_workspace": _workspace,
    "azurerm_managed_devops_pool": _agents,
    "azurerm_monitor_activity_log_alert": _activity_alert,
    mongo_cluster.TYPE: mongo_cluster.planned,
    "azurerm_nat_gateway": _nat_gateway,
    "azurerm_private_endpoint": _private_endpoint,
    "azurerm_public_ip": _public_ip,
    "azurerm_subnet": _subnet,
    "azuread_application": _application,
    "azuread_group": _group,
}
