"""What an environment runs that is paid for, by SKU and number, read from its plans: the tables of docs/costs.md.

No prices: they differ by region, agreement and day. Every type that a plan holds is either in PRICED or in FREE, so
that a new one cannot be left out of the bill by forgetting it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.plan.inventory import resources

Values = Mapping[str, Any]
Environment = Mapping[str, Mapping[str, Any]]  # stage 1 and 2 together: values by address


def _gateway(it: Values) -> str:
    tier, _, units = it["sku_name"].partition("_")
    zones = f", zones {', '.join(sorted(it['zones']))}" if it.get("zones") else ""
    return f"{tier}, {units} unit{'s' * (units != '1')}{zones}"


def _container_group(it: Values) -> str:
    cpu, memory = (sum(container[name] for container in it["container"]) for name in ("cpu", "memory"))
    once = "" if it["restart_policy"] == "Always" else ", for the seconds that its job takes"
    return f"{it['sku']}, {cpu:g} vCPU, {memory:g} GB{once}"


def _app(it: Values) -> str:
    template = it["template"][0]
    container = template["container"][0]
    replicas = f"{template['min_replicas']}–{template['max_replicas']} replicas"
    return f"{container['cpu']:g} vCPU, {container['memory']}, {replicas}"


def _cluster(it: Values) -> str:
    high = ", high availability" if it["high_availability_mode"] != "Disabled" else ""
    return f"{it['compute_tier']}, {it['storage_size_in_gb']} GB{high}"


def _account(it: Values) -> str:
    names = {capability["name"] for capability in it["capabilities"]}
    mode = "serverless" if "EnableServerless" in names else "provisioned throughput"
    free = ", free tier" if it["free_tier_enabled"] else ""
    zones = ", zone redundant" if it["geo_location"][0]["zone_redundant"] else ""
    backup = it["backup"][0]
    return f"{mode}{free}{zones}, backup {backup['tier'] or backup['type']}"


def _throughput(it: Values) -> str:
    if it.get("autoscale_settings"):
        most = it["autoscale_settings"][0]["max_throughput"]
        return f"autoscale, {most // 10}–{most} RU/s"
    return f"fixed, {it['throughput']} RU/s" if it.get("throughput") else ""


def _registry(it: Values) -> str:
    return f"{it['sku']}{', zone redundant' if it['zone_redundancy_enabled'] else ''}"


def _sku(it: Values) -> str:
    return str(it.get("sku") or it["sku_name"])


def _alone(_: Values) -> str:
    return "1"


_RESOURCE_HOURS = "hours"
# Type: what people call it, its SKU, what the bill counts.
PRICED: dict[str, tuple[str, Callable[[Values], str], str]] = {
    "azurerm_api_management": ("API Management", _gateway, "unit hours, by tier; outbound traffic"),
    "azurerm_container_group": ("Container Instances", _container_group, "vCPU and GB seconds, all day long"),
    "azurerm_container_app": ("Container Apps", _app, "vCPU and GiB seconds, busy or idle; requests"),
    "azurerm_container_app_environment": (
        "Container Apps environment",
        lambda it: "zone redundant" if it["zone_redundancy_enabled"] else "1",
        "its load balancer and public address, in the managed resource group",
    ),
    "azurerm_cosmosdb_account": (
        "Cosmos DB account",
        _account,
        "stored GB; serverless: request units; backup, by tier",
    ),
    "azurerm_cosmosdb_mongo_database": ("Cosmos DB, shared throughput", _throughput, "RU/s hours; zones cost more"),
    "azurerm_cosmosdb_mongo_collection": ("Cosmos DB, own throughput", _throughput, "RU/s hours; zones cost more"),
    "azurerm_mongo_cluster": (
        "Azure DocumentDB cluster",
        _cluster,
        "hours, by tier, with high availability twice; GB of disk",
    ),
    "azurerm_container_registry": (
        "Container registry",
        _registry,
        "days, by tier; stored GB over what the tier includes",
    ),
    "azurerm_key_vault": ("Key Vault", lambda it: str(it["sku_name"]), "operations"),
    "azurerm_managed_devops_pool": (
        "Managed DevOps Pool",
        lambda it: f"{it['maximum_concurrency']} × {it['virtual_machine_scale_set_fabric'][0]['sku_name']}",
        "hours of the agents' machines, while jobs run",
    ),
    "azurerm_nat_gateway": ("NAT gateway", _sku, "hours; GB that pass through"),
    "azurerm_public_ip": ("Public IP address", _sku, _RESOURCE_HOURS),
    "azurerm_private_endpoint": ("Private endpoint", _alone, "hours; GB that pass through"),
    "azurerm_private_dns_zone": ("Private DNS zone", _alone, "zones a month; queries"),
    "azurerm_log_analytics_workspace": (
        "Log Analytics workspace",
        lambda it: f"{it['sku']}, {it['retention_in_days']} days",
        "GB taken in; days kept beyond what is included",
    ),
    "azurerm_monitor_metric_alert": ("Metric alert", _alone, "time series watched a month"),
    "azurerm_monitor_scheduled_query_rules_alert_v2": (
        "Log alert",
        lambda it: f"every {it['evaluation_frequency']}",
        "rules a month, by how often they run; time series",
    ),
    "azurerm_monitor_activity_log_alert": ("Activity log alert", _alone, "nothing; what it sends is counted"),
    "azurerm_monitor_action_group": ("Action group", _alone, "messages over what is included"),
}

# Not on the bill, or only through something above: Application Insights by what its workspace takes in, for example.
FREE = (
    "azuread_",
    "azurerm_api_management_",
    "azurerm_application_insights",
    "azurerm_dev_center",
    "azurerm_key_vault_secret",
    "azurerm_management_lock",
    "azurerm_mongo_cluster_user",
    "azurerm_monitor_diagnostic_setting",
    "azurerm_nat_gateway_public_ip_association",
    "azurerm_network_security_",
    "azurerm_private_dns_a_record",
    "azurerm_private_dns_zone_virtual_network_link",
    "azurerm_role_assignment",
    "azurerm_subnet",
    "azurerm_user_assigned_identity",
    "azurerm_virtual_network",
    "terraform_data",
)


def environment(*plans: Mapping[str, Any]) -> Environment:
    """All that an environment's stages plan."""
    return {address: values for plan in plans for address, values in resources(plan).items()}


