"""Health checks of a rolling update: whether what was changed serves, before the next slot is touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from ops import local_platform
from ops.azure import az
from ops.checks import smoke
from ops.cli import output
from ops.cli.steps import Runner, Step, until
from ops.clients import access_token, people
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.config.roles import OUTSIDER, tiers
from ops.config.servers import slot_letters
from ops.errors import NotDeployedError, OpsError, SmokeError
from ops.local_platform import Ports

_TIMEOUT = 300.0  # seconds in which a new container group must serve
_PAUSE = 2.0
_CALLS = 3  # through the gateway, one after the other, per slot that a server has


def check_local(environment: Environment, ports: Ports, publish: Callable[[], Platform]) -> None:
    """Wait until the twin serves the new state, its circuit breakers have closed, and the gateway answers.

    While the breaker of a changed slot is still open the gateway sends it nothing: replacing the next slot then would
    leave nobody to answer.
    """
    platform = publish()
    local_platform.start_or_reload(environment, ports)
    time.sleep(platform.breaker_seconds)
    require_answers(environment, platform)


def check_azure(
    environment: Environment, groups: Sequence[str], publish: Callable[[], Platform], runner: Runner
) -> None:
    """Wait until Azure says that the groups run, their circuit breakers have closed, and the gateway answers."""
    for group in groups:
        runner.run(_wait_until_running(environment, group))

    def act() -> None:
        platform = publish()
        time.sleep(platform.breaker_seconds)
        require_answers(environment, platform)

    runner.run(Step(act, None))


def require_answers(environment: Environment, platform: Platform) -> None:
    """Call each server several times through the gateway; SmokeError unless each call is answered.

    Where nobody can sign in, each call must be challenged.
    """
    tokens = {server: _token(environment, platform, server) for server in platform.endpoints}
    if without := [server for server, token in tokens.items() if token is None]:
        output.warn(
            f"nobody who is signed in has a role on {', '.join(without)}: the gateway is asked without a token there, "
            "which proves less"
        )
    for server, endpoint in platform.endpoints.items():
        token = tokens[server]
        for _ in range(_CALLS * len(slot_letters(environment, server))):
            answered = smoke.http_status(endpoint, token)
            if answered != (200 if token else 401):
                raise SmokeError(
                    f"{endpoint} answers {answered} after one slot was changed, so the other slots were left alone; "
                    "see `invoke logs`, then `invoke rollback`"
                )


def _wait_until_running(environment: Environment, group: str) -> Step[None]:
    resource_group = environment.need("RESOURCE_GROUP")
    show = ("container", "show", "--resource-group", resource_group, "--name", group)
    state = (*show, "--query", "instanceView.state")

    def act() -> None:
        deadline = time.monotonic() + _TIMEOUT
        while (found := az.run(*state)) != "Running":
            if time.monotonic() > deadline:
                raise NotDeployedError(
                    f"{group} is {found or 'in no state'} after {_TIMEOUT:.0f} s, so the other slots were left alone; "
                    f"see `az container logs --resource-group {resource_group} --name {group}`, then "
                    f"`invoke rollback --env {environment.name}`"
                )
            time.sleep(_PAUSE)

    return Step(act, None, (until(f'[ "$({az.command(*state, "--output", "tsv")})" = Running ]', _PAUSE),))


def _token(environment: Environment, platform: Platform, server: str) -> str | None:
    """Return a token that opens the server, of a role that only reads where there is one; None where there is none."""
    if environment.is_local:
        user = people.caller(environment, platform, server)
        return None if user == OUTSIDER else access_token.mint(environment, platform, user)
    for role in reversed(tiers(environment, server).values()):
        with suppress(OpsError):
            return access_token.mint(environment, platform, role)
    return None
