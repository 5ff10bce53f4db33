"""The server's configuration file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.errors import MongoError

ROLES = ("readWrite", "read")
_FIELDS = {"host", "port", "data_dir", "users", "seed"}


@dataclass(frozen=True)
class User:
    """One credential. Several may share a name, each with its own password and role."""

    name: str
    password: str
    role: str

    def __repr__(self) -> str:  # a password never reaches a log
        return f"User({self.name!r}, role={self.role!r})"


@dataclass(frozen=True)
class Config:
    """`port` 0 takes a free one; no `data_dir` keeps nothing; no `users` asks nobody for a password."""

    host: str
    port: int
    data_dir: Path | None
    users: tuple[User, ...]
    seed: bool

    @classmethod
    def load(cls, path: Path) -> Config:
        """MongoError for a file that cannot be read or says something else than a configuration."""
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MongoError(f"the configuration {path} cannot be read: {error}") from error
        return cls.parse(given)

    @classmethod
    def parse(cls, given: Any) -> Config:
        if not isinstance(given, dict) or set(given) - _FIELDS:
            raise MongoError(f"the MongoDB stand-in's configuration has only the fields {sorted(_FIELDS)}")
        if "users" not in given:
            raise MongoError("the MongoDB stand-in's configuration needs `users`; an empty list turns sign-in off")
        host = given.get("host", "127.0.0.1")
        if not given["users"] and host not in ("127.0.0.1", "::1", "localhost"):
            raise MongoError(
                f"without `users` the MongoDB stand-in listens on 127.0.0.1 only, not on {host!r}; add a user"
            )
        data_dir = given.get("data_dir")
        return cls(
            host=host,
            port=int(given.get("port", 0)),
            data_dir=Path(data_dir) if data_dir else None,
            users=tuple(_user(user) for user in given["users"]),
            seed=bool(given.get("seed", False)),
        )


def _user(given: Any) -> User:
    if not isinstance(given, dict) or set(given) != {"name", "password", "role"} or not given["password"]:
        raise MongoError("each of `users` needs exactly `name`, a `password` that is not empty, and `role`")
    if given["role"] not in ROLES:
        raise MongoError(
            f"the role of user {given['name']!r} is {given['role']!r}; it must be one of {', '.join(ROLES)}"
        )
    return User(given["name"], given["password"], given["role"])
