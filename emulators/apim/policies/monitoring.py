"""What policies write down about a request."""

from __future__ import annotations

from emulators.apim.csharp.clr import to_text
from emulators.apim.elements import Element, element
from emulators.apim.messages import Context, Run


@element("trace", partial="kept with the request only: there is no Application Insights")
def trace(element: Element) -> Run:
    source, child = element.literal("source"), element.child("message")
    written = element.text.literal is None or element.text.literal.strip() != ""
    if (child is None) is not written:
        element.invalid("<trace> needs a <message>, or a text of its own", "message")
    message = child.trimmed() if child is not None else element.trimmed()

    def run(context: Context) -> None:
        context.note(f"{source}: {message.text(context)}")

    return run


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


@element("emit-metric", partial="checked and kept with the request's trace only: there is no Application Insights")
def emit_metric(element: Element) -> Run:
    name, namespace, value = element.literal("name"), element.literal("namespace"), element.value("value")
    found = []
    for dimension in element.children():
        label = dimension.value("name")
        if not dimension.has("value") and label.literal is not None and label.literal not in _DEFAULT_DIMENSIONS:
            dimension.invalid(f"the dimension {label.literal!r} needs a value: it is none of the default ones", "value")
        found.append((label, dimension.value("value")))

    def run(context: Context) -> None:
        shown = ", ".join(f"{label.text(context)}={text.text(context)}" for label, text in found)
        context.note(f"metric {namespace}/{name} {to_text(value.run(context))} ({shown})")

    return run
