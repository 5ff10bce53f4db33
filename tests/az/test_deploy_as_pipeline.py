"""`invoke deploy --env dev` as whoever bootstrap prepared, with exactly what bootstrap gave.

The stand-in provider asks the control plane before each operation whether that identity may: roles and Graph
permissions are those that `invoke bootstrap`, `--narrow` and `--minimal` have the real Azure CLI give.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from emulators import azurerm
from emulators.base.errors import EmulatorError
from tests.az.cloud_under_test import AGENTS, OPERATOR, SUBSCRIPTION, TENANT, CloudUnderTest, Result
from tests.az.project_under_test import SETTINGS, Project
from tests.az.test_sign_in import LOGIN

SUBJECT = "sc://contoso/mcp/azure"
LISTED, OTHER = "20.50.1.7", "198.51.100.9"  # as deployer_ip_rules of dev says, and a hosted agent's of some day
CONNECTION = ("--ado-org-id", AGENTS.rpartition("/")[2])
IMAGE = {"mongodb": {"repository": "mongodb-mcp", "tag": "0.2.0", "digest": f"sha256:{'1' * 64}"}}
_ACCOUNTS = itertools.count(1)
WAYS: dict[str, tuple[str, ...]] = {
    "wide": CONNECTION,
    "narrow": (*CONNECTION, "--narrow"),
    "minimal": (*CONNECTION, "--minimal"),
    "narrow-minimal": (*CONNECTION, "--narrow", "--minimal"),
    "laptop": ("--without-pipeline",),
}


@dataclass
class Pipeline:
    """An agent of the service connection. `asked` is what the provider did in its name, `refused` what it may not."""

    project: Project
    name: str
    principal: str = ""
    client: str = ""
    address: str = LISTED
    asked: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def authorize(self, verb: str, type_: str, values: dict[str, Any]) -> None:
        question = {"principal": self.principal, "verb": verb, "type": type_, "values": values}
        question["address"] = self.address
        self.asked.append((verb, type_))
        if refused := self.project.cloud.control("POST", "/authorize", question)["refused"]:
            self.refused.append(f"{verb} {type_}: {refused}")
            raise EmulatorError(refused)

    def deploy(self, *arguments: str) -> Result:
        """As the job's step: a fresh token from the service, and nobody at a terminal."""
        self.project.cloud.addresses[self.name] = self.address
        if not self.client:
            return self.project.invoke("deploy", "--yes", *arguments, who=self.name)
        token = self.project.cloud.assertion(SUBJECT)
        agent = {
            "ARM_USE_OIDC": "true",
            "ARM_USE_CLI": "false",
            "ARM_CLIENT_ID": self.client,
            "ARM_TENANT_ID": TENANT,
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_OIDC_TOKEN": token,
        }
        return self.project.invoke("deploy", "--yes", *arguments, who=self.name, **agent)

    def both_stages(self) -> list[Result]:
        one = self.deploy("--stage", "1")
        images = self.project.folder / "terraform/environments/dev/images.json"
        images.write_text(json.dumps(IMAGE), encoding="utf-8")  # as `invoke push` leaves it, which `nox -s image` shows
        return [one, self.deploy("--stage", "2")]


def emptied(path: Path) -> azurerm.Store:
    """The stand-in provider's cloud with the resource group only, which bootstrap makes."""
    store = azurerm.Store(path)
    for type_ in store.types():
        for made in store.of_type(type_):
            store.remove(type_, made["id"])
    group = {"name": SETTINGS["RESOURCE_GROUP"], "location": SETTINGS["LOCATION"]}
    azurerm.seed(store, "azurerm_resource_group", group, subscription_id=SUBSCRIPTION)
    return store


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, shared: CloudUnderTest, shared_project: Project) -> Iterator[Pipeline]:
    """Bootstrapped as the parameter says; its people own the groups, data is locked, sign-in is consented to."""
    way: str = request.param
    with prepared(shared, shared_project, way) as agent:
        yield agent


@contextmanager
def prepared(shared: CloudUnderTest, shared_project: Project, way: str) -> Iterator[Pipeline]:
    for path in ("/faults", "/cloud", "/requests"):
        shared.control("DELETE", path)
    emptied(shared.provider_store)
    shared_project.account = f"stpipe{next(_ACCOUNTS)}"  # what Azurite keeps outlives the cloud
    owners = json.dumps([OPERATOR["object_id"]])
    named = (f'{tier} = {{ display_name = "MCP {tier}", owners = {owners} }}' for tier in ("admin", "reader"))
    before = shared_project.write_values(
        groups=f"{{ {', '.join(named)} }}",
        data_protection='{ locks = ["registry", "database", "key_vault"] }',
        directory_rights=json.dumps("owned" if "minimal" in way else "full"),
        grant_sign_in_consent="true",
    )
    agent = Pipeline(shared_project, f"agent-{way}")
    served = shared_project.served.cloud
    was = served.object_id
    try:
        made = shared_project.bootstrap(*WAYS[way])
        assert made.status == 0, made.err
        if way == "laptop":
            agent.name, agent.principal = "operator", OPERATOR["object_id"]
        else:
            sign_in(shared, agent)
        served.authorize, served.object_id = agent.authorize, agent.principal
        yield agent
    finally:
        shared.addresses.clear()
        served.authorize, served.object_id = type(served).authorize, was
        shared_project.restore_values(before)
        (shared_project.folder / "terraform/environments/dev/images.json").unlink(missing_ok=True)


def sign_in(shared: CloudUnderTest, agent: Pipeline) -> None:
    saved = json.loads((agent.project.home / "bootstrap.json").read_text(encoding="utf-8"))
    agent.client, agent.principal = saved["IDENTITY_CLIENT_ID"], saved["IDENTITY_PRINCIPAL_ID"]
    token = shared.assertion(SUBJECT)
    assert shared.quick(*LOGIN, agent.client, "--federated-token", token, who=agent.name).status == 0


@pytest.mark.parametrize("pipeline", WAYS, indirect=True)
def test_the_pipeline_may_do_all_that_an_apply_does(pipeline: Pipeline) -> None:
    """Nothing is refused, in either stage. What answers at the end is the gateway, which is no part of this session."""
    one, two = pipeline.both_stages()

    assert pipeline.refused == []
    assert one.status == 0, one.err
    assert "stage 1 of dev is applied" in " ".join(one.err.split())
    assert "Apply complete" not in two.out
    said = " ".join(two.err.split())
    assert "smoke test mongodb" in said, said
    assert "apim-mcp-pod-dev.azure-api.net" in said
    changed = {type_ for verb, type_ in pipeline.asked if verb == "create"}
    assert changed >= {
        "azurerm_management_lock",
        "azuread_group",
        "azuread_service_principal_delegated_permission_grant",
        "azurerm_key_vault_secret",
        "azurerm_role_assignment",
    }
    assert ("azuread_app_role_assignment" in changed) is ("minimal" not in pipeline.name)


@pytest.mark.parametrize("pipeline", ["wide"], indirect=True)
def test_a_hosted_agent_is_not_let_into_the_vault(pipeline: Pipeline) -> None:
    """Its address changes weekly and is listed nowhere: deploy ends before stage 2, whose secrets Azure refuses."""
    pipeline.address = OTHER
    one, two = pipeline.both_stages()
    assert one.status == 0, one.err
    assert two.status == 1
    assert pipeline.refused == []
    assert "does not let this machine" in " ".join(two.err.split())
    assert OTHER in two.err
