"""What policies write down about a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulators.apim.csharp.clr import ClrError, utf8
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


Dimensions = Callable[[Context], dict[str, str]]


def dimensions(element: Element, custom: int | None = None) -> Dimensions:
    """The dimensions of a metric; of those that are no default ones `custom` at most."""
    found = []
    for dimension in element.children("dimension"):
        label = dimension.value("name")
        if not dimension.has("value") and label.literal is not None and label.literal not in _DEFAULT_DIMENSIONS:
            dimension.invalid(f"the dimension {label.literal!r} needs a value: it is none of the default ones", "value")
        found.append((label, dimension.optional("value")))
    own = [label for label, _ in found if label.literal not in _DEFAULT_DIMENSIONS]
    if custom is not None and len(own) > custom:
        element.invalid(f"<{element.tag}> takes {custom} custom dimensions at most", "dimension")

    def read(context: Context) -> dict[str, str]:
        named = [(label.text(context), text) for label, text in found]
        return {name: _default(name, context) if text is None else text.text(context) for name, text in named}

    return read


def _default(name: str, context: Context) -> str:
    """The value of a default dimension; people and subscriptions are none here."""
    api, operation = context.api, context.operation
    known = {
        "API ID": api.id,
        "Operation ID": operation.id if operation is not None else "",
        "Product ID": api.product.id if api.product is not None else "",
        "Location": context.deployment.region,
        "Location ID": context.deployment.region,
        "Gateway ID": context.deployment.gateway_id,
        "Backend ID": context.request.backend_id or "",
    }
    return known.get(name, "")


def emit(context: Context, namespace: str, name: str, value: float, found: Mapping[str, str]) -> None:
    """A metric: into the file of events, and into the request's trace."""
    record = {"kind": "metric", "namespace": namespace, "name": name, "value": value, "dimensions": dict(found)}
    context.services.events.record(record)
    shown = ", ".join(f"{label}={text}" for label, text in found.items())
    context.note(f"metric {namespace}/{name} {value:g} ({shown})")


@element("emit-metric", partial="written into a file, and kept with the request's trace: no Application Insights")
def emit_metric(element: Element) -> Run:
    name, namespace, value = element.literal("name"), element.literal("namespace"), element.value("value")
    read = dimensions(element)

    def run(context: Context) -> None:
        text = value.text(context)
        try:
            amount = float(text)
        except ValueError:
            raise ClrError("FormatException", f"'value' of emit-metric must be a number, not {text!r}") from None
        emit(context, namespace, name, amount, read(context))

    return run


#: "Log to event hub", usage notes (2024-07-23): longer messages are truncated.
_LONGEST_EVENT = 200 * 1024


@element("log-to-eventhub", partial="written into a file: no event hub is called, and no logger is looked up")
def log_to_eventhub(element: Element) -> Run:
    if element.has("partition-id") and element.has("partition-key"):
        element.invalid("<log-to-eventhub> takes partition-id or partition-key, not both", "partition-key")
    logger, partition, key = (
        element.literal("logger-id"),
        element.literal("partition-id"),
        element.value("partition-key"),
    )
    message = element.trimmed()

    def run(context: Context) -> None:
        text = utf8(message.text(context))[:_LONGEST_EVENT].decode("utf-8", "ignore")
        record = {"kind": "event", "logger": logger, "partition_id": partition, "partition_key": key.text(context)}
        context.services.events.record({**record, "message": text})
        context.note(f"event for {logger}: {text}")

    return run
