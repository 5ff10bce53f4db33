"""What the tokens say: versions, roles, groups."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.base.state import Resource
from emulators.entra.directory import User
from emulators.entra.tests.driver import (
    ADMIN,
    ADMINS,
    API,
    BASE,
    CLIENT,
    OUTSIDER,
    READER,
    READERS,
    ROLE_ADMIN,
    SCOPE,
    TENANT,
    Driver,
    Make,
    api_application,
    assignment,
    claims,
    deployment,
    group,
)


def with_api(version: int = 2, extra: list[Resource] | None = None, **values: Any) -> list[Resource]:
    """The deployment with another api registration."""
    others = [r for r in deployment() if r.address != "azuread_application.api"]
    return [*others, api_application(version, **values), *(extra or [])]


def access(driver: Driver, user: str = "admin", scope: str = SCOPE) -> dict[str, Any]:
    return claims(driver.tokens(user, scope=scope)["access_token"])


def test_a_v2_access_token_is_shaped_as_documented(driver: Driver) -> None:
    """Every claim, once ("Access token claims reference")."""
    now = int(driver.clock.now)
    found = access(driver)
    assert found | {"sub": "", "uti": ""} == {
        "aud": API,
        "iss": f"{BASE}/{TENANT}/v2.0",
        "iat": now - 300,
        "nbf": now - 300,
        "exp": now + 3600,
        "azp": CLIENT,
        "azpacr": "0",
        "name": "Ada Admin",
        "oid": ADMIN,
        "preferred_username": "admin@twin.example",
        "roles": ["Mcp.Admin"],
        "scp": "Mcp.Access",
        "sub": "",
        "tid": TENANT,
        "uti": "",
        "ver": "2.0",
    }


@pytest.mark.parametrize("named", [f"api://{API}", API])
def test_a_v1_access_token_has_the_old_names(make: Make, named: str) -> None:
    """requested_access_token_version = 1: sts issuer, the resource as it was asked for, appid instead of azp."""
    found = access(make(with_api(1)), scope=f"{named}/Mcp.Access")
    assert (found["iss"], found["aud"], found["ver"]) == (f"https://sts.windows.net/{TENANT}/", named, "1.0")
    assert (found["appid"], found["appidacr"], found["upn"]) == (CLIENT, "0", "admin@twin.example")
    assert not {"azp", "azpacr", "preferred_username"} & set(found)


def test_subjects_are_pairwise(driver: Driver) -> None:
    """`sub` differs per application and per person; `oid` is the person."""
    first, second = driver.tokens("admin"), driver.tokens("reader")
    subjects = {claims(tokens[kind])["sub"] for tokens in (first, second) for kind in ("access_token", "id_token")}
    assert len(subjects) == 4
    assert claims(driver.tokens("admin")["access_token"])["sub"] == claims(first["access_token"])["sub"]


@pytest.mark.parametrize(("user", "roles"), [("admin", ["Mcp.Admin"]), ("reader", ["Mcp.Read"]), ("outsider", None)])
def test_roles_come_through_groups(driver: Driver, user: str, roles: list[str] | None) -> None:
    """And there is no empty claim for somebody without a role."""
    assert access(driver, user).get("roles") == roles


def test_roles_come_directly_and_add_up(make: Make) -> None:
    """A person's own assignment and the group's."""
    driver = make([*deployment(), assignment(ROLE_ADMIN, READER, API)])
    assert access(driver, "reader")["roles"] == ["Mcp.Admin", "Mcp.Read"]


def test_nested_groups_give_no_role_but_show_as_groups(make: Make) -> None:
    """App role assignments honour direct members only; the groups claim is transitive."""
    outer = group("dddddddd-0000-4000-8000-000000000009", "inner", OUTSIDER)
    others = [
        r
        for r in with_api(group_membership_claims=["SecurityGroup"], extra=[outer])
        if r.values.get("object_id") != ADMINS
    ]
    driver = make([*others, group(ADMINS, "mcp-admins", ADMIN, str(outer["object_id"]))])
    found = access(driver, "outsider")
    assert "roles" not in found
    assert found["groups"] == sorted([ADMINS, str(outer["object_id"])])


def test_no_groups_claim_unless_the_registration_wants_it(driver: Driver) -> None:
    """group_membership_claims is empty by default."""
    assert not {"groups", "_claim_names", "wids"} & set(access(driver))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(["SecurityGroup"], [READERS]), (["All"], [READERS]), (["ApplicationGroup"], [READERS]), (["None"], None)],
)
def test_groups_as_the_registration_wants_them(make: Make, wanted: list[str], expected: list[str] | None) -> None:
    """Object ids, not names."""
    assert access(make(with_api(group_membership_claims=wanted)), "reader").get("groups") == expected


def test_application_group_means_assigned_groups_only(make: Make) -> None:
    """A group without assignment on the application does not show."""
    other = group("dddddddd-0000-4000-8000-000000000009", "other", READER)
    driver = make(with_api(group_membership_claims=["ApplicationGroup"], extra=[other]))
    assert access(driver, "reader")["groups"] == [READERS]


@pytest.mark.parametrize(("number", "overflows"), [(200, False), (201, True)])
def test_more_than_two_hundred_groups_overflow(make: Make, number: int, overflows: bool) -> None:
    """The claim gives way to a pointer ("Groups overage claim"); roles stay."""
    crowd = User("crowd", "11111111-aaaa-4aaa-8aaa-000000000009", "crowd@twin.example", "Cy Crowd", number)
    driver = make(with_api(group_membership_claims=["SecurityGroup"]), extra_users=[crowd])
    found = access(driver, "crowd")
    assert ("groups" in found, "_claim_names" in found) == (not overflows, overflows)
    if overflows:
        source = found["_claim_sources"][found["_claim_names"]["groups"]]
        assert source["endpoint"].endswith(f"/users/{crowd.object_id}/getMemberObjects")


def test_optional_claims_are_added(make: Make) -> None:
    """The resource's for its access tokens; `idtyp` there marks app-only tokens and never a person's."""
    optional = [{"access_token": [{"name": "email"}, {"name": "idtyp"}, {"name": "upn"}]}]
    found = access(make(with_api(optional_claims=optional)))
    assert (found["email"], found["upn"]) == ("admin@twin.example", "admin@twin.example")
    assert "idtyp" not in found


def test_idtyp_marks_app_only_tokens(make: Make) -> None:
    """Where the resource asks for it."""
    driver = make(with_api(optional_claims=[{"access_token": [{"name": "idtyp"}]}]))
    form = {"grant_type": "client_credentials", "client_id": "aaaaaaaa-0000-4000-8000-000000000005"}
    answer = driver.token(**form, client_secret="daemon-secret", scope=f"api://{API}/.default")
    assert claims(answer.json()["access_token"])["idtyp"] == "app"


def test_the_id_token_is_for_the_client(driver: Driver) -> None:
    """Audience, issuer, and the claims its scopes open."""
    found = claims(driver.tokens(scope=f"{SCOPE} openid profile email")["id_token"])
    assert (found["aud"], found["ver"], found["email"]) == (CLIENT, "2.0", "admin@twin.example")
    bare = claims(driver.tokens(scope=f"{SCOPE} openid")["id_token"])
    assert not {"name", "oid", "preferred_username", "email"} & set(bare)
