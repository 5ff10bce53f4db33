from __future__ import annotations

from urllib.parse import quote, unquote_plus

from emulators.apim.elements import Element, element, text_values
from emulators.apim.messages import Context, Run

_ACTIONS = ("override", "skip", "append", "delete")


@element(
    "set-query-parameter",
    title="Set query string parameter",
    sections=frozenset({"inbound", "backend"}),
    attributes="name exists-action",
)
def set_query_parameter(element: Element) -> Run:
    name, action = element.value("name"), element.literal("exists-action", "override", _ACTIONS)
    values = text_values(element, "value")

    def run(context: Context) -> None:
        parameter = name.text(context)
        parts = [part for part in context.request.query.split("&") if part]
        others = [part for part in parts if unquote_plus(part.partition("=")[0]).lower() != parameter.lower()]
        exists = len(others) < len(parts)
        if action == "skip" and exists:
            return
        kept = parts if action == "append" else others
        added = [] if action == "delete" else [_pair(parameter, value.text(context)) for value in values]
        context.request.query = "&".join([*kept, *added])

    return run


def _pair(name: str, value: str) -> str:
    return f"{quote(name, safe='')}={quote(value, safe='')}"
