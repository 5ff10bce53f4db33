"""What `deploy` looks at on Azure before it says that it is done: that callers get through to each server.

A call without a token must be challenged, which only the gateway proves. A call with the signed-in account's own token
goes through to a container and its database: it meets a stale address, a server that refuses the gateway, a missing
role. For tiers that this account cannot call, the addresses are compared instead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from functools import partial

from ops.checks import azure_probes, smoke
from ops.checks.probes import NotRun, Target
from ops.checks.smoke import Called, Seen
from ops.cli.steps import Runner
from ops.clients import access_token
from ops.clients.outputs import Platform
from ops.config import roles as roles_of
from ops.config import servers as configured
from ops.config.environment import Environment
from ops.errors import AzError, OpsError, SmokeError

# What was made a moment ago serves late: a role reaches the gateway's token and a policy its units within minutes.
_PATIENCE = 300.0  # seconds
_PAUSE = 10.0


def check(environment: Environment, platform: Platform, runner: Runner) -> None:
    """Call every server; SmokeError names the tier that does not answer, and what to look at."""
    if not platform.endpoints:
        return
    token, why = _token(platform)
    roles = _roles(token)
    called: list[Called] = []
    for server, endpoint in platform.endpoints.items():
        with runner.progress(f"smoke test {server}") as result:
            answered = smoke.http_status(endpoint)
            smoke.require_challenge(endpoint, answered)
            result.append(f"no token: {answered}")
            found = _tiers(environment, server, endpoint, token, roles, why)
            result.extend(one.text for one in found)
            called += found
        for warning in (sentence for one in found for sentence in one.warnings):
            runner.warn(warning)
    if not all(one.called for one in called):
        _compare_addresses(environment, platform, runner)


def _tiers(
    environment: Environment, server: str, endpoint: str, token: str, roles: Collection[str], why: str
) -> list[Called]:
    tiers = roles_of.tiers(environment, server)
    if not token:
        return [Called(tier, False, f"{tier}: not called, {why}") for tier in tiers]
    if configured.acts_as_caller(environment.servers.get(server)) and not access_token.claims(token).get("scp"):
        why = "as it acts as the person who calls, and an application is signed in"
        return [Called(tier, False, f"{tier}: not called, {why}") for tier in tiers]
    of_others = configured.is_of_others(environment.servers.get(server))
    if environment.variables.get("authorization") == "groups":
        return [_by_groups(environment, endpoint, token, of_others=of_others)]
    return smoke.call_tiers(
        endpoint,
        tiers,
        roles,
        lambda tier: _patiently(environment, partial(_see, endpoint, token, tier)),
        of_others=of_others,
    )


def _by_groups(environment: Environment, endpoint: str, token: str, *, of_others: bool) -> Called:
    """Call once: which tier answers is for the caller's groups to say, and these the gateway alone compares."""
    if smoke.http_status(endpoint, token) == 403:
        return Called("", False, "not called, as your account is in none of the groups")
    seen = _patiently(environment, partial(_see, endpoint, token, "caller"))
    warnings = smoke.require_reading_call(endpoint, "yours", seen, of_others=of_others)
    return Called("", False, f"the tier of your groups: {smoke.answered(seen)}", warnings)


def _see(endpoint: str, token: str, user: str) -> Seen:
    return asyncio.run(smoke.see(endpoint, token, user))


def _patiently(environment: Environment, see: Callable[[], Seen]) -> Seen:
    """Return what is seen, trying for some minutes; SmokeError then says what to look at."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return see()
        except SmokeError as error:
            if time.monotonic() > deadline:
                raise SmokeError(
                    f"{error}; `invoke verify --env {environment.name}` says what is wrong, and `invoke heal --env "
                    f"{environment.name}` mends an address that changed"
                ) from error
            time.sleep(_PAUSE)


def _token(platform: Platform) -> tuple[str, str]:
    """Return the signed-in account's token, or why there is none."""
    try:
        return access_token.signed_in(platform), ""
    except OpsError as error:
        return "", f"as {error}"


def _roles(token: str) -> Collection[str]:
    return set(access_token.claims(token).get("roles") or ()) if token else ()


def _compare_addresses(environment: Environment, platform: Platform, runner: Runner) -> None:
    """Compare each container's address with its record, for what no call proved; SmokeError where one is stale."""
    with runner.progress("addresses") as result:
        try:
            result.append(azure_probes.addresses(Target(environment, platform)))
        except (NotRun, AzError) as reason:
            result.append(f"not compared: {reason}")
