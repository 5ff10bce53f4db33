"""The system as `prod` plans it: who calls what, with which key, and how many Terraform resources make each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tools.diagrams.plans import DiagramError, Plans
from tools.diagrams.svg import Box, Canvas, box_height

# Every module, and every type that stands at the root of a stage, belongs to one part of the picture.
PARTS = {
    "client_apps": "entra",
    "api_app": "entra",
    "backend_app": "entra",
    "groups": "entra",
    "apim": "gateway",
    "gateway_identity": "gateway",
    "gateway_domain_role": "gateway",
    "azurerm_api_management_custom_domain": "gateway",
    "remote_secret_roles": "gateway",
    "servers": "servers",
    "apps": "servers",
    "app_secret_roles": "servers",
    "container_app_environment": "servers",
    "server_identities": "servers",
    "role_assignments": "servers",
    "database": "database",
    "database_endpoint": "database",
    "database_identity": "database",
    "documentdb": "database",
    "documentdb_endpoint": "database",
    "documentdb_users": "database",
    "key_vault": "vault",
    "key_vault_endpoint": "vault",
    "azurerm_key_vault_secret": "vault",
    "registry": "registry",
    "registry_endpoint": "registry",
    "encryption_identity": "vault",
    "encryption_role": "vault",
    "monitoring": "monitoring",
    "network": "network",
    "state_endpoint": "network",
    "agents": "network",
    "agents_role": "network",
    "azurerm_private_dns_a_record": "network",
    "azurerm_private_dns_zone": "network",
    "azurerm_private_dns_zone_virtual_network_link": "network",
}
LEFT, SIDE, SIDE_WIDTH, MAIN = 32, 536, 192, 476


def draw(plans: Plans) -> str:
    """The SVG; DiagramError where the plan has something that no part of the picture stands for."""
    counts = _by_part(plans)
    canvas = Canvas(
        "The system as the environment prod plans it",
        "An MCP client signs in with Entra ID and calls API Management, which checks the token, picks the tier by role "
        f"and calls that tier's {_called(plans)}; {_access(plans)}.",
    )
    client = canvas.box(
        LEFT, 20, 220, "MCP client", ["VS Code, Claude, Cursor, Inspector", "speaks HTTPS to one address"], "person"
    )
    entra = canvas.box(404, 20, 324, "Microsoft Entra ID", _entra(plans, counts["entra"]), "identity")
    top = max(client.bottom, entra.bottom) + 44
    gateway = canvas.box(LEFT + 16, top + 34, MAIN - 16, *_gateway(plans, counts["gateway"]), kind="gateway")
    canvas.arrow((client.x + 110, client.bottom), (client.x + 110, gateway.y))
    canvas.note(client.x + 118, client.bottom + 24, "HTTPS, with the token")
    canvas.arrow((client.right, client.y + 28), (entra.x, client.y + 28))
    canvas.note((client.right + entra.x) / 2, client.y + 22, "signs in, gets a token", "middle")
    canvas.arrow((entra.x + 60, gateway.y), (entra.x + 60, entra.bottom), dashed=True)
    canvas.note(entra.x + 68, entra.bottom + 22, "signing keys; its own token")
    database_y = _tiers(canvas, plans, gateway, counts["servers"])
    database = canvas.box(LEFT + 16, database_y, MAIN - 16, *_database(plans, counts["database"]), kind="data")
    bottom = max(database.bottom, _side(canvas, plans, counts, gateway.y)) + 16
    group = plans.variables
    canvas.frame(
        Box(LEFT - 16, top, WIDTH_OF_FRAME, bottom - top),
        f"resource group {group['resource_group_name']}, {group['location']}",
    )
    total = sum(counts.values())
    canvas.text(LEFT - 16, bottom + 22, f"Drawn from the plans of environments/prod: {total} resources.", "note")
    return canvas.render(bottom + 36)


WIDTH_OF_FRAME = 728


def _by_part(plans: Plans) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, number in plans.counts().items():
        if name not in PARTS:
            raise DiagramError(f"{name} is in no part of the system picture; name it in tools/diagrams/system.py")
        counts[PARTS[name]] += number
    return counts


def _entra(plans: Plans, number: int) -> list[str]:
    roles = [role["value"] for app in plans.of("azuread_application") for role in app.values.get("app_role") or []]
    groups = [str(item.values["display_name"]) for item in plans.of("azuread_group")]
    clients = [item for item in plans.of("azuread_application") if item.module == "client_apps"]
    return [
        f"app roles {', '.join(sorted(roles))}",
        f"groups: {', '.join(sorted(groups))}",
        f"{len(clients)} public clients, without secrets",
        f"{number} resources",
    ]


def _gateway(plans: Plans, number: int) -> tuple[str, list[str]]:
    gateway = plans.one("azurerm_api_management")
    zones = gateway.get("zones") or []
    paths = sorted(f"/{item.values['path']}" for item in plans.of("azurerm_api_management_api"))
    return "API Management", [
        f"{gateway['name']}, {gateway['sku_name']}, " + (f"zones {', '.join(sorted(zones))}" if zones else "no zones"),
        f"APIs {', '.join(paths)}",
        "checks the token, picks the tier by role, limits the caller, calls as itself",
        f"{number} resources",
    ]


def _called(plans: Plans) -> str:
    groups, apps = plans.of("azurerm_container_group"), plans.of("azurerm_container_app")
    return " or ".join(kind for kind, found in (("container group", groups), ("app", apps)) if found) or "server"


def _access(plans: Plans) -> str:
    if plans.of("azurerm_cosmosdb_account"):
        return "each tier has its own key to Cosmos DB"
    return "each tier's identity is a user of the database, which knows no keys"


def _database(plans: Plans, number: int) -> tuple[str, list[str]]:
    if not plans.of("azurerm_cosmosdb_account"):
        cluster = plans.one("azurerm_mongo_cluster")
        public = "private endpoint only" if cluster["public_network_access"] == "Disabled" else "public"
        return "Azure DocumentDB", [
            f"{cluster['name']}, {cluster['compute_tier']}, MongoDB {cluster['version']}, {public}",
            f"no keys, {number} resources",
        ]
    account = plans.one("azurerm_cosmosdb_account")
    collections = len(plans.of("azurerm_cosmosdb_mongo_collection"))
    public = "public" if account["public_network_access_enabled"] else "private endpoint only"
    return "Cosmos DB for MongoDB", [
        f"{account['name']}, MongoDB {account['mongo_server_version']}, {public}",
        f"{collections} collections, {number} resources",
    ]


def _tiers(canvas: Canvas, plans: Plans, gateway: Box, number: int) -> float:
    """The container groups and apps, one column per tier, with their arrows; where the database may begin."""
    tiers = [
        (server, name, tier, given)
        for server, given in sorted(plans.variables["mcp_servers"].items())
        for name, tier in sorted(given["tiers"].items())
    ]
    width = (gateway.width - 20 * (len(tiers) - 1)) / len(tiers)
    top = gateway.bottom + 56
    height = max(box_height(width, f"{server} {name}", _tier(plans, server, name)) for server, name, _, _ in tiers)
    for position, (server, name, tier, given) in enumerate(tiers):
        x = gateway.x + position * (width + 20)
        box = canvas.box(x, top, width, f"{server} {name}", _tier(plans, server, name), "server")
        centre = box.middle[0]
        canvas.arrow((centre, gateway.bottom), (centre, top))
        canvas.note(centre, gateway.bottom + 32, str(tier["role"]), "middle")
        if not given.get("database"):
            continue
        canvas.arrow((centre, box.bottom), (centre, top + height + 78))
        canvas.note(centre, top + height + 32, _credential(given["database"], tier["connection"]), "middle")
    apps = len(plans.of("azurerm_container_app"))
    made = f"{len(plans.of('azurerm_container_group'))} container groups, "
    made += f"{apps} apps, {number} resources" if apps else f"{number} resources"
    canvas.note(gateway.x + gateway.width / 2, top + height + 56, made, "middle")
    return top + height + 78


def _credential(database: str, connection: str) -> str:
    return f"{connection} key" if database == "cosmosdb-mongodb" else f"{connection}, as itself"


def _tier(plans: Plans, server: str, tier: str) -> list[str]:
    if remote := plans.variables["mcp_servers"][server].get("remote"):
        return ["a server elsewhere", str(urlsplit(remote["url"]).hostname)]
    if plans.variables["mcp_servers"][server].get("compute") == "container-apps":
        return _app(plans, server, tier)
    groups = [group.values for group in plans.of("azurerm_container_group") if _belongs(group.values, server, tier)]
    if not groups:
        raise DiagramError(f"the plan has no container group for {server} {tier}; the picture would show none")
    container = groups[0]["container"][0]
    slots = sorted(str(group["name"]).rpartition("-")[2] for group in groups)
    return [
        "Container Instances",
        f"slots {', '.join(slots)}: {container['cpu']:g} CPU, {container['memory']:g} GB each",
        _image(container),
    ]


def _image(container: Mapping[str, Any]) -> str:
    """Its name and tag, or the beginning of its digest."""
    name, digest, hexadecimal = str(container["image"]).rpartition("/")[2].partition("@sha256:")
    return f"{name} {hexadecimal[:8]}" if digest else name


def _app(plans: Plans, server: str, tier: str) -> list[str]:
    apps = [app.values for app in plans.of("azurerm_container_app") if app.values["name"] == f"{server}-{tier}"]
    if not apps:
        raise DiagramError(f"the plan has no app for {server} {tier}; the picture would show none")
    template = apps[0]["template"][0]
    container, least, most = template["container"][0], template["min_replicas"], template["max_replicas"]
    return [
        "Container Apps, called by TLS",
        f"{least:g} to {most:g} replicas: {container['cpu']:g} CPU, {container['memory']} each",
        _image(container),
    ]


def _belongs(group: Mapping[str, Any], server: str, tier: str) -> bool:
    plain = group["container"][0]["environment_variables"]
    return bool(plain.get("MCP_SERVER_NAME") == server and plain.get("MCP_TIER") == tier)


def _side(canvas: Canvas, plans: Plans, counts: Counter[str], top: float) -> float:
    """What stands beside the way of a call; returns the lower edge."""
    registry, vault = plans.one("azurerm_container_registry"), plans.one("azurerm_key_vault")
    alerts = sum(item.type.endswith(("_alert", "_alert_v2")) for item in plans.items)
    network = plans.variables["network"] or {}
    subnets = len(plans.of("azurerm_subnet"))
    boxes = [
        ("Virtual network", [f"{subnets} subnets, {len(plans.of('azurerm_network_security_rule'))} rules"], "network"),
        ("Key Vault", [vault["name"], f"{len(plans.of('azurerm_key_vault_secret'))} connection strings"], "vault"),
        ("Container Registry", [registry["name"], f"{registry['sku']}, pulled with an identity per tier"], "registry"),
        ("Monitoring", ["Log Analytics, App Insights", f"{alerts} alerts, one workbook"], "monitoring"),
    ]
    if network.get("existing"):
        boxes[0] = ("Virtual network", ["the landing zone's"], "network")
    for title, lines, part in boxes:
        box = canvas.box(SIDE, top, SIDE_WIDTH, title, [*lines, f"{counts[part]} resources"])
        top = box.bottom + 14
    return top - 14
