"""The process's configuration: one 0600 JSON file, because it holds secrets of applications and of the control port."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from emulators.arm import permissions, roles
from emulators.arm.cloud import Cloud, Delays
from emulators.arm.directory import Person, Registered, Tenant
from emulators.arm.services.devops import Organisation
from emulators.azurerm.store import Store
from emulators.base.errors import TwinError
from emulators.entra.directory import User
from emulators.entra.trust import check_trusted


@dataclass(frozen=True)
class Config:
    """`azurite` is the command that starts `azurite-blob`, a list; without it blob requests are refused.

    `provider_store`: the stand-in Terraform provider's file, whose Cosmos DB accounts are served.

    `people` and `applications` may hold `roles`: role names at subscription scope; people also `directory_roles`.
    """

    data_dir: Path
    tenant_id: str
    subscription_id: str
    control_secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    people: tuple[dict[str, Any], ...] = ()
    applications: tuple[dict[str, Any], ...] = ()
    azurite: tuple[str, ...] = ()
    role_delay: float = 0
    directory_delay: float = 0
    registered_providers: tuple[str, ...] = ()
    taken_names: tuple[str, ...] = ()
    trusted_issuers: dict[str, Any] = field(default_factory=dict)
    organisations: tuple[dict[str, Any], ...] = ()
    provider_store: Path | None = None

    @classmethod
    def load(cls, path: Path) -> Config:
        try:
            if path.stat().st_mode & 0o077:
                raise TwinError(f"the control plane's configuration {path} holds secrets: make it readable by you only")
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TwinError(f"the control plane's configuration {path} cannot be read ({error})") from error
        return cls.parse(document)

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Config:
        """Reads the JSON object; an unknown or missing key is a TwinError that names it."""
        known = {entry.name for entry in fields(cls)}
        for key in sorted(set(document) - known):
            raise TwinError(f"the control plane's configuration has the unknown key {key!r}; it knows {sorted(known)}")
        for key in ("data_dir", "tenant_id", "subscription_id", "control_secret"):
            if not document.get(key):
                raise TwinError(f"the control plane's configuration lacks {key!r}")
        check_trusted(document.get("trusted_issuers", {}))
        tuples = {k: tuple(v) for k, v in document.items() if isinstance(v, list)}
        paths: dict[str, Any] = {k: Path(document[k]) for k in ("data_dir", "provider_store") if k in document}
        return cls(**{**document, **tuples, **paths})

    def cloud(self) -> Cloud:
        """A fresh cloud: what stands before anybody does anything."""
        people = [Person(_user(p), _directory_roles(p)) for p in self.people]
        applications = [Registered(a["client_id"], a["object_id"], a["name"], a["secret"]) for a in self.applications]
        delays = Delays(self.role_delay, self.directory_delay)
        cloud = Cloud(Tenant(self.tenant_id, people, applications), self.subscription_id, delays=delays)
        cloud.providers = {name.lower() for name in self.registered_providers}
        cloud.taken_names = {name.lower() for name in self.taken_names}
        cloud.organisations = {one.name.lower(): one for one in map(Organisation.parse, self.organisations)}
        cloud.applied = Store(self.provider_store) if self.provider_store else None
        for entry in (*self.people, *self.applications):
            kind = cloud.tenant.kind_of(entry["object_id"]) or ""
            for role in entry.get("roles", ()):
                cloud.grant(entry["object_id"], kind, _role(role), f"/subscriptions/{self.subscription_id}")
        return cloud


def _user(entry: dict[str, Any]) -> User:
    return User(**{key: entry[key] for key in ("key", "object_id", "mail", "name")})


def _directory_roles(entry: dict[str, Any]) -> frozenset[str]:
    by_name = {name: identifier for identifier, name in permissions.DIRECTORY_ROLES.items()}
    for name in entry.get("directory_roles", ()):
        if name not in by_name:
            raise TwinError(f"the directory role {name!r} is unknown; known are {', '.join(sorted(by_name))}")
    return frozenset(by_name[name] for name in entry.get("directory_roles", ()))


def _role(name: str) -> str:
    found = next((role for role in roles.everything() if role.name == name), None)
    if found is None:
        raise TwinError(f"the Azure role {name!r} is unknown; see emulators/arm/roles.py")
    return found.id
