"""The tenant's directory as Microsoft Graph changes it.

Documents are Graph's own JSON, by object id. `document` is the directory for the issuer, in the form of its file
(emulators/entra/README.md, `directory`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulators.arm import permissions
from emulators.arm.call import Document
from emulators.base.well_known import (
    AZURE_CLI,
    DISPLAY_NAMES,
    GRAPH,
    KEY_VAULT,
    MANAGEMENT,
    PEOPLE,
    STORAGE,
    VS_CODE,
    service_principal,
)

_FROM_THE_START = (VS_CODE, AZURE_CLI, GRAPH, MANAGEMENT, KEY_VAULT, STORAGE)


@dataclass(frozen=True)
class User:
    """`key` is the short name by which the issuer's pages know the person."""

    key: str
    object_id: str
    mail: str
    name: str


@dataclass(frozen=True)
class Person:
    """A user and the directory roles (template ids) held from the start."""

    user: User
    directory_roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Registered:
    """An application that may sign in with a secret: `az login --service-principal`."""

    client_id: str
    object_id: str
    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """A user-assigned identity; `federated` are Resource Manager's `{issuer, subject, audiences}`."""

    id: str
    name: str
    client_id: str
    principal_id: str
    federated: tuple[Document, ...] = ()


@dataclass
class Tenant:
    """Users, groups, service principals, identities and what was assigned in the directory."""

    tenant_id: str
    people: Sequence[Person] = ()
    applications: Sequence[Registered] = ()
    members_create: bool = True  # whether members may register applications and create security groups

    def __post_init__(self) -> None:
        self.principals: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        self.members: dict[str, set[str]] = {}
        self.owners: dict[str, set[str]] = {}
        self.identities: dict[str, Identity] = {}
        self.directory_roles: dict[str, Document] = {}
        self.app_roles: dict[str, Document] = {}
        self.appeared: dict[str, float] = {}
        local = (User(mail.partition("@")[0], i, mail, name) for i, (mail, name) in PEOPLE.items())
        self.users = {user.object_id: user for user in (*local, *(person.user for person in self.people))}
        for client_id in _FROM_THE_START:
            self.add_principal(client_id, DISPLAY_NAMES[client_id], service_principal(client_id))
        for own in self.applications:
            self.add_principal(own.client_id, own.name, own.object_id)
        self.principal_of(GRAPH)["appRoles"] = permissions.APP_ROLES
        for person in self.people:
            for role in person.directory_roles:
                self.assign_directory_role(person.user.object_id, role, effective=0)

    def add_principal(self, client_id: str, name: str, object_id: str, kind: str = "Application") -> Document:
        self.principals[object_id] = {
            "id": object_id,
            "appId": client_id,
            "displayName": name,
            "servicePrincipalType": kind,
            "servicePrincipalNames": [client_id],
            "accountEnabled": True,
            "appRoleAssignmentRequired": False,
            "appRoles": [],
        }
        return self.principals[object_id]

    @property
    def graph_id(self) -> str:
        """The object id of Microsoft Graph's service principal, which is each tenant's own."""
        return str(self.principal_of(GRAPH)["id"])

    def principal_of(self, client_id: str) -> Document:
        return next(p for p in self.principals.values() if p["appId"] == client_id)

    def kind_of(self, object_id: str) -> str | None:
        """`User`, `Group`, `ServicePrincipal`, or None for an object that is not there."""
        if object_id in self.users:
            return "User"
        if object_id in self.groups:
            return "Group"
        return "ServicePrincipal" if object_id in self.principals else None

    def name_of(self, object_id: str) -> str:
        if object_id in self.users:
            return self.users[object_id].mail
        found: Any = self.principals.get(object_id) or self.groups.get(object_id) or {}
        return str(found.get("appId") or found.get("displayName") or object_id)

    def groups_of(self, object_id: str) -> set[str]:
        return {group for group, members in self.members.items() if object_id in members}

    def assign_directory_role(self, principal_id: str, role_id: str, effective: float) -> Document:
        made = {
            "id": uuid.uuid4().hex,
            "principalId": principal_id,
            "roleDefinitionId": role_id,
            "directoryScopeId": "/",
        }
        self.directory_roles[made["id"]] = {**made, "_effective": effective}
        return made

    def add_identity(self, identifier: str, name: str, now: float) -> Identity:
        made = Identity(identifier.lower(), name, str(uuid.uuid4()), str(uuid.uuid4()))
        self.identities[identifier.lower()] = made
        self.add_principal(made.client_id, name, made.principal_id, "ManagedIdentity")
        self.appeared[made.principal_id] = now
        return made

    def federate(self, identifier: str, credentials: Sequence[Document]) -> None:
        identity = self.identities[identifier.lower()]
        self.identities[identity.id] = replace(identity, federated=tuple(credentials))

    def remove_identity(self, identifier: str) -> None:
        """With the memberships and assignments of its principal."""
        gone = self.identities.pop(identifier.lower()).principal_id
        del self.principals[gone]
        self._forget(gone)

    def remove_group(self, object_id: str) -> None:
        """With its memberships in other groups, and its assignments."""
        for kept in (self.groups, self.members, self.owners):
            kept.pop(object_id)
        self._forget(object_id)

    def _forget(self, object_id: str) -> None:
        for members in self.members.values():
            members.discard(object_id)
        for assigned in (self.app_roles, self.directory_roles):
            for key in [key for key, row in assigned.items() if row["principalId"] == object_id]:
                del assigned[key]

    def document(self) -> Document:
        """The directory as the issuer reads it. Its secrets are those of the configuration."""
        roles = [
            {"id": r["id"], "value": r["value"], "member_types": r["allowedMemberTypes"]} for r in permissions.APP_ROLES
        ]
        return {
            "tenant_id": self.tenant_id,
            "users": [vars(user) for user in self.users.values()],
            "groups": [
                {"object_id": g["id"], "name": g["displayName"], "members": sorted(self.members[g["id"]])}
                for g in self.groups.values()
            ],
            "applications": [
                {"client_id": GRAPH, "roles": roles},
                *(
                    {
                        "client_id": app.client_id,
                        "name": app.name,
                        "secrets": [app.secret],
                        "service_principal": {"object_id": app.object_id},
                    }
                    for app in self.applications
                ),
            ],
            "identities": [vars(identity) for identity in self.identities.values()],
            "assignments": [
                {"principal_id": a["principalId"], "resource_id": a["resourceId"], "role_id": a["appRoleId"]}
                for a in self.app_roles.values()
            ],
        }
