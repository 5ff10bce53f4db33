"""Networks, addresses, private endpoints and DNS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.addresses import allot, public_address
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.registry import IdRule, affects, derives, identifies

RECORDS = ("a", "aaaa", "caa", "cname", "mx", "ns", "ptr", "srv", "txt")


@derives("azurerm_virtual_network")
def network(_: Cloud, values: Values) -> Mapping[str, Any]:
    return {"guid": guid("network", values["id"]), "dns_servers": [], "subnet": []}


@derives("azurerm_subnet")
def subnet(_: Cloud, __: Values) -> Mapping[str, Any]:
    return {"network_security_group_id": "", "route_table_id": ""}


@affects("azurerm_subnet_network_security_group_association")
def security_group(cloud: Cloud, before: Values | None, after: Values | None) -> None:
    _attach(cloud, "network_security_group_id", before, after)


@affects("azurerm_subnet_route_table_association")
def route_table(cloud: Cloud, before: Values | None, after: Values | None) -> None:
    _attach(cloud, "route_table_id", before, after)


def _attach(cloud: Cloud, attribute: str, before: Values | None, after: Values | None) -> None:
    association = after or before or {}
    cloud.store.update("azurerm_subnet", association["subnet_id"], {attribute: after[attribute] if after else ""})


@derives("azurerm_public_ip")
def public_ip(_: Cloud, values: Values) -> Mapping[str, Any]:
    label = values.get("domain_name_label")
    return {
        "ip_address": public_address(values["id"]),
        "fqdn": f"{label}.{values['location']}.cloudapp.azure.com" if label else None,
    }


@derives("azurerm_network_interface")
def network_interface(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    configured = values.get("ip_configuration") or []
    found = [
        c["private_ip_address"]
        if isinstance(c.get("private_ip_address"), str)
        else allot(cloud, c["subnet_id"], values["id"])
        for c in configured
        if c.get("subnet_id")
    ]
    return {
        "private_ip_address": found[0] if found else "",
        "private_ip_addresses": found,
        "ip_configuration.private_ip_address": lambda c: (
            allot(cloud, c["subnet_id"], values["id"]) if c.get("subnet_id") else ""
        ),
    }


@derives("azurerm_private_endpoint")
def private_endpoint(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    fixed = [c["private_ip_address"] for c in values.get("ip_configuration") or []]
    address = fixed[0] if fixed else allot(cloud, values["subnet_id"], values["id"])
    target = (values["private_service_connection"][0].get("private_connection_resource_id") or "").rsplit("/", 1)[-1]
    nic = values.get("custom_network_interface_name") or f"{values['name']}.nic.{guid('nic', values['id'])}"
    group = values["id"].rsplit("/providers/", 1)[0]
    zones = [zone for g in values.get("private_dns_zone_group") or [] for zone in g["private_dns_zone_ids"]]
    return {
        "private_service_connection.private_ip_address": address,
        "network_interface": [{"id": f"{group}/providers/Microsoft.Network/networkInterfaces/{nic}", "name": nic}],
        "custom_dns_configs": [] if zones else [{"fqdn": target, "ip_addresses": [address]}],
        "private_dns_zone_group.id": lambda g: f"{values['id']}/privateDnsZoneGroups/{g['name']}",
        "private_dns_zone_configs": [_zone_config(values, zone, target, address) for zone in zones],
        "ip_configuration.member_name": lambda c: c.get("subresource_name") or "default",
    }


def _zone_config(values: Values, zone_id: str, target: str, address: str) -> Values:
    zone = zone_id.rsplit("/", 1)[-1]
    group = values["private_dns_zone_group"][0]["name"]
    record = {"name": target, "type": "A", "ttl": 10, "fqdn": f"{target}.{zone}", "ip_addresses": [address]}
    return {
        "id": f"{values['id']}/privateDnsZoneGroups/{group}/privateDnsZoneConfigs/{zone}",
        "name": zone,
        "private_dns_zone_id": zone_id,
        "record_sets": [record],
    }


@derives("azurerm_private_dns_zone")
def private_zone(_: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "max_number_of_record_sets": 25000,
        "max_number_of_virtual_network_links": 1000,
        "max_number_of_virtual_network_links_with_registration": 100,
        "number_of_record_sets": 1,
        "soa_record.fqdn": f"{values['name']}.",
        "soa_record.host_name": "azureprivatedns.net",
        "soa_record.serial_number": 1,
    }


@derives("azurerm_private_dns_zone_virtual_network_link")
def link(_: Cloud, __: Values) -> Mapping[str, Any]:
    return {"resolution_policy": "Default"}


def _record(_: Cloud, values: Values) -> Mapping[str, Any]:
    zone = (values.get("private_dns_zone_id") or values.get("zone_name") or "").rsplit("/", 1)[-1]
    return {"fqdn": f"{values.get('name') or '@'}.{zone}."}


def _record_id(kind: str) -> IdRule:
    def rule(cloud: Cloud, values: Values, _: int) -> str:
        group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{values.get('resource_group_name')}"
        zone = (
            values.get("private_dns_zone_id") or f"{group}/providers/Microsoft.Network/dnsZones/{values['zone_name']}"
        )
        name = values.get("name")
        return f"{zone}/{kind.upper()}/{name if isinstance(name, str) else '@'}"

    return rule


for _kind in RECORDS:
    for _type in (f"azurerm_private_dns_{_kind}_record", f"azurerm_dns_{_kind}_record"):
        derives(_type)(_record)
        identifies(_type)(_record_id(_kind))


@identifies("azurerm_nat_gateway_public_ip_association", "azurerm_nat_gateway_public_ip_prefix_association")
def nat_association_id(_: Cloud, values: Values, __: int) -> str:
    return f"{values['nat_gateway_id']}|{values.get('public_ip_address_id') or values.get('public_ip_prefix_id')}"
