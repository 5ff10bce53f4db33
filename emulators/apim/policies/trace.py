from __future__ import annotations

from emulators.apim.elements import Element, element, text_values
from emulators.apim.messages import Context, Run


@element(
    "trace",
    title="Trace",
    attributes="source severity",
    partial="kept with the request only: there is no Application Insights",
)
def trace(element: Element) -> Run:
    source = element.literal("source")
    element.literal("severity", "verbose", ("verbose", "information", "error"))
    for metadata in element.children("message", "metadata"):
        metadata.allow({"name", "value"} if metadata.tag == "metadata" else set())
    child = element.child("message")
    message = text_values(_Parent(element), "message")[0] if child is not None else None
    if message is None:
        element.invalid("<trace> needs a <message>", "message")

    def run(context: Context) -> None:
        if message is not None:
            context.note(f"{source}: {message.text(context)}")

    return run


class _Parent(Element):
    """The same element, asked for its messages only."""

    def __init__(self, element: Element) -> None:
        super().__init__(element.node, element.builder)

    def children(self, *tags: str) -> list[Element]:
        return [Element(node, self.builder) for node in self.node.children if node.tag in tags]
