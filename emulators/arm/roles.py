"""Built-in roles as far as these commands need them ("Azure built-in roles"), and how actions match wildcards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from emulators.base.well_known import ROLES

_BLOB = "Microsoft.Storage/storageAccounts/blobServices"
_VAULT = "Microsoft.KeyVault/vaults"
_READ = ("*/read",)


@dataclass(frozen=True)
class Role:
    """`id` is the GUID that is the same in every tenant."""

    name: str
    id: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()

    def allows(self, action: str, data: bool) -> bool:
        if data:
            return matches(self.data_actions, action)
        return matches(self.actions, action) and not matches(self.not_actions, action)


def matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(_compiled(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)


def _role(
    name: str,
    actions: tuple[str, ...] = (),
    not_actions: tuple[str, ...] = (),
    data_actions: tuple[str, ...] = (),
) -> Role:
    return Role(name, ROLES[name], actions, not_actions, data_actions)


BUILT_IN = (
    _role("Owner", ("*",)),
    _role(
        "Contributor",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
        ),
    ),
    _role("Reader", _READ),
    _role("User Access Administrator", (*_READ, "Microsoft.Authorization/*", "Microsoft.Support/*")),
    _role(
        "Role Based Access Control Administrator",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            *_READ,
            "Microsoft.Support/*",
        ),
    ),
    _role("Locks Contributor", tuple(f"Microsoft.Authorization/locks/{verb}" for verb in ("read", "write", "delete"))),
    _role(
        "DocumentDB Account Contributor",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.DocumentDb/databaseAccounts/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
    _role(
        "Cosmos DB Account Reader Role",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.DocumentDB/*/read",
            "Microsoft.DocumentDB/databaseAccounts/readonlykeys/action",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
    _role("AcrPull", ("Microsoft.ContainerRegistry/registries/pull/read",)),
    _role(
        "AcrPush",
        ("Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"),
    ),
    _role(
        "Key Vault Administrator",
        (
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.KeyVault/checkNameAvailability/read",
            "Microsoft.KeyVault/deletedVaults/read",
            "Microsoft.KeyVault/locations/*/read",
            f"{_VAULT}/*/read",
        ),
        data_actions=(f"{_VAULT}/*",),
    ),
    _role(
        "Key Vault Reader",
        (f"{_VAULT}/*/read", "Microsoft.KeyVault/deletedVaults/read"),
        data_actions=(f"{_VAULT}/*/read", f"{_VAULT}/secrets/readMetadata/action"),
    ),
    _role(
        "Key Vault Secrets Officer",
        (f"{_VAULT}/*/read", "Microsoft.KeyVault/deletedVaults/read"),
        data_actions=(f"{_VAULT}/secrets/*",),
    ),
    _role(
        "Key Vault Secrets User",
        data_actions=(f"{_VAULT}/secrets/getSecret/action", f"{_VAULT}/secrets/readMetadata/action"),
    ),
    _role(
        "Managed Identity Contributor",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*",
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
    _role(
        "Managed Identity Operator",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
    ),
    _role(
        "Storage Blob Data Contributor",
        (
            f"{_BLOB}/containers/delete",
            f"{_BLOB}/containers/read",
            f"{_BLOB}/containers/write",
            f"{_BLOB}/generateUserDelegationKey/action",
        ),
        data_actions=tuple(
            f"{_BLOB}/containers/blobs/{verb}" for verb in ("delete", "read", "write", "move/action", "add/action")
        ),
    ),
    _role(
        "Storage Blob Data Owner",
        (f"{_BLOB}/containers/*", f"{_BLOB}/generateUserDelegationKey/action"),
        data_actions=(f"{_BLOB}/containers/blobs/*",),
    ),
    _role(
        "Storage Blob Data Reader",
        (f"{_BLOB}/containers/read", f"{_BLOB}/generateUserDelegationKey/action"),
        data_actions=(f"{_BLOB}/containers/blobs/read",),
    ),
)
"""Other built-in roles can be assigned (they are listed), but what they allow is not known here, so nothing."""

_BY_ID = {role.id: role for role in BUILT_IN}
_BY_ID.update({i: Role(name, i) for name, i in ROLES.items() if i not in _BY_ID})


def by_id(identifier: str) -> Role | None:
    return _BY_ID.get(identifier.rsplit("/", 1)[-1].lower())


def everything() -> tuple[Role, ...]:
    return tuple(_BY_ID.values())
