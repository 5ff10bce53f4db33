from __future__ import annotations

from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import Element, element
from emulators.apim.failures import Failure, last_error
from emulators.apim.messages import Context, Response, Run
from emulators.apim.policies.choose import condition_of


@element("retry", title="Retry", attributes="condition count interval max-interval delta first-fast-retry")
def retry(element: Element) -> Run:
    """Runs the children, then again while the condition holds, `count` times at most.

    A failed connection counts as a response with the status the caller would get, so that a condition can see it; what
    went wrong is in context.LastError, which a later success clears.
    """
    condition, count = condition_of(element), element.number("count", low=1, high=50)
    interval, fast = element.number("interval"), element.flag("first-fast-retry", default=False)
    delta, most = element.number("delta", "0"), element.number("max-interval", "0")
    block = element.builder.block(element.node.children)

    def pause(context: Context, attempt: int) -> float:
        """Linear with `delta`, exponential with `max-interval` too."""
        if attempt == 1 and fast(context):
            return 0.0
        start, step, limit = interval(context), delta(context), most(context)
        if step and limit:
            return float(min(start + (2 ** (attempt - 1) - 1) * step, limit))
        return start + (attempt - 1) * step

    async def run(context: Context) -> None:
        for attempt in range(1, int(count(context)) + 2):
            failure = await _attempt(context)
            if attempt > int(count(context)) or not _again(context, failure):
                break
            context.response.discard()
            await context.services.sleep(pause(context, attempt))
        if failure is not None:
            raise failure

    async def _attempt(context: Context) -> Failure | None:
        context.last_error = None
        try:
            waiting = block(context)
            if waiting is not None:
                await waiting
        except Failure as failure:
            context.response = Response(failure.status)
            context.last_error = last_error(failure)
            return failure
        return None

    def _again(context: Context, failure: Failure | None) -> bool:
        try:
            return bool(condition(context))
        except ClrError:
            if failure is not None:
                return False
            raise

    return run
