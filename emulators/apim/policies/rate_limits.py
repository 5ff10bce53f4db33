"""Rate limiting and quotas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from emulators.apim.counters import Verdict
from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import Element, element
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run

_WITHOUT_KEY = "never counts: it applies to calls with a subscription key, and there are no subscriptions here"


def _limits(element: Element) -> None:
    """The element itself, then `api` and `operation` children, one in the other."""
    if element.shape.attribute("bandwidth") is not None and not (element.has("calls") or element.has("bandwidth")):
        element.invalid(f"<{element.tag}> needs calls, bandwidth or both", "calls")
    for child in element.children():
        if not (child.has("name") or child.has("id")):
            child.invalid(f"<{child.tag}> needs name or id", "name")
        _limits(child)


@element("rate-limit", partial=_WITHOUT_KEY)
def rate_limit(element: Element) -> Run:
    _limits(element)
    return _pass


@element("quota", partial=_WITHOUT_KEY)
def quota(element: Element) -> Run:
    _limits(element)
    return _pass


def _pass(context: Context) -> None:
    return None


@element("rate-limit-by-key")
def rate_limit_by_key(element: Element) -> Run:
    """What an expression tells of the increment is known with the response: a limit may be seen one call late."""
    calls, period, key = element.number("calls"), element.number("renewal-period"), element.value("counter-key")
    increment, names = increment_of(element), {name: element.literal(name) for name in _OUTPUTS}
    names["retry-after-header-name"] = element.value("retry-after-header-name").literal or ""

    def run(context: Context) -> None:
        windows, counter, limit = context.services.rate_windows, key.text(context), int(calls(context))
        verdict: Verdict = windows.check(counter, limit, period(context))
        if not verdict.allowed:
            _publish(context, names, verdict, limit)
            raise _exceeded(context, names, verdict)
        if increment.late:
            context.after.append(lambda: windows.add(counter, increment.known(context)))
        else:
            amount = increment.known(context)
            windows.add(counter, amount)
            verdict = Verdict(True, max(verdict.remaining - amount, 0), 0)
        _publish(context, names, verdict, limit)

    return run


@dataclass(frozen=True)
class Increment:
    """By how much a call counts.

    `late`: an expression in increment-condition or increment-count may read the response, so both are evaluated at the
    end of outbound ("Limit call rate by key", usage notes).
    """

    counts: Callable[[Context], bool]
    amount: Callable[[Context], float]
    late: bool

    def known(self, context: Context) -> int:
        """Nothing, where an expression fails: there may be no response that it could read."""
        try:
            return int(self.amount(context)) if self.counts(context) else 0
        except ClrError:
            return 0


def increment_of(element: Element) -> Increment:
    given = [element.optional(name) for name in ("increment-condition", "increment-count")]
    late = any(value is not None and value.expression is not None for value in given)
    counts = element.flag("increment-condition") if given[0] is not None else lambda context: True
    return Increment(counts, element.number("increment-count"), late)


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


@element(
    "quota-by-key",
    partial="periods begin with a key's first call, not at first-period-start; bandwidth counts bodies that were read",
)
def quota_by_key(element: Element) -> Run:
    """A condition, and the kilobytes of both bodies, are known when the response is.

    A key is incremented once per request, however many policies name it ("Set usage quota by key").
    """
    if not (element.has("calls") or element.has("bandwidth")):
        element.invalid("<quota-by-key> needs calls, bandwidth or both", "calls")
    calls, bandwidth = element.number("calls"), element.number("bandwidth")
    period, key, increment = element.number("renewal-period"), element.value("counter-key"), increment_of(element)

    def run(context: Context) -> None:
        counter = key.text(context)
        _spend(context, f"calls|{counter}", calls(context), period(context), "call volume")
        _spend(context, f"bandwidth|{counter}", bandwidth(context) * 1024, period(context), "bandwidth")
        if not increment.late:
            add(context, f"calls|{counter}", increment.known(context))
        context.after.append(lambda: after(context, counter))

    def after(context: Context, counter: str) -> None:
        if increment.late:
            add(context, f"calls|{counter}", increment.known(context))
        bodies = (context.request.body, context.response.body)
        add(context, f"bandwidth|{counter}", sum(len(body.data) for body in bodies if body is not None))

    def add(context: Context, counter: str, amount: float) -> None:
        if amount and counter not in context.counted:
            context.counted[counter] = amount
            context.services.quotas.add(counter, amount)

    return run


def _spend(context: Context, counter: str, most: float, period: float, what: str) -> None:
    used, left = context.services.quotas.used(counter, period)
    if most and used - context.counted.get(counter, 0) >= most:
        wait = str(timedelta(seconds=int(left)))
        message = f"Out of {what} quota. Quota will be replenished in {wait}."
        raise Failure(403, "QuotaExceeded", message, headers=[("Retry-After", str(int(left)))])


@element("limit-concurrency")
def limit_concurrency(element: Element) -> Run:
    """The enclosed statements run at most `max-count` times at once per key; more is 429."""
    key, most = element.value("key"), element.number("max-count")
    block = element.builder.block(element.node.children)

    async def run(context: Context) -> None:
        running, name = context.services.running, key.text(context)
        if running.get(name, 0) >= most(context):
            raise Failure(429, "TooManyRequests", "Concurrency limit is exceeded.")
        running[name] = running.get(name, 0) + 1
        try:
            waiting = block(context)
            if waiting is not None:
                await waiting
        finally:
            running[name] -= 1
            if not running[name]:
                del running[name]

    return run
