"""What a deployed platform offers its clients, from stage 2's outputs: the same for Azure and for the twin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops.errors import NotDeployedError
from twin.gateway import breakers
from twin.state import State

_OUTPUTS = ("public_base_url", "endpoints", "authority", "tenant_id", "scope", "client_ids")


@dataclass(frozen=True)
class Platform:
    """`gateway` is its public URL, `authority` the issuer with /v2.0; maps are by server and by `mcp_clients` name."""

    gateway: str
    endpoints: Mapping[str, str]
    authority: str
    tenant_id: str
    scope: str
    client_ids: Mapping[str, str]
    #: Seconds for which the gateway leaves a backend alone after failures, the longest of all; 0 without breakers.
    breaker_seconds: float = 0.0

    @property
    def client_id(self) -> str:
        """The client that people's own tools sign in with: `desktop`, where there is one."""
        return self.client_ids.get("desktop") or next(iter(self.client_ids.values()), "")


def from_show_json(document: Mapping[str, Any], environment: str) -> Platform:
    """Reads `terraform show -json` of stage 2; NotDeployedError where it was not applied, or not to its end."""
    outputs = (document.get("values") or {}).get("outputs") or {}
    if any(name not in outputs for name in _OUTPUTS):
        raise not_deployed(environment)
    value = {name: outputs[name]["value"] for name in _OUTPUTS}
    return Platform(
        gateway=value["public_base_url"],
        endpoints=value["endpoints"],
        authority=f"{value['authority']}/v2.0",
        tenant_id=value["tenant_id"],
        scope=value["scope"],
        client_ids=value["client_ids"],
        breaker_seconds=_breaker_seconds(State.from_show_json(document)),
    )


def _breaker_seconds(state: State) -> float:
    backends = state.of_type("azurerm_api_management_backend")
    rules = [rule for backend in backends for rule in backend.values.get("circuit_breaker_rule") or []]
    return max((breakers.seconds(rule["trip_duration"]) for rule in rules), default=0.0)


def save(platform: Platform, home: Path) -> None:
    path = _file(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(asdict(platform), indent=1), encoding="utf-8")


def load(home: Path, environment: str) -> Platform:
    """What the last deployment to this home offered; NotDeployedError where there was none."""
    try:
        return Platform(**json.loads(_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise not_deployed(environment) from error


def not_deployed(environment: str) -> NotDeployedError:
    suffix = "" if environment == "local" else f" --env {environment}"
    return NotDeployedError(f"{environment} is not deployed; run `invoke deploy{suffix}`")


def _file(home: Path) -> Path:
    return home / "run" / "platform.json"
