"""Rate limiting and quotas."""

from __future__ import annotations

from datetime import timedelta

from emulators.apim.counters import Verdict
from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import INBOUND, Element, element
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run
from emulators.apim.values import Value

_RATE_OUTPUTS = (
    " retry-after-header-name retry-after-variable-name remaining-calls-header-name remaining-calls-variable-name"
    " total-calls-header-name"
)
_WITHOUT_KEY = "never counts: it applies to calls with a subscription key, and there are no subscriptions here"


def _limits(element: Element, kind: str, most: float) -> None:
    """The element itself, then `api` and `operation` children, one in the other."""
    element.number("renewal-period", low=1 if kind == "rate" else 0, high=most)
    amounts = ("calls",) if kind == "rate" else ("calls", "bandwidth")
    if not any(element.has(name) for name in amounts):
        element.invalid(f"<{element.tag}> needs {' or '.join(amounts)}", "calls")
    for name in amounts:
        if element.has(name):
            element.number(name, low=1)
    for child in element.children(*{"api": ("operation",), "operation": ()}.get(element.tag, ("api",))):
        child.allow({"name", "id", "renewal-period", *amounts})
        _limits(child, kind, most)


@element(
    "rate-limit",
    title="Limit call rate by subscription",
    sections=INBOUND,
    attributes="calls renewal-period" + _RATE_OUTPUTS,
    partial=_WITHOUT_KEY,
)
def rate_limit(element: Element) -> Run:
    _limits(element, "rate", 300)
    return _pass


@element(
    "quota",
    title="Set usage quota by subscription",
    sections=INBOUND,
    attributes="calls bandwidth renewal-period",
    partial=_WITHOUT_KEY,
)
def quota(element: Element) -> Run:
    _limits(element, "quota", 1e12)
    return _pass


def _pass(context: Context) -> None:
    return None


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


@element("limit-concurrency", title="Limit concurrency", attributes="key max-count")
def limit_concurrency(element: Element) -> Run:
    """The enclosed statements run at most `max-count` times at once per key; more is 429."""
    key, most = element.value("key"), element.number("max-count", low=1)
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
