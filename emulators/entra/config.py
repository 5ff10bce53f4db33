"""The process's configuration: one 0600 JSON file, because it holds the secrets of identity hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emulators.base import live
from emulators.base.config import check_object, read_object
from emulators.base.errors import ConfigError
from emulators.base.state import State
from emulators.entra import applied, directory_file
from emulators.entra.directory import Directory, User
from emulators.entra.trust import check_trusted

WHAT = "the issuer's configuration"


@dataclass(frozen=True)
class Config:
    """The directory comes from `state` (what Terraform applied) or from `directory` (see directory_file.py).

    `base_url` differs from host and port where something else terminates TLS in front.
    """

    data_dir: Path
    state: Path | None = None
    directory: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8081
    base_url: str | None = None
    tenant_id: str | None = None
    identity_hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trusted_issuers: Mapping[str, Any] = field(default_factory=dict)
    users: tuple[User, ...] = ()
    users_may_consent: bool = True

    @classmethod
    def load(cls, path: Path) -> Config:
        return cls.parse(read_object(path, WHAT))

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Config:
        """Read the JSON object; an unknown or missing key is a ConfigError that names it."""
        check_object(document, WHAT, cls, ["data_dir"])
        if bool(document.get("state")) == bool(document.get("directory")):
            raise ConfigError(
                f"{WHAT} needs `state` or `directory`, and not both: a file that says who is in the tenant"
            )
        if document.get("directory") and (
            document.get("users") or document.get("tenant_id") or "users_may_consent" in document
        ):
            raise ConfigError(
                f"{WHAT} has `directory`: `users`, `tenant_id` and `users_may_consent` belong into that file"
            )
        values = dict(document)
        for key in ("state", "directory", "data_dir"):
            values[key] = Path(document[key]) if document.get(key) else None
        hosts: dict[str, list[str]] = document.get("identity_hosts", {})
        values["identity_hosts"] = {secret: frozenset(i.lower() for i in ids) for secret, ids in hosts.items()}
        values["users"] = tuple(_user(entry) for entry in document.get("users", ()))
        check_trusted(document.get("trusted_issuers", {}))
        return cls(**values)

    def confirm(self, text: str) -> None:
        """Say that the applied state is in force as `text` says it (emulators/base/live.py)."""
        if self.state is not None:
            live.confirm(self.state, text)

    def state_text(self) -> str:
        """What the applied state's file says now; empty without one, or where it cannot be read."""
        try:
            return self.state.read_text(encoding="utf-8") if self.state is not None else ""
        except (OSError, UnicodeDecodeError):
            return ""

    def read_directory(self) -> Directory:
        if self.directory is not None:
            return directory_file.read(self.directory)
        if self.state is None:
            raise ConfigError(f"{WHAT} needs `state` or `directory`")
        found = applied.directory(State.load(self.state), self.tenant_id, self.users)
        return replace(found, users_may_consent=self.users_may_consent)


def _user(entry: dict[str, Any]) -> User:
    try:
        return User(**entry)
    except TypeError as error:
        raise ConfigError(
            f"users in the issuer's configuration need key, object_id, mail, name, extra_groups ({error})"
        ) from error
