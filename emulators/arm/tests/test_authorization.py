"""Role assignments: who may make them, when they count, and what Azure refuses."""

from __future__ import annotations

import pytest

from emulators.arm import roles
from emulators.arm.cloud import within
from emulators.arm.errors import AzureError

from .conftest import CONTRIBUTOR, NOBODY, OWNER, SUB, Azure

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ONLY_ACR_PULL = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
    "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals "
    f"{{{ACR_PULL}}})) AND ((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/delete'}})) OR "
    "(@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals "
    f"{{{ACR_PULL}}}))"
)


def code(azure: Azure, *arguments: object, **named: object) -> str:
    with pytest.raises(AzureError) as refused:
        azure.assign(*arguments, **named)  # type: ignore[arg-type]
    return refused.value.code


def test_somebody_without_a_role_gets_azures_own_sentence(azure: Azure) -> None:
    with pytest.raises(AzureError) as refused:
        azure.call("PUT", f"{SUB}/resourcegroups/rg", {"location": "uksouth"}, who=NOBODY)
    assert refused.value.status == 403
    assert refused.value.message == (
        f"The client 'nobody@twin.example' with object id '{NOBODY}' does not have authorization to perform action "
        f"'Microsoft.Resources/subscriptions/resourceGroups/write' over scope '{SUB}/resourcegroups/rg' or the scope "
        "is invalid. If access was recently granted, please refresh your credentials."
    )


def test_a_contributor_changes_resources_but_not_access(azure: Azure) -> None:
    azure.call("PUT", f"{SUB}/resourcegroups/rg", {"location": "uksouth"}, who=CONTRIBUTOR)
    assert code(azure, READER, NOBODY, who=CONTRIBUTOR) == "AuthorizationFailed"


def test_an_assignment_counts_after_its_delay(azure: Azure) -> None:
    azure.cloud.delays.roles = 60
    azure.group()
    azure.assign(READER, NOBODY)
    show = ("GET", f"{SUB}/resourcegroups/rg")
    with pytest.raises(AzureError):
        azure.call(*show, who=NOBODY)
    azure.clock.now += 60
    assert azure.call(*show, who=NOBODY).status == 200


def test_the_same_assignment_under_another_name_is_a_conflict(azure: Azure) -> None:
    assert azure.assign(READER, NOBODY).status == 201
    assert code(azure, READER, NOBODY) == "RoleAssignmentExists"


def test_an_unknown_principal_and_a_wrong_kind_are_told_apart(azure: Azure) -> None:
    assert code(azure, READER, "99999999-0000-4000-8000-000000000000") == "PrincipalNotFound"
    assert code(azure, READER, NOBODY, principalType="ServicePrincipal") == "UnmatchedPrincipalType"


def test_a_new_identity_needs_its_kind_named_until_the_directory_has_replicated(azure: Azure) -> None:
    azure.cloud.delays.directory = 30
    path = f"{azure.group()}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-x"
    principal = azure.call("PUT", path, {"location": "uksouth"}).body["properties"]["principalId"]
    assert code(azure, READER, principal) == "PrincipalNotFound"
    assert azure.assign(READER, principal, principalType="ServicePrincipal").status == 201


def test_a_condition_limits_which_roles_may_be_assigned(azure: Azure) -> None:
    azure.assign(RBAC_ADMINISTRATOR, NOBODY, condition=ONLY_ACR_PULL, conditionVersion="2.0")
    assert azure.assign(ACR_PULL, CONTRIBUTOR, who=NOBODY).status == 201
    assert code(azure, READER, CONTRIBUTOR, who=NOBODY) == "AuthorizationFailed"


def test_a_condition_that_cannot_be_read_is_refused(azure: Azure) -> None:
    text = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'x'"
    assert code(azure, READER, NOBODY, condition=text, conditionVersion="2.0") == "InvalidCondition"
    assert code(azure, READER, NOBODY, condition=ONLY_ACR_PULL, conditionVersion="1.0") == "InvalidConditionVersion"


def test_a_list_at_a_scope_shows_what_is_inherited(azure: Azure) -> None:
    group = azure.group()
    azure.assign(READER, NOBODY, group)
    path = f"{group}/providers/Microsoft.Authorization/roleAssignments"
    everyone = azure.call("GET", path).body["value"]
    assert {row["properties"]["principalId"] for row in everyone} == {OWNER, CONTRIBUTOR, NOBODY}
    own = azure.call("GET", path, query={"$filter": f"atScope() and assignedTo('{NOBODY}')"}).body["value"]
    assert [row["properties"]["scope"] for row in own] == [group]


@pytest.mark.parametrize(
    ("scope", "outer", "expected"),
    [
        ("/a/b/c", "/a/b", True),
        ("/a/bc", "/a/b", False),
        ("/A/B", "/a/b", True),
        ("/a", "/", True),
        ("/a", "/a/b", False),
    ],
)
def test_scopes_are_compared_part_by_part(scope: str, outer: str, expected: bool) -> None:
    assert within(scope, outer) is expected


def test_not_actions_take_away_and_data_actions_are_separate() -> None:
    contributor = roles.by_id("b24988ac-6180-42a0-ab88-20f7382dd24c")
    assert contributor is not None
    assert contributor.allows("Microsoft.Storage/storageAccounts/write", data=False)
    assert not contributor.allows("Microsoft.Authorization/roleAssignments/write", data=False)
    assert not contributor.allows("Microsoft.KeyVault/vaults/secrets/getSecret/action", data=True)
