"""One request: every policy element that ran, in order, and what the server wrote about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from emulators.base.markup import Child, Html, h
from twin.console.pages.layout import alert, badge, clock, facts, milliseconds, page, short, status_badge

_SECTIONS = {"inbound": "Inbound", "backend": "Backend", "outbound": "Outbound", "on-error": "On error"}


def trace_page(
    root: str,
    trace: Mapping[str, Any] | None,
    audit: Sequence[Mapping[str, Any]],
    people: Mapping[str, str],
    problem: str,
) -> str:
    back = h("p", h("a", "← All requests", href=f"{root}/requests"))
    if trace is None:
        why = problem or "The gateway holds no such request: it keeps the latest 200, until it is restarted."
        return page(root, "requests", "Request", back, alert(why))
    summary = trace["summary"]
    what = summary["tool"] or summary["rpc"] or f"{summary['method']} {summary['path']}"
    return page(
        root,
        "requests",
        what,
        back,
        _summary(summary, people),
        alert(summary["refusal"]) if summary["refusal"] else None,
        _policies(trace),
        _server(audit),
        _request(trace["request"]),
    )


def _summary(summary: Mapping[str, Any], people: Mapping[str, str]) -> Html:
    caller = summary["caller"]
    return facts(
        ("Status", status_badge(summary["status"])),
        ("Took", milliseconds(summary["milliseconds"])),
        ("At", clock(summary["time"])),
        ("Caller", people.get(caller) or caller),
        ("Tier", summary["tier"]),
        ("Backend", summary["backend"]),
        ("API", summary["api"]),
        ("Request", f"{summary['method']} {summary['path']}"),
        ("Correlation id", h("code", summary["id"])),
        ("Trace id", h("code", summary["traceparent"][3:35]) if summary["traceparent"] else ""),
    )


def _policies(trace: Mapping[str, Any]) -> Html:
    total = max(float(trace["summary"]["milliseconds"]), 0.001)
    groups = []
    for section, entries in groupby(trace["entries"], key=lambda entry: entry["section"]):
        items = [_entry(entry, total) for entry in entries]
        groups.append(
            h("section", h("h3", _SECTIONS.get(section, section)), h("ol", items, class_="steps"), class_="phase")
        )
    note = f"{trace['dropped']} more elements ran and were not kept." if trace["dropped"] else ""
    body: Child = groups or h("p", "No policy ran.", class_="quiet")
    return h("section", h("h2", "Policies"), body, h("p", note) if note else None)


def _entry(entry: Mapping[str, Any], total: float) -> Html:
    where = [badge(entry["scope"])]
    if entry["fragment"]:
        where.append(badge(f"fragment {entry['fragment']}"))
    head = h(
        "div",
        h("code", entry["element"], class_="element"),
        h("span", _named(entry["attributes"]), class_="quiet named"),
        h("span", where, class_="where"),
        h("span", milliseconds(entry["milliseconds"]), class_="took"),
        class_="head",
    )
    share = entry["milliseconds"] / total * 100
    meter = h("meter", f"{share:.0f} %", value=f"{share:.2f}", min=0, max=100, aria_label="share of the request's time")
    details: list[Child] = [h("p", note, class_="note") for note in entry["notes"]]
    details += [_condition(*condition) for condition in entry["conditions"]]
    if entry["changes"]:
        details.append(h("ul", [_change(*change) for change in entry["changes"]], class_="changes"))
    if entry["error"]:
        ended = entry["error"].startswith("answered")
        details.append(h("p", entry["error"], class_="note stop" if ended else "note error"))
    title = f"{entry['document']}, line {entry['line']}: {entry['path']}"
    kind = "step failed" if entry["error"] and not entry["error"].startswith("answered") else "step"
    return h(
        "li", head, meter if share >= 1 else None, details, class_=f"{kind} depth{min(entry['depth'], 5)}", title=title
    )


def _named(attributes: Mapping[str, str]) -> str:
    """What distinguishes this element from others of its kind."""
    for name in ("fragment-id", "backend-id", "name", "resource", "template", "code", "counter-key", "header-name"):
        if name in attributes:
            return attributes[name]
    return ""


def _condition(path: str, text: str, value: str) -> Html:
    kind = "good" if value == "true" else "" if value == "false" else "bad"
    label = [h("span", path, class_="quiet"), badge(value, kind)]
    if len(text) <= 90 and "\n" not in text:
        return h("div", label, h("code", text), class_="condition")
    return h(
        "details",
        h("summary", label, h("code", " ".join(text.split())[:80] + " …")),
        h("pre", text),
        class_="condition",
    )


def _change(name: str, before: str, after: str) -> Html:
    if not after:
        return h("li", h("code", name), " ", h("del", before), h("span", " removed", class_="quiet"))
    earlier = [h("del", before), h("span", " → ", aria_label="became")] if before else []
    return h("li", h("code", name), " ", earlier, h("ins", after))


def _server(audit: Sequence[Mapping[str, Any]]) -> Html:
    """The same request where it arrived: joined by the id that the gateway sends on."""
    rows = []
    for line in audit:
        if line.get("event") != "call":
            rows.append(h("p", h("code", str(line.get("message") or line.get("event") or "")), class_="quiet"))
            continue
        fine = line.get("outcome") in ("ok", "dry-run", "confirmation-required")
        rows.append(
            facts(
                ("Outcome", badge(str(line.get("outcome")), "good" if fine else "bad")),
                ("Tool", str(line.get("tool") or "")),
                ("Namespace", h("code", str(line["namespace"])) if line.get("namespace") else ""),
                ("Took in the server", milliseconds(float(line.get("duration_ms") or 0))),
                ("Container", str(line["container"])),
                ("Error", str(line.get("error") or "")),
            )
        )
    empty = h(
        "p", "No server wrote about this request: it was answered by the gateway, or was no tool call.", class_="quiet"
    )
    return h("section", h("h2", "Server and database"), rows or empty)


def _request(request: Mapping[str, Any]) -> Html:
    headers = [h("li", h("code", name), " ", h("span", value)) for name, value in request["headers"]]
    return h(
        "section",
        h("h2", "Request"),
        facts(("From", request["client"]), ("Query", h("code", request["query"]) if request["query"] else "")),
        h("details", h("summary", f"{len(headers)} headers"), h("ul", headers, class_="changes")),
    )


__all__ = ["short", "trace_page"]
