from __future__ import annotations

from typing import Any

from emulators.apim.csharp.clr import to_text
from emulators.apim.elements import Element, element
from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.messages import Body, Context, Response, Run
from emulators.apim.policies.edits import Edit, edits, on_current_message

_SECTIONS = frozenset({"inbound", "backend", "outbound"})


@edits("set-body")
def body_edit(element: Element) -> Edit:
    if element.has("template"):
        element.invalid("Liquid templates are not supported by the local gateway; use an expression", "template")
    element.no_children()
    value = element.text

    def edit(context: Context, message: Any) -> None:
        found = value.run(context)
        data = found if isinstance(found, bytes) else to_text(found).encode()
        if isinstance(message, Response):
            message.discard()
        message.body = Body(data)

    return edit


@element("set-body", title="Set body", sections=_SECTIONS, attributes="template", partial="no Liquid templates")
def set_body(element: Element) -> Run:
    """A response is read to its end first: always where this stands directly in outbound, else when reached."""
    run = on_current_message(element, body_edit(element))
    if element.builder.place.section != "outbound":
        return run
    if "/" not in element.builder.place.path:
        element.builder.reads_response_body = True
        return run

    async def read_first(context: Context) -> None:
        try:
            await context.response.materialise()
        except UpstreamError as error:
            raise Failure(500, error.reason, str(error), source="transfer-response") from error
        run(context)

    return read_first
