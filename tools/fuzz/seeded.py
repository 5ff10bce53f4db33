"""The database that the calls are made on, and the rules that keep a part of it back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from typing import Any

import pymongo
from mongo_db_server.exports import PREFIX, address_of

VISIBLE, HIDDEN = "open", "vault"
DATABASES = (VISIBLE, VISIBLE, VISIBLE, HIDDEN)
HIDDEN_COLLECTIONS = ("hidden", "secret_log")
COLLECTIONS = ("things", "things", "places", "view", "new", *HIDDEN_COLLECTIONS, "view_hidden", "view_renaming")
HIDDEN_PATHS = ("ssn", "card.number", "card", "api_token", "sub.pin", "list.pin")
SETTINGS = {
    "mcp_databases_allow": VISIBLE,
    "mcp_collections_deny": "hidden,secret_*",
    "mcp_fields_deny": "ssn,card.number,*_token,**.pin",
    "mcp_time_ms_default": 5_000,
    "mcp_time_ms_ceiling": 10_000,
    "mcp_concurrent_per_caller": 64,
}
#: What callers know: how a canary begins.
GUESS = "canary-"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def export_query() -> str:
    return address_of({"database": VISIBLE, "collection": "things"}).removeprefix(PREFIX)


class SeededDatabase:
    """The same documents each time, with canaries of its own."""

    def __init__(self, client: pymongo.MongoClient[dict[str, Any]]) -> None:
        self._client = client
        self.canaries = [f"{GUESS}{secrets.token_hex(8)}" for _ in range(40)]

    def seed(self) -> None:
        """Puts everything back as it was."""
        canaries = iter(self.canaries)
        for name in (VISIBLE, HIDDEN):
            self._client.drop_database(name)
        visible = self._client[VISIBLE]
        visible.things.insert_many([self._thing(number, canaries) for number in range(6)])
        visible.places.insert_many([{"_id": number, "city": "Oslo", "pin": next(canaries)} for number in range(3)])
        for name in HIDDEN_COLLECTIONS:
            visible[name].insert_one({"_id": 1, "a": next(canaries), "city": next(canaries)})
        self._client[HIDDEN].things.insert_one({"_id": 1, "a": next(canaries), "b": next(canaries)})
        visible.things.create_index("a")
        visible.create_collection("view", viewOn="things", pipeline=[{"$match": {"a": {"$gte": 0}}}])
        visible.create_collection("view_hidden", viewOn="hidden", pipeline=[])
        visible.create_collection("view_renaming", viewOn="things", pipeline=[{"$project": {"shown": "$ssn"}}])

    def _thing(self, number: int, canaries: Iterator[str]) -> dict[str, Any]:
        return {
            "_id": number,
            "a": number,
            "b": [1, "x", None][number % 3],
            "city": "Oslo",
            "tags": ["x", number],
            "ssn": next(canaries),
            "api_token": next(canaries),
            "card": {"number": next(canaries), "kind": "debit"},
            "sub": {"a": 1, "pin": next(canaries)},
            "list": [{"pin": self.canaries[-1]}, [{"pin": self.canaries[-2]}]],
        }

    def digest(self, *, hidden: bool = False) -> str:
        """Of all that is stored; with `hidden` of what no rule lets anybody reach."""
        found = hashlib.sha256()
        for database in sorted(self._client.list_database_names()):
            for options in sorted(self._client[database].list_collections(), key=lambda one: str(one["name"])):
                name = options["name"]
                if hidden and database == VISIBLE and name not in HIDDEN_COLLECTIONS:
                    continue
                found.update(repr((database, name, options["type"], options["options"])).encode())
                if options["type"] == "view":
                    continue
                found.update(repr(sorted(self._client[database][name].index_information())).encode())
                batches: Iterator[bytes] = self._client[database][name].find_raw_batches()  # type: ignore[assignment]
                for batch in sorted(batches):
                    found.update(batch)
        return found.hexdigest()
