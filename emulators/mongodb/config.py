"""The server's configuration file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.base.config import check_object, read_object
from emulators.mongodb.errors import MongoError

ROLES = ("readWrite", "read")
ADMINISTRATOR = "root"
WHAT = "the MongoDB stand-in's configuration"


@dataclass(frozen=True)
class User:
    """One credential. Several may share a name, each with its own password and role.

    Without a password it is an identity: `name` is the object id that an access token has to prove.
    """

    name: str
    password: str
    role: str

    @property
    def may_write(self) -> bool:
        return self.role != "read"

    def __repr__(self) -> str:  # a password never reaches a log
        return f"User({self.name!r}, role={self.role!r})"


@dataclass(frozen=True)
class Oidc:
    """Whose access tokens sign in (MONGODB-OIDC): the `iss` and `aud` they carry, and where the issuer's keys are."""

    issuer: str
    audience: str
    keys_url: str


@dataclass(frozen=True)
class Config:
    """`port` 0 takes a free one; no `data_dir` keeps nothing; no `users` and no `oidc` asks nobody who they are.

    `users_file`: where the users were read from, and are read again on SIGHUP.
    """

    host: str
    port: int
    data_dir: Path | None
    users: tuple[User, ...]
    seed: bool
    users_file: Path | None = None
    oidc: Oidc | None = None

    @classmethod
    def load(cls, path: Path) -> Config:
        """ConfigError or MongoError for a file that cannot be read or says something else than a configuration."""
        return cls.parse(read_object(path, WHAT))

    @classmethod
    def parse(cls, given: dict[str, Any]) -> Config:
        check_object(given, WHAT, cls)
        if ("users" in given) == ("users_file" in given):
            raise MongoError(
                "the MongoDB stand-in's configuration needs `users` or `users_file`, and not both; "
                "an empty list turns sign-in off"
            )
        file = Path(given["users_file"]) if "users_file" in given else None
        users = read_users(file)[0] if file else _users(given["users"])
        host = given.get("host", "127.0.0.1")
        oidc = _oidc(given.get("oidc"))
        if not users and not oidc and host not in ("127.0.0.1", "::1", "localhost"):
            raise MongoError(
                f"without `users` the MongoDB stand-in listens on 127.0.0.1 only, not on {host!r}; add a user"
            )
        data_dir = given.get("data_dir")
        return cls(
            host=host,
            port=int(given.get("port", 0)),
            data_dir=Path(data_dir) if data_dir else None,
            users=users,
            seed=bool(given.get("seed", False)),
            users_file=file,
            oidc=oidc,
        )


def read_users(path: Path) -> tuple[tuple[User, ...], str]:
    """The users of a file (a JSON list of what `users` holds), and its text. MongoError names the file."""
    try:
        text = path.read_text(encoding="utf-8")
        return _users(json.loads(text)), text
    except (OSError, ValueError, MongoError) as error:
        raise MongoError(f"the users file {path} must be a JSON list of users, and is not: {error}") from error


def _users(given: Any) -> tuple[User, ...]:
    if not isinstance(given, list):
        raise MongoError("`users` must be a list")
    return tuple(_user(user) for user in given)


def _oidc(given: Any) -> Oidc | None:
    if given is None:
        return None
    names = set(Oidc.__dataclass_fields__)
    if set(given) != names or not all(isinstance(value, str) and value for value in given.values()):
        raise MongoError(f"`oidc` needs exactly {', '.join(sorted(names))}, each a text")
    if not given["keys_url"].startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise MongoError(f"`oidc.keys_url` must be https, or on this machine, not {given['keys_url']!r}")
    return Oidc(**given)


def _user(given: Any) -> User:
    if isinstance(given, dict) and set(given) == {"object_id", "role"}:
        if given["role"] != ADMINISTRATOR or not given["object_id"]:
            raise MongoError(
                f"the identity {given['object_id']!r} has the role {given['role']!r}; what Azure registers is "
                f"{ADMINISTRATOR}, and other users are made by one, with `createUser`"
            )
        return User(str(given["object_id"]).lower(), "", ADMINISTRATOR)
    if not isinstance(given, dict) or set(given) != {"name", "password", "role"} or not given["password"]:
        raise MongoError(
            "each of `users` needs exactly `name`, a `password` that is not empty, and `role`; "
            "or `object_id` and `role`"
        )
    if given["role"] not in ROLES:
        raise MongoError(
            f"the role of user {given['name']!r} is {given['role']!r}; it must be one of {', '.join(ROLES)}"
        )
    return User(given["name"], given["password"], given["role"])
