from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run


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
