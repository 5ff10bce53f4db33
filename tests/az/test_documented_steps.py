"""The documented commands, unchanged, in order, by the real Azure CLI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.az.cloud_under_test import OPERATOR, SUBSCRIPTION, CloudUnderTest, Result

VALUES = {
    "SUBSCRIPTION_ID": SUBSCRIPTION,
    "RESOURCE_GROUP": "rg-mcp-pipeline",
    "LOCATION": "uksouth",
    "IDENTITY_NAME": "id-mcp-pipeline",
    "ADO_ORG": "contoso",
    "ADO_PROJECT": "mcp",
    "SERVICE_CONNECTION_NAME": "azure",
    "STORAGE_ACCOUNT": "stmcptfstate",
    "CONTAINER_NAME": "tfstate",
    "KEY_VAULT_NAME": "kv-mcp-dev",
}
REQUESTS = Path(__file__).parent / "requests.json"
ROLES = {
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
}


def run(cloud: CloudUnderTest, documented: dict[int, str]) -> list[Result]:
    """Steps 1 to 3 in one shell, as their variables carry over; stage 1's vault; step 4."""
    first = cloud.script("".join(documented[step] for step in (1, 2, 3)), **VALUES)
    vault = cloud.script(
        "az keyvault show -n $KEY_VAULT_NAME -g $RESOURCE_GROUP -o none || az keyvault create -n $KEY_VAULT_NAME "
        "-g $RESOURCE_GROUP -l $LOCATION --enable-rbac-authorization true -o none",
        **VALUES,
    )
    return [first, vault, cloud.script(documented[4], **VALUES)]


@dataclass(frozen=True)
class Runs:
    first: list[Result]
    after_first: Any
    sent: list[str]
    second: list[Result]
    after_second: Any
    refused: list[str]


@pytest.fixture(scope="module")
def runs(shared: CloudUnderTest, documented: dict[int, str]) -> Runs:
    """Both runs on an empty subscription; what was sent is what the first one sent."""
    shared.control("DELETE", "/cloud")
    shared.control("DELETE", "/requests")
    first, after_first = run(shared, documented), shared.control("GET", "/cloud")
    asked = [r for r in shared.requests() if r["host"] != "login.microsoftonline.com"]  # tokens are cached
    sent = sorted({f"{r['method']} {r['host']}{r['path']} {r['version'] or ''}".strip() for r in asked})
    second, after_second = run(shared, documented), shared.control("GET", "/cloud")
    return Runs(first, after_first, sent, second, after_second, shared.refused())


def test_the_documented_steps_end_in_what_they_promise(runs: Runs) -> None:
    made = runs.after_first
    assert [r.status for r in runs.first] == [0, 0, 0], "\n".join(r.err for r in runs.first)
    assert "ERROR" not in runs.first[0].err
    identity = next(d for d in made["resources"] if d["name"] == "id-mcp-pipeline")
    principal = identity["properties"]["principalId"]
    assert f"Principal ID: {principal}" in runs.first[0].out
    held = {(ROLES.get(a["role"]), a["principal"], a["scope"].split("/")[-1]) for a in made["assignments"]}
    assert {
        ("Contributor", principal, SUBSCRIPTION),
        ("User Access Administrator", principal, SUBSCRIPTION),
        ("Storage Blob Data Contributor", OPERATOR["object_id"], "stmcptfstate"),
        ("Storage Blob Data Contributor", principal, "stmcptfstate"),
        ("Key Vault Administrator", OPERATOR["object_id"], "kv-mcp-dev"),
    } <= held
    assert [principal, "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"] in made["directory_roles"]
    assert made["app_roles"] == [
        [principal, "06b708a9-e830-4db3-a914-8e69da51d44f"],
        [principal, "62a82d76-70ea-41e2-9197-370581804d09"],
    ]
    credential = next(d for d in made["resources"] if d["name"] == "ado-federation")
    assert credential["properties"]["subject"] == "sc://contoso/mcp/azure"
    assert '"created": true' in runs.first[0].out


def test_a_second_run_changes_nothing_and_shows_why_a_task_looks_first(runs: Runs) -> None:
    """What Graph has already, it refuses: the three `az rest` commands of step 2 cannot be repeated as documented."""
    assert runs.second[0].err.count("Request_BadRequest") == 3
    assert '"created": false' in runs.second[0].out
    assert without_times(runs.after_second) == without_times(runs.after_first)


def test_the_azure_cli_sends_the_requests_that_are_written_down(runs: Runs, pytestconfig: pytest.Config) -> None:
    """Nothing else, and nothing that the stand-in does not know."""
    if pytestconfig.getoption("--regenerate"):
        REQUESTS.write_text(json.dumps(runs.sent, indent=1) + "\n", encoding="utf-8")
    assert runs.sent == json.loads(REQUESTS.read_text(encoding="utf-8"))
    assert runs.refused == []


def without_times(state: Any) -> Any:
    return json.loads(json.dumps(state), object_hook=_without_times)


def _without_times(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "creationTime"}
