"""Claims that depend on the directory: groups with their overflow, and optional ones."""

from __future__ import annotations

from typing import Any

from emulators.entra.directory import Application, Directory, User

OVERFLOW = 200
"""Groups in a JWT before Entra ID puts a pointer instead ("Groups overage claim")."""


def group_claims(directory: Directory, app: Application, principal_id: str) -> dict[str, Any]:
    """The groups claim of a token whose groups `app` decides on, or the claims that point to Graph instead."""
    ids = _group_ids(directory, app, principal_id)
    if not ids:
        return {}
    if len(ids) > OVERFLOW:
        endpoint = f"https://graph.windows.net/{directory.tenant_id}/users/{principal_id}/getMemberObjects"
        return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}}}
    return {"groups": ids}


def _group_ids(directory: Directory, app: Application, principal_id: str) -> list[str]:
    wanted = app.group_claims
    if not wanted & {"All", "SecurityGroup", "ApplicationGroup"}:
        return []
    if "ApplicationGroup" in wanted:
        principal = directory.service_principals.get(app.client_id)
        assigned = {a.principal_id for a in directory.assignments if principal and a.resource_id == principal.object_id}
        return sorted(g.object_id for g in directory.groups_of(principal_id) if g.object_id in assigned)
    found = directory.all_groups_of(principal_id)
    real = [group.object_id for group in found if group.security_enabled or "All" in wanted]
    return sorted((*real, *_extra_groups(directory, principal_id)))


def _extra_groups(directory: Directory, principal_id: str) -> list[str]:
    """Invented memberships of a configured test user: the only way to reach the overflow on a laptop."""
    user = next((user for user in directory.users if user.object_id == principal_id), None)
    return [f"00000000-feed-4000-8000-{number:012x}" for number in range(user.extra_groups if user else 0)]


def optional_user_claims(names: frozenset[str], user: User, auth_time: int) -> dict[str, Any]:
    """Optional claims about a user ("Optional claims reference"). By default `idtyp` marks app-only tokens only."""
    known: dict[str, Any] = {
        "email": user.mail,
        "upn": user.mail,
        "preferred_username": user.mail,
        "acct": 0,
        "login_hint": f"O.{user.object_id}",
        "auth_time": auth_time,
    }
    return {name: known[name] for name in sorted(names) if name in known}
