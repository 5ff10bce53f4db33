"""`invoke status`: what is deployed, and whether it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from emulators.base.errors import EmulatorError
from emulators.base.files import read_object
from emulators.base.state import Resource, State
from ops.checks import smoke
from ops.cli import output
from ops.clients import access_token, outputs, people
from ops.clients.outputs import Platform
from ops.config import roles
from ops.config.environment import Environment
from ops.config.servers import apps
from ops.errors import NotDeployedError, SmokeError, UsageError
from twin import control
from twin.console.config import address
from twin.supervise.status import Status


class Answer(Protocol):
    """An endpoint's HTTP status to a call; SmokeError where nothing answers."""

    def __call__(self, endpoint: str, token: str | None = None, /) -> int: ...


Where = Callable[[Resource], str]
"""A container group's URL."""


def document(environment: Environment, answer: Answer = smoke.http_status, *, secrets: bool = False) -> dict[str, Any]:
    """Return the documented object (docs: Commands). Nothing deployed is a valid answer: empty, and `healthy` false.

    A `reason` is added where it is not healthy. Without `secrets` the database's key is masked.
    """
    try:
        platform, state = _look(environment)
    except NotDeployedError as error:
        return {**_EMPTY, "env": environment.name, "reason": str(error)}
    running = control.status(environment.home) if environment.is_local else None
    where = _local_url(running) if environment.is_local else _private_url
    if environment.is_local and running is None:
        problems = [
            control.damage(environment.home) or f"{environment.name} is not running; start it with `invoke deploy`"
        ]
    else:
        problems = [*_unhealthy(running), *unreachable(running), *_unanswered(environment, platform, answer)]
    endpoints = outputs.in_order(environment, platform)
    found = {
        "env": environment.name,
        "healthy": not problems,
        "endpoint": next(iter(endpoints.values()), ""),
        "servers": {
            name: {
                "url": url,
                "tiers": _tiers(name, state, where),
                "roles": dict(roles.tiers(environment, name)),
                **_replicas(environment, name),
                **_elsewhere(environment, name),
            }
            for name, url in endpoints.items()
        },
        "authority": platform.authority,
        "tenant_id": platform.tenant_id,
        "client_id": platform.client_id,
        "scope": platform.scope,
        "gateway": platform.gateway,
        "registry": f"{platform.registry}/v0.1/servers" if platform.registry else "",
        "mongodb_uri": _uri(running, secrets=secrets),
        "database": running.database if running else "",
        "console": _console(environment, running),
        "pids": {name: part.pid for name, part in running.parts.items() if part.pid} if running else {},
    }
    return {**found, "reason": "; ".join(problems)} if problems else found


def report(environment: Environment, *, as_json: bool, secrets: bool = False) -> None:
    """Print it; NotDeployedError (exit code 1) where the platform does not answer."""
    if secrets and not as_json:
        raise UsageError("--secrets needs --json beside it: the table for people never holds the database's key")
    found = document(environment, secrets=secrets)
    if as_json:
        output.data_json(found)
    else:
        parts = _parts(found)
        shown = [row for row in rows(found) if row not in parts and row[0] != "reason"]  # the error says it
        if found["console"] and output.console.is_terminal:  # it holds a key, which no log needs
            shown.append(("console", found["console"]))
        output.facts(shown)
        output.facts(parts)
    if not found["healthy"]:
        raise NotDeployedError(found["reason"])


def print_console_address(environment: Environment) -> None:
    """Print the address of the platform's own page; NotDeployedError where there is none."""
    found = _console(environment, control.status(environment.home)) if environment.is_local else ""
    if not found:
        raise NotDeployedError(
            f"{environment.name} has no console: only a local platform that runs has; `invoke deploy`"
        )
    output.data(found)


def rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the same for people, without the database's address, which only machines need."""
    names = ("gateway", "registry", "authority", "client_id", "scope", "database")
    plain = [
        ("env", found["env"]),
        ("healthy", "yes" if found["healthy"] else "no"),
        *(("endpoint", server["url"]) for server in found["servers"].values()),
        *((name.replace("_", " "), str(found[name])) for name in names),
    ]
    reason = [("reason", found["reason"])] if "reason" in found else []
    return [(name, value) for name, value in (*plain, *_parts(found), *reason) if value]


