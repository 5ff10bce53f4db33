"""The topology: which parts there are, whether each serves, and who calls whom."""

from __future__ import annotations

from collections.abc import Sequence

from emulators.base.markup import Child, Html, h
from twin.console.pages.layout import alert, badge, clock, facts, page
from twin.console.sources import Slot
from twin.offer import Offer
from twin.supervise.plan import MODULES
from twin.supervise.status import PartStatus, Status

_KINDS = {"healthy": "good", "succeeded": "good", "starting": "busy", "restarting": "busy", "waiting": "busy"}


def overview(root: str, status: Status | None, offer: Offer | None, slots: Sequence[Slot]) -> str:
    if status is None:
        return page(root, "", "Overview", alert("The platform is not running: run invoke deploy."))
    problems = [status.failure] if status.failure else []
    problems += [f"{name} is {part.state}. {part.detail}" for name, part in status.parts.items() if not part.healthy]
    problems += list(status.unreachable.values())
    summary = alert("Every part serves.", "good") if not problems else [alert(problem) for problem in problems]
    return page(root, "", "Overview", summary, _topology(status, slots), _addresses(offer, status), refresh=10)


def _topology(status: Status, slots: Sequence[Slot]) -> Html:
    parts = status.parts
    servers: dict[str, list[Slot]] = {}
    for slot in slots:
        servers.setdefault(slot.server, []).append(slot)
    columns = [
        _column("Clients", [_box("MCP client", "VS Code, Claude, Cursor, …", None)]),
        _column("Front door", [_part("API Management", "gateway", parts), _part("Entra ID", "entra", parts)]),
        _column("Servers", [_server(name, found) for name, found in servers.items()]),
        _column("Database", [_part("Cosmos DB for MongoDB", "mongo", parts, status.database)]),
    ]
    return h("section", h("h2", "Topology"), h("ol", columns, class_="topology"), aria_label="Topology")


def _column(title: str, boxes: list[Html]) -> Html:
    return h("li", h("h3", title), boxes or h("p", "none", class_="quiet"))


def _server(name: str, slots: Sequence[Slot]) -> Html:
    boxes = [_box(slot.title, slot.name, slot.part) for slot in slots]
    return h("div", h("p", name or "unnamed", class_="group-name"), boxes, class_="group")


def _part(title: str, name: str, parts: dict[str, PartStatus] | object, note: str = "") -> Html:
    part = parts.get(name) if isinstance(parts, dict) else None
    return _box(title, note or MODULES[name], part)


def _box(title: str, note: str, part: PartStatus | None) -> Html:
    details: list[Child] = [h("p", h("strong", title), class_="title"), h("p", note, class_="quiet")]
    if part is not None:
        restarts = f", restarted {part.restarts}×" if part.restarts else ""
        port = f"port {part.port}" if part.port else ""
        details.append(
            h("p", badge(part.state, _KINDS.get(part.state, "bad")), h("span", port + restarts, class_="quiet"))
        )
        if part.since:
            details.append(h("p", "since ", clock(part.since), class_="quiet small"))
    return h("div", details, class_="box")


def _addresses(offer: Offer | None, status: Status) -> Html:
    if offer is None:
        return h("p", "Nothing was deployed here by invoke deploy.", class_="quiet")
    endpoints = [(f"{name} endpoint", h("code", url)) for name, url in offer.endpoints.items()]
    return h(
        "section",
        h("h2", "Addresses"),
        facts(
            *endpoints,
            ("Issuer", h("code", offer.authority)),
            ("Scope", h("code", offer.scope)),
            ("Client id", h("code", offer.client_id)),
            ("Running since", clock(status.since)),
        ),
        h("p", "Connect a client with ", h("code", "invoke connect"), ", follow logs with ",
          h("code", "invoke logs --follow"), ".", class_="quiet"),
    )  # fmt: skip
