"""The tenant's directory: applications, principals, groups, users, and who was given what.

Immutable; `emulators.entra.applied` builds it from the applied Terraform state. All ids are lower-case GUIDs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
"""The app role id of an assignment that names no role (Graph: `appRoleAssignment.appRoleId`)."""


class Platform(Enum):
    """Where a redirect URI is registered; it decides whether the client must authenticate."""

    PUBLIC = "PublicClient"
    WEB = "Web"
    SPA = "SPA"


@dataclass(frozen=True)
class Scope:
    id: str
    value: str
    enabled: bool = True
    admin_only: bool = False
    consent_text: str = ""


@dataclass(frozen=True)
class AppRole:
    id: str
    value: str
    enabled: bool
    member_types: frozenset[str]


@dataclass(frozen=True)
class Secret:
    """`start` and `end` bound its validity, in seconds since the epoch."""

    value: str = field(repr=False)
    start: float
    end: float


@dataclass(frozen=True)
class FederatedCredential:
    issuer: str
    subject: str
    audiences: frozenset[str]


@dataclass(frozen=True)
class Application:
    """One app registration. `preauthorized` maps a client id to the scope *ids* it may use without consent."""

    client_id: str
    object_id: str
    name: str
    identifier_uris: tuple[str, ...] = ()
    token_version: int = 1
    scopes: tuple[Scope, ...] = ()
    roles: tuple[AppRole, ...] = ()
    redirect_uris: Mapping[Platform, tuple[str, ...]] = field(default_factory=dict)
    preauthorized: Mapping[str, frozenset[str]] = field(default_factory=dict)
    required_access: Mapping[str, frozenset[str]] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    group_claims: frozenset[str] = frozenset()
    access_token_claims: frozenset[str] = frozenset()
    id_token_claims: frozenset[str] = frozenset()
    public_flows: bool = False
    multi_tenant: bool = False
    first_party: bool = False

    def scope(self, value: str) -> Scope | None:
        return next((scope for scope in self.scopes if scope.value == value and scope.enabled), None)

    def identifies(self, resource: str) -> bool:
        """Whether a request's resource names this application: its client id or one of its identifier URIs."""
        wanted = resource.casefold()
        return wanted == self.client_id or wanted in {uri.casefold() for uri in self.identifier_uris}


@dataclass(frozen=True)
class ServicePrincipal:
    """An application's presence in the tenant."""

    object_id: str
    client_id: str
    enabled: bool = True
    assignment_required: bool = False


@dataclass(frozen=True)
class ManagedIdentity:
    """A user-assigned identity; `principal_id` is its service principal's object id."""

    id: str
    name: str
    client_id: str
    principal_id: str
    federated: tuple[FederatedCredential, ...] = ()


@dataclass(frozen=True)
class Group:
    object_id: str
    name: str
    members: frozenset[str]
    security_enabled: bool = True


@dataclass(frozen=True)
class User:
    """`key` is the short name that pages, tests and `invoke token --as` use.

    `sessions_valid_from`, seconds since the epoch: refresh tokens from before are revoked (a changed password, Graph's
    `revokeSignInSessions`). `needs_mfa`: a conditional access policy wants a second factor, which the page takes as
    shown and a refresh cannot show.
    """

    key: str
    object_id: str
    mail: str
    name: str
    extra_groups: int = 0
    sessions_valid_from: float = 0.0
    needs_mfa: bool = False


@dataclass(frozen=True)
class Assignment:
    """An app role given to a user, group or service principal on a resource's service principal."""

    principal_id: str
    resource_id: str
    role_id: str = DEFAULT_ACCESS


@dataclass(frozen=True)
class Grant:
    """Delegated permissions that an administrator consented to; `user_id` None means every user."""

    client_id: str
    resource_id: str
    user_id: str | None
    scopes: frozenset[str]


@dataclass(frozen=True)
class Directory:
    tenant_id: str
    applications: Mapping[str, Application]
    service_principals: Mapping[str, ServicePrincipal]
    """By client id, like `applications` and `identities`."""
    identities: Mapping[str, ManagedIdentity]
    groups: tuple[Group, ...]
    users: tuple[User, ...]
    assignments: tuple[Assignment, ...] = ()
    grants: tuple[Grant, ...] = ()
    #: False: "Do not allow user consent" ("Configure how users consent to applications"); then only grants count.
    users_may_consent: bool = True

    def resource(self, name: str) -> Application | None:
        """The application that a resource name (client id or identifier URI) belongs to."""
        return next((app for app in self.applications.values() if app.identifies(name)), None)

    def user(self, key_or_mail: str) -> User | None:
        wanted = key_or_mail.strip().casefold()
        return next((u for u in self.users if wanted in (u.key, u.mail.casefold(), u.object_id)), None)

    def groups_of(self, principal_id: str) -> tuple[Group, ...]:
        """Direct memberships: the only ones that app role assignments honour."""
        return tuple(group for group in self.groups if principal_id in group.members)

    def all_groups_of(self, principal_id: str) -> tuple[Group, ...]:
        """Transitive memberships, which the groups claim shows ("Configure group claims")."""
        found: dict[str, Group] = {}
        waiting = list(self.groups_of(principal_id))
        while waiting:
            group = waiting.pop()
            if group.object_id not in found:
                found[group.object_id] = group
                waiting.extend(self.groups_of(group.object_id))
        return tuple(found.values())

    def assignments_on(self, resource: ServicePrincipal, principal_id: str) -> tuple[Assignment, ...]:
        """What was assigned on `resource` to the principal itself or to a group it is a direct member of."""
        holders = {principal_id, *(group.object_id for group in self.groups_of(principal_id))}
        return tuple(a for a in self.assignments if a.resource_id == resource.object_id and a.principal_id in holders)

    def roles(self, resource: Application, principal_id: str) -> list[str]:
        """Values for the `roles` claim, sorted; roles without value or disabled ones do not show."""
        principal = self.service_principals.get(resource.client_id)
        if principal is None:
            return []
        held = {assignment.role_id for assignment in self.assignments_on(principal, principal_id)}
        return sorted(role.value for role in resource.roles if role.id in held and role.enabled and role.value)
