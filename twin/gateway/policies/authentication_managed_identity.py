from __future__ import annotations

from collections.abc import Awaitable, Callable

from twin.gateway.elements import INBOUND, Element, element
from twin.gateway.errors import MissingReference
from twin.gateway.failures import Failure
from twin.gateway.messages import Context, Run

#: Yields an access token.
TokenSource = Callable[[Context], Awaitable[str]]
_ATTRIBUTES = "resource client-id output-token-variable-name ignore-error"


def token_source(element: Element) -> TokenSource:
    """The identity must be attached to the applied API Management service: another cannot give it tokens."""
    element.allow(frozenset(_ATTRIBUTES.split()))
    element.no_children()
    resource, client_id = element.value("resource"), element.literal("client-id", "")
    attached = element.builder.references.identity_clients
    if client_id not in attached:
        whose = f"client id {client_id!r}" if client_id else "no client-id (the system-assigned identity)"
        message = f"<{element.tag}> has {whose}, which azurerm_api_management.identity does not have"
        element.report(MissingReference(message, where=element.where, name=client_id or "client-id"))

    async def token(context: Context) -> str:
        found: str = await context.services.identity.token(resource.text(context), client_id)
        return found

    return token


@element(
    "authentication-managed-identity",
    title="Authenticate with managed identity",
    sections=INBOUND,
    attributes=_ATTRIBUTES,
)
def authentication_managed_identity(element: Element) -> Run:
    """Sets `Authorization: Bearer`, or the variable named by `output-token-variable-name`."""
    source = token_source(element)
    variable, ignore = element.literal("output-token-variable-name", ""), element.flag("ignore-error", default=False)

    async def run(context: Context) -> None:
        try:
            token = await source(context)
        except Failure:
            if ignore(context):
                return
            raise
        if variable:
            context.variables[variable] = token
        else:
            context.request.headers.set("Authorization", [f"Bearer {token}"])

    return run
