"""App registrations as Terraform writes them: `azuread_application` and the resources that complete it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from emulators.base.state import Resource, State
from emulators.entra.directory import Application, AppRole, FederatedCredential, Platform, Scope, Secret
from emulators.entra.errors import DirectoryError, NotReproducedError

COMPANIONS = (
    "azuread_application_identifier_uri",
    "azuread_application_pre_authorized",
    "azuread_application_redirect_uris",
    "azuread_application_permission_scope",
    "azuread_application_app_role",
    "azuread_application_password",
    "azuread_application_federated_identity_credential",
)
UNSUPPORTED = (
    "azuread_application_registration",
    "azuread_application_certificate",
    "azuread_application_optional_claims",
    "azuread_application_api_access",
    "azuread_application_fallback_public_client",
    "azuread_application_known_clients",
    "azuread_application_from_template",
    "azuread_service_principal_password",
    "azuread_service_principal_certificate",
    "azuread_service_principal_claims_mapping_policy_assignment",
)
OPTIONAL_CLAIMS = frozenset(
    {"idtyp", "email", "upn", "groups", "acct", "login_hint", "auth_time", "preferred_username"}
)
_BLOCK_OF = {Platform.PUBLIC: "public_client", Platform.WEB: "web", Platform.SPA: "single_page_application"}


def applications(state: State) -> tuple[Application, ...]:
    """Every registration of the state. A companion that points nowhere is a DirectoryError."""
    for type_ in UNSUPPORTED:
        for resource in state.of_type(type_):
            raise NotReproducedError(
                f"{resource.address}: the local Entra ID does not implement {type_}; use azuread_application"
            )
    registered = state.of_type("azuread_application")
    companions = _companions(state, registered)
    return tuple(_application(resource, companions[resource.address]) for resource in registered)


def federated(issuer: str, subject: str, audiences: Iterable[str]) -> FederatedCredential:
    return FederatedCredential(issuer, subject, frozenset(audiences))


def _companions(state: State, registered: Iterable[Resource]) -> dict[str, dict[str, list[Resource]]]:
    by_id: dict[str, str] = {}
    found: dict[str, dict[str, list[Resource]]] = {}
    for application in registered:
        for spelling in (application["id"], f"/applications/{application['object_id']}"):
            by_id[str(spelling).lower()] = application.address
        found[application.address] = {type_: [] for type_ in COMPANIONS}
    for type_ in COMPANIONS:
        for resource in state.of_type(type_):
            owner = by_id.get(str(resource["application_id"]).lower())
            if owner is None:
                raise DirectoryError(
                    f"{resource.address} belongs to application_id {resource['application_id']!r}, which is no applied "
                    "azuread_application; give it that resource's `id`"
                )
            found[owner][type_].append(resource)
    return found


def _application(resource: Resource, companions: Mapping[str, list[Resource]]) -> Application:
    api = resource.block("api")
    claims = resource.block("optional_claims")
    _refuse_implicit_grant(resource)
    return Application(
        client_id=str(resource["client_id"]).lower(),
        object_id=str(resource["object_id"]).lower(),
        name=resource["display_name"],
        identifier_uris=_identifier_uris(resource, companions),
        token_version=int(api.get("requested_access_token_version") or 1),
        scopes=_scopes(api, companions),
        roles=_roles(resource, companions),
        redirect_uris=_redirect_uris(resource, companions),
        preauthorized=_preauthorized(companions),
        required_access=_required_access(resource),
        secrets=_secrets(resource, companions),
        federated=tuple(
            federated(c["issuer"], c["subject"], c["audiences"])
            for c in companions["azuread_application_federated_identity_credential"]
        ),
        group_claims=frozenset(resource.get("group_membership_claims", ())) - {"None"},
        access_token_claims=_optional_claims(resource, claims, "access_token"),
        id_token_claims=_optional_claims(resource, claims, "id_token"),
        public_flows=bool(resource.get("fallback_public_client_enabled", False)),
        multi_tenant=resource.get("sign_in_audience", "AzureADMyOrg") != "AzureADMyOrg",
    )


def _refuse_implicit_grant(resource: Resource) -> None:
    web = resource.block("web")
    implicit = (web.get("implicit_grant") or [{}])[0]
    if implicit.get("access_token_issuance_enabled") or implicit.get("id_token_issuance_enabled"):
        raise NotReproducedError(
            f"{resource.address}: the local Entra ID does not implement the implicit grant; use the code flow"
        )


def _identifier_uris(resource: Resource, companions: Mapping[str, list[Resource]]) -> tuple[str, ...]:
    separate = (c["identifier_uri"] for c in companions["azuread_application_identifier_uri"])
    return tuple(dict.fromkeys((*resource.get("identifier_uris", ()), *separate)))


def _scopes(api: Mapping[str, Any], companions: Mapping[str, list[Resource]]) -> tuple[Scope, ...]:
    inline = [_scope(block, block["id"]) for block in api.get("oauth2_permission_scope") or ()]
    separate = companions["azuread_application_permission_scope"]
    return (*inline, *(_scope(c.values, c["scope_id"]) for c in separate))


def _scope(values: Mapping[str, Any], identifier: str) -> Scope:
    text = values.get("user_consent_display_name") or values.get("admin_consent_display_name") or values.get("value")
    return Scope(
        id=str(identifier).lower(),
        value=values.get("value") or "",
        enabled=values.get("enabled") is not False,
        admin_only=values.get("type") == "Admin",
        consent_text=str(text or ""),
    )


def _roles(resource: Resource, companions: Mapping[str, list[Resource]]) -> tuple[AppRole, ...]:
    inline = [_role(block, block["id"]) for block in resource.get("app_role", ())]
    return (*inline, *(_role(c.values, c["role_id"]) for c in companions["azuread_application_app_role"]))


def _role(values: Mapping[str, Any], identifier: str) -> AppRole:
    return AppRole(
        id=str(identifier).lower(),
        value=values.get("value") or "",
        enabled=values.get("enabled") is not False,
        member_types=frozenset(values["allowed_member_types"]),
    )


def _redirect_uris(resource: Resource, companions: Mapping[str, list[Resource]]) -> dict[Platform, tuple[str, ...]]:
    found: dict[Platform, tuple[str, ...]] = {}
    for platform, block in _BLOCK_OF.items():
        separate = [c for c in companions["azuread_application_redirect_uris"] if c["type"] == platform.value]
        uris = (
            *(resource.block(block).get("redirect_uris") or ()),
            *(uri for c in separate for uri in c["redirect_uris"]),
        )
        found[platform] = tuple(dict.fromkeys(uris))
    return found


def _preauthorized(companions: Mapping[str, list[Resource]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for companion in companions["azuread_application_pre_authorized"]:
        client = str(companion["authorized_client_id"]).lower()
        ids = frozenset(str(identifier).lower() for identifier in companion["permission_ids"])
        found[client] = found.get(client, frozenset()) | ids
    return found


def _required_access(resource: Resource) -> dict[str, frozenset[str]]:
    return {
        str(block["resource_app_id"]).lower(): frozenset(
            str(access["id"]).lower() for access in block["resource_access"] if access["type"] == "Scope"
        )
        for block in resource.get("required_resource_access", ())
    }


def _secrets(resource: Resource, companions: Mapping[str, list[Resource]]) -> tuple[Secret, ...]:
    separate = (c.values for c in companions["azuread_application_password"])
    found = (*resource.get("password", ()), *separate)
    return tuple(_secret(resource, entry) for entry in found if entry.get("value"))


def _secret(resource: Resource, entry: Mapping[str, Any]) -> Secret:
    start = _seconds(resource, entry.get("start_date"), absent=float("-inf"))
    return Secret(entry["value"], start, _seconds(resource, entry.get("end_date"), absent=float("inf")))


def _seconds(resource: Resource, date: str | None, absent: float) -> float:
    if not date:
        return absent
    try:
        return datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp()
    except ValueError as error:
        raise DirectoryError(f"{resource.address} has a password dated {date!r}, which is no RFC 3339 date") from error


def _optional_claims(resource: Resource, claims: Mapping[str, Any], token: str) -> frozenset[str]:
    found: set[str] = set()
    for block in claims.get(token) or ():
        name = block["name"]
        if name not in OPTIONAL_CLAIMS or block.get("source") or block.get("additional_properties"):
            raise NotReproducedError(
                f"{resource.address}: the local Entra ID does not implement the optional claim {name!r} as "
                f"configured; it knows {', '.join(sorted(OPTIONAL_CLAIMS))} without source or additional properties"
            )
        found.add(name)
    return frozenset(found)
