"""`grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`: a service exchanges its caller's token for another API's.

"Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow", 2026: the assertion is an access token for the service
itself, of a person; the new one is that person's, for an API that the service was granted.
"""

from __future__ import annotations

import json
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from emulators.entra.assertions import unverified_claims
from emulators.entra.directory import Application, Platform, User
from emulators.entra.errors import EntraError, timestamp
from emulators.entra.grants import client_auth
from emulators.entra.grants.request import TokenRequest
from emulators.entra.grants.user_tokens import SignIn, respond
from emulators.entra.issuer import Issuer

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: The id of the one policy that there is: conditional access is `needs_mfa` of a person, and nothing else.
POLICY = "9ab03e19-0000-4000-8000-000000000001"


def redeem(issuer: Issuer, request: TokenRequest) -> dict[str, Any]:
    client = issuer.client(request.get("client_id"))
    issuer.check_tenant(request.tenant, client)
    if request.need("requested_token_use") != "on_behalf_of":
        raise EntraError(9002313, reason="requested_token_use must be on_behalf_of.")
    scope = request.need("scope")
    proof = client_auth.check_credential(issuer, request, client)
    claims = _verified(issuer, request.need("assertion"))
    _require_audience(client, claims)
    if not claims.get("scp"):
        raise EntraError(7000114, app=client.client_id, name=client.name)
    user = issuer.user(str(claims.get("oid")))
    _require_session(user, claims, client)
    return respond(issuer, request, SignIn(client, Platform.WEB, user, scope, proof))


def _verified(issuer: Issuer, assertion: str) -> dict[str, Any]:
    """The claims of a token that this issuer signed and that has not expired."""
    try:
        unverified_claims(assertion)
        keys = KeySet.import_key_set({"keys": issuer.keys.public()})
        found = jwt.decode(assertion, keys, algorithms=["RS256"]).claims
    except EntraError as error:
        raise EntraError(50027) from error
    # As with assertions of clients: a malformed header may surface as a TypeError.
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise EntraError(50013, reason=type(error).__name__) from error
    now = issuer.clock()
    if not float(found["nbf"]) <= now < float(found["exp"]):
        raise EntraError(500133, now=timestamp(now), end=timestamp(float(found["exp"])))
    return dict(found)


def _require_audience(client: Application, claims: dict[str, Any]) -> None:
    """Whoever holds a token for somebody else must not become its person elsewhere."""
    if not client.identifies(str(claims.get("aud"))):
        raise EntraError(500131, audience=claims.get("aud"), app=client.client_id, name=client.name)


def _require_session(user: User, claims: dict[str, Any], client: Application) -> None:
    """Refuse what only the person at a browser can mend, with the claims that their client asks for then."""
    if float(claims["iat"]) < user.sessions_valid_from:
        raise EntraError(50173, issued=timestamp(float(claims["iat"])), valid_from=timestamp(user.sessions_valid_from))
    if user.needs_mfa:
        error = EntraError(50076, resource=client.name)
        error.claims = json.dumps({"access_token": {"polids": {"essential": True, "values": [POLICY]}}})
        raise error
