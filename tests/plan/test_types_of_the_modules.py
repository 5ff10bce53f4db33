"""Every resource type that terraform/ declares lives its whole life, as small and as large as it can be configured."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from emulators.azurerm.addresses import LEDGER
from emulators.azurerm.catalog import Block, Rules, catalog_of
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.lifecycle import apply, destroy, imported, read, seed
from emulators.azurerm.planning import plan
from emulators.azurerm.tests.test_every_type import configuration, proposed
from emulators.azurerm.values import block_type, comparable, has_unknown
from emulators.base.store import Store

TERRAFORM = Path(__file__).parents[2] / "terraform"
USED = sorted(
    {
        type_
        for path in TERRAFORM.rglob("*.tf")
        for type_ in re.findall(r'^resource "(azu\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    }
)
DEPLOYER = "11111111-aaaa-4aaa-8aaa-000000000001"
GRAPH = "8d3f7f1c-0000-4000-8000-000000000000"
# What a sample cannot guess, because it must exist or fit something else; the refusals have tests of their own.
FITTING: dict[str, dict[str, Any]] = {
    "azuread_app_role_assignment": {"app_role_id": "00000000-0000-0000-0000-000000000000"},
    "azurerm_api_management": {
        "zones": None,
        "virtual_network_type": "None",
        "client_certificate_enabled": False,
        "gateway_disabled": False,
        "additional_location": [],
        "public_ip_address_id": None,
        **{block: [] for block in ("sign_in", "sign_up", "delegation", "tenant_access")},
    },
    "azurerm_api_management_api": {"display_name": "A", "protocols": ["https"]},
    "azurerm_api_management_api_operation": {"url_template": "/mcp", "template_parameter": []},
    "azurerm_api_management_api_operation_policy": {"xml_content": "<policies />"},
    "azurerm_api_management_api_policy": {"xml_content": "<policies />"},
    "azurerm_api_management_logger": {"application_insights": [{"connection_string": "x"}]},
    "azurerm_api_management_named_value": {"value": "x", "value_from_key_vault": []},
    "azurerm_api_management_policy": {"xml_content": "<policies />"},
    "azurerm_api_management_policy_fragment": {"value": "<fragment />"},
    "azurerm_container_app": {
        "secret": [],
        "registry": [],
        "ingress": [{"target_port": 8000, "traffic_weight": [{"latest_revision": True, "percentage": 100}]}],
        "template": [{"container": [{"name": "c", "image": "a/b:1", "cpu": 0.5, "memory": "1Gi"}], "max_replicas": 1}],
        "workload_profile_name": None,
    },
    "azurerm_container_app_environment": {"log_analytics_workspace_id": None, "logs_destination": "azure-monitor"},
    "azurerm_container_group": {
        "dns_name_label": None,
        "ip_address_type": "Public",
        "exposed_port": None,
        "container": [{"name": "c", "image": "a/b:1", "cpu": 1, "memory": 1}],
        "init_container": [],
    },
    "azurerm_container_registry": {"sku": "Premium"},
    "azurerm_cosmosdb_account": {
        "geo_location": [{"location": "westeurope", "failover_priority": 0}],
        "backup": [{"type": "Continuous"}],
    },
    "azurerm_cosmosdb_mongo_collection": {"index": [{"keys": ["_id"], "unique": True}]},
    "azurerm_log_analytics_workspace": {"sku": "PerGB2018", "reservation_capacity_in_gb_per_day": None},
    "azurerm_mongo_cluster": {"compute_tier": "M30"},
    "azurerm_monitor_diagnostic_setting": {"enabled_log": [{"category": "Audit"}]},
    "azurerm_managed_devops_pool": {
        "maximum_concurrency": 1,
        "azure_devops_organization": [
            {"organization": [{"url": "https://dev.azure.com/o", "parallelism": 1, "projects": None}]}
        ],
        "virtual_machine_scale_set_fabric": [
            {"image": [{"well_known_image_name": "ubuntu-24.04", "aliases": None, "buffer": None, "id": None}]}
        ],
    },
    "azurerm_monitor_scheduled_query_rules_alert_v2": {"auto_mitigation_enabled": False},
    "azurerm_network_security_rule": {"source_port_range": "*", "destination_port_range": "*"},
    "azurerm_private_endpoint": {"private_service_connection": [{"name": "c", "is_manual_connection": False}]},
    "azurerm_public_ip": {"sku": "Standard", "allocation_method": "Static", "ddos_protection_mode": "Enabled"},
    "azurerm_role_assignment": {"principal_id": DEPLOYER, "role_definition_name": "Reader", "role_definition_id": None},
    "azurerm_subnet": {"address_prefixes": ["10.0.0.0/24"]},
    "azurerm_virtual_network": {"address_space": ["10.0.0.0/16"]},
}


def config_of(type_: str, block: Block, rules: Rules, *, whole: bool) -> dict[str, Any]:
    config = configuration(block, rules, whole=whole)
    fitting = FITTING.get(type_, {})
    for name, value in fitting.items():
        nested = block.get("block_types", {}).get(name)
        config[name] = [filled(nested["block"], element) for element in value] if nested else value
    return config


def filled(block: Block, given: dict[str, Any]) -> dict[str, Any]:
    """A block with what is given, and with what it must have besides, however deep."""
    kinds = block.get("block_types", {})
    inner = {
        name: [filled(kinds[name]["block"], element) for element in value] if name in kinds else value
        for name, value in given.items()
    }
    return {**configuration(block, {}, whole=False), **inner}


def test_the_list_is_derived() -> None:
    """New types in terraform/ are tested without being named here, and what is named here is used."""
    assert len(USED) > 40
    assert sorted(set(FITTING) - set(USED)) == []


@pytest.mark.parametrize("type_", USED)
@pytest.mark.parametrize("whole", [False, True], ids=["minimal", "maximal"])
def test_a_type_lives_its_whole_life(type_: str, whole: bool) -> None:
    """Applied, nothing is left unknown; planned again, nothing changes; read or imported, the same; then gone."""
    catalog, cloud = catalog_of(type_), Cloud(Store(), subscription_id="12345678-1234-9876-4563-123456789012")
    block, rules = catalog.resource(type_)["block"], catalog.rules(type_)
    config = config_of(type_, block, rules, whole=whole)
    if type_ == "azuread_app_role_assignment":
        principal = seed(cloud.store, "azuread_service_principal", {"client_id": GRAPH})
        config |= {"principal_object_id": DEPLOYER, "resource_object_id": principal["object_id"]}
    first = plan(type_, None, config)
    assert first.planned is not None
    made = apply(cloud, type_, None, first.planned, config)
    assert not has_unknown(made)
    again = plan(type_, made, proposed(block, config, made))
    shape = block_type(block)
    assert comparable(shape, again.planned) == comparable(shape, made)
    assert again.replace == ()
    assert read(cloud, type_, made["id"]) == made == imported(cloud, type_, made["id"])
    assert cloud.store.get(type_, made["id"]) is not None
    destroy(cloud, type_, made)
    assert cloud.store.of_type(type_) == cloud.store.of_type(LEDGER) == []
