"""Azure roles: who holds which, and what gives them."""

from __future__ import annotations

from typing import Any

from ops.azure import az
from ops.bootstrap.command import Values, command, fill
from ops.bootstrap.item import MISSING, THERE, Found, Item

# "Azure built-in roles"
ROLES = {
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    "Locks Contributor": "28bf596f-4eb7-45ce-b5bc-6cf482fec137",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
}
# What Terraform gives in stage 1 and stage 2; a test compares the names with terraform/.
GIVEN_BY_TERRAFORM = {
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
}

_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"


def assignment(whose: str, role: str, scope: str, *, person: bool = False, condition: str = "") -> Item:
    """Return a role assignment; `whose` is the reference of an object id, such as `${IDENTITY_PRINCIPAL_ID}`."""
    create = command(
        *("role", "assignment", "create"),
        *("--assignee-object-id", whose),
        *("--assignee-principal-type", "User" if person else "ServicePrincipal"),
        *("--role", role),
        *("--scope", scope),
        *(("--condition", condition, "--condition-version", "2.0") if condition else ()),
    )

    def look(values: Values) -> Found:
        principal, place = fill(whose, values), fill(scope, values)
        held = find(principal, role, place)
        if not held:
            return MISSING
        if condition and _plain(held.get("condition")) != _plain(condition):
            return Found("differs", "without this condition, so it allows more")
        return THERE

    return Item("role", f"{role} for {'you' if person else 'the identity'}", look, make=(create,))


def find(principal: str, role: str, scope: str) -> Any:
    """Return that principal's assignment of that role at exactly that scope, or None."""
    listed = az.find("role", "assignment", "list", "--scope", scope, "--fill-principal-name", "false") or ()
    return next((held for held in listed if _is(held, principal, role, scope)), None)


def _is(held: Any, principal: str, role: str, scope: str) -> bool:
    return (
        str(held["principalId"]).lower() == principal.lower()
        and str(held["roleDefinitionId"]).rpartition("/")[2].lower() == ROLES[role]
        and str(held["scope"]).lower().rstrip("/") == scope.lower().rstrip("/")
    )


def only_terraforms_roles() -> str:
    """Return a condition under which its holder gives and takes the roles that Terraform gives, and no other.

    Its form is that of "Delegate Azure role assignment management using conditions".
    """
    allowed = ", ".join(sorted(GIVEN_BY_TERRAFORM.values()))
    parts = [
        f"((!(ActionMatches{{'{_ASSIGNMENTS}/{action}'}})) OR "
        f"(@{of}[{_ASSIGNMENTS}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{allowed}}}))"
        for action, of in (("write", "Request"), ("delete", "Resource"))
    ]
    return " AND ".join(parts)


def _plain(condition: str | None) -> str:
    return "".join((condition or "").split())
