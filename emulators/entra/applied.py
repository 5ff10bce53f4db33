"""Builds the directory from the applied state. What Entra ID would not accept is a DirectoryError.

Registrations may be written in one `azuread_application` or spread over its companion resources; both end up the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from emulators.base.state import Resource, State
from emulators.base.well_known import PEOPLE
from emulators.entra import registrations, rules
from emulators.entra.directory import Assignment, Directory, Grant, Group, ManagedIdentity, ServicePrincipal, User
from emulators.entra.errors import DirectoryError
from emulators.entra.first_party import APPLICATIONS, SERVICE_PRINCIPALS
from emulators.entra.registrations import federated

LOCAL_USERS: tuple[User, ...] = tuple(
    User(mail.partition("@")[0], object_id, mail, name) for object_id, (mail, name) in PEOPLE.items()
)
"""The people of the local tenant; local tfvars refer to them by object id."""


def directory(state: State, tenant_id: str | None = None, extra_users: Sequence[User] = ()) -> Directory:
    """Reads the whole directory, then checks it against Entra's rules (DirectoryError)."""
    applications = registrations.applications(state)
    users = (*LOCAL_USERS, *extra_users, *_applied_users(state))
    users, groups = _with_people(users, tuple(_groups(state)), group_ids(state))
    found = Directory(
        tenant_id=(tenant_id or _tenant_id(state)).lower(),
        applications={app.client_id: app for app in (*APPLICATIONS, *applications)},
        service_principals={sp.client_id: sp for sp in (*SERVICE_PRINCIPALS, *_service_principals(state))},
        identities={identity.client_id: identity for identity in _identities(state)},
        groups=groups,
        users=users,
        assignments=tuple(_assignments(state)),
        grants=tuple(_grants(state)),
    )
    rules.check(found, applications)
    return found


def group_ids(state: State) -> dict[str, str]:
    """Return the object id of each group by its short name: the key of `for_each`, else the resource's own name."""
    return {_short_name(group.address): str(group["object_id"]).lower() for group in state.of_type("azuread_group")}


def _short_name(address: str) -> str:
    indexed = re.search(r'\["([a-z0-9-]+)"\]$', address)
    return indexed.group(1) if indexed else address.rpartition(".")[2].lower()


def _with_people(
    users: tuple[User, ...], groups: tuple[Group, ...], ids: Mapping[str, str]
) -> tuple[tuple[User, ...], tuple[Group, ...]]:
    """Put one person into each group that nobody is in, so that somebody can sign in with what the group is for.

    A group whose short name somebody has already stays empty: those people are where Terraform puts them.
    """
    names = {object_id: name for name, object_id in ids.items()}
    known, taken = {user.object_id for user in users}, {user.key for user in users}
    made, filled = [], []
    for group in groups:
        key = names[group.object_id]
        if known.isdisjoint(group.members) and key not in taken:
            person = User(key, str(uuid5(NAMESPACE_URL, f"person/{key}")), f"{key}@twin.example", f"Pat {key.title()}")
            made.append(person)
            taken.add(key)
            group = replace(group, members=group.members | {person.object_id})
        filled.append(group)
    return (*users, *made), tuple(filled)


def _tenant_id(state: State) -> str:
    holders = (*state.of_type("azurerm_user_assigned_identity"), *state.of_type("azurerm_key_vault"))
    tenants = {str(holder["tenant_id"]).lower() for holder in holders if holder.get("tenant_id")}
    if len(tenants) != 1:
        raise DirectoryError(
            f"the applied state names {len(tenants)} tenants ({', '.join(sorted(tenants)) or 'none'}) where one is "
            "needed; apply an identity or a key vault, or set tenant_id in the issuer's configuration"
        )
    return tenants.pop()


def _service_principals(state: State) -> Iterable[ServicePrincipal]:
    for resource in state.of_type("azuread_service_principal"):
        yield ServicePrincipal(
            object_id=str(resource["object_id"]).lower(),
            client_id=str(resource["client_id"]).lower(),
            enabled=bool(resource.get("account_enabled", True)),
            assignment_required=bool(resource.get("app_role_assignment_required", False)),
        )


def _identities(state: State) -> Iterable[ManagedIdentity]:
    credentials = state.of_type("azurerm_federated_identity_credential")
    for resource in state.of_type("azurerm_user_assigned_identity"):
        identifier = str(resource["id"]).lower()
        own = [c for c in credentials if str(c["user_assigned_identity_id"]).lower() == identifier]
        yield ManagedIdentity(
            id=identifier,
            name=resource["name"],
            client_id=str(resource["client_id"]).lower(),
            principal_id=str(resource["principal_id"]).lower(),
            federated=tuple(federated(c["issuer"], c["subject"], c["audience"]) for c in own),
        )


def _groups(state: State) -> Iterable[Group]:
    memberships = state.of_type("azuread_group_member")
    for resource in state.of_type("azuread_group"):
        if resource.get("dynamic_membership"):
            raise DirectoryError(
                f"{resource.address} has a dynamic membership rule, which is not evaluated here; list members"
            )
        object_id = str(resource["object_id"]).lower()
        separate = [m["member_object_id"] for m in memberships if str(m["group_object_id"]).lower() == object_id]
        members = (*resource.get("members", ()), *separate)
        yield Group(
            object_id,
            resource["display_name"],
            frozenset(str(member).lower() for member in members),
            bool(resource.get("security_enabled", False)),
        )


def _applied_users(state: State) -> Iterable[User]:
    for resource in state.of_type("azuread_user"):
        principal_name = str(resource["user_principal_name"])
        key = principal_name.partition("@")[0].lower()
        yield User(key, str(resource["object_id"]).lower(), principal_name, resource["display_name"])


def _assignments(state: State) -> Iterable[Assignment]:
    for resource in state.of_type("azuread_app_role_assignment"):
        yield Assignment(
            principal_id=_guid(resource, "principal_object_id"),
            resource_id=_guid(resource, "resource_object_id"),
            role_id=_guid(resource, "app_role_id"),
        )


def _grants(state: State) -> Iterable[Grant]:
    for resource in state.of_type("azuread_service_principal_delegated_permission_grant"):
        user = resource.get("user_object_id")
        yield Grant(
            client_id=_guid(resource, "service_principal_object_id"),
            resource_id=_guid(resource, "resource_service_principal_object_id"),
            user_id=str(user).lower() if user else None,
            scopes=frozenset(resource["claim_values"]),
        )


def _guid(resource: Resource, attribute: str) -> str:
    return str(resource[attribute]).lower()
