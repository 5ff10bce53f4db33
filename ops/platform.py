"""What a deployed platform offers its clients, read from the applied state: the same for Azure and for the twin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.environment import Environment
from ops.errors import NotDeployedError
from ops.ports import Ports
from twin.errors import StateError
from twin.state import State

_SCOPE = "Mcp.Access"
_CLIENT = re.compile(r'client_apps\["(?P<name>[^"]+)"\]')


@dataclass(frozen=True)
class Platform:
    """`gateway` and `authority` are URLs without trailing slash; `clients` maps `mcp_clients` names to client ids."""

    gateway: str
    authority: str
    tenant_id: str
    scope: str
    servers: tuple[str, ...]
    clients: Mapping[str, str]

    def endpoint(self, server: str) -> str:
        return f"{self.gateway}/{server}/mcp"

    @property
    def client_id(self) -> str:
        """The client that people's own tools sign in with."""
        if "desktop" in self.clients:
            return self.clients["desktop"]
        return next(iter(self.clients.values()), "")


def read(environment: Environment, state: State, variables: Mapping[str, str]) -> Platform:
    """`variables` are the `-var` arguments that stage 2 was applied with; NotDeployedError where nothing is applied."""
    try:
        api = _application_with_scope(state)
        gateway = (
            variables.get("public_base_url") or environment.variables.get("public_base_url") or _gateway_url(state)
        )
        authority = variables.get("entra_authority") or environment.variables.get("entra_authority")
        tenant_id = tenant(state)
    except StateError as error:
        raise NotDeployedError(
            f"{environment.name} is not deployed ({error}); run `invoke deploy --env {environment.name}`"
        ) from error
    return Platform(
        gateway=str(gateway).rstrip("/"),
        authority=f"{str(authority or 'https://login.microsoftonline.com').rstrip('/')}/{tenant_id}/v2.0",
        tenant_id=tenant_id,
        scope=f"api://{api['client_id']}/{_SCOPE}",
        servers=tuple(environment.servers),
        clients=_clients(state),
    )


def from_home(environment: Environment, ports: Ports) -> tuple[Platform, State]:
    """The local platform, from what the last `deploy` left for the twin."""
    path = state_file(environment.home)
    if not path.exists():
        raise NotDeployedError(f"{environment.name} is not deployed; run `invoke deploy --env {environment.name}`")
    state = State.load(path)
    return read(environment, state, ports.variables(environment)), state


def state_file(home: Path) -> Path:
    return home / "run" / "state.json"


def tenant(state: State) -> str:
    """The tenant that the vault belongs to: the deployment's own."""
    vaults = state.of_type("azurerm_key_vault")
    if not vaults:
        raise StateError("the applied state holds no azurerm_key_vault")
    return str(vaults[0]["tenant_id"])


def _application_with_scope(state: State) -> Any:
    for app in state.of_type("azuread_application"):
        scopes = app.block("api").get("oauth2_permission_scope") or []
        if any(scope.get("value") == _SCOPE for scope in scopes):
            return app
    raise StateError(f"the applied state holds no app registration with scope {_SCOPE}")


def _gateway_url(state: State) -> str:
    gateways = state.of_type("azurerm_api_management")
    if not gateways:
        raise StateError("the applied state holds no azurerm_api_management")
    return str(gateways[0]["gateway_url"])


def _clients(state: State) -> dict[str, str]:
    found = ((_CLIENT.search(app.address), app) for app in state.of_type("azuread_application"))
    return {match["name"]: str(app["client_id"]) for match, app in found if match}
