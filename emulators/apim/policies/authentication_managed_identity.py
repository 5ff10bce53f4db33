from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from emulators.apim.elements import INBOUND, Element, element
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

    return TokenSource(resource, client_id)


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
