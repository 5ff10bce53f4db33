"""Mistakes are refused with the argument's path, and good values are not."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.catalog import catalog_of
from emulators.azurerm.validate import validate
from emulators.azurerm.values import UNKNOWN, empty

CLOSED = {"default_action": "Deny", "bypass": "AzureServices"}


def problems(type_: str, **arguments: Any) -> dict[str, str]:
    """Path to what is said about it."""
    catalog = catalog_of(type_)
    block = catalog.resource(type_)["block"]
    found = validate(block, catalog.rules(type_), {**empty(block), **arguments})
    said: dict[str, str] = {}
    for p in found:
        path = ".".join(map(str, p.path))
        said[path] = f"{said.get(path, '')} {p.summary} {p.detail}".strip()
    return said


@pytest.mark.parametrize(
    ("type_", "argument", "value", "said"),
    [
        ("azurerm_public_ip", "sku", "Gold", 'expected sku to be one of ["Basic" "Standard" "StandardV2"], got Gold'),
        ("azurerm_public_ip", "idle_timeout_in_minutes", 3, "to be in the range (4 - 30), got 3"),
        ("azurerm_key_vault", "name", "kv--1", "cannot hold '--'"),
        ("azurerm_key_vault", "name", "1kv", "cannot start with '1'"),
        ("azurerm_key_vault", "name", "kv-", "cannot end with '-'"),
        ("azurerm_key_vault", "name", "k" * 25, "at most 24 characters long, got 25"),
        ("azurerm_key_vault", "tenant_id", "twin", "must be a GUID"),
        ("azurerm_container_registry", "name", "acr-one", "cannot hold '-'"),
        ("azurerm_container_group", "subnet_ids", ["snet"], "must be an id of the form"),
        ("azurerm_container_group", "subnet_ids", ["a", "b"], "supports 1 item maximum"),
        ("azurerm_container_group", "fqdn", "x", "Value for unconfigurable attribute"),
        ("azurerm_api_management_backend", "circuit_breaker_rule", [{"trip_duration": "1m"}], "a duration as ISO 8601"),
        ("azuread_application", "owners", ["me"], "must be a GUID"),
    ],
)
def test_a_wrong_value_is_refused(type_: str, argument: str, value: Any, said: str) -> None:
    """The rule is named, and the value."""
    assert any(
        path.startswith(argument) and said in text for path, text in problems(type_, **{argument: value}).items()
    )


@pytest.mark.parametrize(
    ("type_", "arguments"),
    [
        (
            "azurerm_key_vault",
            {"name": "kv-mcp-local", "network_acls": [{**CLOSED, "ip_rules": ["203.0.113.0/24", "203.0.113.7"]}]},
        ),
        ("azurerm_cosmosdb_account", {"ip_range_filter": ["203.0.113.0/24"]}),
        ("azurerm_private_dns_zone", {"name": "privatelink.vaultcore.azure.net"}),
        ("azurerm_api_management_api", {"path": ".well-known"}),
        ("azurerm_api_management_api", {"path": ""}),
        ("azurerm_hdinsight_spark_cluster", {"cluster_version": "4.0.3000.1"}),
        ("azurerm_role_assignment", {"role_definition_name": "Reader", "scope": "/subscriptions/s/resourceGroups/g"}),
        (
            "azurerm_kubernetes_cluster",
            {"private_dns_zone_id": "System", "dns_prefix": "x", "identity": [{"type": "SystemAssigned"}]},
        ),
        ("azurerm_public_ip", {"domain_name_label": "café"}),
    ],
)
def test_a_good_value_is_not(type_: str, arguments: dict[str, Any]) -> None:
    """Rules that probing cannot establish refuse nothing."""
    found = problems(type_, **arguments)
    assert [path for path in found if path.split(".")[0] in arguments] == []


def test_known_parts_of_an_unknown_block_are_checked() -> None:
    """One unknown in a container does not hide a mistake beside it."""
    container = {"name": "c", "image": UNKNOWN, "cpu": 1, "memory": 1, "ports": [{"port": 80, "protocol": "tcp"}]}
    assert "got tcp" in problems("azurerm_container_group", container=[container])["container.0.ports"]


def test_exactly_one_of() -> None:
    """None and two are refused; one, or one that is unknown, is not."""
    neither = problems("azurerm_api_management_named_value")
    assert "one of `value,value_from_key_vault` must be specified" in neither["value"]
    both = {"value": "v", "value_from_key_vault": [{"secret_id": "https://v"}], "secret": True}
    assert "only one of" in problems("azurerm_api_management_named_value", **both)["value"]
    assert "value" not in problems("azurerm_api_management_named_value", value=UNKNOWN)


def test_conflicts_and_companions() -> None:
    """conflicts_with and required_with hold between arguments that are set, wherever they are."""
    subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    conflict = problems("azurerm_container_group", subnet_ids=[subnet], dns_name_label="x")
    assert "conflicts with dns_name_label" in conflict["subnet_ids"]
    alone = problems("azurerm_key_vault_secret", value_wo="x")
    assert "all of `value_wo,value_wo_version` must be specified" in alone["value_wo"]


@pytest.mark.parametrize(
    ("type_", "arguments", "missing"),
    [
        ("azurerm_monitor_diagnostic_setting", {"name": "d"}, "target_resource_id"),
        ("azurerm_key_vault", {"network_acls": [{"default_action": "Deny", "bypass": None}]}, "network_acls.0.bypass"),
    ],
)
def test_null_is_no_value_of_a_required_argument(type_: str, arguments: dict[str, Any], missing: str) -> None:
    """Terraform sees that the argument is written; that its value is null, the provider has to see."""
    found = problems(type_, **arguments)
    last = missing.rpartition(".")[2]
    assert (
        found[missing] == f'Missing required argument The argument "{last}" is required, but no definition was found.'
    )


def test_an_id_cannot_be_chosen() -> None:
    """Every type has an `id`, and none takes one."""
    assert problems("azurerm_resource_group", id="/subscriptions/s")["id"] == "Invalid or unknown key"


def test_sensitive_values_are_not_repeated() -> None:
    """A refused password is not printed."""
    said = problems("azuread_user", password="p" * 300)["password"]
    assert "sensitive" in said
    assert "ppp" not in said


@pytest.mark.parametrize(
    ("type_", "arguments", "said"),
    [
        ("azurerm_key_vault", {"soft_delete_retention_days": 7.5}, "Attribute must be a whole number"),
        ("azurerm_cosmosdb_mongo_collection", {"default_ttl_seconds": "1.5"}, "Attribute must be a whole number"),
        ("azurerm_application_insights", {"sampling_percentage": 33.3}, None),
        ("azurerm_log_analytics_workspace", {"daily_quota_gb": 0.5}, None),
    ],
)
def test_whole_numbers_are_whole(type_: str, arguments: dict[str, Any], said: str | None) -> None:
    """Terraform has one kind of number, the providers have two."""
    found = problems(type_, **arguments)
    (name,) = arguments
    assert found.get(name, "").startswith(said) if said else name not in found
