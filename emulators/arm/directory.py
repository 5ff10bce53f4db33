"""The tenant's directory as Microsoft Graph changes it, and as the local Entra ID reads it.

Documents are Graph's own JSON, by object id. `entra` turns them into the issuer's directory after every change.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulators.arm import permissions
from emulators.arm.call import Document
from emulators.base.state import State
from emulators.entra import applied
from emulators.entra.directory import (
    Application,
    AppRole,
    Assignment,
    Directory,
    FederatedCredential,
    Group,
    ManagedIdentity,
    Scope,
    Secret,
    ServicePrincipal,
    User,
)
from emulators.entra.first_party import APPLICATIONS, GRAPH

_REGISTRY_ID = "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26"
REGISTRY = Application(
    _REGISTRY_ID,
    f"first-party-{_REGISTRY_ID}",
    "Azure Container Registry",
    identifier_uris=("https://containerregistry.azure.net", "https://containerregistry.azure.net/"),
    scopes=(Scope(f"{_REGISTRY_ID}/user_impersonation", "user_impersonation"),),
    multi_tenant=True,
    first_party=True,
)
"""The resource that `az acr login` asks a token for; the MCP platform itself never does."""


_DEVOPS_ID = "499b84ac-1321-427f-aa17-267ca6975798"
DEVOPS = replace(
    REGISTRY,
    client_id=_DEVOPS_ID,
    object_id=f"first-party-{_DEVOPS_ID}",
    name="Azure DevOps",
    identifier_uris=("https://app.vssps.visualstudio.com", "https://app.vssps.visualstudio.com/"),
    scopes=(Scope(f"{_DEVOPS_ID}/user_impersonation", "user_impersonation"),),
)
"""The resource of `az rest` on dev.azure.com."""


@dataclass(frozen=True)
class Person:
    """A user and the directory roles (template ids) that he holds from the start."""

    user: User
    directory_roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Registered:
    """An application that may sign in with a secret: `az login --service-principal`."""

    client_id: str
    object_id: str
    name: str
    secret: str = field(repr=False)


@dataclass
class Tenant:
    """Users, groups, service principals, identities and what was assigned in the directory."""

    tenant_id: str
    people: Sequence[Person] = ()
    applications: Sequence[Registered] = ()

    def __post_init__(self) -> None:
        self.principals: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        self.members: dict[str, set[str]] = {}
        self.owners: dict[str, set[str]] = {}
        self.identities: dict[str, ManagedIdentity] = {}
        self.directory_roles: dict[str, Document] = {}
        self.app_roles: dict[str, Document] = {}
        self.appeared: dict[str, float] = {}
        base = applied.directory(State(()), self.tenant_id, [person.user for person in self.people])
        self.users = {user.object_id: user for user in base.users}
        self._base = base
        for app in APPLICATIONS:
            self.add_principal(app.client_id, app.name, base.service_principals[app.client_id].object_id)
        for own in self.applications:
            self.add_principal(own.client_id, own.name, own.object_id)
        graph = self.principal_of(GRAPH)
        graph["appRoles"] = permissions.APP_ROLES
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

    def holds_directory_role(self, principal_id: str, wanted: frozenset[str], now: float) -> bool:
        return any(
            a["principalId"] == principal_id and a["roleDefinitionId"] in wanted and a["_effective"] <= now
            for a in self.directory_roles.values()
        )

    def add_identity(self, identifier: str, name: str, now: float) -> ManagedIdentity:
        made = ManagedIdentity(identifier.lower(), name, str(uuid.uuid4()), str(uuid.uuid4()))
        self.identities[identifier.lower()] = made
        self.add_principal(made.client_id, name, made.principal_id, "ManagedIdentity")
        self.appeared[made.principal_id] = now
        return made

    def federate(self, identifier: str, credentials: tuple[FederatedCredential, ...]) -> None:
        self.identities[identifier.lower()] = replace(self.identities[identifier.lower()], federated=credentials)

    def remove_identity(self, identifier: str) -> None:
        gone = self.identities.pop(identifier.lower())
        del self.principals[gone.principal_id]

    def entra(self) -> Directory:
        """The directory as the issuer needs it now."""
        own = {app.client_id: _application(app) for app in self.applications}
        graph = replace(self._base.applications[GRAPH], roles=_roles(permissions.APP_ROLES))
        return replace(
            self._base,
            applications={
                **self._base.applications,
                GRAPH: graph,
                REGISTRY.client_id: REGISTRY,
                DEVOPS.client_id: DEVOPS,
                **own,
            },
            service_principals={
                **self._base.service_principals,
                REGISTRY.client_id: ServicePrincipal(REGISTRY.object_id, REGISTRY.client_id),
                DEVOPS.client_id: ServicePrincipal(DEVOPS.object_id, DEVOPS.client_id),
                **{app.client_id: ServicePrincipal(app.object_id, app.client_id) for app in self.applications},
            },
            identities={identity.client_id: identity for identity in self.identities.values()},
            groups=tuple(
                Group(g["id"], g["displayName"], frozenset(self.members[g["id"]])) for g in self.groups.values()
            ),
            assignments=tuple(
                Assignment(a["principalId"], a["resourceId"], a["appRoleId"]) for a in self.app_roles.values()
            ),
        )


def _application(app: Registered) -> Application:
    secret = Secret(app.secret, float("-inf"), float("inf"))
    return Application(app.client_id, f"application-{app.client_id}", app.name, secrets=(secret,))


def _roles(documents: Sequence[Document]) -> tuple[AppRole, ...]:
    return tuple(AppRole(d["id"], d["value"], True, frozenset(d["allowedMemberTypes"])) for d in documents)
