"""`python -m mongo_db_server.users`: makes each tier's identity a user of Azure DocumentDB, with its role, and ends.

Azure registers administrators only (azurerm 5.2: the one role of `azurerm_mongo_cluster_user` is `root`); every other
identity is made by one of them with `createUser`, in the database itself ("Connect using role-based access control and
Microsoft Entra ID", Azure DocumentDB, 2026-02-04). So this runs inside the network, as the identity that is registered.

Environment: MONGODB_URI of that administrator, and MCP_DATABASE_USERS, a JSON object of object id -> read | readWrite.
One JSON line per identity goes to standard error. Repeating it changes nothing; an identity that is no longer listed
stays a user, and cannot sign in once it is deleted in Entra ID. Exit code 2: nothing more was changed, and the line
says why.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from mongo_db_server.identity import signing_in

# The page: read-write access is these two roles, which are only given together.
ROLES = {"read": ("readAnyDatabase",), "readWrite": ("clusterAdmin", "readWriteAnyDatabase")}
SERVER_SELECTION_MS = 20_000
PROVIDER = {"type": "MicrosoftEntraID", "properties": {"principalType": "servicePrincipal"}}


class UsersError(Exception):
    """MCP_DATABASE_USERS says something that cannot be done; the message is one sentence."""


def wanted_users(text: str) -> dict[str, str]:
    """Object id (lower case) -> `read` or `readWrite`. UsersError names the first entry that is wrong."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not given:
        raise UsersError("MCP_DATABASE_USERS must be a JSON object of object id to role, and not empty.")
    for object_id, role in given.items():
        try:
            uuid.UUID(object_id)
        except ValueError:
            raise UsersError(f"MCP_DATABASE_USERS names {object_id!r}, which is no object id.") from None
        if role not in ROLES:
            raise UsersError(f"MCP_DATABASE_USERS gives {object_id} the role {role!r}; it must be read or readWrite.")
    return {object_id.lower(): role for object_id, role in given.items()}


def grant(client: pymongo.MongoClient[dict[str, Any]], object_id: str, role: str) -> str:
    """Make the identity a user with this role: `created`, `replaced` where it had another, or `none`."""
    known = client.admin.command("usersInfo", object_id)["users"]
    held = {item["role"] for user in known for item in user["roles"]}
    if held == set(ROLES[role]):
        return "none"
    if known:
        client.admin.command("dropUser", object_id)
    roles = [{"role": name, "db": "admin"} for name in ROLES[role]]
    client.admin.command("createUser", object_id, roles=roles, customData={"IdentityProvider": PROVIDER})
    return "replaced" if known else "created"


def main() -> int:
    try:
        users = wanted_users(os.environ.get("MCP_DATABASE_USERS", ""))
        uri = os.environ.get("MONGODB_URI", "")
        with pymongo.MongoClient[dict[str, Any]](
            uri, serverSelectionTimeoutMS=SERVER_SELECTION_MS, retryWrites=False, **signing_in(uri)
        ) as client:
            for object_id, role in users.items():
                _line(identity=object_id, role=role, change=grant(client, object_id, role))
    except UsersError as error:
        _line(level="error", message=str(error))
        return 2
    except OperationFailure as error:
        name = (error.details or {}).get("codeName", error.code)
        _line(level="error", message=f"The database answered {name}: is this identity registered as an administrator?")
        return 2
    except PyMongoError as error:
        _line(level="error", message=f"The users were not made ({type(error).__name__}); this job is tried again.")
        return 1
    return 0


def _line(**fields: Any) -> None:
    sys.stderr.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    sys.exit(main())
