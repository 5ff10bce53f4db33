"""The `roles` map of an environment: which role opens which tier, and in which order the gateway looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.config.environment import Environment
from ops.errors import UsageError

#: As in terraform/shared/variables-sign-in.tf; a test compares the two.
DEFAULT: Mapping[str, Mapping[str, Any]] = {
    "Mcp.Admin": {
        "display_name": "MCP administrator",
        "description": "May call reading and writing tools.",
        "groups": ["admin"],
    },
    "Mcp.Read": {
        "display_name": "MCP reader",
        "description": "May call reading tools only.",
        "groups": ["reader"],
        "reads": True,
    },
}
#: Names that stand for a kind of role on Azure, and for people of the local directory; see `named`.
ALIASES = ("admin", "reader")
OUTSIDER = "outsider"
"""The short name of whoever has no role, in the local directory and for `--as`."""
#: Names that stand for a kind of role on Azure, and for people of the local directory; see `named`.
ALIASES = ("admin", "reader")
_RANK = 100


@dataclass(frozen=True)
class Role:
    """`groups` are keys of the variable `groups`, `members` object ids; `reads`: its tiers never write."""

    name: str
    groups: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    reads: bool = False
    rank: int = _RANK


def roles(environment: Environment) -> list[Role]:
    """Return the roles, best first: who holds several gets the tier of the first one that the server has."""
    given = environment.variables.get("roles")
    found = [_role(name, entry) for name, entry in (DEFAULT if given is None else given).items()]
    return sorted(found, key=lambda role: (role.rank, role.reads, role.name))


def _role(name: str, entry: Mapping[str, Any]) -> Role:
    members = frozenset(str(member).lower() for member in entry.get("members") or ())
    reads, rank = bool(entry.get("reads", False)), int(entry.get("rank") or _RANK)
    return Role(name, frozenset(entry.get("groups") or ()), members, reads, rank)


def tiers(environment: Environment, server: str) -> dict[str, str]:
    """Return the role of each tier of a server, in the order in which the gateway looks for a caller's tier."""
    wanted = (environment.servers.get(server) or {}).get("tiers") or {}
    return {
        tier: role.name
        for role in roles(environment)
        for tier, entry in wanted.items()
        if entry.get("role") == role.name
    }


def named(environment: Environment, alias: str) -> str:
    """Return the role that `admin` (the best that may write) or `reader` (the best that only reads) stands for.

    UsageError where the map has none.
    """
    reads = alias == "reader"
    found = [role.name for role in roles(environment) if role.reads == reads]
    usual = "Mcp.Read" if reads else "Mcp.Admin"
    if not found:
        has = ", ".join(role.name for role in roles(environment)) or "none"
        kind = "only reads" if reads else "may write"
        raise UsageError(f"no role of {environment.name} {kind}, so --as {alias} is nobody; it has the roles {has}")
    return usual if usual in found else found[0]
