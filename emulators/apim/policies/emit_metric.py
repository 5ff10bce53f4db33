from __future__ import annotations

from emulators.apim.csharp.clr import to_text
from emulators.apim.elements import Element, element
from emulators.apim.messages import Context, Run

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
