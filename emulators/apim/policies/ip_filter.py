from __future__ import annotations

import ipaddress
from typing import Any

from emulators.apim.elements import INBOUND, Element, element
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run


@element("ip-filter", title="Restrict caller IPs", sections=INBOUND, attributes="action")
def ip_filter(element: Element) -> Run:
    action = element.literal("action", None, ("allow", "forbid"))
    ranges = [_range(child) for child in element.children("address", "address-range")]

    def run(context: Context) -> None:
        try:
            caller = ipaddress.ip_address(context.request.ip)
        except ValueError:
            message = "Failed to establish IP address for the caller. Access denied."
            raise Failure(403, "FailedToParseCallerIP", message) from None
        listed = any(_within(caller, low, high) for low, high in ranges)
        if action == "allow" and not listed:
            raise Failure(403, "CallerIpNotAllowed", f"Caller IP address {caller} is not allowed. Access denied.")
        if action == "forbid" and listed:
            raise Failure(403, "CallerIpBlocked", "Caller IP address is blocked. Access denied.")

    return run


def _range(element: Element) -> tuple[Any, Any]:
    if element.tag == "address":
        texts = [element.trimmed().literal or ""] * 2
    else:
        element.allow({"from", "to"})
        texts = [element.literal("from"), element.literal("to")]
    try:
        low, high = (ipaddress.ip_address(text) for text in texts)
    except ValueError:
        element.invalid(f"<{element.tag}> must be an IP address, not {texts[0]!r}", element.tag)
        return ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("0.0.0.0")  # noqa: S104 - matches nobody
    return low, high


def _within(caller: Any, low: Any, high: Any) -> bool:
    return bool(caller.version == low.version and low <= caller <= high)
