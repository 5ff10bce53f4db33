"""Applications that every Entra tenant has without registering them: clients that people use, and Azure's resources."""

from __future__ import annotations

from emulators.base.well_known import (
    AZURE_CLI,
    DEVOPS,
    DISPLAY_NAMES,
    GRAPH,
    KEY_VAULT,
    MANAGEMENT,
    OSS_DATABASES,
    REGISTRY,
    STORAGE,
    VS_CODE,
    service_principal,
)
from emulators.entra.directory import Application, Platform, Scope, ServicePrincipal

#: What a managed identity asks a token for, to present it as a federated credential of an application: "Configure an
#: application to trust a managed identity". The credential names the URI, and the token says the GUID.
TOKEN_EXCHANGE, TOKEN_EXCHANGE_URI = "fb60f99c-7a34-4190-8149-302f77469936", "api://AzureADTokenExchange"

_LOOPBACK = ("http://localhost", "http://127.0.0.1")


def _client(client_id: str, *redirect_uris: str) -> Application:
    return Application(
        client_id,
        f"first-party-{client_id}",
        DISPLAY_NAMES[client_id],
        redirect_uris={Platform.PUBLIC: (*_LOOPBACK, *redirect_uris)},
        public_flows=True,
        multi_tenant=True,
        first_party=True,
    )


def _resource(client_id: str, uris: tuple[str, ...], *scopes: str) -> Application:
    both = tuple(spelling for uri in uris for spelling in (uri, f"{uri}/"))
    delegated = tuple(Scope(f"{client_id}/{value}", value, consent_text=value) for value in scopes)
    return Application(
        client_id,
        f"first-party-{client_id}",
        DISPLAY_NAMES[client_id],
        identifier_uris=both,
        scopes=delegated,
        multi_tenant=True,
        first_party=True,
    )


APPLICATIONS: tuple[Application, ...] = (
    _client(VS_CODE, "https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"),
    _client(AZURE_CLI),
    _resource(GRAPH, ("https://graph.microsoft.com",), "User.Read", "openid", "profile", "email"),
    _resource(
        MANAGEMENT, ("https://management.azure.com", "https://management.core.windows.net"), "user_impersonation"
    ),
    _resource(KEY_VAULT, ("https://vault.azure.net",), "user_impersonation"),
    _resource(STORAGE, ("https://storage.azure.com",), "user_impersonation"),
    _resource(REGISTRY, ("https://containerregistry.azure.net",), "user_impersonation"),
    _resource(OSS_DATABASES, ("https://ossrdbms-aad.database.windows.net",), "user_impersonation"),
    Application(
        TOKEN_EXCHANGE,
        f"first-party-{TOKEN_EXCHANGE}",
        "AAD Token Exchange Endpoint: Public",
        identifier_uris=(TOKEN_EXCHANGE_URI,),
        token_version=2,
        multi_tenant=True,
        first_party=True,
    ),
    _resource(DEVOPS, ("https://app.vssps.visualstudio.com",), "user_impersonation"),
)

SERVICE_PRINCIPALS: tuple[ServicePrincipal, ...] = tuple(
    ServicePrincipal(service_principal(app.client_id), app.client_id) for app in APPLICATIONS
)
