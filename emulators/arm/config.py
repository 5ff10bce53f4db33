"""The process's configuration: one 0600 JSON file, because it holds secrets of applications and of the control port."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emulators.arm import permissions, roles
from emulators.arm.cloud import Cloud, Delays
from emulators.arm.directory import Person, Registered, Tenant, User
from emulators.arm.organisations import Organisation
from emulators.base.config import check_object, read_object
from emulators.base.errors import ConfigError
from emulators.base.store import Store

WHAT = "the control plane's configuration"


@dataclass(frozen=True)
class Config:
    """`azurite` is the command that starts `azurite-blob`, a list; without it blob requests are refused.

    `issuer` is the command that starts the issuer, a list (see web/issuer.py).

    `provider_store`: the cloud file of azurerm-emulator, whose Cosmos DB accounts are served.

    `members_create`: whether members may register applications and create security groups, as is Entra's default.

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
    issuer: tuple[str, ...] = ()
    role_delay: float = 0
    directory_delay: float = 0
    registered_providers: tuple[str, ...] = ()
    taken_names: tuple[str, ...] = ()
    trusted_issuers: dict[str, Any] = field(default_factory=dict)
    organisations: tuple[dict[str, Any], ...] = ()
    provider_store: Path | None = None
    members_create: bool = True

    @classmethod
    def load(cls, path: Path) -> Config:
        return cls.parse(read_object(path, WHAT, private=True))

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Config:
        """Read the JSON object; an unknown or missing key is a ConfigError that names it."""
        needed = ("data_dir", "tenant_id", "subscription_id", "control_secret")
        check_object(document, WHAT, cls, needed)
        tuples = {k: tuple(v) for k, v in document.items() if isinstance(v, list)}
        paths: dict[str, Any] = {k: Path(document[k]) for k in ("data_dir", "provider_store") if k in document}
        return cls(**{**document, **tuples, **paths})

    def issuer_command(self) -> tuple[str, ...]:
        """The configured one, else the issuer that is installed beside this package; ConfigError where none is."""
        if self.issuer:
            return self.issuer
        if find_spec("emulators.entra") is None:
            raise ConfigError(
                "sign-in needs an issuer: install arm-emulator[issuer], or give `issuer` in the configuration, a "
                "command that takes --config FILE as `python -m emulators.entra` does"
            )
        return (sys.executable, "-m", "emulators.entra")

    def cloud(self) -> Cloud:
        """A fresh cloud: what stands before anybody does anything."""
        people = [Person(_user(p), _directory_roles(p)) for p in self.people]
        applications = [Registered(a["client_id"], a["object_id"], a["name"], a["secret"]) for a in self.applications]
        delays = Delays(self.role_delay, self.directory_delay)
        tenant = Tenant(self.tenant_id, people, applications, self.members_create)
        cloud = Cloud(tenant, self.subscription_id, delays=delays)
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
            raise ConfigError(f"the directory role {name!r} is unknown; known are {', '.join(sorted(by_name))}")
    return frozenset(by_name[name] for name in entry.get("directory_roles", ()))


def _role(name: str) -> str:
    found = next((role for role in roles.everything() if role.name == name), None)
    if found is None:
        raise ConfigError(f"the Azure role {name!r} is unknown; see emulators/arm/roles.py")
    return found.id
