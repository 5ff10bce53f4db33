"""The network as `prod` plans it: every subnet, what is in it, and every rule of its security group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tools.diagrams.plans import DiagramError, Item, Plans
from tools.diagrams.svg import LINE, Box, Canvas, wrap

# In which subnet a resource of the type gets its address, while a first plan does not know the subnet's id.
INSIDE = {
    "azurerm_api_management": "apim",
    "azurerm_container_app_environment": "apps",
    "azurerm_container_group": "containers",
    "azurerm_private_endpoint": "endpoints",
}
# From top to bottom; those that only some environments have are left out where they are not planned.
KINDS = {"agents": "person", "apim": "gateway", "containers": "server", "apps": "server", "endpoints": "data"}
SOMETIMES = {"agents", "apps"}
_CHOSEN = "the domain that Azure chooses for the apps"
_NUMBERS = {3: "Three", 4: "Four", 5: "Five"}
LEFT, WIDE, COLUMN = 32, 640, 300


def draw(plans: Plans) -> str:
    """The SVG; DiagramError for a subnet that the picture does not know."""
    subnets = {subnet.key: subnet.values for subnet in plans.of("azurerm_subnet")}
    kinds = [key for key in KINDS if key in subnets]
    if set(kinds) != set(subnets) or set(KINDS) - set(kinds) - SOMETIMES:
        raise DiagramError(f"the plan has the subnets {sorted(subnets)}; name them in tools/diagrams/network.py")
    network = plans.one("azurerm_virtual_network")
    canvas = Canvas(
        "The network as the environment prod plans it",
        f"{_NUMBERS[len(kinds)]} subnets and what their security groups allow in and out; everything else is denied.",
    )
    public = sorted(str(address.values["name"]) for address in plans.of("azurerm_public_ip"))
    canvas.text(LEFT - 16, 30, f"Public addresses: {', '.join(public) or 'none'}.")
    canvas.text(LEFT - 16, 47, f"Gateway: {plans.variables['gateway_exposure']}. Deployer: {_deployer(plans)}.")
    names = _names(plans, subnets)
    top, edges = 106.0, {}
    for key in kinds:
        edges[key] = _subnet(canvas, plans, key, subnets[key], names, top)
        top = edges[key].bottom + 44
    _paths(canvas, plans, edges, subnets)
    bottom = top - 44 + 18
    label = f"{network['name']}  {', '.join(network['address_space'])}"
    canvas.frame(Box(16, 68, 728, bottom - 68), label)
    named = [zone.values.get("name") or _CHOSEN for zone in plans.of("azurerm_private_dns_zone")]
    zones = ", ".join(sorted(map(str, named)))
    for line in wrap(f"Private DNS zones: {zones}", 720, 12):
        canvas.text(LEFT - 16, bottom + 24, line)
        bottom += LINE
    canvas.text(LEFT - 16, bottom + 24, "Drawn from the plans of environments/prod.", "note")
    return canvas.render(bottom + 40)


def _names(plans: Plans, subnets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Prefixes as the picture calls them."""
    own = {prefix: str(values["name"]) for values in subnets.values() for prefix in values["address_prefixes"]}
    return {**own, "*": "anything", "VirtualNetwork": "the network"}


def _subnet(
    canvas: Canvas, plans: Plans, key: str, values: Mapping[str, Any], names: Mapping[str, str], top: float
) -> Box:
    """A box with what is inside, and under it the rules in two columns."""
    inside = ", ".join(sorted(str(i.values["name"]) for i in plans.items if _inside(i, key, str(values["name"]))))
    rules = [rule for rule in plans.of("azurerm_network_security_rule") if rule.key.startswith(f"{key}/")]
    title = f"{values['name']}  {', '.join(values['address_prefixes'])}"
    columns = [_rules(rules, "Inbound", names), _rules(rules, "Outbound", names)]
    rows = max(len(column) for column in columns) + 2
    lines = [*wrap(inside, WIDE - 24, 12)]
    box = canvas.box(LEFT, top, WIDE, title, [inside, *[" "] * rows], KINDS[key])
    first = top + 23 + LINE * (1 + len(lines)) + 6
    for position, (name, column) in enumerate(zip(("in", "out"), columns, strict=True)):
        x = LEFT + 12 + position * (COLUMN + 16)
        canvas.text(x, first, name, "label")
        for row, line in enumerate(column):
            canvas.text(x, first + LINE * (row + 1), line)
    return box


def _inside(item: Item, key: str, name: str) -> bool:
    """By the id of its subnet where the plan knows it, else by its type."""
    if item.type not in INSIDE:
        return False
    configured = (item.values.get("virtual_network_configuration") or [{}])[0].get("subnet_id")
    known = item.values.get("subnet_id") or (item.values.get("subnet_ids") or [None])[0] or configured
    return str(known).rpartition("/")[2] == name if known else INSIDE[item.type] == key


def _deployer(plans: Plans) -> str:
    return str(plans.variables["deployer_access"])


def _rules(rules: list[Item], direction: str, names: Mapping[str, str]) -> list[str]:
    """`who  ports`, in the order in which Azure asks them."""
    other = "source_address_prefix" if direction == "Inbound" else "destination_address_prefix"
    chosen = sorted((r.values for r in rules if r.values["direction"] == direction), key=lambda r: int(r["priority"]))
    lines = []
    for rule in chosen:
        who = names.get(rule[other], str(rule[other]))
        if rule["access"] == "Deny":
            lines.append(f"✕ {who}: denied")
        else:
            lines.append(f"{'←' if direction == 'Inbound' else '→'} {who}: {_protocol(rule)} {_ports(rule)}")
    return lines or ["Azure's defaults"]


def _protocol(rule: Mapping[str, Any]) -> str:
    return "TCP and UDP" if rule["protocol"] == "*" else str(rule["protocol"]).upper()


def _ports(rule: Mapping[str, Any]) -> str:
    given = rule["destination_port_ranges"] or [rule["destination_port_range"]]
    return ", ".join(sorted(given, key=lambda port: (len(port), port)))


def _paths(canvas: Canvas, plans: Plans, boxes: Mapping[str, Box], subnets: Mapping[str, Mapping[str, Any]]) -> None:
    """An arrow for every outbound rule from one subnet to another."""
    by_prefix = {prefix: key for key, values in subnets.items() for prefix in values["address_prefixes"]}
    order, around = list(boxes), iter((40, 24, 56, 32, 48, 64))
    straight, from_here = Counter[str](), Counter[str]()
    for rule in plans.of("azurerm_network_security_rule"):
        source = rule.key.partition("/")[0]
        target = by_prefix.get(str(rule.values["destination_address_prefix"]))
        if rule.values["direction"] != "Outbound" or target in (None, source) or target is None:
            continue
        start, end = boxes[source], boxes[target]
        note = f"{rule.values['name']}: {_ports(rule.values)}"
        if order.index(target) == order.index(source) + 1:
            canvas.arrow((LEFT + 120, start.bottom), (LEFT + 120, end.y))
            canvas.note(LEFT + 130, start.bottom + 27 - 14 * straight[source], note)
            straight[source] += 1
        else:
            x = LEFT + WIDE + next(around, 40)
            canvas.arrow(
                (start.right, start.middle[1]), (x, start.middle[1]), (x, end.middle[1]), (end.right, end.middle[1])
            )
            canvas.note(LEFT + WIDE + 60, start.bottom + 27 - 14 * from_here[source], note, "end")
            from_here[source] += 1
