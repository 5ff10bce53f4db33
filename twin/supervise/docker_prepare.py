"""A fresh `mongo` container becomes the applied Cosmos DB accounts: a user for each key, and the sample data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from emulators.mongodb import seed
from twin.errors import RuntimeFailure

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database

    Client = MongoClient[dict[str, Any]]
    Admin = Database[dict[str, Any]]

# What a Cosmos DB key may do, in MongoDB's built-in roles: read-write keys also drop databases.
ROLES = {"readWrite": ("readWriteAnyDatabase", "dbAdminAnyDatabase"), "read": ("readAnyDatabase",)}

_START_TIMEOUT = 60.0  # seconds: the image starts MongoDB twice before it serves for the first time
_AUTHENTICATION_FAILED = 18


def await_answer(client: Client, alive: Callable[[], bool]) -> None:
    """Returns when MongoDB lets its administrator in; RuntimeFailure if it ended, refuses, or takes too long."""
    from pymongo.errors import OperationFailure, PyMongoError

    deadline = time.monotonic() + _START_TIMEOUT
    while True:
        try:
            client.admin.command("ping")
        except OperationFailure as error:
            if error.code == _AUTHENTICATION_FAILED:
                raise RuntimeFailure(
                    "the database's volume was made with another password; remove it with `invoke destroy`"
                ) from error
            raise RuntimeFailure(f"the database refuses its administrator: {error}") from error
        except PyMongoError as error:
            if not alive():
                raise RuntimeFailure("the database's container ended before it answered; its log is above") from error
            if time.monotonic() > deadline:
                raise RuntimeFailure(f"the database's container did not answer within {_START_TIMEOUT:g} s") from error
            time.sleep(0.1)
        else:
            return


def set_users(admin: Admin, users: Iterable[Mapping[str, str]], keep: str) -> None:
    """Exactly these users beside `keep`, each with its password and role: keys are rotated, accounts come and go."""
    wanted = {user["name"]: user for user in users}
    present = {str(user["user"]) for user in admin.command("usersInfo", 1)["users"]} - {keep}
    for name in sorted(present - set(wanted)):
        admin.command("dropUser", name)
    for name, user in wanted.items():
        roles = [{"role": role, "db": "admin"} for role in ROLES[user["role"]]]
        verb = "updateUser" if name in present else "createUser"
        admin.command(verb, name, pwd=user["password"], roles=roles, mechanisms=["SCRAM-SHA-256"])


def plant(client: Client) -> None:
    """The stand-in's sample data with its indexes, for an empty MongoDB."""
    database = client[seed.DATABASE]
    for name, documents in seed.collections().items():
        database.command("createIndexes", name, indexes=seed.indexes(name))
        database[name].insert_many(documents)
