from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.messages import Body, Context, Run


@element("find-and-replace", title="Find and replace string in body", attributes="from to")
def find_and_replace(element: Element) -> Run:
    element.no_children()
    old, new = element.value("from"), element.value("to")
    on_request = element.builder.place.section in ("inbound", "backend")
    if not on_request:
        element.builder.reads_response_body = True

    def run(context: Context) -> None:
        message = context.request if on_request else context.response
        wanted = old.text(context)
        if message.body is not None and wanted:
            text = message.body.data.decode("utf-8", "surrogateescape")
            message.body = Body(text.replace(wanted, new.text(context)).encode("utf-8", "surrogateescape"))

    return run
