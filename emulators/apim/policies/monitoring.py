"""What policies write down about a request."""

from __future__ import annotations

from emulators.apim.csharp.clr import to_text
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


#: Dimensions that need no value: API Management knows it.
_DEFAULT_DIMENSIONS = (
    "API ID",
    "Operation ID",
    "Product ID",
    "User ID",
    "Subscription ID",
    "Location",
    "Location ID",
    "Gateway ID",
    "Backend ID",
)
MAX_DIMENSIONS = 10


@element(
    "emit-metric",
    title="Emit custom metrics",
    attributes="name namespace value",
    partial="checked and kept with the request's trace only: there is no Application Insights",
)
def emit_metric(element: Element) -> Run:
    name, namespace = element.literal("name"), element.literal("namespace", "API Management")
    value, dimensions = element.value("value", "1"), element.children("dimension")
    if not 1 <= len(dimensions) <= MAX_DIMENSIONS:
        element.invalid(f"<emit-metric> takes 1 to {MAX_DIMENSIONS} dimensions, not {len(dimensions)}", "dimension")
    found = []
    for dimension in dimensions:
        dimension.allow({"name", "value"})
        label = dimension.value("name")
        if not dimension.has("value") and label.literal is not None and label.literal not in _DEFAULT_DIMENSIONS:
            dimension.invalid(f"the dimension {label.literal!r} needs a value: it is none of the default ones", "value")
        found.append((label, dimension.value("value", "")))

    def run(context: Context) -> None:
        shown = ", ".join(f"{label.text(context)}={text.text(context)}" for label, text in found)
        context.note(f"metric {namespace}/{name} {to_text(value.run(context))} ({shown})")

    return run