def _parts(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return tiers and processes apart: their names are long, and would move every address to the right."""
    tiers = [
        (f"{name} {tier}", _with_replicas(url, server.get("replicas", {}).get(tier)))
        for name, server in found["servers"].items()
        for tier, url in server["tiers"].items()
    ]
    tiers += [(f"{name} elsewhere", server.get("remote", "")) for name, server in found["servers"].items()]
    return [(name, value) for name, value in tiers if value] + [
        (f"process {name}", str(pid)) for name, pid in found["pids"].items()
    ]


def _look(environment: Environment) -> tuple[Platform, State]:
    if environment.is_local:
        return outputs.load(environment.home, environment.name), State.load(environment.home / "run" / "state.json")
    return outputs.applied(environment)


def unreachable(running: Status | None) -> list[str]:
    """Return what production could not connect, a sentence each: a missing DNS record, a port that a rule denies, …"""
    return list(running.unreachable.values()) if running else []


def _unhealthy(running: Status | None) -> list[str]:
    parts = running.parts.items() if running else ()
    return [f"{name} is {part.state}: {part.detail}".removesuffix(": ") for name, part in parts if not part.healthy]


def _unanswered(environment: Environment, platform: Platform, answer: Answer) -> list[str]:
    """Return what is wrong with the answers to somebody without a token and, where anybody can become one, to a caller.

    The second call goes through to a server, which must accept the gateway's own token.
    """
    problems = []
    for server, endpoint in platform.endpoints.items():
        try:
            smoke.require_challenge(endpoint, answer(endpoint))
            if environment.is_local and platform.client_id:
                caller = people.caller(environment, platform, server)
                answered = answer(endpoint, access_token.mint(environment, platform, caller))
                # A server elsewhere may want a session first, and its own refusals come as 502.
                said = _elsewhere(environment, server) and 400 <= answered < 500 and answered != 401
                if answered not in (200, 403) and not said:  # a tier that nobody here gets is no fault
                    problems.append(f"{endpoint} answers {answered} to a signed-in caller; see `invoke logs`")
        except (SmokeError, EmulatorError) as error:
            problems.append(str(error))
    return problems


def _uri(running: Status | None, *, secrets: bool) -> str:
    """Return the database's address; what is printed ends up in logs, so its password is masked."""
    uri = running.mongodb_uri if running else ""
    return uri if secrets else re.sub(r"(?<=//)([^:/@]*):.*@", r"\1:***@", uri)


def _console(environment: Environment, running: Status | None) -> str:
    """Return the address of the platform's own page, with its key; empty where there is none."""
    part = running.parts.get("console") if running else None
    return address(environment.home, part.port) if part is not None and part.port else ""


def _tiers(server: str, state: State, where: Where) -> dict[str, str]:
    """Return the URL of each tier's first slot, or of its app inside the network."""
    tiers: dict[str, str] = {}
    for group in state.of_type("azurerm_container_group"):
        env = group.block("container").get("environment_variables") or {}
        if env.get("MCP_SERVER_NAME") == server:
            tiers.setdefault(str(env.get("MCP_TIER")), where(group))
    for app in state.of_type("azurerm_container_app"):
        variables = (app.block("template").get("container") or [{}])[0].get("env") or ()
        env = {variable["name"]: variable.get("value") for variable in variables}
        if env.get("MCP_SERVER_NAME") == server:
            tiers[str(env.get("MCP_TIER"))] = f"https://{app.block('ingress').get('fqdn', '')}"
    return tiers


def _replicas(environment: Environment, server: str) -> dict[str, dict[str, int]]:
    """Return how many replicas of each of a server's apps are ready on this machine; nothing of other servers."""
    ours = {app.name: app.tier for app in apps(environment).values() if app.server == server}
    if not ours or not environment.is_local:
        return {}
    held = read_object(environment.home / "run" / "apps.status.json")
    ready = {
        tier: sum(
            one["state"] == "healthy" and not one["leaving"] for one in held.get(app, {}).get("replicas", {}).values()
        )
        for app, tier in ours.items()
    }
    return {"replicas": ready}


def _with_replicas(url: str, number: int | None) -> str:
    return url if number is None else f"{url}  {number} replica{'' if number == 1 else 's'}"


def _elsewhere(environment: Environment, server: str) -> dict[str, str]:
    """Return where a server elsewhere is; nothing for one that runs here, in its tiers."""
    remote = (environment.servers.get(server) or {}).get("remote")
    return {"remote": str(remote["url"])} if remote else {}


def _private_url(group: Resource) -> str:
    """Return the address inside the virtual network."""
    port = (group.block("container").get("ports") or [{}])[0].get("port", "")
    return f"http://{group.get('ip_address', '')}:{port}"


def _local_url(running: Status | None) -> Where:
    """Return the address of the process that stands for the container; empty where it does not run."""

    def where(group: Resource) -> str:
        part = running.parts.get(str(group["name"])) if running else None
        return f"http://127.0.0.1:{part.port}" if part and part.port else ""

    return where


_EMPTY: dict[str, Any] = {
    "env": "",
    "healthy": False,
    "endpoint": "",
    "servers": {},
    "authority": "",
    "tenant_id": "",
    "client_id": "",
    "scope": "",
    "gateway": "",
    "registry": "",
    "mongodb_uri": "",
    "database": "",
    "console": "",
    "pids": {},
}
