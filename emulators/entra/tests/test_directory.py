"""What Entra ID would not accept stops the issuer with one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.base.state import Resource, State
from emulators.base.well_known import PEOPLE
from emulators.entra import applied
from emulators.entra.directory import Directory, Platform
from emulators.entra.errors import DirectoryError
from emulators.entra.tests.driver import (
    ADMIN,
    API,
    BACKEND,
    CLIENT,
    GATEWAY,
    ROLE_ADMIN,
    ROLE_INVOKE,
    ROLE_READ,
    SCOPE_ID,
    STRANGER,
    TENANT,
    Make,
    application,
    assignment,
    claims,
    companion,
    deployment,
    group,
    identity,
    principal,
    role_block,
    scope_block,
    sp,
)

NEW = "aaaaaaaa-0000-4000-8000-000000000010"
GROUP = "dddddddd-0000-4000-8000-000000000010"


def read(*extra: Resource, **options: Any) -> Directory:
    return applied.directory(State((*deployment(), *extra)), **options)


def public(*uris: str) -> dict[str, Any]:
    return {"public_client": [{"redirect_uris": list(uris)}]}


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ([application(API, "twice")], "client id .* is used by two applications"),
        ([application(NEW, "n", identifier_uris=[f"API://{API}"])], "identifier URI .* is used by two applications"),
        ([application(NEW, "n", identifier_uris=["mcp"])], "has no scheme"),
        ([application(NEW, "n", identifier_uris=["http://127.0.0.1:8080/mongodb/mcp"])], "verified domain"),
        ([application(NEW, "n", identifier_uris=["https://apim-x.azure-api.net/mcp"])], "verified domain"),
        ([application(NEW, "n", **public("http://internal.example/cb"))], "http only for localhost"),
        ([application(NEW, "n", **public("http://localhost/*"))], "wildcard"),
        ([application(NEW, "n", **public("http://localhost/#x"))], "fragment"),
        ([application(NEW, "n", web=[{"redirect_uris": ["cursor://cb"]}])], "custom scheme"),
        ([application(NEW, "n", **public(*(f"http://localhost/{i}" for i in range(257))))], "257 redirect URIs"),
        ([application(NEW, "n", **public(f"https://x.example/{'k' * 256}"))], "256 characters"),
        ([application(NEW, "n", **public("https://x.example/a,b"))], "none of !"),
        ([application(NEW, "n", **public("http://[::1]/callback"))], "IPv6"),
        (
            [application(NEW, "n", web=[{"redirect_uris": ["http://localhost"]}], **public("http://localhost"))],
            "redirect URI .* two platforms",
        ),
        (
            [application(NEW, "n", app_role=[role_block("r1", "A", "User"), role_block("r2", "A", "User")])],
            "app role value 'A' is used by two app roles of n",
        ),
        (
            [
                application(
                    NEW,
                    "n",
                    app_role=[role_block("r1", "A", "User")],
                    api=[{"oauth2_permission_scope": [scope_block("r1", "B")]}],
                )
            ],
            "permission id 'r1'",
        ),
        ([companion(API, "pre_authorized", authorized_client_id=STRANGER, permission_ids=["x"])], "none of its scopes"),
        ([companion(NEW, "password", value="x")], "belongs to application_id"),
        ([companion(API, "password", value="x", end_date="soon")], "no RFC 3339 date"),
        ([principal(NEW)], "neither applied nor one of the built-in"),
        ([group(GROUP, "g", "nobody")], "has member 'nobody'"),
        ([group(GROUP, "g", GATEWAY)], "it is a client id"),
        ([assignment(ROLE_READ, ADMIN, NEW)], "is no service principal"),
        ([assignment(ROLE_INVOKE, ADMIN, API)], "has no such role"),
        ([assignment(ROLE_ADMIN, GATEWAY, API)], "it is a client id; give the principal's object id"),
        ([assignment(ROLE_ADMIN, "nobody", API)], "is no user, group or service principal"),
        ([assignment(ROLE_INVOKE, ADMIN, BACKEND)], "assigned to a user, and its allowed_member_types are Application"),
        (
            [
                Resource("g", "azuread_group", {"object_id": GROUP, "display_name": "m365", "members": []}),
                assignment(ROLE_READ, GROUP, API),
            ],
            "security_enabled",
        ),
        (
            [Resource("g", "azuread_group", {"object_id": GROUP, "display_name": "d", "dynamic_membership": [{}]})],
            "dynamic membership",
        ),
        (
            [companion(API, "federated_identity_credential", issuer="i", subject="s", audiences=["a"])] * 2,
            "two federated credentials of api",
        ),
        (
            [
                companion(API, "federated_identity_credential", issuer="i", subject=f"{n}", audiences=["a"])
                for n in range(21)
            ],
            "21 federated credentials; Entra ID accepts 20",
        ),
        (
            [
                Resource(
                    "grant",
                    "azuread_service_principal_delegated_permission_grant",
                    {
                        "service_principal_object_id": STRANGER,
                        "resource_service_principal_object_id": sp(API),
                        "claim_values": ["Mcp.Access"],
                    },
                )
            ],
            "delegated permission grant names service principal",
        ),
        ([Resource("azuread_application_certificate.c", "azuread_application_certificate", {})], "does not implement"),
        ([application(NEW, "n", optional_claims=[{"access_token": [{"name": "ctry"}]}])], "optional claim 'ctry'"),
        (
            [
                application(
                    NEW,
                    "n",
                    optional_claims=[
                        {"access_token": [{"name": "groups", "additional_properties": ["emit_as_roles"]}]}
                    ],
                )
            ],
            "optional claim 'groups' as configured",
        ),
        ([application(NEW, "n", web=[{"implicit_grant": [{"id_token_issuance_enabled": True}]}])], "implicit grant"),
    ],
)
def test_a_mistake_is_one_sentence(extra: list[Resource], sentence: str) -> None:
    """It names the object, the rule and the remedy."""
    with pytest.raises(DirectoryError, match=sentence) as refused:
        read(*extra)
    assert "\n" not in str(refused.value)


def test_inline_and_companion_resources_end_up_the_same() -> None:
    """Scopes, roles, redirect URIs and identifiers may be written in either way."""
    spread = read(
        application(NEW, "n"),
        companion(NEW, "identifier_uri", identifier_uri="api://n"),
        companion(NEW, "permission_scope", scope_id="S1", value="A", user_consent_display_name="Do A"),
        companion(NEW, "app_role", role_id="R1", value="B", allowed_member_types=["User"]),
        companion(NEW, "redirect_uris", type="PublicClient", redirect_uris=["http://localhost"]),
        companion(NEW, "redirect_uris", type="SPA", redirect_uris=["https://spa.example"]),
    ).applications[NEW]
    inline = read(
        application(
            NEW,
            "n",
            identifier_uris=["api://n"],
            api=[{"oauth2_permission_scope": [scope_block("S1", "A", user_consent_display_name="Do A")]}],
            app_role=[role_block("R1", "B", "User")],
            single_page_application=[{"redirect_uris": ["https://spa.example"]}],
            **public("http://localhost"),
        )
    ).applications[NEW]
    assert spread == inline
    assert spread.redirect_uris[Platform.PUBLIC] == ("http://localhost",)
    assert (spread.scopes[0].id, spread.roles[0].id) == ("s1", "r1")


def test_members_written_one_by_one_count() -> None:
    """azuread_group_member, as azuread_group.members."""
    member = {"group_object_id": GROUP, "member_object_id": ADMIN.upper()}
    found = read(group(GROUP, "g"), Resource("m", "azuread_group_member", member))
    assert "g" in {group.name for group in found.groups_of(ADMIN)}


def test_the_three_people_are_always_there() -> None:
    """With the ids that local settings refer to; applied users join them."""
    user = {
        "object_id": "11111111-bbbb-4aaa-8aaa-000000000001",
        "user_principal_name": "Zoe@x.example",
        "display_name": "Zoe",
    }
    found = read(Resource("u", "azuread_user", user))
    assert [u.key for u in found.users] == ["admin", "reader", "outsider", "zoe"]
    assert ADMIN == "11111111-aaaa-4aaa-8aaa-000000000001"


def test_the_tenant_comes_from_the_state_or_the_configuration() -> None:
    """One tenant, from identities and vaults; two or none is a sentence."""
    assert read().tenant_id == TENANT
    other = "88888888-0000-4000-8000-000000000001"
    assert read(tenant_id=other.upper()).tenant_id == other
    vault = Resource("v", "azurerm_key_vault", {"tenant_id": other})
    with pytest.raises(DirectoryError, match="names 2 tenants"):
        read(vault)
    with pytest.raises(DirectoryError, match=r"names 0 tenants \(none\)"):
        applied.directory(State(()))


def test_disabled_scopes_and_roles_do_nothing(make: Make) -> None:
    """They stay declared, cannot be asked for, and do not show."""
    role = role_block(ROLE_ADMIN, "Mcp.Admin", "User", "Application") | {"enabled": False}
    scope = scope_block(SCOPE_ID, "Mcp.Access")
    off = scope_block("cccccccc-0000-4000-8000-0000000000ff", "Mcp.Off", enabled=False)
    others = [r for r in deployment() if r.address != "azuread_application.api"]
    api = application(
        API,
        "api",
        api=[{"requested_access_token_version": 2, "oauth2_permission_scope": [scope, off]}],
        app_role=[role, role_block(ROLE_READ, "Mcp.Read", "User", "Application")],
    )
    driver = make([*others, api])
    assert "roles" not in claims(driver.tokens("admin")["access_token"])
    assert driver.landed(driver.authorize(scope=f"api://{API}/Mcp.Off"))["error_description"].startswith("AADSTS650053")


def group_at(address: str, object_id: str, *members: str) -> Resource:
    values = {"object_id": object_id, "display_name": address, "members": list(members), "security_enabled": True}
    return Resource(address, "azuread_group", values)


def test_a_group_that_nobody_is_in_has_somebody() -> None:
    """By the group's key, so that somebody can sign in with what it is for; whom Terraform places stays there."""
    first, second = "cccccccc-0000-4000-8000-000000000001", "cccccccc-0000-4000-8000-000000000002"
    found = read(
        group_at('module.groups.azuread_group.this["payroll"]', first),
        group_at("azuread_group.auditors", second),
        group_at('module.groups.azuread_group.this["reader"]', "cccccccc-0000-4000-8000-000000000003"),
        group_at('module.groups.azuread_group.this["busy"]', "cccccccc-0000-4000-8000-000000000004", ADMIN),
    )
    made = {user.key: user for user in found.users if user.object_id not in PEOPLE}
    assert {key: user.name for key, user in made.items()} == {"payroll": "Pat Payroll", "auditors": "Pat Auditors"}
    members = {group.object_id: group.members for group in found.groups}
    assert (members[first], members[second]) == ({made["payroll"].object_id}, {made["auditors"].object_id})
    assert found == read(  # the same ids at every start: tokens and logs name them
        group_at('module.groups.azuread_group.this["payroll"]', first),
        group_at("azuread_group.auditors", second),
        group_at('module.groups.azuread_group.this["reader"]', "cccccccc-0000-4000-8000-000000000003"),
        group_at('module.groups.azuread_group.this["busy"]', "cccccccc-0000-4000-8000-000000000004", ADMIN),
    )


def test_identities_without_federated_credentials_are_fine() -> None:
    """And a second one with the same name is another identity."""
    found = read(identity("gateway", CLIENT.replace("a", "b"), "bbbbbbbb-0000-4000-8000-00000000000f"))
    assert len(found.identities) == 3
