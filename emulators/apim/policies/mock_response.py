from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.failures import Answer
from emulators.apim.messages import Context, ManyValues, Response, Run

_SECTIONS = frozenset({"inbound", "outbound", "on-error"})


@element(
    "mock-response",
    title="Mock response",
    sections=_SECTIONS,
    attributes="status-code content-type",
    partial="an empty body: examples of the operation are not read",
)
def mock_response(element: Element) -> Run:
    element.no_children()
    status, content_type = element.number("status-code", "200", low=200, high=599), element.literal("content-type", "")

    def run(context: Context) -> None:
        headers = ManyValues([("Content-Type", content_type)] if content_type else [])
        raise Answer(Response(int(status(context)), "", headers))

    return run
