"""The directory as one JSON file: users, groups, applications, identities and what was given to whom.

For whoever has no Terraform state: a person who writes the file, or a program that changes it while the issuer runs.
A program replaces the file in one step (write another, then rename); the next request sees what it says. README.md has
the keys, with an example.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from emulators.base.config import check_keys, read_object
from emulators.base.errors import EmulatorError
from emulators.base.well_known import service_principal
from emulators.entra import rules
from emulators.entra.directory import (
    DEFAULT_ACCESS,
    Application,
    AppRole,
    Assignment,
    Directory,
    FederatedCredential,
    Grant,
    Group,
    ManagedIdentity,
    Platform,
    Scope,
    Secret,
    ServicePrincipal,
    User,
)
from emulators.entra.errors import DirectoryError
from emulators.entra.first_party import APPLICATIONS, SERVICE_PRINCIPALS
from emulators.entra.issuer import Issuer

log = logging.getLogger("emulators.entra")

WHAT = "the directory file"
PLATFORMS = {"public_client": Platform.PUBLIC, "web": Platform.WEB, "spa": Platform.SPA}
_LISTS = ("users", "groups", "applications", "identities", "assignments", "grants")
Entry = Mapping[str, Any]
T = TypeVar("T")


class DirectoryFile:
    """Takes the file over wherever it changed; a file that cannot be taken over is logged, and changes nothing."""

    def __init__(self, path: Path, issuer: Issuer) -> None:
        self._path, self._issuer = path, issuer
        self._seen = _identity(path)

    def refresh(self) -> None:
        """Called before each request: it costs one look at the file's identity."""
        seen = _identity(self._path)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._issuer.adopt(read(self._path))
        except EmulatorError as error:
            log.error("the directory stays as it was: %s", error)


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def read(path: Path) -> Directory:
    """The directory, checked against Entra ID's rules. ConfigError or DirectoryError name the first thing wrong."""
    return parse(read_object(path, WHAT))


def parse(document: Entry) -> Directory:
    check_keys(document, WHAT, ["tenant_id", "users_may_consent", *_LISTS], ["tenant_id"])
    known = {app.client_id: app for app in APPLICATIONS}
    given = _read(document, "applications", lambda entry: _application(entry, known.get(_id(entry["client_id"]))))
    principals = _read(document, "applications", lambda entry: _service_principal(entry, known))
    found = Directory(
        tenant_id=_id(document["tenant_id"]),
        applications=known | {app.client_id: app for app in given},
        service_principals={sp.client_id: sp for sp in (*SERVICE_PRINCIPALS, *principals)},
        identities={identity.client_id: identity for identity in _read(document, "identities", _managed_identity)},
        groups=_read(document, "groups", _group),
        users=_read(document, "users", _user),
        assignments=_read(document, "assignments", _assignment),
        grants=_read(document, "grants", _grant),
        users_may_consent=bool(document.get("users_may_consent", True)),
    )
    rules.check(found, given)
    return found


def _read(document: Entry, name: str, make: Callable[[Entry], T]) -> tuple[T, ...]:
    """What `make` makes of each entry of that list; what it cannot read is named by its place."""
    entries, made = document.get(name, []), []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DirectoryError(f"`{name}` of {WHAT} must be a list of objects")
    for index, entry in enumerate(entries):
        try:
            made.append(make(entry))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"lacks {error}" if isinstance(error, KeyError) else f"cannot be read ({error})"
            raise DirectoryError(f"{name}[{index}] of {WHAT} {why}; emulators/entra/README.md has its keys") from error
    return tuple(made)


def _id(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no id")
    return value.lower()


def _ids(values: Iterable[Any]) -> frozenset[str]:
    return frozenset(_id(value) for value in values)


def _user(entry: Entry) -> User:
    mail = str(entry["mail"])
    key = {"key": mail.partition("@")[0].lower()}
    return User(**{**key, **entry, "object_id": _id(entry["object_id"])})


def _group(entry: Entry) -> Group:
    return Group(**{**entry, "object_id": _id(entry["object_id"]), "members": _ids(entry.get("members", ()))})


def _application(entry: Entry, known: Application | None) -> Application:
    """`known`: one of Microsoft's own, of which the entry changes what it names."""
    values = {
        name: _READERS[name](value) if name in _READERS else value
        for name, value in entry.items()
        if name != "service_principal"
    }
    if known is not None:
        return replace(known, **values)
    return Application(**{"object_id": f"application-{values['client_id']}", "name": entry["name"], **values})


def _scope(entry: Entry) -> Scope:
    return Scope(**{**entry, "id": _id(entry["id"])})


def _role(entry: Entry) -> AppRole:
    member_types = frozenset(entry["member_types"])
    return AppRole(**{"enabled": True, **entry, "id": _id(entry["id"]), "member_types": member_types})


def _federated(given: Iterable[Entry]) -> tuple[FederatedCredential, ...]:
    return tuple(FederatedCredential(c["issuer"], c["subject"], frozenset(c["audiences"])) for c in given)


def _by_client(given: Mapping[str, Iterable[Any]]) -> dict[str, frozenset[str]]:
    return {_id(client): _ids(ids) for client, ids in given.items()}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "client_id": _id,
    "object_id": _id,
    "identifier_uris": tuple,
    "scopes": lambda given: tuple(map(_scope, given)),
    "roles": lambda given: tuple(map(_role, given)),
    "redirect_uris": lambda given: {PLATFORMS[name]: tuple(uris) for name, uris in given.items()},
    "preauthorized": _by_client,
    "required_access": _by_client,
    "secrets": lambda given: tuple(Secret(str(value), float("-inf"), float("inf")) for value in given),
    "federated": _federated,
    "group_claims": frozenset,
    "access_token_claims": frozenset,
    "id_token_claims": frozenset,
}
"""How the keys of an application are read; the others are taken as they are."""


def _service_principal(entry: Entry, known: Mapping[str, Application]) -> ServicePrincipal:
    """Without an `object_id`, it has its application's client id."""
    client_id = _id(entry["client_id"])
    default = service_principal(client_id) if client_id in known else client_id
    given = dict(entry.get("service_principal") or {})
    return ServicePrincipal(**{**given, "object_id": _id(given.get("object_id") or default), "client_id": client_id})


def _managed_identity(entry: Entry) -> ManagedIdentity:
    ids = {name: _id(entry[name]) for name in ("client_id", "principal_id")}
    return ManagedIdentity(**{"id": entry["name"], **entry, **ids, "federated": _federated(entry.get("federated", ()))})


def _assignment(entry: Entry) -> Assignment:
    return Assignment(**{"role_id": DEFAULT_ACCESS, **{name: _id(value) for name, value in entry.items()}})


def _grant(entry: Entry) -> Grant:
    user, ids = entry.get("user_id"), {name: _id(entry[name]) for name in ("client_id", "resource_id")}
    return Grant(**{**entry, **ids, "user_id": _id(user) if user else None, "scopes": frozenset(entry["scopes"])})
