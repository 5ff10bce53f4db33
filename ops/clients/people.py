"""The people of a local platform: who is in its directory, and which roles `roles` and `groups` mean each to have.

What they get when they sign in is for the issuer to say, from what Terraform assigned; the smoke test compares the two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from emulators.base.state import State
from emulators.entra import applied
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.config.roles import ALIASES, OUTSIDER, roles, tiers

_STATE = Path("run") / "state.json"


@dataclass(frozen=True)
class Person:
    """`key` is the short name that the sign-in page and `invoke token --as` know, `name` the one that people read."""

    key: str
    roles: frozenset[str]
    name: str = ""


def local(environment: Environment, platform: Platform) -> list[Person]:
    """Return everybody in the directory of the platform that was applied here."""
    state = State.load(environment.home / _STATE)
    directory = applied.directory(state, platform.tenant_id)
    ids = applied.group_ids(state)
    members = {group.object_id: group.members for group in directory.groups}
    held = {
        role.name: role.members.union(*(members.get(ids.get(name, ""), frozenset()) for name in role.groups))
        for role in roles(environment)
    }
    return [
        Person(user.key, frozenset(name for name, holders in held.items() if user.object_id in holders), user.name)
        for user in directory.users
    ]


def holder(people: Collection[Person], role: str) -> Person | None:
    """Return who has the role and as few others as anybody."""
    return min((one for one in people if role in one.roles), key=lambda one: len(one.roles), default=None)


def of_tiers(people: Collection[Person], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return for each tier who gets it, by short name; a tier that nobody here gets is left out.

    `wanted`: the role of each tier, in the gateway's order: who holds several roles gets the first tier.
    """
    reached: dict[str, list[Person]] = {tier: [] for tier in wanted}
    for one in people:
        if first := tier_of(one, wanted):
            reached[first].append(one)
    return {tier: min(ones, key=lambda one: len(one.roles)).key for tier, ones in reached.items() if ones}


def known(environment: Environment, platform: Platform) -> list[Person]:
    """Return everybody in the local directory; nobody where it is Azure's, or where no platform was ever started."""
    there = environment.is_local and (environment.home / _STATE).exists()
    return local(environment, platform) if there else []


def tier_of(person: Person, wanted: Mapping[str, str]) -> str:
    """Return the tier that a person gets, of the role of each in the gateway's order; nothing where none is theirs."""
    return next((tier for tier, role in wanted.items() if role in person.roles), "")


def signs_in_as(environment: Environment, platform: Platform) -> dict[str, str]:
    """Return for each server what `--as` takes for somebody who may call it, the best tier first; nobody: left out.

    A role, as not every person has a name that `--as` knows; `admin` is whom it takes by itself.
    """
    everybody, found = known(environment, platform), {}
    for server in platform.endpoints:
        wanted = tiers(environment, server)
        for tier, key in of_tiers(everybody, wanted).items():
            found[server] = key if key in ALIASES else wanted[tier]
            break
    return found


def caller(environment: Environment, platform: Platform, server: str) -> str:
    """Return somebody who may call a server, one who only reads where there is one; else the outsider."""
    found = of_tiers(local(environment, platform), tiers(environment, server))
    return list(found.values())[-1] if found else OUTSIDER
