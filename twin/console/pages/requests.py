"""Recent requests, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulators.base.markup import Child, Html, h
from twin.console.pages.layout import alert, clock, milliseconds, page, short, status_badge

FILTERS = {"": "All", "mcp": "MCP calls", "refused": "Refused"}


def requests_page(
    root: str, found: Sequence[Mapping[str, Any]], people: Mapping[str, str], *, show: str, live: bool, problem: str
) -> str:
    chosen = [request for request in found if matches(request, show)]
    content: list[Child] = [alert(problem)] if problem else [_filters(root, show, live), _table(root, chosen, people)]
    return page(root, "requests", "Requests", content, refresh=2 if live else 0)


def matches(request: Mapping[str, Any], show: str) -> bool:
    if show == "mcp":
        return bool(request["rpc"])
    return request["status"] >= 400 or bool(request["refusal"]) if show == "refused" else True


def _filters(root: str, show: str, live: bool) -> Html:
    def link(text: str, show_: str, live_: bool, current: bool) -> Html:
        query = "&".join([*([f"show={show_}"] if show_ else []), *(["live=1"] if live_ else [])])
        return h(
            "a", text, href=f"{root}/requests{'?' if query else ''}{query}", aria_current="true" if current else None
        )

    links = [link(name, key, live, key == show) for key, name in FILTERS.items()]
    again = link("Stop following" if live else "Follow", show, not live, live)
    return h("nav", h("div", links), h("div", again), class_="filters", aria_label="Which requests")


def _table(root: str, found: Sequence[Mapping[str, Any]], people: Mapping[str, str]) -> Html:
    if not found:
        return h("p", "No such request yet. Call a tool, or connect a client.", class_="quiet")
    columns = ("Time", "Status", "Call", "Caller", "Tier", "Took", "Why refused")
    head = h("thead", h("tr", [h("th", name, scope="col") for name in columns]))
    rows = [_row(root, request, people) for request in found]
    return h("table", h("caption", f"{len(found)} requests, newest first"), head, h("tbody", rows))


def _row(root: str, request: Mapping[str, Any], people: Mapping[str, str]) -> Html:
    what = request["tool"] or request["rpc"] or f"{request['method']} {request['path']}"
    caller = request["caller"]
    cells: tuple[tuple[str, Child], ...] = (
        ("Time", clock(request["time"])),
        ("Status", status_badge(request["status"])),
        ("Call", h("a", what, href=f"{root}/requests/{request['id']}")),
        ("Caller", people.get(caller) or short(caller)),
        ("Tier", request["tier"]),
        ("Took", milliseconds(request["milliseconds"])),
        ("Why refused", h("span", request["refusal"], class_="quiet") if request["refusal"] else None),
    )
    return h("tr", [h("td", cell, data_label=name) for name, cell in cells])
