"""Who is calling: the access token's signature, tenant, lifetime and audience are checked, as each service does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from emulators.arm.call import Caller
from emulators.arm.errors import AzureError
from emulators.base import well_known

MANAGEMENT = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
GRAPH = frozenset({"https://graph.microsoft.com", well_known.GRAPH})
REGISTRY = MANAGEMENT | {"https://containerregistry.azure.net"}
VAULT = frozenset({"https://vault.azure.net"})
DEVOPS = frozenset({well_known.DEVOPS})
STORAGE = frozenset({"https://storage.azure.com"})


def key_id(authorization: str) -> str | None:
    """Which key the token says that it was signed with; None for what is no token."""
    try:
        header = jws.extract_compact(authorization.partition(" ")[2].encode()).headers()
    except (JoseError, ValueError):
        return None
    found = header.get("kid")
    return found if isinstance(found, str) else None


def read(
    authorization: str,
    keys: KeySet,
    tenant_id: str,
    audiences: frozenset[str],
    now: float,
    name_of: Callable[[str], str],
) -> Caller:
    """The caller. A bad token is a 401 with the reason."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise _refused(f"The authentication scheme '{scheme}' is not supported.")
    claims = _claims(text, keys)
    if claims.get("tid") != tenant_id:
        raise AzureError(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.")
    if not float(claims.get("nbf", 0)) <= now < float(claims.get("exp", 0)):
        raise AzureError(401, "ExpiredAuthenticationToken", "The access token expiry is in the past.")
    if str(claims.get("aud")).rstrip("/") not in audiences:
        raise AzureError(
            401,
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{claims.get('aud')}'. It should "
            f"exactly match with one of the allowed audiences {', '.join(sorted(audiences))}.",
        )
    return _caller(claims, name_of)


def _caller(claims: dict[str, Any], name_of: Callable[[str], str]) -> Caller:
    object_id = str(claims["oid"])
    return Caller(
        object_id=object_id,
        name=name_of(object_id),
        client_id=str(claims.get("appid") or claims.get("azp")),
        is_app="scp" not in claims,
        audience=str(claims["aud"]),
        permissions=frozenset(claims.get("roles") or ()),
    )


def _claims(text: str, keys: KeySet) -> dict[str, Any]:
    try:
        return dict(jwt.decode(text, keys, algorithms=["RS256"]).claims)
    except (JoseError, ValueError, TypeError) as error:
        raise _refused(f"The access token is invalid ({type(error).__name__}).") from error


def _refused(message: str) -> AzureError:
    return AzureError(401, "InvalidAuthenticationToken", message)
