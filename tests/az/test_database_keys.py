"""`az cosmosdb keys` as `invoke rotate` uses it: which role it takes, and what the next plan sees."""

from __future__ import annotations

import pytest

from emulators.base import account_keys
from emulators.base.store import Store
from emulators.base.tests.database_account import ACCOUNT, GROUP, with_database_account
from tests.az.cloud_under_test import CONTRIBUTOR, CloudUnderTest, Result

WHERE = ("--name", ACCOUNT, "--resource-group", GROUP)


@pytest.fixture
def store(cloud: CloudUnderTest) -> Store:
    """The cloud that Terraform and the control plane share, with an account."""
    return with_database_account(cloud.provider_store)


def regenerate(cloud: CloudUnderTest, kind: str, who: str = "operator") -> Result:
    return cloud.quick("cosmosdb", "keys", "regenerate", *WHERE, "--key-kind", kind, who=who)


def test_each_kind_changes_its_own_key(cloud: CloudUnderTest, store: Store) -> None:
    """az lists the new value, and so would Terraform read it."""
    for kind, which in account_keys.KINDS.items():
        before = cloud.quick("cosmosdb", "keys", "list", *WHERE).json()
        assert regenerate(cloud, kind).status == 0
        after = cloud.quick("cosmosdb", "keys", "list", *WHERE).json()
        assert {name for name in after if after[name] != before[name]} == {f"{kind}MasterKey"}
        account = account_keys.find(store, ACCOUNT, GROUP)
        assert account is not None
        assert account[f"{which}_key"] == after[f"{kind}MasterKey"]


def test_it_takes_a_role_that_may(cloud: CloudUnderTest, store: Store) -> None:
    """A reader is refused; Contributor and DocumentDB Account Contributor are not."""
    scope = ("--scope", f"/subscriptions/{cloud.quick('account', 'show').json()['id']}")
    him = ("--assignee-object-id", CONTRIBUTOR["object_id"], "--assignee-principal-type", "User")
    roles = ("role", "assignment")
    assert regenerate(cloud, "primary", "contributor").status == 0

    cloud.quick(*roles, "create", "--role", "Reader", *him, *scope).json()
    cloud.quick(*roles, "delete", "--role", "Contributor", "--assignee", him[1], *scope)
    refused = regenerate(cloud, "primary", "contributor")
    cloud.quick(*roles, "create", "--role", "DocumentDB Account Contributor", *him, *scope).json()
    allowed = regenerate(cloud, "primary", "contributor")

    assert refused.status == 1
    assert "AuthorizationFailed" in refused.err
    assert "'Microsoft.DocumentDB/databaseAccounts/regenerateKey/action'" in refused.err
    assert allowed.status == 0, allowed.err


def test_an_account_that_does_not_exist(cloud: CloudUnderTest) -> None:
    ended = cloud.quick("cosmosdb", "keys", "regenerate", "-n", "none", "-g", GROUP, "--key-kind", "primary")
    assert ended.status == 3
    assert "ResourceNotFound" in ended.err
