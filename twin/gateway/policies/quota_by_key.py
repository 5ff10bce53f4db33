from __future__ import annotations

from datetime import timedelta

from twin.gateway.elements import INBOUND, Element, element
from twin.gateway.failures import Failure
from twin.gateway.messages import Context, Run


@element(
    "quota-by-key",
    title="Set usage quota by key",
    sections=INBOUND,
    attributes="calls renewal-period counter-key increment-count",
    partial="calls only: no bandwidth, no increment-condition, no first-period-start",
)
def quota_by_key(element: Element) -> Run:
    element.no_children()
    calls, period = element.number("calls", low=1), element.number("renewal-period")
    key, count = element.value("counter-key"), element.number("increment-count", "1")

    def run(context: Context) -> None:
        quotas, counter = context.services.quotas, key.text(context)
        used, left = quotas.used(counter, period(context))
        if used >= calls(context):
            wait = str(timedelta(seconds=int(left)))
            message = f"Out of call volume quota. Quota will be replenished in {wait}."
            raise Failure(403, "QuotaExceeded", message, headers=[("Retry-After", str(int(left)))])
        quotas.add(counter, count(context))

    return run
