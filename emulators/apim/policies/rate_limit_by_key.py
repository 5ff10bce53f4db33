from __future__ import annotations

from emulators.apim.counters import Verdict
from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import INBOUND, Element, element
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run


@element(
    "rate-limit-by-key",
    title="Limit call rate by key",
    sections=INBOUND,
    attributes=(
        "calls renewal-period counter-key increment-condition increment-count retry-after-header-name"
        " retry-after-variable-name remaining-calls-header-name remaining-calls-variable-name total-calls-header-name"
    ),
)
def rate_limit_by_key(element: Element) -> Run:
    """An increment condition is evaluated after the response is known, so it may read it."""
    element.no_children()
    calls, period = element.number("calls", low=1), element.number("renewal-period", low=1, high=300)
    key, condition = element.value("counter-key"), element.optional("increment-condition")
    count = element.number("increment-count", "1")
    names = {name: element.literal(name, "") for name in _OUTPUTS}
    names["retry-after-header-name"] = names["retry-after-header-name"] or "Retry-After"

    def run(context: Context) -> None:
        windows, counter, limit = context.services.rate_windows, key.text(context), int(calls(context))
        verdict: Verdict = windows.check(counter, limit, period(context))
        if not verdict.allowed:
            raise _exceeded(context, names, verdict)
        if condition is None:
            windows.add(counter, int(count(context)))
            verdict = Verdict(True, max(verdict.remaining - int(count(context)), 0), 0)
        else:
            context.after.append(lambda: windows.add(counter, _counted(context)))
        _publish(context, names, verdict, limit)

    def _counted(context: Context) -> int:
        try:
            return int(count(context)) if condition is not None and condition.run(context) else 0
        except ClrError:
            return 0

    return run


_OUTPUTS = (
    "retry-after-header-name",
    "retry-after-variable-name",
    "remaining-calls-header-name",
    "remaining-calls-variable-name",
    "total-calls-header-name",
)


def _exceeded(context: Context, names: dict[str, str], verdict: Verdict) -> Failure:
    if names["retry-after-variable-name"]:
        context.variables[names["retry-after-variable-name"]] = verdict.retry_after
    message = f"Rate limit is exceeded. Try again in {verdict.retry_after} seconds."
    headers = [(names["retry-after-header-name"], str(verdict.retry_after))]
    return Failure(429, "RateLimitExceeded", message, headers=headers)


def _publish(context: Context, names: dict[str, str], verdict: Verdict, limit: int) -> None:
    if names["remaining-calls-variable-name"]:
        context.variables[names["remaining-calls-variable-name"]] = verdict.remaining
    if names["remaining-calls-header-name"]:
        context.response_headers.append((names["remaining-calls-header-name"], str(verdict.remaining)))
    if names["total-calls-header-name"]:
        context.response_headers.append((names["total-calls-header-name"], str(limit)))
