"""`rate-limit` and `quota`: they count calls per subscription key, and there are no subscriptions here.

The documentation says of both that they apply only to calls with a subscription key. So they load, are checked, and let
every call pass, as API Management lets those without a key.
"""

from __future__ import annotations

from emulators.apim.elements import INBOUND, Element, element
from emulators.apim.messages import Context, Run

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
