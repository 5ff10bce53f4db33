"""Access tokens for people at a terminal."""

from __future__ import annotations

import base64
import json
from typing import Any

from ops.cli import output
from ops.clients import outputs
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.errors import NotDeployedError, OpsError, UsageError

USERS = ("admin", "reader", "outsider")
_ROLES = {"admin": "Mcp.Admin", "reader": "Mcp.Read"}


def mint(environment: Environment, platform: Platform, user: str) -> str:
    """Return a token of that user: minted by the twin's issuer locally, of whoever is signed in on Azure."""
    require_known(user)
    if environment.is_local:
        return _local(platform, user)
    return checked(signed_in(platform), user)


def print_token(environment: Environment, user: str) -> None:
    """Print nothing but the token, so that it can be captured."""
    require_known(user)
    output.data(mint(environment, outputs.deployed(environment), user))


def require_known(user: str) -> None:
    """Raise UsageError for anybody but the three people of the documentation."""
    if user not in USERS:
        raise UsageError(f"user {user!r} is unknown; --as is one of: {', '.join(USERS)}")


def checked(token: str, user: str) -> str:
    """Return the token, if its roles are those of `user`: on Azure nobody can become somebody else."""
    roles = set(claims(token).get("roles") or ())
    wanted = _ROLES.get(user)
    fits = wanted in roles if wanted else not roles & set(_ROLES.values())
    if not fits:
        has = ", ".join(sorted(roles)) or "no role"
        raise OpsError(
            f"the signed-in account has {has}, which is not --as {user}; sign in as such a user with `az login`"
        )
    return token


def claims(token: str) -> dict[str, Any]:
    """Return a token's payload, unverified: for showing and choosing, never for trusting."""
    try:
        payload = token.split(".")[1]
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError) as error:
        raise OpsError("the issuer answered something that is not a JWT; check `invoke status`") from error
    return found


def _local(platform: Platform, user: str) -> str:
    from twin.sign_in import sign_in

    if not platform.client_id:
        raise NotDeployedError(
            "mcp_clients is empty, so nobody can sign in; add an entry to terraform.tfvars and deploy"
        )
    return sign_in(platform.authority, platform.client_id, platform.scope, user)


def signed_in(platform: Platform) -> str:
    """Return a token of whoever is signed in on Azure, whatever its roles; OpsError says why there is none."""
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import DefaultAzureCredential

    try:
        return DefaultAzureCredential().get_token(platform.scope).token
    except ClientAuthenticationError as error:
        why = str(error).splitlines()[0]
        raise OpsError(
            f"nobody is signed in that may have a token for {platform.scope} ({why}); run `az login`"
        ) from error
