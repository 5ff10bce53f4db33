"""`invoke status`: what is deployed, and whether it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops import output, platform, smoke, terraform_binary, twin_control, workspace
from ops.environment import Environment
from ops.errors import NotDeployedError, SmokeError
from ops.platform import Platform
from twin import control
from twin.state import State
from twin.supervise.status import Status

Answer = Callable[[str], int]
"""An endpoint's HTTP status to a call without a token; SmokeError where nothing answers."""


def document(environment: Environment, answer: Answer = smoke.status) -> dict[str, Any]:
    """The documented object (docs: Commands). Nothing deployed is a valid answer: empty, and `healthy` false."""
    try:
        reached, state, running = _look(environment)
    except NotDeployedError as error:
        return {**_empty(environment), "reason": str(error)}
    problems = _problems(environment, reached, running, answer)
    found = {
        **_empty(environment),
        "healthy": not problems,
        "endpoint": reached.endpoint(reached.servers[0]) if reached.servers else "",
        "servers": {name: _server(reached, name, state, running) for name in reached.servers},
        "authority": reached.authority,
        "tenant_id": reached.tenant_id,
        "client_id": reached.client_id,
        "scope": reached.scope,
        "gateway": reached.gateway,
        "mongodb_uri": running.mongodb_uri if running else "",
        "pids": {name: part.pid for name, part in running.parts.items() if part.pid} if running else {},
    }
    return {**found, "reason": "; ".join(problems)} if problems else found


def show(environment: Environment, *, as_json: bool) -> None:
    """Prints it; NotDeployedError (exit code 1) where the platform does not answer."""
    found = document(environment)
    if as_json:
        output.data_json(found)
    else:
        output.table("", ("", ""), rows(found))
    if not found["healthy"]:
        raise NotDeployedError(found["reason"])


def rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The same for people; the database's address holds a key, so only machines that ask for JSON get it."""
    plain = [
        (name, str(found[name]))
        for name in ("env", "healthy", "endpoint", "gateway", "authority", "client_id", "scope")
    ]
    tiers = [
        (f"{name} {tier}", url) for name, server in found["servers"].items() for tier, url in server["tiers"].items()
    ]
    pids = [(f"process {name}", str(pid)) for name, pid in found["pids"].items()]
    reason = [("reason", found["reason"])] if "reason" in found else []
    return [(name, value) for name, value in (*plain, *tiers, *pids, *reason) if value]


def deployed(environment: Environment) -> tuple[Platform, State]:
    """The platform as it was applied, whether it runs or not; NotDeployedError where nothing is."""
    if environment.is_local:
        return platform.from_home(environment, twin_control.choose_ports(environment))
    with workspace.opened(environment, terraform_binary.find(), {}) as space:
        for stage in space.stages:
            space.terraform.init(stage)
        state = State.from_show_json(*space.shown())
    return platform.read(environment, state, {}), state


def _look(environment: Environment) -> tuple[Platform, State, Status | None]:
    reached, state = deployed(environment)
    return reached, state, control.status(environment.home) if environment.is_local else None


def _problems(environment: Environment, reached: Platform, running: Status | None, answer: Answer) -> list[str]:
    if environment.is_local and running is None:
        return ["the platform is not running; start it with `invoke deploy`"]
    ill = (
        [f"{name} is {part.state} {part.detail}".strip() for name, part in running.parts.items() if not part.healthy]
        if running
        else []
    )
    return ill + [problem for name in reached.servers for problem in _unanswered(reached.endpoint(name), answer)]


def _unanswered(endpoint: str, answer: Answer) -> list[str]:
    try:
        smoke.require_challenge(endpoint, answer(endpoint))
    except SmokeError as error:
        return [str(error)]
    return []


def _server(reached: Platform, name: str, state: State, running: Status | None) -> dict[str, Any]:
    tiers: dict[str, str] = {}
    for group in state.of_type("azurerm_container_group"):
        env = _plain_environment(group)
        if env.get("MCP_SERVER_NAME") == name:
            tiers.setdefault(env.get("MCP_TIER", group["name"]), _url(group, running))
    return {"url": reached.endpoint(name), "tiers": tiers}


def _plain_environment(group: Any) -> dict[str, str]:
    containers = group.get("container") or [{}]
    return dict(containers[0].get("environment_variables") or {})


def _url(group: Any, running: Status | None) -> str:
    """Locally the process that stands for the container, on Azure its private address."""
    if running is None:
        return f"http://{group.get('ip_address', '')}"
    part = next((part for name, part in running.parts.items() if name.startswith(str(group["name"]))), None)
    return f"http://127.0.0.1:{part.port}" if part and part.port else ""


def _empty(environment: Environment) -> dict[str, Any]:
    return {
        "env": environment.name,
        "healthy": False,
        "endpoint": "",
        "servers": {},
        "authority": "",
        "tenant_id": "",
        "client_id": "",
        "scope": "",
        "gateway": "",
        "mongodb_uri": "",
        "pids": {},
    }
