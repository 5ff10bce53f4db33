"""What the issuer refuses, in Entra's words.

EmulatorError
├── DirectoryError     the directory holds something Entra ID would not accept
│   └── NotReproducedError  Entra ID would accept it, the stand-in does not implement it
└── EntraError         a request is refused with an AADSTS code

The codes and texts follow "Microsoft Entra authentication and authorization error codes"; the OAuth error names follow
answers that Entra ID was seen to give. One table holds them all, so that the README and the tests can list it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.errors import EmulatorError


class DirectoryError(EmulatorError):
    """An app registration, group or assignment that Entra ID would not accept."""


class NotReproducedError(DirectoryError):
    """Entra ID has it, the stand-in refuses it by name."""


@dataclass(frozen=True)
class Kind:
    """One AADSTS code: the OAuth `error`, the sentence with named gaps, and the HTTP status at the token endpoint."""

    error: str
    text: str
    status: int = 400
    suberror: str = ""


KINDS: Mapping[int, Kind] = {
    28000: Kind(
        "invalid_request",
        "Provided value for the input parameter scope is not valid because it contains more than one resource. "
        "Scope {scope} is not valid.",
    ),
    50011: Kind(
        "invalid_request",
        "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for "
        "the application '{app}'. Make sure the redirect URI sent in the request matches one added to your "
        "application.",
    ),
    50013: Kind("invalid_grant", "Assertion failed signature validation. [Reason - {reason}.]"),
    50027: Kind("invalid_request", "JWT token is invalid or malformed."),
    50034: Kind("invalid_grant", "The user account {user} does not exist in the {tenant} directory."),
    50058: Kind("login_required", "A silent sign-in request was sent but no user is signed in."),
    50076: Kind(
        "interaction_required",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        "use multi-factor authentication to access '{resource}'.",
        suberror="basic_action",
    ),
    50105: Kind(
        "access_denied",
        "Your administrator has configured the application {name} ('{app}') to block users unless they are "
        "specifically granted ('assigned') access to the application. The signed in user '{user}' is blocked because "
        "they are not a direct member of a group with access, nor had access directly assigned by an administrator.",
    ),
    50148: Kind("invalid_grant", "The code_verifier is required: the authorization request carried a code_challenge."),
    50166: Kind("invalid_client", "Request to External OIDC endpoint failed: {reason}."),
    50173: Kind(
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
        "changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before "
        "which tokens are not valid) for this user is '{valid_from}'.",
        suberror="bad_token",
    ),
    50194: Kind(
        "invalid_request",
        "Application '{app}'({name}) is not configured as a multi-tenant application. Usage of the /{tenant} "
        "endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint.",
    ),
    54005: Kind(
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh "
        "token.",
    ),
    65001: Kind(
        "invalid_grant",
        "The user or administrator has not consented to use the application with ID '{app}' named '{name}'. Send an "
        "interactive authorization request for this user and resource.",
        suberror="consent_required",
    ),
    65004: Kind("access_denied", "User declined to consent to access the app."),
    70000: Kind("invalid_grant", "Provided grant is invalid or malformed."),
    70003: Kind("unsupported_grant_type", "The app requested an unsupported grant type '{grant_type}'."),
    70008: Kind(
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
        "authorization request for this user and resource.",
    ),
    70011: Kind("invalid_scope", "The provided value for the input parameter 'scope' is not valid. {reason}"),
    70016: Kind("authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    70017: Kind("authorization_declined", "The end user denied the authorization request."),
    70018: Kind("bad_verification_code", "Invalid verification code."),
    70020: Kind("expired_token", "The provided value for the input parameter 'device_code' has expired."),
    90002: Kind(
        "invalid_tenant",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    ),
    90009: Kind(
        "invalid_request",
        "Application '{app}'({name}) is requesting a token for itself. This scenario is supported only if resource is "
        "specified using the GUID based App Identifier.",
    ),
    90023: Kind("invalid_request", "Unsupported '{name}' value: {reason}."),
    90094: Kind(
        "access_denied",
        "The grant requires administrator permission: {name} asks for {scope}, which only an administrator can grant.",
    ),
    500011: Kind(
        "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant.",
    ),
    500014: Kind(
        "invalid_resource",
        "The service principal for resource '{resource}' is disabled. This indicates that a subscription within the "
        "tenant has lapsed, or that the administrator for this tenant has disabled the application.",
    ),
    500112: Kind(
        "invalid_client",
        "The reply address '{redirect_uri}' does not match the reply address '{expected}' provided when requesting "
        "Authorization code.",
    ),
    500131: Kind(
        "invalid_grant",
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was "
        "'{audience}' and the expected audience is '{app}' or one of the Application Uris of this application with App "
        "ID '{app}'({name}). The downstream client must request a token for the expected audience (the application "
        "that made the OBO request) and this application should use that token as the assertion.",
    ),
    500133: Kind(
        "invalid_grant",
        "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for "
        "user assertion, or request a new token. Current time: {now}, expiry time of assertion {end}.",
    ),
    501051: Kind(
        "invalid_grant",
        "Application '{app}'({name}) is not assigned to a role for the application '{resource}'({owner}).",
    ),
    501481: Kind(
        "invalid_grant", "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    ),
    501491: Kind("invalid_request", "Invalid size of Code_Challenge parameter."),
    650053: Kind(
        "invalid_client",
        "The application '{name}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact "
        "the app vendor.",
    ),
    650057: Kind(
        "invalid_client",
        "Invalid resource. The client has requested access to a resource which is not listed in the requested "
        "permissions in the client's application registration. Client app ID: {app}({name}). Resource value from "
        "request: {resource}.",
    ),
    700016: Kind(
        "unauthorized_client",
        "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    700024: Kind(
        "invalid_client",
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, "
        "expiry time of assertion {end}.",
        401,
    ),
    700025: Kind(
        "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.", 401
    ),
    700027: Kind("invalid_client", "Client assertion failed signature validation: {reason}.", 401),
    700054: Kind("unsupported_response_type", "response_type '{response_type}' is not enabled for the application."),
    700211: Kind(
        "invalid_client", "No matching federated identity record found for presented assertion issuer '{issuer}'.", 401
    ),
    700212: Kind(
        "invalid_client",
        "No matching federated identity record found for presented assertion audience '{audience}'.",
        401,
    ),
    700213: Kind(
        "invalid_client",
        "No matching federated identity record found for presented assertion subject '{subject}'. Check your federated "
        "identity credential Subject, Audience and Issuer against the presented assertion.",
        401,
    ),
    900144: Kind("invalid_request", "The request body must contain the following parameter: '{name}'."),
    900561: Kind("invalid_request", "The endpoint only accepts POST requests. Received a {method} request.", 405),
    901002: Kind("invalid_request", "The '{name}' request parameter is not supported."),
    1002012: Kind(
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    7000112: Kind("unauthorized_client", "Application '{app}'({name}) is disabled."),
    7000114: Kind(
        "invalid_grant", "Application '{app}'({name}) is not allowed to make application on-behalf-of calls."
    ),
    7000215: Kind(
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the client secret ID, for a secret added to app '{app}'.",
        401,
    ),
    7000218: Kind(
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        401,
    ),
    7000222: Kind("invalid_client", "The provided client secret keys for app '{app}' are expired.", 401),
    7000229: Kind(
        "unauthorized_client",
        "The client application {app} is missing service principal in the tenant {tenant}. Create it with "
        "azuread_service_principal.",
    ),
    9000411: Kind("invalid_request", "The request is not properly formatted. The parameter '{name}' is duplicated."),
    9002313: Kind("invalid_request", "Invalid request. Request is malformed or invalid. {reason}"),
    9002325: Kind(
        "invalid_request", "Proof Key for Code Exchange is required for cross-origin authorization code redemption."
    ),
    9002326: Kind(
        "invalid_request",
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request "
        "origin: '{origin}'.",
    ),
    9002327: Kind(
        "invalid_request",
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    ),
    9010010: Kind(
        "invalid_target",
        "The resource parameter provided in the request doesn't match with the requested scopes.",
    ),
}


class EntraError(EmulatorError):
    """A refused request; `details` fill the gaps of the code's sentence."""

    def __init__(self, code: int, **details: object) -> None:
        kind = KINDS[code]
        self.code = code
        self.error = kind.error
        self.status = kind.status
        self.suberror = kind.suberror
        #: What a client has to ask for at the next sign-in ("Claims challenges, claims requests, client capabilities").
        self.claims = ""
        self.message = f"AADSTS{code}: {kind.text.format_map(details).strip()}"
        super().__init__(self.message)


def timestamp(now: float) -> str:
    """Seconds since the epoch as Entra prints them: `2026-11-20 09:30:00Z`."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now))


def body(error: EntraError, now: float, correlation_id: str | None = None) -> dict[str, Any]:
    """The JSON that the token endpoint answers with ("Microsoft identity platform and OAuth 2.0", error response)."""
    trace, correlation, at = str(uuid.uuid4()), correlation_id or str(uuid.uuid4()), timestamp(now)
    answer: dict[str, Any] = {
        "error": error.error,
        "error_description": f"{error.message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
        "error_codes": [error.code],
        "timestamp": at,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={error.code}",
    }
    if error.suberror:
        answer["suberror"] = error.suberror
    if error.claims:
        answer["claims"] = error.claims
    return answer
