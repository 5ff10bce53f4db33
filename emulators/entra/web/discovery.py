"""Metadata: OpenID Connect discovery, signing keys, instance discovery.

As in Entra ID there is no RFC 8414 document, no `code_challenge_methods_supported` and no `registration_endpoint`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulators.entra.errors import EntraError
from emulators.entra.issuer import SHARED_TENANTS, Issuer
from emulators.entra.web.responses import ANYONE, error_json, issuer_of

CACHE = {"Cache-Control": "max-age=86400, private", **ANYONE}


async def version_two(request: Request) -> Response:
    return _document(request, 2)


async def version_one(request: Request) -> Response:
    return _document(request, 1)


async def keys(request: Request) -> Response:
    issuer = issuer_of(request)
    try:
        tenant = _tenant(issuer, request)
    except EntraError as error:
        return error_json(request, error)
    named = f"{issuer.base_url}/{tenant}/v2.0"
    return JSONResponse({"keys": [{**key, "issuer": named} for key in issuer.keys.public()]}, headers=CACHE)


async def instance(request: Request) -> Response:
    """Tells MSAL that this host is an authority of its own ("instance discovery")."""
    issuer = issuer_of(request)
    host = urlsplit(issuer.base_url).netloc
    metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
    endpoint = f"{issuer.base_url}/{issuer.directory.tenant_id}/v2.0/.well-known/openid-configuration"
    return JSONResponse(
        {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata}, headers=CACHE
    )


def _document(request: Request, version: int) -> Response:
    issuer = issuer_of(request)
    try:
        tenant = _tenant(issuer, request)
    except EntraError as error:
        return error_json(request, error)
    return JSONResponse(openid_configuration(issuer.base_url, tenant, version), headers=CACHE)


def _tenant(issuer: Issuer, request: Request) -> str:
    """The tenant as documents name it: its id, or Entra's `{tenantid}` placeholder on the shared endpoints."""
    given = str(request.path_params["tenant"])
    issuer.check_tenant(given)
    return "{tenantid}" if given.lower() in SHARED_TENANTS else issuer.directory.tenant_id


def openid_configuration(base_url: str, tenant: str, version: int) -> dict[str, Any]:
    """The discovery document of the v1.0 or v2.0 issuer."""
    authority = f"{base_url}/{'common' if tenant.startswith('{') else tenant}"
    issuer = f"{base_url}/{tenant}/v2.0" if version == 2 else f"https://sts.windows.net/{tenant}/"
    return {
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{authority}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
        "claims_supported": [
            *(
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
            ),
            *("at_hash", "c_hash", "email"),
        ],
        "tenant_region_scope": None,
        "cloud_instance_name": "microsoftonline.com",
    }
