"""Resource Manager ids, which Azure compares without regard to case."""

from __future__ import annotations

from collections.abc import Iterable

from emulators.base.state import Resource, State


def same_id(left: str | None, right: str | None) -> bool:
    return bool(left) and bool(right) and str(left).lower() == str(right).lower()


def find(state: State, type_: str, id_: str | None) -> Resource | None:
    """The resource of that type with that id, if it was applied here."""
    return next((r for r in state.of_type(type_) if same_id(r.get("id"), id_)), None)


def within(id_: str, scope: str) -> bool:
    """Whether a role assigned at `scope` reaches the resource `id_`: scopes are inherited downwards."""
    return f"{id_.lower()}/".startswith(f"{scope.lower().rstrip('/')}/")


def contains(ids: Iterable[str] | None, id_: str) -> bool:
    return any(same_id(each, id_) for each in ids or ())


def name_of(id_: str) -> str:
    return id_.rstrip("/").rsplit("/", 1)[-1]


def network_of(subnet_id: str | None) -> str | None:
    """The virtual network that a subnet's id names."""
    if not subnet_id:
        return None
    position = subnet_id.lower().find("/subnets/")
    return subnet_id[:position] if position > 0 else None
