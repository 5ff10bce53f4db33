"""The process's configuration: one 0600 JSON file, because it holds the secrets of identity hosts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from emulators.base.errors import TwinError
from emulators.base.state import State
from emulators.entra import applied
from emulators.entra.directory import Directory, User
from emulators.entra.trust import check_trusted


@dataclass(frozen=True)
class Config:
    """`base_url` differs from host and port where something else terminates TLS in front."""

    state: Path
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8081
    base_url: str | None = None
    tenant_id: str | None = None
    identity_hosts: dict[str, frozenset[str]] = field(default_factory=dict)
    trusted_issuers: dict[str, Any] = field(default_factory=dict)
    users: tuple[User, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Config:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TwinError(f"the issuer's configuration {path} cannot be read ({error})") from error
        return cls.parse(document)

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Config:
        """Reads the JSON object; an unknown or missing key is a TwinError that names it."""
        known = {entry.name for entry in fields(cls)}
        for key in sorted(set(document) - known):
            raise TwinError(
                f"the issuer's configuration has the unknown key {key!r}; it knows {', '.join(sorted(known))}"
            )
        for key in ("state", "data_dir"):
            if not document.get(key):
                raise TwinError(f"the issuer's configuration lacks {key!r}")
        values = dict(document)
        values["state"], values["data_dir"] = Path(document["state"]), Path(document["data_dir"])
        hosts: dict[str, list[str]] = document.get("identity_hosts", {})
        values["identity_hosts"] = {secret: frozenset(i.lower() for i in ids) for secret, ids in hosts.items()}
        values["users"] = tuple(_user(entry) for entry in document.get("users", ()))
        check_trusted(document.get("trusted_issuers", {}))
        return cls(**values)

    def directory(self) -> Directory:
        return applied.directory(State.load(self.state), self.tenant_id, self.users)


def _user(entry: dict[str, Any]) -> User:
    try:
        return User(**entry)
    except TypeError as error:
        raise TwinError(
            f"users in the issuer's configuration need key, object_id, mail, name, extra_groups ({error})"
        ) from error
