"""What a deployed platform offers its clients, from stage 2's outputs: the same for Azure and for the twin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulators.apim import breakers
from emulators.base.state import State
from ops.config.environment import Environment, env_option
from ops.errors import NotDeployedError
from ops.terraform import workspace
from twin import offer
from twin.offer import Offer as Platform
from twin.offer import save

__all__ = [
    "NOTHING",
    "Platform",
    "applied",
    "deployed",
    "from_show_json",
    "in_order",
    "load",
    "not_deployed",
    "save",
]

#: What a dry run goes on with where it would read a platform.
NOTHING = Platform("", {}, "", "", "", {})
_OUTPUTS = ("public_base_url", "endpoints", "authority", "tenant_id", "scope", "client_ids")


def from_show_json(document: Mapping[str, Any], environment: str) -> Platform:
    """Read `terraform show -json` of stage 2; NotDeployedError where it was not applied, or not to its end."""
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
        registry=(outputs.get("mcp_registry_url") or {}).get("value") or "",
    )


def _breaker_seconds(state: State) -> float:
    backends = state.of_type("azurerm_api_management_backend")
    rules = [rule for backend in backends for rule in backend.values.get("circuit_breaker_rule") or []]
    return max((breakers.seconds(rule["trip_duration"]) for rule in rules), default=0.0)


def load(home: Path, environment: str) -> Platform:
    """Return what the last deployment to this home offered; NotDeployedError where there was none."""
    found = offer.load(home)
    if found is None:
        damage = offer.damage(home)
        raise NotDeployedError(damage) if damage else not_deployed(environment)
    return found


def deployed(environment: Environment) -> Platform:
    """Return the platform as it was applied, whether it runs or not; NotDeployedError where nothing is."""
    return load(environment.home, environment.name) if environment.is_local else applied(environment)[0]


def in_order(environment: Environment, platform: Platform) -> dict[str, str]:
    """Return the endpoints in the order of mcp_servers: by name, as Terraform sorts them, a new one could be first."""
    known = [name for name in environment.servers if name in platform.endpoints]
    return {name: platform.endpoints[name] for name in dict.fromkeys([*known, *platform.endpoints])}


def applied(environment: Environment) -> tuple[Platform, State]:
    """Ask Terraform what is applied on Azure."""
    with workspace.opened(environment, {}) as space:
        space.terraform.init(space.stage(2))
        shown = space.terraform.show(space.stage(2))
    return from_show_json(shown, environment.name), State.from_show_json(shown)


def not_deployed(environment: str) -> NotDeployedError:
    return NotDeployedError(f"{environment} is not deployed; run `invoke deploy{env_option(environment)}`")
