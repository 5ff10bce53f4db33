"""Statements that edit a message: the request or response at hand, or what `return-response`, `send-request` make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.apim.elements import Element
from emulators.apim.messages import Context, Request, Response, Run

Message = Request | Response
#: Changes the message, reading the context.
Edit = Callable[[Context, Any], None]
EDITS: dict[str, Callable[[Element], Edit]] = {}


def edits(tag: str) -> Callable[[Callable[[Element], Edit]], Callable[[Element], Edit]]:
    """Registers the edit that a nested `<tag>` makes."""

    def register(build: Callable[[Element], Edit]) -> Callable[[Element], Edit]:
        EDITS[tag] = build
        return build

    return register


def on_current_message(element: Element, edit: Edit) -> Run:
    """The edit as a statement of its own: inbound and backend change the request, the other sections the response."""
    if element.builder.place.section in ("inbound", "backend", ""):
        return lambda context: edit(context, context.request)
    return lambda context: edit(context, context.response)


def nested_edits(element: Element, *tags: str) -> list[Edit]:
    """The edits among an element's children, in order."""
    found = []
    for child in element.children(*tags):
        child.allow(NESTED_ATTRIBUTES.get(child.tag, frozenset()))
        found.append(EDITS[child.tag](child))
    return found


NESTED_ATTRIBUTES: dict[str, frozenset[str]] = {
    "set-header": frozenset({"name", "exists-action"}),
    "set-body": frozenset({"template"}),
    "set-status": frozenset({"code", "reason"}),
}
