"""`GET /metadata/endpoints`: what clients ask before they sign in. Production's own addresses."""

from __future__ import annotations

from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.routing import Route

CLOUD: Document = {
    "name": "AzureCloud",
    "portal": "https://portal.azure.com",
    "authentication": {
        "loginEndpoint": "https://login.microsoftonline.com",
        "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
        "tenant": "common",
        "identityProvider": "AAD",
    },
    "graphAudience": "https://graph.windows.net/",
    "graph": "https://graph.windows.net/",
    "microsoftGraphResourceId": "https://graph.microsoft.com/",
    "resourceManager": "https://management.azure.com/",
    "suffixes": {
        "acrLoginServer": "azurecr.io",
        "keyVaultDns": "vault.azure.net",
        "storage": "core.windows.net",
        "sqlServerHostname": "database.windows.net",
    },
}


def endpoints(cloud: Cloud, call: Call) -> Answer:
    return Answer([CLOUD] if call.query.get("api-version") == "2019-05-01" else CLOUD)


ROUTES = (
    Route("GET", "/metadata/endpoints", endpoints, page="Metadata endpoints of Azure Resource Manager, 2022-09-01"),
)
