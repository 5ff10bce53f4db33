"""Rules of single values that the probed constraints (schemas/) do not hold, for the types that our files use.

Each comes from the documentation of the provider or, where the provider lets the value pass and Azure refuses it at
apply, from Azure's ("Naming rules and restrictions for Azure resources" and each service's limits). Refusing those at
`validate` is earlier than the real thing, never later.

A table per provider: {type: {argument, dotted: rule}}. `Must.says` follows the argument's name in the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.azurerm.forms import (
    is_address,
    is_network,
    is_peer,
    is_port,
    is_port_range,
    is_redirect_uri,
    is_subnet_range,
    is_vault_item,
)


@dataclass(frozen=True)
class Must:
    """What a value must be, or each element of a list or set, or each key of a map."""

    says: str
    fits: Callable[[Any], bool]


def matches(pattern: str, says: str) -> Must:
    compiled = re.compile(pattern, re.ASCII)
    return Must(says, lambda v: bool(compiled.fullmatch(v)))


def within(low: float, high: float) -> Must:
    return Must(f"to be in the range ({low} - {high})", lambda v: low <= v <= high)


def at_least(low: float) -> Must:
    return Must(f"to be at least ({low})", lambda v: v >= low)


def stepped(low: int, step: int, high: int = 1_000_000) -> Must:
    return Must(
        f"to be between {low} and {high}, in steps of {step}", lambda v: low <= v <= high and int(v) % step == 0
    )


def one_of(*options: int) -> Must:
    return Must(f"to be one of {list(options)}", lambda v: v in options)


NETWORK_NAME = (
    "must begin with a letter or digit, end with a letter, digit or underscore, and hold these, '.' and '-' only"
)
NAME_80 = matches(r"[A-Za-z0-9]([\w.-]{0,78}\w)?", f"must be 1 - 80 characters long, {NETWORK_NAME}")
NAME_64 = matches(r"[A-Za-z0-9][\w.-]{0,62}\w", f"must be 2 - 64 characters long, {NETWORK_NAME}")
CONTAINER_NAME = matches(
    r"(?!.*--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "must be 1 - 63 lower-case letters, digits and single hyphens, and neither begin nor end with a hyphen",
)
APP_NAME = matches(
    r"(?!.*--)[a-z][a-z0-9-]{0,30}[a-z0-9]",
    "must be 2 - 32 lower-case letters, digits and single hyphens, begin with a letter and end with a letter or digit",
)
APP_MEMORY = matches(
    r"\d+(\.\d{1,2})?Gi", "must be a number of gibibytes with at most two decimal places, such as 1.5Gi"
)
APP_CONCURRENCY = matches(r"[1-9]\d*", "must be a whole number of 1 or more")
REVISION_SUFFIX = matches(
    r"(?!.*--)[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?",
    "must be 1 - 64 lower-case letters, digits and single hyphens, and neither begin nor end with a hyphen",
)
IDENTITY_OR_SYSTEM = matches(
    r"System|(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+)",
    "must be 'System' or the id of a user-assigned identity",
)
ENVIRONMENT_NAME = matches(
    r"[A-Za-z0-9]([A-Za-z0-9_]{0,61}[A-Za-z0-9])?",
    "may hold letters, digits and underscores only, 1 - 63 of them, with no underscore at either end",
)
COSMOS_NAME = matches(
    r"[a-z0-9][a-z0-9-]{2,43}", "must be 3 - 44 lower-case letters, digits and hyphens, and not begin with a hyphen"
)
COSMOS_CHILD = matches(r"[^/\\#?]*[^/\\#? ]", "must not hold any of / \\ # ? nor end with a space")
SERVICE_NAME = matches(
    r"[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?",
    "may only contain alphanumeric characters and dashes, 1 - 50, beginning with a letter, not ending with a dash",
)
IDENTITY_NAME = matches(
    r"[A-Za-z0-9][\w-]{2,127}",
    "must be 3 - 128 letters, digits, hyphens and underscores, and begin with a letter or digit",
)
DNS_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
ZONE_NAME = matches(
    rf"(?=.{{1,253}}$){DNS_LABEL}(\.{DNS_LABEL}){{1,33}}",
    "must be 2 - 34 labels of letters, digits, hyphens and underscores, separated by single dots",
)
RECORD_NAME = matches(
    rf"@|\*|(\*\.)?{DNS_LABEL}(\.{DNS_LABEL})*",
    "must be '@', or labels of at most 63 letters, digits, hyphens and underscores, separated by dots",
)
INSIGHTS_NAME = matches(
    r"[^%&\\?/]{0,259}[^%&\\?/ .]", "must be 1 - 260 characters, none of % & \\ ? /, and not end with a space or dot"
)
ALERT_NAME = matches(
    r"[^*#&+:<>?@%{}\\/|]{0,259}[^*#&+:<>?@%{}\\/| .]",
    "must be 1 - 260 characters, none of * # & + : < > ? @ % { } \\ / |, and not end with a space or dot",
)
GUID = matches(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "to be a valid UUID")
ARM_ID = matches(r"(/[^/\s]+/[^/\s]+)+/?", "must be a resource id, beginning with '/'")
SCOPE = matches(r"/|(/[^/\s]+/[^/\s]+)+/?", "must be '/' or a resource id, beginning with '/'")
SUBNET_ID = matches(
    r"(?i)/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/virtualNetworks/[^/]+/subnets/[^/]+",
    "must be the id of a subnet",
)
APPLICATION_ID = matches(
    rf"/applications/{r'[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'}",
    "must be of the form '/applications/<object id>' (the attribute `id`, not `client_id`)",
)
CIDR = Must("to be a valid range in CIDR notation, without host bits", is_network)
IPV4 = Must("to be a valid IPv4 address", is_address)
PORT = Must("to be a valid port number", is_port)
PORTS = Must("to be '*', a port, or a range of ports such as 1024-65535", is_port_range)
PEER = Must("to be '*', an address, a range in CIDR notation, or a service tag", is_peer)
WEB_URL = matches(r"https?://[^\s/]+.*", 'to have a url with schema of: "http,https"')
POSITIVE = Must("to be greater than 0", lambda v: v > 0)
VAULT_KEY = Must(
    "must be the id of a Key Vault key, https://<vault>.vault.azure.net/keys/<name>", lambda v: is_vault_item(v, "keys")
)
VERSIONED_KEY = Must(
    "must be the versioned id of a Key Vault key, https://<vault>.vault.azure.net/keys/<name>/<version>",
    lambda v: is_vault_item(v, "keys", version=True),
)
VERSIONLESS_KEY = Must(
    "must be the versionless id of a Key Vault key, https://<vault>.vault.azure.net/keys/<name>",
    lambda v: is_vault_item(v, "keys", version=False),
)
VAULT_SECRET = Must(
    "must be the id of a Key Vault secret, https://<vault>.vault.azure.net/secrets/<name>",
    lambda v: is_vault_item(v, "secrets"),
)
REDIRECT = (
    "must be an absolute URI of at most 256 characters, without fragment or wildcard, with a slash after a bare host"
)

PROBE = {
    "http_get.port": PORT,
    **dict.fromkeys(("failure_threshold", "period_seconds", "success_threshold", "timeout_seconds"), at_least(1)),
    "initial_delay_seconds": at_least(0),
}
CONTAINER = {
    "name": CONTAINER_NAME,
    "cpu": POSITIVE,
    "memory": POSITIVE,
    "ports.port": PORT,
    "environment_variables": ENVIRONMENT_NAME,
    "secure_environment_variables": ENVIRONMENT_NAME,
    **{f"liveness_probe.{name}": rule for name, rule in PROBE.items()},
    **{f"readiness_probe.{name}": rule for name, rule in PROBE.items()},
}
IN_ACCOUNT = {
    "account_name": COSMOS_NAME,
    "throughput": stepped(400, 100),
    "autoscale_settings.max_throughput": stepped(1000, 1000),
}
ACI_INIT = ("name", "environment_variables", "secure_environment_variables")

AZURERM: Mapping[str, Mapping[str, Must]] = {
    "azurerm_api_management": {
        "name": SERVICE_NAME,
        "sku_name": matches(
            # validate/api_management_sku.go; the expression for BasicV2 has no end there.
            r"Consumption_0|Developer_1|Basic_[12]|Standard_[1-4]|Premium_[1-9]\d?|BasicV2_([1-9]|10).*|StandardV2_([1-9]|10)|PremiumV2_([1-9]|[12]\d|30)",
            "must be a tier and its units, such as Developer_1 or Premium_2",
        ),
        **{
            f"hostname_configuration.{host}.key_vault_certificate_id": VAULT_SECRET
            for host in ("developer_portal", "management", "portal", "proxy", "scm")
        },
    },
    "azurerm_api_management_api": {"service_url": matches(r"(https?://[^\s/]+.*)?", WEB_URL.says)},
    "azurerm_api_management_api_operation": {
        "display_name": matches(r".{1,300}", "must be 1 - 300 characters long"),
        "method": matches(r"[A-Z]+|[a-z]+|\*", "must be the name of an HTTP method"),
        "url_template": matches(r"/[^\s?#]{0,999}", "must begin with '/' and hold no space, '?' or '#'"),
        "response.status_code": within(100, 599),
    },
    "azurerm_api_management_backend": {
        "name": matches(r".{1,80}", "must be 1 - 80 characters long"),
        "url": WEB_URL,
    },
    "azurerm_api_management_certificate": {"key_vault_secret_id": VAULT_SECRET},
    "azurerm_api_management_custom_domain": {
        f"{host}.key_vault_certificate_id": VAULT_SECRET
        for host in ("developer_portal", "gateway", "management", "portal", "scm")
    },
    "azurerm_api_management_diagnostic": {"sampling_percentage": within(0, 100)},
    "azurerm_api_management_named_value": {
        "value": matches(r"(?s).{1,4096}", "must be 1 - 4096 characters long"),
        "value_from_key_vault.secret_id": VAULT_SECRET,
    },
    "azurerm_application_insights": {
        "name": INSIGHTS_NAME,
        "retention_in_days": one_of(30, 60, 90, 120, 180, 270, 365, 550, 730),
        "sampling_percentage": within(0, 100),
        "daily_data_cap_in_gb": at_least(0),
    },
    "azurerm_container_app": {
        "name": APP_NAME,
        "secret.identity": IDENTITY_OR_SYSTEM,
        "secret.key_vault_secret_id": VAULT_SECRET,
        "template.container.memory": APP_MEMORY,
        "template.init_container.memory": APP_MEMORY,
        "template.custom_scale_rule.identity_id": IDENTITY_OR_SYSTEM,
        "template.http_scale_rule.concurrent_requests": APP_CONCURRENCY,
        "template.tcp_scale_rule.concurrent_requests": APP_CONCURRENCY,
        "ingress.traffic_weight.revision_suffix": REVISION_SUFFIX,
        "template.revision_suffix": REVISION_SUFFIX,
    },
    "azurerm_container_app_environment": {
        "name": matches(
            r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
            "must be 2 - 60 letters, digits and hyphens, and neither begin nor end with a hyphen",
        ),
    },
    "azurerm_container_group": {
        "name": CONTAINER_NAME,
        "exposed_port.port": PORT,
        **{f"container.{name}": rule for name, rule in CONTAINER.items()},
        **{f"init_container.{name}": CONTAINER[name] for name in ACI_INIT},
        "dns_config.nameservers": IPV4,
        "key_vault_key_id": VERSIONED_KEY,
    },
    "azurerm_container_registry": {"encryption.key_vault_key_id": VAULT_KEY},
    "azurerm_cosmosdb_account": {
        "key_vault_key_id": VERSIONLESS_KEY,
        "name": COSMOS_NAME,
        "capacity.total_throughput_limit": at_least(-1),
        "default_identity_type": matches(
            r"FirstPartyIdentity|SystemAssignedIdentity|UserAssignedIdentity.+",
            "must be FirstPartyIdentity, SystemAssignedIdentity or UserAssignedIdentity=<resource id>",
        ),
    },
    "azurerm_cosmosdb_mongo_collection": {
        **IN_ACCOUNT,
        "name": COSMOS_CHILD,
        "database_name": COSMOS_CHILD,
        "default_ttl_seconds": at_least(-1),
        "analytical_storage_ttl": at_least(-1),
        "index.keys": matches(r".+", "must not be empty"),
    },
    "azurerm_cosmosdb_mongo_database": {**IN_ACCOUNT, "name": COSMOS_CHILD},
    "azurerm_federated_identity_credential": {
        "name": matches(
            r"[A-Za-z0-9][\w-]{2,119}",
            "must be 3 - 120 letters, digits, hyphens and underscores, and begin with a letter or digit",
        ),
        "issuer": matches(r"https://\S+", 'to have a url with schema of: "https"'),
    },
    "azurerm_key_vault": {"network_acls.virtual_network_subnet_ids": SUBNET_ID},
    "azurerm_key_vault_secret": {"value": matches(r"(?s).{0,25600}", "must be at most 25 kB long")},
    "azurerm_log_analytics_workspace": {
        "daily_quota_gb": at_least(-1),
        "reservation_capacity_in_gb_per_day": one_of(100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 25000, 50000),
    },
    "azurerm_managed_devops_pool": {
        "name": matches(
            r"[A-Za-z0-9][A-Za-z0-9.-]{1,42}[A-Za-z0-9-]",
            "must be 3 - 44 letters, digits, dots and hyphens, begin with a letter or digit and not end with a dot",
        ),
        "maximum_concurrency": within(1, 10000),
        "azure_devops_organization.organization.url": matches(
            r"https://\S*[A-Za-z0-9]", "must be a URL with https that ends with a letter or number"
        ),
        "azure_devops_organization.organization.parallelism": within(1, 10000),
        "virtual_machine_scale_set_fabric.subnet_id": SUBNET_ID,
    },
    "azurerm_management_lock": {
        "name": matches(r"[^<>%&\\?/]{1,90}", "must be 1 - 90 characters, none of < > % & \\ ? /"),
        "scope": ARM_ID,
    },
    "azurerm_monitor_action_group": {
        "name": ALERT_NAME,
        "email_receiver.email_address": matches(r"[^@\s]+@[^@\s]+", "must be an e-mail address"),
    },
    "azurerm_monitor_activity_log_alert": {"name": ALERT_NAME, "scopes": ARM_ID},
    "azurerm_monitor_diagnostic_setting": {"target_resource_id": ARM_ID},
    "azurerm_monitor_metric_alert": {"name": ALERT_NAME, "scopes": ARM_ID, "severity": within(0, 4)},
    "azurerm_monitor_scheduled_query_rules_alert_v2": {"name": ALERT_NAME, "scopes": ARM_ID, "severity": within(0, 4)},
    "azurerm_network_security_group": {
        "name": NAME_80,
        "security_rule.name": NAME_80,
        "security_rule.priority": within(100, 4096),
    },
    "azurerm_network_security_rule": {
        "name": NAME_80,
        "network_security_group_name": NAME_80,
        "source_port_range": PORTS,
        "source_port_ranges": PORTS,
        "destination_port_range": PORTS,
        "destination_port_ranges": PORTS,
        "source_address_prefix": PEER,
        "source_address_prefixes": PEER,
        "destination_address_prefix": PEER,
        "destination_address_prefixes": PEER,
    },
    "azurerm_private_dns_a_record": {"name": RECORD_NAME, "ttl": within(1, 2147483647), "records": IPV4},
    "azurerm_private_dns_zone": {"name": ZONE_NAME},
    "azurerm_private_dns_zone_virtual_network_link": {"name": NAME_80},
    "azurerm_private_endpoint": {
        "private_service_connection.private_connection_resource_id": ARM_ID,
        "ip_configuration.private_ip_address": IPV4,
    },
    "azurerm_public_ip": {"name": NAME_80},
    "azurerm_role_assignment": {"principal_id": GUID, "scope": SCOPE, "role_definition_id": ARM_ID},
    "azurerm_storage_container": {
        "name": matches(
            r"(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?",
            "must be lower-case letters, digits and single hyphens, and neither begin nor end with a hyphen",
        )
    },
    "azurerm_subnet": {
        "name": NAME_80,
        "virtual_network_name": NAME_64,
        "address_prefixes": Must(
            "to be a valid range in CIDR notation, without host bits, /29 or larger", is_subnet_range
        ),
        "delegation.name": NAME_80,
    },
    "azurerm_user_assigned_identity": {"name": IDENTITY_NAME},
    "azurerm_virtual_network": {"name": NAME_64, "address_space": CIDR, "dns_servers": IPV4},
}

AZUREAD: Mapping[str, Mapping[str, Must]] = {
    "azuread_application": {
        "display_name": matches(r".{1,256}", "must be 1 - 256 characters long"),
        "api.requested_access_token_version": one_of(1, 2),
        "required_resource_access.resource_app_id": GUID,
        "required_resource_access.resource_access.id": GUID,
        "public_client.redirect_uris": Must(REDIRECT, lambda v: is_redirect_uri(v, native=True)),
        "single_page_application.redirect_uris": Must(
            f"{REDIRECT}, with https, or http for localhost", lambda v: is_redirect_uri(v, native=False)
        ),
        "web.redirect_uris": Must(
            f"{REDIRECT}, with https, or http for localhost", lambda v: is_redirect_uri(v, native=False)
        ),
        **dict.fromkeys(("marketing_url", "privacy_statement_url", "support_url", "terms_of_service_url"), WEB_URL),
    },
    "azuread_application_identifier_uri": {"application_id": APPLICATION_ID},
    "azuread_application_pre_authorized": {"application_id": APPLICATION_ID},
    "azuread_application_federated_identity_credential": {"application_id": APPLICATION_ID},
    "azuread_group": {
        "display_name": matches(r".{1,256}", "must be 1 - 256 characters long"),
        "mail_nickname": matches(r".{1,64}", "must be 1 - 64 characters long"),
        "description": matches(r"(?s).{1,1024}", "must be 1 - 1024 characters long"),
    },
}

TABLES = {"azurerm": AZURERM, "azuread": AZUREAD}


def add_documented(provider: str, resources: dict[str, Any]) -> None:
    """Puts the table's rules beside the probed ones, as `must`, at the argument's place."""
    for type_, arguments in TABLES[provider].items():
        for path, must in arguments.items():
            *parents, name = path.split(".")
            fields = resources.setdefault(type_, {})
            for parent in parents:
                fields = fields.setdefault(parent, {}).setdefault("fields", {})
            rule = fields.setdefault(name, {})
            # Probing finds the words of an argument that takes words or a form, and not that it takes the form.
            rule.pop("enum", None)
            rule["must"] = must
