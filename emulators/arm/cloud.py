"""Everything the control plane holds: one tenant, one subscription, kept in memory for one run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from emulators.arm import conditions, roles
from emulators.arm.call import Caller, Document
from emulators.arm.directory import Tenant
from emulators.arm.errors import authorization_failed, group_not_found, not_found
from emulators.arm.organisations import Organisation
from emulators.base.store import Store
from emulators.base.well_known import ROLES


@dataclass(frozen=True)
class RoleAssignment:
    """`effective` is when it starts to count: grants take a while to reach every server (seconds since the epoch)."""

    id: str
    name: str
    scope: str
    role_id: str
    principal_id: str
    principal_type: str
    effective: float
    condition: str | None = None
    condition_version: str | None = None
    description: str | None = None
    created: float = 0


@dataclass
class Delays:
    """Seconds until a change counts everywhere. Azure says up to ten minutes for roles; tests choose less."""

    roles: float = 0
    directory: float = 0


@dataclass
class Cloud:
    """Resources by lower-case id, as Resource Manager compares them."""

    tenant: Tenant
    subscription_id: str
    subscription_name: str = "The local subscription"
    delays: Delays = field(default_factory=Delays)
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.resources: dict[str, Document] = {}
        self.assignments: dict[str, RoleAssignment] = {}
        self.deleted_vaults: dict[str, Document] = {}
        self.secrets: dict[str, dict[str, Document]] = {}
        self.deleted_secrets: dict[str, dict[str, Document]] = {}
        self.keys: dict[str, list[str]] = {}
        self.providers: set[str] = set()
        self.registry_tokens: dict[str, Document] = {}
        self.taken_names: set[str] = set()  # global names that belong to other customers
        self.applied: Store | None = None  # what Terraform made with the stand-in provider
        self.organisations: dict[str, Organisation] = {}  # of Azure DevOps, by lower-case name

    # ---- resources
    def get(self, path: str) -> Document:
        found = self.resources.get(path.lower())
        if found is None:
            raise not_found(path, group_of(path))
        return found

    def require_group(self, path: str) -> None:
        group = group_of(path)
        if (
            group is not None
            and f"/subscriptions/{self.subscription_id}/resourcegroups/{group}".lower() not in self.resources
        ):
            raise group_not_found(group)

    def put(self, path: str, document: Document) -> bool:
        """Stores it; says whether it is new."""
        new = path.lower() not in self.resources
        self.resources[path.lower()] = document
        return new

    def remove(self, path: str) -> list[Document]:
        """Removes the resource and what lies under it, assignments included; gives back what is gone."""
        prefix = path.lower()
        gone = [key for key in self.resources if key == prefix or key.startswith(prefix + "/")]
        for key in [k for k, a in self.assignments.items() if within(a.scope, path)]:
            del self.assignments[key]
        return [self.resources.pop(key) for key in gone]

    def of_type(self, type_: str, under: str = "") -> Iterator[Document]:
        for key, document in self.resources.items():
            if document["type"].lower() == type_.lower() and (not under or within(key, under)):
                yield document

    def named(self, type_: str, name: str) -> Document | None:
        """The resource of that name: made here, or by Terraform."""
        made = next((d for d in self.of_type(type_) if d["name"].lower() == name.lower()), None)
        return made or self._applied(type_, name)

    def _applied(self, type_: str, name: str) -> Document | None:
        resource = _OF_TERRAFORM.get(type_.lower())
        rows = self.applied.of_type(resource) if self.applied and resource else ()
        return next((_as_document(row, type_) for row in rows if row["name"].lower() == name.lower()), None)

    # ---- authorization
    def allowed(
        self,
        caller: Caller,
        action: str,
        scope: str,
        data: bool = False,
        subject: Document | None = None,
        of_data_roles: bool = False,
    ) -> bool:
        """Whether one of the caller's effective role assignments covers the action at the scope.

        `subject` holds `role_id` and `principal_type` of the role assignment that is written or removed.
        `of_data_roles`: only roles that were made for data count.
        """
        about = subject or {"role_id": "", "principal_type": ""}
        for held in self.held_by(caller.object_id):
            role = roles.by_id(held.role_id)
            if role is None or held.effective > self.clock() or not within(scope, held.scope):
                continue
            if of_data_roles and not role.data_actions:
                continue
            if role.allows(action, data) and (
                subject is None or conditions.permit(held.condition, action, about["role_id"], about["principal_type"])
            ):
                return True
        return False

    def require(
        self, caller: Caller, action: str, scope: str, data: bool = False, subject: Document | None = None
    ) -> None:
        if not self.allowed(caller, action, scope, data, subject):
            raise authorization_failed(caller.name, caller.object_id, action, scope)

    def held_by(self, principal_id: str) -> Iterator[RoleAssignment]:
        """Assignments of the principal and of its groups: made here, and made by Terraform."""
        holders = {principal_id, *self.tenant.groups_of(principal_id)}
        yield from (a for a in self.assignments.values() if a.principal_id in holders)
        rows = self.applied.of_type("azurerm_role_assignment") if self.applied else ()
        yield from (_applied(row) for row in rows if row["principal_id"] in holders)

    def directory_roles_of(self, principal_id: str) -> frozenset[str]:
        """Template ids of the roles that count by now."""
        held = (a for a in self.tenant.directory_roles.values() if a["principalId"] == principal_id)
        return frozenset(a["roleDefinitionId"] for a in held if a["_effective"] <= self.clock())

    def grant(self, principal_id: str, principal_type: str, role_id: str, scope: str) -> None:
        """What stood before the run: effective at once."""
        name = str(uuid.uuid4())
        identifier = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{name}"
        self.assignments[identifier.lower()] = RoleAssignment(
            identifier, name, scope, role_id, principal_id, principal_type, effective=0
        )


_OF_TERRAFORM = {
    "microsoft.keyvault/vaults": "azurerm_key_vault",
    "microsoft.containerregistry/registries": "azurerm_container_registry",
}


def _as_document(row: Document, type_: str) -> Document:
    """What Terraform made, as far as a data plane asks: where it is, and which network rules it has."""
    rules = (row.get("network_acls") or row.get("network_rule_set") or [{}])[0] or {}
    listed = rules.get("ip_rules") or [one["ip_range"] for one in rules.get("ip_rule") or ()]
    acls = {"defaultAction": rules.get("default_action") or "Allow", "ipRules": [{"value": one} for one in listed]}
    public = "Enabled" if row.get("public_network_access_enabled") is not False else "Disabled"
    properties: Document = {"publicNetworkAccess": public, "networkAcls": acls}
    properties["enablePurgeProtection"] = row.get("purge_protection_enabled")
    where = {"id": row["id"], "name": row["name"], "type": type_, "location": row["location"], "tags": {}}
    return {**where, "properties": properties}


def _applied(row: Document) -> RoleAssignment:
    """An assignment that Terraform made; it counts at once."""
    role = str(row.get("role_definition_id") or "").rpartition("/")[2] or ROLES.get(row["role_definition_name"], "")
    kind = str(row.get("principal_type") or "")
    return RoleAssignment(row["id"], row["name"], row["scope"], role, row["principal_id"], kind, effective=0)


def within(scope: str, outer: str) -> bool:
    """Whether `scope` is `outer` or lies under it."""
    inner, wanted = scope.strip("/").lower(), outer.strip("/").lower()
    return not wanted or inner == wanted or inner.startswith(wanted + "/")


def group_of(path: str) -> str | None:
    parts = path.strip("/").split("/")
    return parts[3] if len(parts) > 3 and parts[2].lower() == "resourcegroups" else None
