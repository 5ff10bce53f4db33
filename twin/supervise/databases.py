"""Cosmos DB for MongoDB on a laptop: the same user names and keys, at the MongoDB that is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode

from emulators.base.state import Resource, State
from emulators.base.store import Store

# What only the real service understands: it has TLS, a replica set and per-account routing by appName.
_REMOTE_OPTIONS = {"ssl", "tls", "replicaset", "appname", "authmechanism"}

_CLOSED_PORT = 1
_ACCOUNT = "azurerm_cosmosdb_account"

_KEYS = {
    "primary_key": "readWrite",
    "secondary_key": "readWrite",
    "primary_readonly_key": "read",
    "secondary_readonly_key": "read",
}


#: What Azure changes without Terraform: keys that are regenerated, addresses of container groups that were restarted.
_CHANGES_BY_ITSELF: Mapping[str, Iterable[str]] = {_ACCOUNT: _KEYS, "azurerm_container_group": ("ip_address",)}


def with_current_values(state: State, home: Path) -> State:
    """The state with each account's keys and each container group's address as the home's cloud has them now.

    A key that was regenerated counts at once, as in Azure, though Terraform's state learns it with the next apply.
    """
    store = Store(home / "cloud.json")

    def current(resource: Resource) -> Resource:
        names = _CHANGES_BY_ITSELF.get(resource.type, ())
        stored = store.get(resource.type, str(resource.get("id"))) if names else None
        values = {name: stored[name] for name in names if stored.get(name)} if stored else {}
        return replace(resource, values={**resource.values, **values}) if values else resource

    return State(tuple(current(resource) for resource in state.resources))


def users(state: State, *, user_per_key: bool = False) -> list[dict[str, str]]:
    """Each account's name with each of its keys, and the role that key has.

    `user_per_key`: for a MongoDB, where a user has one password, so each key has a user of its own.
    """
    return [
        {"name": _user(account, key) if user_per_key else account["name"], "password": account[key], "role": role}
        for account in state.of_type(_ACCOUNT)
        for key, role in _KEYS.items()
        if account.get(key)
    ]


def user_of(account: Resource, uri: MongoUri) -> str | None:
    """The user that stands for the key in the URI, where each key has one; None for a key the account has not."""
    written = uri.credentials.partition(":")[2]
    spellings = (written, unquote(written), unquote_plus(written))
    return next((_user(account, key) for key in _KEYS if account.get(key) and account[key] in spellings), None)


def _user(account: Resource, key: str) -> str:
    return f"{account['name']}.{key}"


def administrator_uri(state: State, port: int, *, user_per_key: bool = False) -> str:
    """The local MongoDB as the first account's primary key opens it; without accounts, without a user."""
    accounts = state.of_type(_ACCOUNT)
    if not accounts:
        return f"mongodb://127.0.0.1:{port}/"
    account = accounts[0]
    user = _user(account, "primary_key") if user_per_key else account["name"]
    credentials = f"{quote(user, safe='')}:{quote(account['primary_key'], safe='')}"
    return f"mongodb://{credentials}@127.0.0.1:{port}/?authMechanism=SCRAM-SHA-256"


@dataclass(frozen=True)
class MongoUri:
    """A `mongodb://` URI in parts; `credentials` stay as they were written, because drivers refuse some spellings."""

    credentials: str
    host: str
    path: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> MongoUri | None:
        """None for anything that is no `mongodb://` URI. The query goes first: Cosmos DB's appName holds `@`."""
        if not text.startswith("mongodb://"):
            return None
        authority, _, query = text.removeprefix("mongodb://").partition("?")
        credentials, _, location = authority.rpartition("@")
        host, slash, path = location.partition("/")
        return cls(credentials, host.partition(":")[0].lower(), slash + path or "/", tuple(parse_qsl(query)))

    def nowhere(self) -> str:
        """The same at a port where nothing listens: what a client meets that has no way to the account."""
        return self.at(_CLOSED_PORT)

    def at(self, port: int, user: str | None = None) -> str:
        """The same user, key, database and options at 127.0.0.1, without what only Cosmos DB's endpoint needs.

        `user` takes the place of the account's name, where each key has a user of its own.
        """
        options = [(name, value) for name, value in self.options if name.lower() not in _REMOTE_OPTIONS]
        query = urlencode([*options, ("authMechanism", "SCRAM-SHA-256"), *([("authSource", "admin")] if user else [])])
        credentials = f"{user}:{self.credentials.partition(':')[2]}" if user else self.credentials
        return f"mongodb://{credentials}@127.0.0.1:{port}{self.path}?{query}"


def account_of(uri: MongoUri, state: State) -> Resource | None:
    """The applied account whose endpoint the URI names (`<account>.mongo.cosmos.azure.com`, or a national cloud's)."""
    account, _, domain = uri.host.partition(".")
    if "cosmos" not in domain:
        return None
    return next((a for a in state.of_type(_ACCOUNT) if a["name"].lower() == account), None)
