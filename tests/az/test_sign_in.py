"""The ways to sign in that people and pipelines use, each with the real Azure CLI."""

from __future__ import annotations

from tests.az.cloud_under_test import AGENTS, OPERATOR, PIPELINE, SUBSCRIPTION, TENANT, CloudUnderTest

LOGIN = ("login", "--service-principal", "--tenant", TENANT, "--username")


def test_a_person_signs_in_with_a_device_code(cloud: CloudUnderTest) -> None:
    assert cloud.az("ad", "signed-in-user", "show", "--query", "id").json() == OPERATOR["object_id"]


def test_an_application_signs_in_with_its_secret_and_is_nobodys_user(cloud: CloudUnderTest) -> None:
    shown = cloud.az(*LOGIN, PIPELINE["client_id"], "--password", PIPELINE["secret"], who="pipeline").json()

    assert [row["id"] for row in shown] == [SUBSCRIPTION]
    me = cloud.az("ad", "signed-in-user", "show", who="pipeline")
    assert "/me request is only valid with delegated authentication flow" in me.err
    wrong = cloud.az(*LOGIN, PIPELINE["client_id"], "--password", "another", who="nobody")
    assert "AADSTS7000215" in wrong.err


def test_a_managed_identity_signs_in_with_the_assertion_that_its_credential_names(cloud: CloudUnderTest) -> None:
    subject = "sc://contoso/mcp/azure"
    cloud.az("group", "create", "-n", "rg-x", "-l", "uksouth").json()
    identity = cloud.az("identity", "create", "-n", "id-x", "-g", "rg-x", "-l", "uksouth").json()
    login = (*LOGIN, identity["clientId"], "--federated-token", cloud.assertion(subject), "--allow-no-subscriptions")
    before = cloud.az(*login, who="agent")
    cloud.az(
        "identity", "federated-credential", "create", "--name", "ado", "--identity-name", "id-x", "-g", "rg-x",
        "--issuer", AGENTS, "--subject", subject, "--audiences", "api://AzureADTokenExchange",
    ).json()  # fmt: skip
    other = cloud.az(*LOGIN, identity["clientId"], "--federated-token", cloud.assertion("sc://x/y/z"), who="agent")
    signed_in = cloud.az(*login, who="agent")

    assert "AADSTS700211" in before.err
    assert "AADSTS700213" in other.err
    assert signed_in.status == 0, signed_in.err
