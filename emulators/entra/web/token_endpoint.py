"""The endpoints that programs call: token, device code, managed identity."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulators.entra import managed_identity
from emulators.entra.assertions import unverified_claims
from emulators.entra.errors import EntraError, body
from emulators.entra.grants import device_code, endpoint
from emulators.entra.grants.request import TokenRequest
from emulators.entra.managed_identity import IdentityEndpointError
from emulators.entra.trust import keys_of
from emulators.entra.web import forms
from emulators.entra.web.responses import ANYONE, NO_STORE, error_json, issuer_of, note

PREFLIGHT = {
    **ANYONE,
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "content-type, client-request-id, x-client-sku, x-client-ver",
    "Access-Control-Max-Age": "3600",
}


async def token(request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=200, headers=PREFLIGHT)
    try:
        asked = await _token_request(request)
        note(request, f"grant={asked.get('grant_type')}"[:60])
        answer = endpoint.answer(issuer_of(request), asked)
    except EntraError as error:
        return error_json(request, error)
    return JSONResponse(answer, headers={**NO_STORE, **ANYONE} if asked.origin else NO_STORE)


async def device_authorization(request: Request) -> Response:
    try:
        answer = device_code.start(issuer_of(request), await _token_request(request))
    except EntraError as error:
        return error_json(request, error)
    return JSONResponse(answer, headers=NO_STORE)


async def identity(request: Request) -> Response:
    """Tells of a failure as App Service does (`statusCode`, `message`) and as Entra ID does."""
    issuer = issuer_of(request)
    headers = request.headers.getlist("x-identity-header")
    try:
        answer = managed_identity.token(issuer, headers[0] if len(headers) == 1 else None, forms.query(request))
    except IdentityEndpointError as refused:
        failure = {"statusCode": refused.status, "message": refused.message}
        return JSONResponse(failure, refused.status, NO_STORE)
    except EntraError as error:
        note(request, f"AADSTS{error.code}")
        failure = {"statusCode": 400, "message": error.message, **body(error, issuer.clock())}
        return JSONResponse(failure, 400, NO_STORE)
    return JSONResponse(answer, headers=NO_STORE)


async def _token_request(request: Request) -> TokenRequest:
    if request.method != "POST":
        raise EntraError(900561, method=request.method)
    fields = forms.with_basic(await forms.form(request), request.headers.get("authorization"))
    issuer = issuer_of(request)
    issuer.check_tenant(request.path_params["tenant"])
    keys = None
    if fields.get("client_assertion"):
        keys = await keys_of(issuer, str(unverified_claims(fields["client_assertion"]).get("iss")))
    return TokenRequest(request.path_params["tenant"], fields, request.headers.get("origin"), keys)
