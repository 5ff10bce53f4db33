"""What `mcp_servers` of terraform.tfvars says: each server's slots, its database, and whether its image is fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.config.environment import Environment


@dataclass(frozen=True)
class Slot:
    """One replica of one tier; `name` is `<server>-<tier>-<slot>`, as terraform/stage2/locals.tf makes it."""

    name: str
    server: str
    slot: str

    @property
    def group(self) -> str:
        """Its container group's name."""
        return f"aci-{self.name}"


@dataclass(frozen=True)
class App:
    """One tier of a server with compute = "container-apps"; `name` is `<server>-<tier>`, `address` Terraform's."""

    name: str
    server: str
    tier: str

    @property
    def address(self) -> str:
        return f'module.apps["{self.name}-a"]'


def runs_as_apps(entry: Mapping[str, Any]) -> bool:
    return entry.get("compute") == "container-apps"


def apps(environment: Environment) -> dict[str, App]:
    """Return the apps of `mcp_servers` by name."""
    return {
        f"{server}-{tier}": App(f"{server}-{tier}", server, tier)
        for server, entry in environment.servers.items()
        if runs_as_apps(entry)
        for tier in entry.get("tiers") or {}
    }


def is_remote(entry: Mapping[str, Any] | None) -> bool:
    """Whether an entry is a server elsewhere: the gateway forwards to it, and it has no image, container or slot."""
    return bool((entry or {}).get("remote"))


def is_of_others(entry: Mapping[str, Any] | None) -> bool:
    """Whether somebody else's program or API answers this server's calls: behind a front, or elsewhere."""
    return (entry or {}).get("front") is not None or is_remote(entry)


def acts_as_caller(entry: Mapping[str, Any] | None) -> bool:
    """Whether the gateway exchanges the caller's token for this server, which an application's cannot be."""
    return (entry or {}).get("identity") == "caller"


def slots(environment: Environment) -> dict[str, Slot]:
    """Return every slot of `mcp_servers` by its name: those of container groups, as apps have none."""
    return {
        f"{server}-{tier}-{slot}": Slot(f"{server}-{tier}-{slot}", server, slot)
        for server, entry in environment.servers.items()
        if not is_remote(entry) and not runs_as_apps(entry)
        for tier in entry.get("tiers") or {}
        for slot in entry.get("slots") or ("a",)
    }


def slot_letters(environment: Environment, server: str) -> Sequence[str]:
    """Return the server's slots in order: `a` alone where none is named; none of a server elsewhere."""
    entry = environment.servers.get(server) or {}
    return [] if is_remote(entry) else sorted(entry.get("slots") or ("a",))


def has_several_slots(environment: Environment, server: str) -> bool:
    return len(slot_letters(environment, server)) > 1


def is_pinned(entry: Mapping[str, Any]) -> bool:
    """Whether an entry names its image by digest: such an image exists, and is neither built nor replaced here."""
    return bool((entry.get("image") or {}).get("digest"))


COSMOS, DOCUMENTDB = "cosmosdb-mongodb", "documentdb"
USERS_JOB = "aci-database-users"
"""The container group whose job makes users of DocumentDB (terraform/stage2/documentdb.tf)."""


def has_database(environment: Environment, kind: str) -> bool:
    """Whether the environment has a database of that kind, as terraform/shared/databases.tf decides it."""
    variable = environment.variables.get({COSMOS: "cosmos", DOCUMENTDB: "documentdb"}[kind]) or {}
    enabled = variable.get("enabled")
    return uses_database(environment, kind) if enabled is None else bool(enabled)


def uses_database(environment: Environment, kind: str) -> bool:
    """Whether a server has a database of that kind."""
    return any((entry or {}).get("database") == kind for entry in environment.servers.values())
