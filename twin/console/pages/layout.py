"""What all pages have: head, navigation, footer, and small pieces."""

from __future__ import annotations

from datetime import datetime

from emulators.base.markup import Child, Html, h, join

_PAGES = (("", "Overview"), ("call", "Call a tool"), ("requests", "Requests"), ("directory", "Directory"))


def page(root: str, here: str, title: str, *content: Child, refresh: int = 0) -> str:
    """`root` is the console's own beginning of every path, with the key; `here` the page's entry in the navigation."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("title", f"{title} · MCP platform"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", http_equiv="refresh", content=refresh) if refresh else None,
        h("link", rel="stylesheet", href=f"{root}/style.css"),
    )
    links = [
        h("li", h("a", name, href=f"{root}/{path}", aria_current="page" if path == here else None))
        for path, name in _PAGES
    ]
    body = h(
        "body",
        h("a", "Skip to content", class_="skip", href="#content"),
        h(
            "header",
            h("p", h("span", class_="mark", aria_hidden="true"), "MCP platform ", h("span", "local", class_="chip"),
              class_="brand"),
            h("nav", h("ul", links), aria_label="Pages"),
        ),
        h("main", h("h1", title), content, id="content"),
        h("footer", h("p", "Served to this machine only. The platform behind it is a stand-in for Azure.")),
    )  # fmt: skip
    return f"<!doctype html>{h('html', head, body, lang='en')}"


def badge(text: str, kind: str = "") -> Html:
    """`kind`: good, bad, busy, or nothing."""
    return h("span", text, class_=f"badge {kind}".strip())


def status_badge(status: int) -> Html:
    kind = "good" if 200 <= status < 300 else "bad" if status >= 400 or status == 0 else "busy"
    return badge(str(status) if status else "cut off", kind)


def alert(text: str, kind: str = "bad") -> Html:
    return h("p", text, class_=f"alert {kind}", role="alert" if kind == "bad" else "status")


def facts(*pairs: tuple[str, Child]) -> Html:
    """Names and values; those without a value are left out."""
    shown = [h("div", h("dt", name), h("dd", value)) for name, value in pairs if value not in ("", None)]
    return h("dl", shown, class_="facts")


def table(caption: str, columns: tuple[str, ...], rows: list[tuple[Child, ...]], empty: str) -> Html:
    """Each cell names its column, for screens that are too narrow for a table."""
    if not rows:
        return h("p", empty, class_="quiet")
    head = h("thead", h("tr", [h("th", name, scope="col") for name in columns]))
    lines = [h("tr", [h("td", cell, data_label=name) for name, cell in zip(columns, row, strict=True)]) for row in rows]
    return h("table", h("caption", caption), head, h("tbody", lines))


def milliseconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:.0f} µs"
    return f"{value:.1f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def clock(iso: str) -> Html:
    """The time of day of this machine."""
    try:
        local = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return join(iso)
    return h("time", local.strftime("%H:%M:%S"), datetime=iso, title=local.isoformat(timespec="seconds"))


def short(identifier: str) -> str:
    """A GUID's first part: enough to tell one from another on a page."""
    return identifier[:8] if len(identifier) == 36 else identifier
