"""Access tokens for people at a terminal."""

from __future__ import annotations

import base64
import json
from typing import Any

from ops.cli import output
from ops.clients import outputs
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.config.roles import ALIASES, OUTSIDER, named, roles
from ops.errors import NotDeployedError, OpsError, UsageError


def mint(environment: Environment, platform: Platform, user: str) -> str:
    """Return a token of that user or of somebody with that role; of whoever is signed in on Azure, if the roles fit."""
    require_known(environment, user)
    if environment.is_local:
        return _local(environment, platform, user)
    return checked(environment, signed_in(platform), user)


def print_token(environment: Environment, user: str) -> None:
    """Print nothing but the token, so that it can be captured."""
    require_known(environment, user)
    output.data(mint(environment, outputs.deployed(environment), user))


def require_known(environment: Environment, user: str) -> None:
    """Raise UsageError for a name that is neither a role, nor a person of the local directory."""
    people = [*ALIASES, OUTSIDER]
    if environment.is_local:
        people += [name for name in environment.variables.get("groups") or {} if name not in people]
    known = [*people, *(role.name for role in roles(environment))]
    if user not in known:
        raise UsageError(f"user {user!r} is unknown; --as is one of: {', '.join(known)}")


def checked(environment: Environment, token: str, user: str) -> str:
    """Return the token, if its roles are those of `user`: on Azure nobody can become somebody else."""
    held = set(claims(token).get("roles") or ())
    if user == OUTSIDER:
        fits = held.isdisjoint(role.name for role in roles(environment))
    else:
        fits = (named(environment, user) if user in ALIASES else user) in held
    if not fits:
        has = ", ".join(sorted(held)) or "no role"
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


def _local(environment: Environment, platform: Platform, user: str) -> str:
    from twin.sign_in import sign_in

    if not platform.client_id:
        raise NotDeployedError(
            "mcp_clients is empty, so nobody can sign in; add an entry to terraform.tfvars and deploy"
        )
    if user in {role.name for role in roles(environment)}:
        from ops.clients import people

        found = people.holder(people.local(environment, platform), user)
        if found is None:
            raise OpsError(
                f"nobody in the local directory has the role {user}: give it a group in roles, of which the local "
                "directory then has somebody, and run `invoke deploy`"
            )
        user = found.key
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