def unknown(planned: Environment) -> set[str]:
    """Types of which nobody has said whether they cost."""
    return {type_ for type_ in map(type_of, planned) if type_ not in PRICED and not type_.startswith(FREE)}


def table(environments: Mapping[str, Environment]) -> str:
    """Markdown: a row for each kind of resource, a column for each environment."""
    lines = [
        ["resource", *environments, "what the bill counts"],
        ["---"] * (len(environments) + 2),
        *_rows(environments),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def other_gateways(environments: Mapping[str, Environment]) -> str:
    """The same table with nothing but what differs between an environment and the one after it."""
    names = list(environments)
    pairs = list(zip(names[::2], names[1::2], strict=True))
    lines = [["resource", *(f"`{name}`" for name in names), "what the bill counts"], ["---"] * (len(names) + 2)]
    for row in _rows(environments):
        if any(row[1 + names.index(one)] != row[1 + names.index(other)] for one, other in pairs):
            lines.append(row)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def type_of(address: str) -> str:
    without_key = address[: address.rindex("[")] if address.endswith("]") else address
    return without_key.split(".")[-2]


def _rows(environments: Mapping[str, Environment]) -> Iterator[list[str]]:
    for type_, (label, sku, counted) in PRICED.items():
        cells = [_cell(type_, sku, planned) for planned in environments.values()]
        if any(cells):
            yield [label, *(cell or "–" for cell in cells), counted]


def _cell(type_: str, sku: Callable[[Values], str], planned: Environment) -> str:
    found = Counter(sku(values) for address, values in planned.items() if type_of(address) == type_)
    if set(found) == {"1"}:
        return str(found["1"])
    return "; ".join(f"{number} × {what}" if number > 1 else what for what, number in sorted(found.items()) if what)
