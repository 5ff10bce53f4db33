"""Users whom an access token names: made, listed and dropped as Azure DocumentDB does it.

"Connect using role-based access control and Microsoft Entra ID" (Azure DocumentDB, 2026-02-04), section "Manage
DocumentDB secondary (nonadministrative) Microsoft Entra ID identities". Users with a password come from the
configuration, and are refused here by name.
"""

from __future__ import annotations

import uuid
from typing import Any

from bson import Binary

from emulators.mongodb.config import ADMINISTRATOR, User
from emulators.mongodb.dispatch import Call, Server, command
from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.values import Document

_PROVIDER = "MicrosoftEntraID"
_PRINCIPALS = ("user", "servicePrincipal")
# The page: these two only together, or this one.
_READ_WRITE = frozenset({"clusterAdmin", "readWriteAnyDatabase"})
_READ = frozenset({"readAnyDatabase"})
_NAMES = {"read": sorted(_READ), "readWrite": sorted(_READ_WRITE), ADMINISTRATOR: [ADMINISTRATOR]}


def identity(server: Server, object_id: str) -> User | None:
    """Who signs in with a token of this object id: whom Azure registered, or whom an administrator made."""
    registered = server.credentials.identity(object_id)
    made = server.store.user(object_id)
    return registered or (User(object_id, "", made["role"]) if made else None)


@command(
    "createUser",
    fields="pwd roles:array! customData:object",
    refused="mechanisms digestPassword",
    writes=True,
    administers=True,
)
def create_user(call: Call) -> Document:
    name = _object_id(call)
    if call.body.get("pwd") is not None:
        raise not_supported("createUser with a password (users with passwords come from the configuration)")
    if identity(call.server, name):
        raise CommandError(51003, f'User "{name}@admin" already exists')
    custom = call.body.get("customData") or {}
    provider = custom.get("IdentityProvider") if isinstance(custom, dict) else None
    principal = (provider or {}).get("properties", {}).get("principalType")
    if not isinstance(provider, dict) or provider.get("type") != _PROVIDER or principal not in _PRINCIPALS:
        raise bad_value(
            f"createUser without a password needs customData.IdentityProvider: type {_PROVIDER}, and "
            f"properties.principalType {' or '.join(_PRINCIPALS)}"
        )
    call.store.set_user(name, {"role": _role(call.body["roles"]), "customData": custom})
    return {"ok": 1.0}


@command("dropUser", writes=True, administers=True)
def drop_user(call: Call) -> Document:
    name = _object_id(call)
    if call.server.credentials.identity(name):
        raise bad_value(f"{name} is registered in Azure: delete its resource there")
    if call.store.user(name) is None:
        raise CommandError(11, f"User '{name}@admin' not found")
    call.store.set_user(name, None)
    return {"ok": 1.0}


@command("usersInfo", fields="showCredentials showCustomData showPrivileges filter")
def users_info(call: Call) -> Document:
    for option in ("showPrivileges", "filter"):
        if call.body.get(option):
            raise not_supported(f"usersInfo with {option}")
    registered = [(user.name, user.role, None) for user in call.server.credentials.identities()]
    made = [(name, user["role"], user["customData"]) for name, user in call.store.users_by_name()]
    users = [_information(name, role, custom) for name, role, custom in sorted(registered + made)]
    wanted = call.body["usersInfo"]
    if wanted != 1:
        names = _names(wanted)
        users = [user for user in users if user["user"] in names]
    return {"users": users, "ok": 1.0}


def _information(name: str, role: str, custom: Document | None) -> Document:
    return {
        "_id": f"admin.{name}",
        "userId": Binary.from_uuid(uuid.UUID(name)),
        "user": name,
        "db": "admin",
        "roles": [{"role": item, "db": "admin"} for item in _NAMES[role]],
        **({"customData": custom} if custom else {}),
    }


def _object_id(call: Call) -> str:
    value = call.body[call.name]
    if not isinstance(value, str):
        raise CommandError(14, f"BSON field '{call.name}' is the wrong type, expected type 'string'")
    if call.server.tokens is None:
        raise not_supported(f"{call.name} on a server that no access token signs in to")
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise bad_value(f"{value!r} is no object id of Microsoft Entra ID") from None


def _names(wanted: Any) -> set[str]:
    """The names that `usersInfo` asks for: one, a document with `user`, or a list of these."""
    items = wanted if isinstance(wanted, list) else [wanted]
    names = [item.get("user") if isinstance(item, dict) else item for item in items]
    if not all(isinstance(name, str) for name in names):
        raise bad_value("usersInfo takes 1, a user's name, or a list of names")
    return {str(name).lower() for name in names}


def _role(roles: list[Any]) -> str:
    """The page lets exactly two sets through; the words of the refusal are ours."""
    names = set()
    for item in roles:
        if not isinstance(item, dict) or item.get("db") != "admin" or not isinstance(item.get("role"), str):
            raise bad_value('each role of createUser must be {role: "…", db: "admin"}')
        names.add(item["role"])
    if names == _READ:
        return "read"
    if names == _READ_WRITE:
        return "readWrite"
    raise bad_value(
        f"the roles {', '.join(sorted(names)) or 'none'} cannot be given: "
        f"{' and '.join(sorted(_READ_WRITE))} together, or {' '.join(_READ)}"
    )
