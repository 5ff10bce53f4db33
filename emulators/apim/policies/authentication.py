"""Authentication and authorization, but for tokens: who may call, and as whom the gateway calls."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from emulators.apim.elements import INBOUND, Element, element, text_values
from emulators.apim.errors import MissingReference
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run
from emulators.apim.values import Value


@dataclass(frozen=True)
class TokenSource:
    """Yields access tokens; one that is cached costs no wait."""

    resource: Value
    client_id: str

    def cached(self, context: Context) -> str | None:
        found: str | None = context.services.identity.cached(self.resource.text(context), self.client_id)
        return found

    async def fetch(self, context: Context) -> str:
        found: str = await context.services.identity.token(self.resource.text(context), self.client_id)
        return found


_IDENTITY_ATTRIBUTES = "resource client-id output-token-variable-name ignore-error"


def token_source(element: Element) -> TokenSource:
    """The identity must be attached to the applied API Management service: another cannot give it tokens."""
    element.allow(frozenset(_IDENTITY_ATTRIBUTES.split()))
    element.no_children()
    resource, client_id = element.value("resource"), element.literal("client-id", "")
    attached = element.builder.references.identity_clients
    if client_id not in attached:
        whose = f"client id {client_id!r}" if client_id else "no client-id (the system-assigned identity)"
        message = f"<{element.tag}> has {whose}, which azurerm_api_management.identity does not have"
        element.report(MissingReference(message, where=element.where, name=client_id or "client-id"))

    return TokenSource(resource, client_id)


@element(
    "authentication-managed-identity",
    title="Authenticate with managed identity",
    sections=INBOUND,
    attributes=_IDENTITY_ATTRIBUTES,
)
def authentication_managed_identity(element: Element) -> Run:
    """Sets `Authorization: Bearer`, or the variable named by `output-token-variable-name`."""
    source = token_source(element)
    variable, ignore = element.literal("output-token-variable-name", ""), element.flag("ignore-error", default=False)

    def use(context: Context, token: str) -> None:
        if variable:
            context.variables[variable] = token
        else:
            context.request.headers.set("Authorization", [f"Bearer {token}"])

    async def fetch(context: Context) -> None:
        try:
            use(context, await source.fetch(context))
        except Failure:
            if not ignore(context):
                raise

    def run(context: Context) -> Awaitable[None] | None:
        token = source.cached(context)
        if token is None:
            return fetch(context)
        use(context, token)
        return None

    return run


@element(
    "check-header",
    title="Check HTTP header",
    sections=INBOUND,
    attributes="name failed-check-httpcode failed-check-error-message ignore-case",
)
def check_header(element: Element) -> Run:
    name, status = element.value("name"), element.number("failed-check-httpcode", low=400, high=599)
    message, ignore_case = element.value("failed-check-error-message"), element.flag("ignore-case", default=False)
    allowed = text_values(element, "value")

    def run(context: Context) -> None:
        header = name.text(context)
        given = context.request.headers.joined(header)
        if given is None:
            raise _refusal(
                int(status(context)),
                "HeaderNotFound",
                f"Header {header} was not found in the request.",
                message.text(context),
            )
        values = [value.text(context) for value in allowed]
        fold = str.lower if ignore_case(context) else str
        if values and fold(given) not in [fold(value) for value in values]:
            text = f"Header {header} value of {given} is not allowed."
            raise _refusal(int(status(context)), "HeaderValueNotAllowed", text, message.text(context))

    return run


def _refusal(status: int, reason: str, message: str, body: str) -> Failure:
    return Failure(status, reason, f"{message} Access denied.", body=body)


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
