"""Directory roles and Graph application permissions ("Microsoft Entra built-in roles", "permissions reference").

Each operation names who may do it: people by directory role, applications by permission or by directory role.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulators.arm.call import Caller, Document
from emulators.arm.errors import insufficient_privileges

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
GROUPS_ADMINISTRATOR = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"

DIRECTORY_ROLES = {
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    PRIVILEGED_ROLE_ADMINISTRATOR: "Privileged Role Administrator",
    APPLICATION_ADMINISTRATOR: "Application Administrator",
    GROUPS_ADMINISTRATOR: "Groups Administrator",
    USER_ADMINISTRATOR: "User Administrator",
    DIRECTORY_READERS: "Directory Readers",
}

PERMISSIONS = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    "Group.Create": "bf7b1a76-6e77-406b-b258-bf5c7720e98f",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
}

APP_ROLES: list[Document] = [
    {"id": i, "value": name, "displayName": name, "isEnabled": True, "allowedMemberTypes": ["Application"]}
    for name, i in PERMISSIONS.items()
]


@dataclass(frozen=True)
class Need:
    """`people` None: every member of the tenant may; else holders of one of these directory roles.

    `roles` are the directory roles by which an application may; those of `people` where nothing is said. `creates`: a
    tenant can take it from its members, who then need one of `roles` too (`members_create` of the configuration).
    """

    people: frozenset[str] | None
    apps: frozenset[str]
    roles: frozenset[str] = frozenset()
    creates: bool = False

    def check(self, caller: Caller, holds: frozenset[str], members_create: bool = True) -> None:
        """`holds` are the caller's effective directory roles. Raises Authorization_RequestDenied."""
        by_role = bool(holds & (self.roles or self.people or frozenset()))
        by_kind = caller.permissions & self.apps if caller.is_app else self._open_to_members(members_create)
        if not by_role and not by_kind:
            raise insufficient_privileges()

    def _open_to_members(self, members_create: bool) -> bool:
        return self.people is None and (members_create or not self.creates)


_TOP = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})
_APPLICATIONS = frozenset({GLOBAL_ADMINISTRATOR, APPLICATION_ADMINISTRATOR})
_GROUPS = frozenset({GLOBAL_ADMINISTRATOR, GROUPS_ADMINISTRATOR, USER_ADMINISTRATOR})
# A member reads the directory; an application reads what its roles list ("Microsoft Entra built-in roles", 2026-09):
# Application Administrator lists no users.
_READERS = frozenset({GLOBAL_ADMINISTRATOR, DIRECTORY_READERS})

READ_DIRECTORY = Need(
    None,
    frozenset(
        {"Directory.Read.All", "Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"}
    ),
    _READERS | _APPLICATIONS | _TOP,
)
# "List groups" names no Group.Create: it makes groups, and does not read those of others.
READ_GROUPS = Need(
    None,
    frozenset({"Directory.Read.All", "Group.Read.All", "Group.ReadWrite.All"}),
    _READERS | _GROUPS,
)
READ_USERS = Need(None, frozenset({"Directory.Read.All", "User.Read.All"}), _READERS | {USER_ADMINISTRATOR})
ASSIGN_DIRECTORY_ROLES = Need(_TOP, frozenset({"RoleManagement.ReadWrite.Directory"}))
READ_DIRECTORY_ROLES = Need(
    None, frozenset({"Directory.Read.All", "RoleManagement.ReadWrite.Directory"}), _READERS | _TOP
)
GRANT_GRAPH_PERMISSIONS = Need(_TOP, frozenset({"AppRoleAssignment.ReadWrite.All"}))
GRANT_APP_ROLES = Need(_TOP | {APPLICATION_ADMINISTRATOR}, frozenset({"AppRoleAssignment.ReadWrite.All"}))
# "Create oAuth2PermissionGrant" of Graph; azuread's own page names the second permission only (3.x, 2025-12).
GRANT_CONSENT = Need(
    _TOP | {APPLICATION_ADMINISTRATOR}, frozenset({"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"})
)
# "Users can register applications" and "Users can create security groups" are on by default, and often off in companies
# ("What are the default user permissions in Microsoft Entra ID?", 2026-03).
CREATE_APPLICATIONS = Need(
    None, frozenset({"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"}), _APPLICATIONS, creates=True
)
CHANGE_APPLICATIONS = Need(_APPLICATIONS, frozenset({"Application.ReadWrite.All"}))
CHANGE_OWN_APPLICATIONS = Need(None, CREATE_APPLICATIONS.apps, _APPLICATIONS)
CREATE_GROUPS = Need(None, frozenset({"Group.ReadWrite.All", "Group.Create"}), _GROUPS, creates=True)
CHANGE_GROUPS = Need(_GROUPS, frozenset({"Group.ReadWrite.All"}))
