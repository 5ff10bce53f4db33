"""Authentication and authorization, but for tokens: who may call, and as whom the gateway calls."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from emulators.apim import jwt
from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import Element, element, text_values
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


def token_source(element: Element) -> TokenSource:
    """The identity must be attached to the applied API Management service: another cannot give it tokens."""
    resource, client_id = element.value("resource"), element.literal("client-id")
    attached = element.builder.references.identity_clients
    if client_id not in attached:
        whose = f"client id {client_id!r}" if client_id else "no client-id (the system-assigned identity)"
        message = (
            f"<{element.tag}> has {whose}, which azurerm_api_management.identity does not have"
            if element.builder.references.given_by == "state"
            else f"<{element.tag}> needs a managed identity, and there is none here: set the header from a named value"
        )
        element.report(MissingReference(message, where=element.where, name=client_id or "client-id"))

    return TokenSource(resource, client_id)


#: "Get authorization context" (2024-07-23), identity: what a token of `identity-type="jwt"` is for.
_MANAGER = "https://azure-api.net/authorization-manager"


@element("get-authorization-context", partial="tokens come from a file; access policies are not looked at")
def get_authorization_context(element: Element) -> Run:
    """An `Authorization` of a connection into a variable; null where it cannot be had and `ignore-error` is true."""
    provider, connection = element.value("provider-id"), element.value("authorization-id")
    variable, ignore = element.value("context-variable-name"), element.flag("ignore-error")
    kind, identity = element.choice("identity-type"), element.value("identity")

    def run(context: Context) -> None:
        name = (provider.text(context), connection.text(context))
        problem = _not_for_manager(identity.text(context)) if kind(context) == "jwt" else ""
        found = context.services.authorizations.get(name) if not problem else None
        if found is None and not ignore(context):
            problem = problem or f"there is no connection {name[1]!r} of the provider {name[0]!r}"
            raise Failure(500, "AuthorizationContextUnavailable", f"Cannot get an authorization context: {problem}.")
        context.variables[variable.text(context)] = found

    return run


def _not_for_manager(text: str) -> str:
    """Why the token is none that connections are given for. Its signature is not looked at."""
    token = jwt.read(text.removeprefix("Bearer "))
    if token is None:
        return "'identity' is no JWT"
    if _MANAGER not in token.audiences:
        return f"the audience of 'identity' is not {_MANAGER}"
    missing = [claim for claim in ("oid", "tid") if token.one(claim) is None]
    return f"'identity' has no claim {' and '.join(missing)}" if missing else ""


@element("authentication-managed-identity")
def authentication_managed_identity(element: Element) -> Run:
    """Sets `Authorization: Bearer`, or the variable named by `output-token-variable-name`."""
    source = token_source(element)
    variable, ignore = element.literal("output-token-variable-name"), element.flag("ignore-error")

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


@element("check-header")
def check_header(element: Element) -> Run:
    name, status = element.value("name"), element.number("failed-check-httpcode")
    message, ignore_case = element.value("failed-check-error-message"), element.flag("ignore-case")
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


@element("ip-filter")
def ip_filter(element: Element) -> Run:
    chosen = element.choice("action")
    if not element.children():
        element.invalid("<ip-filter> needs an <address> or an <address-range>", "address")
    listed_ranges = [_range(child) for child in element.children()]

    def run(context: Context) -> None:
        action = chosen(context)
        try:
            caller = ipaddress.ip_address(context.request.ip)
        except ValueError:
            message = "Failed to establish IP address for the caller. Access denied."
            raise Failure(403, "FailedToParseCallerIP", message) from None
        listed = any(_within(caller, *limits(context)) for limits in listed_ranges)
        if action == "allow" and not listed:
            raise Failure(403, "CallerIpNotAllowed", f"Caller IP address {caller} is not allowed. Access denied.")
        if action == "forbid" and listed:
            raise Failure(403, "CallerIpBlocked", "Caller IP address is blocked. Access denied.")

    return run


_Limits = Callable[[Context], tuple[Any, Any]]


def _range(element: Element) -> _Limits:
    """The lowest and the highest address. An expression's address is read when it runs."""
    if element.tag == "address":
        value = element.trimmed()
        if value.expression is not None:
            return lambda context: (_address(value.text(context)),) * 2
        texts = [value.literal or ""] * 2
    else:
        texts = [element.literal("from"), element.literal("to")]
    try:
        low, high = (_address(text) for text in texts)
    except ClrError as error:
        element.invalid(f"<{element.tag}>: {error.message}", "" if element.tag == "address" else "from")
        return lambda context: (None, None)
    return lambda context: (low, high)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        raise ClrError("FormatException", f"{text!r} is not an IP address") from None


def _within(caller: Any, low: Any, high: Any) -> bool:
    return bool(caller.version == low.version and low <= caller <= high)
