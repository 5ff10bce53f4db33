"""Entra ID: applications, service principals, groups, users, and who holds which app role."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, digest_of, guid
from emulators.azurerm.derive.registry import IdRule, affects, derives, identifies
from emulators.azurerm.directory import application, display_name_of, ids_by_value, kind_of, well_known_principal

OBJECTS = {
    "azuread_application": "applications",
    "azuread_application_registration": "applications",
    "azuread_group": "groups",
    "azuread_group_without_members": "groups",
    "azuread_user": "users",
}

# What belongs to an application is named after it: {type: (collection, the argument that names it)}.
PARTS = {
    "azuread_application_app_role": ("appRoles", "role_id"),
    "azuread_application_permission_scope": ("permissionScopes", "scope_id"),
    "azuread_application_api_access": ("apiAccess", "api_client_id"),
    "azuread_application_owner": ("owners", "owner_object_id"),
    "azuread_application_redirect_uris": ("redirectUris", "type"),
    "azuread_application_federated_identity_credential": ("federatedIdentityCredentials", "display_name"),
}

# What an application has once.
SINGLE_PARTS = {
    "azuread_application_fallback_public_client": "fallbackPublicClient",
    "azuread_application_known_clients": "knownClientApplications",
    "azuread_application_optional_claims": "optionalClaims",
}


def _object_id(type_: str, values: Values, ordinal: int) -> str:
    return guid(type_, digest_of(values), str(ordinal))


def _object_rule(type_: str, collection: str) -> IdRule:
    return lambda _, values, ordinal: f"/{collection}/{_object_id(type_, values, ordinal)}"


def _part_rule(collection: str, argument: str) -> IdRule:
    return lambda _, values, __: f"{values['application_id']}/{collection}/{values[argument]}"


def _single_rule(collection: str) -> IdRule:
    return lambda _, values, __: f"{values['application_id']}/{collection}"


for _type, _collection in OBJECTS.items():
    identifies(_type)(_object_rule(_type, _collection))
for _type, (_collection, _argument) in PARTS.items():
    identifies(_type)(_part_rule(_collection, _argument))
for _type, _collection in SINGLE_PARTS.items():
    identifies(_type)(_single_rule(_collection))


@identifies("azuread_application_pre_authorized")
def pre_authorized_id(_: Cloud, values: Values, __: int) -> str:
    """Without the collection in front: application_pre_authorized_resource.go."""
    return f"{values['application_id'].rsplit('/', 1)[-1]}/preAuthorizedApplication/{values['authorized_client_id']}"


@identifies("azuread_application_identifier_uri")
def identifier_uri_id(_: Cloud, values: Values, __: int) -> str:
    encoded = base64.b64encode(values["identifier_uri"].encode()).decode()
    return f"{values['application_id']}/identifierUris/{encoded}"


@identifies("azuread_service_principal")
def service_principal_id(_: Cloud, values: Values, __: int) -> str:
    return f"/servicePrincipals/{guid('service-principal', values['client_id'])}"  # a tenant holds one per application


@identifies("azuread_app_role_assignment")
def app_role_assignment_id(_: Cloud, values: Values, __: int) -> str:
    number = guid(
        "app-role-assignment", values["resource_object_id"], values["principal_object_id"], values["app_role_id"]
    )
    return f"/servicePrincipals/{values['resource_object_id']}/appRoleAssignedTo/{number}"


@identifies("azuread_group_member")
def group_member_id(_: Cloud, values: Values, __: int) -> str:
    return f"{values['group_object_id']}/member/{values['member_object_id']}"


def _own_object_id(values: Values) -> str:
    return str(values["id"]).rsplit("/", 1)[-1]


@derives(
    "azuread_application",
    changes={"app_role_ids": ("app_role",), "oauth2_permission_scope_ids": ("api",)},
)
def app(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    scopes = [scope for api in values.get("api") or [] for scope in api.get("oauth2_permission_scope") or []]
    return {
        **registration(cloud, values),
        "app_role_ids": ids_by_value(values.get("app_role")),
        "oauth2_permission_scope_ids": ids_by_value(scopes),
        "tags": [],
        "template_id": "",
        "logo_url": "",
        "password.key_id": guid("password", values["id"]),
        "password.value": cloud.secret(values["id"], "password"),
        "password.start_date": "2026-01-01T00:00:00Z",
        "password.end_date": "2028-01-01T00:00:00Z",
    }


@derives("azuread_application_registration")
def registration(_: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "client_id": guid("client", values["id"]),
        "object_id": _own_object_id(values),
        "publisher_domain": "twin.example",
        "disabled_by_microsoft": "",
    }


@affects("azuread_application")
def mirror(cloud: Cloud, _: Values | None, after: Values | None) -> None:
    """A service principal shows its application's roles and scopes."""
    names = ("app_role_ids", "oauth2_permission_scope_ids")
    for principal in cloud.every("azuread_service_principal", client_id=after["client_id"]) if after else ():
        cloud.store.update("azuread_service_principal", principal["id"], {name: (after or {})[name] for name in names})


@derives("azuread_service_principal")
def service_principal(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    known = application(cloud, values["client_id"]) or well_known_principal(values["client_id"]) or {}
    mine = {
        name: known.get(name)
        for name in ("display_name", "app_role_ids", "oauth2_permission_scope_ids", "sign_in_audience")
    }
    return {
        **mine,
        "app_role_ids": mine["app_role_ids"] or {},
        "oauth2_permission_scope_ids": mine["oauth2_permission_scope_ids"] or {},
        "display_name": mine["display_name"] or values["client_id"],
        "object_id": _own_object_id(values),
        "application_tenant_id": known.get("application_tenant_id") or cloud.tenant_id,
        "service_principal_names": [values["client_id"], *(known.get("identifier_uris") or [])],
        "redirect_uris": [],
        "type": "Application",
        "tags": [],
        "homepage_url": "",
        "logout_url": "",
        "saml_metadata_url": "",
    }


@derives("azuread_group", "azuread_group_without_members")
def group(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "object_id": _own_object_id(values),
        "mail": "",
        "mail_nickname": guid("nickname", values["id"])[:8],
        "members": [],
        "owners": [cloud.object_id],
        "visibility": "Private",
        "onpremises_group_type": "",
        "preferred_language": "",
        **dict.fromkeys(("onpremises_domain_name", "onpremises_netbios_name", "onpremises_sam_account_name"), ""),
        "onpremises_security_identifier": "",
    }


@derives("azuread_user")
def user(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    name = values["user_principal_name"]
    return {
        "object_id": _own_object_id(values),
        "mail": name,
        "mail_nickname": name.partition("@")[0],
        "password": cloud.secret(values["id"], "password", size=24),
        "user_type": "Member",
        "onpremises_immutable_id": "",
    }


@derives("azuread_app_role_assignment")
def app_role_assignment(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "principal_display_name": display_name_of(cloud, values["principal_object_id"]),
        "principal_type": kind_of(cloud, values["principal_object_id"]),
        "resource_display_name": display_name_of(cloud, values["resource_object_id"]),
    }


@derives("azuread_application_password", "azuread_service_principal_password")
def password(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "key_id": guid("password", values["id"]),
        "value": cloud.secret(values["id"], "password", size=30),
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": "2028-01-01T00:00:00Z",
    }
