"""Named values of the applied state, those in Key Vault included, with the access check that Azure makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from emulators.apim.errors import LocatedError, MissingReference, Where
from emulators.base.state import Resource, State

#: "Key Vault Secrets User" and the roles that include it.
_READER_ROLES = {
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
}
_SECRET_ID = re.compile(r"https://([a-z0-9-]+)\.[^/]+/secrets/([A-Za-z0-9-]+)(?:/([0-9a-fA-F]+))?/?")


def load_named_values(state: State, service: Resource, report: Callable[[LocatedError], None]) -> dict[str, str]:
    """Values by display name, which is what `{{…}}` names."""
    found: dict[str, str] = {}
    for resource in state.of_type("azurerm_api_management_named_value"):
        where = Where(f"named value {resource['name']!r} ({resource.address})")
        source = resource.block("value_from_key_vault")
        value = _from_vault(state, service, source, where, report) if source else resource.get("value", "")
        found[str(resource["display_name"])] = str(value)
    return found


def secret_named_values(state: State) -> list[str]:
    """The values of those that are marked secret or come from Key Vault."""
    values = load_named_values(state, state.one("azurerm_api_management"), lambda error: None)
    applied = state.of_type("azurerm_api_management_named_value")
    return [values[r["display_name"]] for r in applied if r.get("secret") or r.block("value_from_key_vault")]


def _from_vault(
    state: State, service: Resource, source: Mapping[str, object], where: Where, report: Callable[[LocatedError], None]
) -> str:
    secret_id = str(source.get("secret_id") or "")
    match = _SECRET_ID.fullmatch(secret_id)
    secret = _secret(state, match) if match else None
    if secret is None:
        report(
            MissingReference(
                f"no applied azurerm_key_vault_secret has the id {secret_id!r}", where=where, name=secret_id
            )
        )
        return ""
    principal = _principal(state, service, str(source.get("identity_client_id") or ""))
    if principal is None:
        message = "its identity_client_id is not an identity of azurerm_api_management.identity"
        report(MissingReference(message, where=where, name="identity_client_id"))
    elif not _may_read(state, principal, f"{secret['key_vault_id']}/secrets/{secret['name']}"):
        message = "the gateway's identity lacks 'Key Vault Secrets User' on the vault: add an azurerm_role_assignment"
        report(MissingReference(message, where=where, name="Key Vault Secrets User"))
    return str(secret.get("value") or secret.get("value_wo") or "")


def _secret(state: State, match: re.Match[str]) -> Resource | None:
    vault_name, name, version = match.groups()
    for secret in state.of_type("azurerm_key_vault_secret"):
        vault = str(secret["key_vault_id"]).rsplit("/", 1)[-1]
        if secret["name"] == name and vault.lower() == vault_name.lower() and version in (None, secret.get("version")):
            return secret
    return None


def attached_identities(state: State, service: Resource) -> dict[str, str]:
    """Principal id by client id of every identity of the service; the system-assigned one has the client id ""."""
    identity = service.block("identity")
    attached = {str(id_).lower() for id_ in identity.get("identity_ids") or ()}
    found = {
        str(resource["client_id"]): str(resource["principal_id"])
        for resource in state.of_type("azurerm_user_assigned_identity")
        if str(resource["id"]).lower() in attached
    }
    if "SystemAssigned" in str(identity.get("type", "")):
        found[""] = str(identity.get("principal_id", ""))
    return found


def _principal(state: State, service: Resource, client_id: str) -> str | None:
    return attached_identities(state, service).get(client_id)


def _may_read(state: State, principal: str, secret_id: str) -> bool:
    """Whether a role on the secret, its vault or what holds that lets the principal read it."""
    for assignment in state.of_type("azurerm_role_assignment"):
        role = str(assignment.get("role_definition_name") or "")
        definition = str(assignment.get("role_definition_id") or "").rsplit("/", 1)[-1].lower()
        readable = role in _READER_ROLES or definition in _READER_ROLES.values()
        scope = str(assignment["scope"]).rstrip("/").lower()
        within = f"{secret_id.lower()}/".startswith(scope + "/")
        if readable and within and assignment["principal_id"] == principal:
            return True
    return False
