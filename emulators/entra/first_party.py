"""Applications that every Entra tenant has without registering them: clients that people use, and Azure's resources."""

from __future__ import annotations

from emulators.entra.directory import Application, Platform, Scope, ServicePrincipal

GRAPH = "00000003-0000-0000-c000-000000000000"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
VS_CODE = "aebc6443-996d-45c2-90f0-388ff96faa56"

_LOOPBACK = ("http://localhost", "http://127.0.0.1")


def _client(client_id: str, name: str, *redirect_uris: str) -> Application:
    return Application(
        client_id,
        f"first-party-{client_id}",
        name,
        redirect_uris={Platform.PUBLIC: (*_LOOPBACK, *redirect_uris)},
        public_flows=True,
        multi_tenant=True,
        first_party=True,
    )


def _resource(client_id: str, name: str, uris: tuple[str, ...], *scopes: str) -> Application:
    both = tuple(spelling for uri in uris for spelling in (uri, f"{uri}/"))
    delegated = tuple(Scope(f"{client_id}/{value}", value, consent_text=value) for value in scopes)
    return Application(
        client_id,
        f"first-party-{client_id}",
        name,
        identifier_uris=both,
        scopes=delegated,
        multi_tenant=True,
        first_party=True,
    )


APPLICATIONS: tuple[Application, ...] = (
    _client(VS_CODE, "Visual Studio Code", "https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"),
    _client(AZURE_CLI, "Microsoft Azure CLI"),
    _resource(GRAPH, "Microsoft Graph", ("https://graph.microsoft.com",), "User.Read", "openid", "profile", "email"),
    _resource(
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "Windows Azure Service Management API",
        ("https://management.azure.com", "https://management.core.windows.net"),
        "user_impersonation",
    ),
    _resource(
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault", ("https://vault.azure.net",), "user_impersonation"
    ),
    _resource(
        "e406a681-f3d4-42a8-90b6-c2b029497af1", "Azure Storage", ("https://storage.azure.com",), "user_impersonation"
    ),
)

SERVICE_PRINCIPALS: tuple[ServicePrincipal, ...] = tuple(
    ServicePrincipal(app.object_id, app.client_id) for app in APPLICATIONS
)
