from __future__ import annotations

from datetime import timedelta

from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import INBOUND, Element, element
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run
from emulators.apim.values import Value


@element(
    "quota-by-key",
    title="Set usage quota by key",
    sections=INBOUND,
    attributes="calls bandwidth renewal-period counter-key increment-condition increment-count first-period-start",
    partial="periods begin with a key's first call, not at first-period-start; bandwidth counts bodies that were read",
)
def quota_by_key(element: Element) -> Run:
    """A condition, and the kilobytes of both bodies, are known when the response is."""
    element.no_children()
    if not (element.has("calls") or element.has("bandwidth")):
        element.invalid("<quota-by-key> needs calls, bandwidth or both", "calls")
    calls, bandwidth = element.number("calls", "0"), element.number("bandwidth", "0")
    period, key = element.number("renewal-period"), element.value("counter-key")
    count, condition = element.number("increment-count", "1"), element.optional("increment-condition")
    element.literal("first-period-start", "")

    def run(context: Context) -> None:
        counter = key.text(context)
        _spend(context, f"calls|{counter}", calls(context), period(context), "call volume")
        _spend(context, f"bandwidth|{counter}", bandwidth(context) * 1024, period(context), "bandwidth")
        if condition is None:
            context.services.quotas.add(f"calls|{counter}", count(context))
        context.after.append(lambda: after(context, counter))

    def after(context: Context, counter: str) -> None:
        if condition is not None and _holds(condition, context):
            context.services.quotas.add(f"calls|{counter}", count(context))
        bodies = (context.request.body, context.response.body)
        context.services.quotas.add(f"bandwidth|{counter}", sum(len(body.data) for body in bodies if body is not None))

    return run


def _spend(context: Context, counter: str, most: float, period: float, what: str) -> None:
    used, left = context.services.quotas.used(counter, period)
    if most and used >= most:
        wait = str(timedelta(seconds=int(left)))
        message = f"Out of {what} quota. Quota will be replenished in {wait}."
        raise Failure(403, "QuotaExceeded", message, headers=[("Retry-After", str(int(left)))])


def _holds(condition: Value, context: Context) -> bool:
    try:
        return bool(condition.run(context))
    except ClrError:
        return False
