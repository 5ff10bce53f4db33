"""Terraform's real azurerm backend: states as blobs, locks as leases, and what to do with one left behind."""

from __future__ import annotations

import getpass
import json
import os
import pty
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from emulators.base import account_keys
from emulators.base.store import Store
from tests.az import project_under_test
from tests.az.cloud_under_test import AGENTS, SUBSCRIPTION, TENANT, CloudUnderTest, Result
from tests.az.project_under_test import Project

CONNECTION = ("--ado-org-id", AGENTS.rpartition("/")[2])
ACCOUNT = "stbackend"
REQUESTS = Path(__file__).parent / "requests_rotate.json"
STATES = ("stage1.tfstate", "stage2.tfstate")


@dataclass
class Operators:
    """The first has bootstrapped and applied both stages. The second works in a copy of his own."""

    project: Project
    colleague: Project
    applied: list[Result]

    def terraform(self, stage: int, *arguments: str, project: Project | None = None, **variables: str) -> Result:
        where = project or self.project
        return where.cloud.run(command(where, stage, *arguments), forked=True, **{**where.variables, **variables})

    def blobs(self, *arguments: str) -> Result:
        """`az storage blob …` on the states' container."""
        place = ("--account-name", ACCOUNT, "--container-name", "tfstate", "--auth-mode", "login")
        return self.project.cloud.quick("storage", "blob", *arguments, *place)


def command(project: Project, stage: int, verb: str, *arguments: str) -> list[str]:
    folder = project.folder / f"terraform/stage{stage}"
    values = [f"-var-file={project.folder / 'terraform/environments/dev/terraform.tfvars'}"]
    return [
        *("terraform", f"-chdir={folder}", verb),
        *(("-no-color", *values) if verb in ("plan", "apply") else ()),
        *arguments,
    ]


@pytest.fixture(scope="module")
def operators(
    shared: CloudUnderTest, shared_project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operators]:
    for path in ("/faults", "/cloud", "/requests"):
        shared.control("DELETE", path)
    shared_project.account = ACCOUNT
    copied = project_under_test.copy(tmp_path_factory.mktemp("colleague"))
    colleague = Project(shared, copied, shared_project.served, account=ACCOUNT)
    first = shared_project.bootstrap(*CONNECTION)
    assert first.status == 0, first.err
    made = Operators(shared_project, colleague, [])
    made.applied = [made.terraform(number, "apply", "-auto-approve") for number in (1, 2)]
    yield made
    assert shared.refused() == []


def test_both_stages_are_applied_and_their_states_are_blobs(operators: Operators) -> None:
    for ended in operators.applied:
        assert ended.status == 0, ended.err
        assert "Apply complete!" in ended.out
    assert [blob["name"] for blob in operators.blobs("list").json()] == list(STATES)
    assert list(operators.project.folder.glob("terraform/stage*/*.tfstate")) == []
    again = operators.terraform(1, "plan", "-detailed-exitcode")
    assert again.status == 0, again.out


def test_a_colleague_sees_the_same_state_after_bootstrap_in_his_own_copy(operators: Operators) -> None:
    """`bootstrap.state` finds all of it there, and initialises his two stages."""
    operators.project.cloud.control("DELETE", "/requests")
    ended = operators.colleague.invoke("bootstrap.state", "--yes")
    assert (ended.status, operators.project.changes()) == (0, []), ended.err

    listed = operators.terraform(2, "state", "list", project=operators.colleague)

    assert "azurerm_api_management." in listed.out, listed.err


def test_a_pipeline_plans_with_its_federated_token_and_without_az(operators: Operators, tmp_path: Path) -> None:
    """The identity, the credential and the roles are those that `invoke bootstrap` made; no secret is involved."""
    saved = json.loads((operators.project.home / "bootstrap.json").read_text(encoding="utf-8"))
    (tmp_path / "az").write_text("#!/bin/sh\necho 'az must not be asked' >&2\nexit 9\n", encoding="utf-8")
    (tmp_path / "az").chmod(0o755)
    agent = {
        "ARM_USE_OIDC": "true",
        "ARM_USE_CLI": "false",
        "ARM_CLIENT_ID": saved["IDENTITY_CLIENT_ID"],
        "ARM_TENANT_ID": TENANT,
        "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
    }
    trusted = operators.project.cloud.assertion("sc://contoso/mcp/azure")
    planned = operators.terraform(1, "plan", "-detailed-exitcode", **agent, ARM_OIDC_TOKEN=trusted)
    other = operators.project.cloud.assertion("sc://contoso/mcp/another")
    refused = operators.terraform(1, "plan", **agent, ARM_OIDC_TOKEN=other)

    assert planned.status == 0, planned.err
    assert refused.status == 1
    assert "AADSTS700213" in refused.err


@pytest.fixture
def waiting(operators: Operators) -> Iterator[subprocess.Popen[str]]:
    """An `apply` whose operator has not answered yet: it holds the lock of stage 1."""
    changed = command(operators.project, 1, "apply", "-var", 'tags={owner="another"}')
    environment = {**operators.project.cloud.environment(forked=True), **operators.project.variables}
    process = subprocess.Popen(
        changed, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    until(process.stdout, "Enter a value:")
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def until(stream: IO[str], sign: str) -> None:
    said = ""
    while sign not in said:
        character = stream.read(1)
        assert character, said
        said += character


def test_a_second_operator_is_blocked_and_a_lock_in_use_is_not_ended(
    operators: Operators, waiting: subprocess.Popen[str]
) -> None:
    blocked = operators.terraform(1, "plan", "-lock-timeout=1s", project=operators.colleague)
    refused = operators.colleague.invoke("unlock", "--yes")
    waiting.communicate("no\n", timeout=60)
    free = operators.terraform(1, "plan", project=operators.colleague)
    nobody = operators.colleague.invoke("unlock", "--yes")

    assert blocked.status == 1
    assert "Error acquiring the state lock" in blocked.err
    assert "state blob is already locked" in blocked.err
    assert f"Who:       {me()}" in blocked.err
    assert refused.status == 1
    assert f"process {waiting.pid} on this machine still uses the lock of stage 1" in " ".join(refused.err.split())
    assert free.status == 0, free.err
    assert (nobody.status, "nobody holds a lock" in nobody.err) == (0, True)


def test_a_lock_that_was_left_behind_is_shown_and_ended_when_somebody_agrees(
    operators: Operators, waiting: subprocess.Popen[str]
) -> None:
    waiting.kill()
    waiting.wait()

    unasked = operators.colleague.invoke("unlock")
    no = answered(operators.colleague, "no")
    still = operators.terraform(1, "plan", project=operators.colleague)
    yes = answered(operators.colleague, "yes")
    free = operators.terraform(1, "plan", project=operators.colleague)

    assert unasked.status == no.status == still.status == 1
    assert "add --yes to agree beforehand" in unasked.err
    assert f"stage 1 {me()} Apply 20" in " ".join(no.err.split())
    assert f"End the lock of stage 1, held by {me()}, Apply, since 20" in " ".join(no.err.split())
    assert "nothing was changed" in no.err
    assert "Error acquiring the state lock" in still.err
    assert yes.status == 0, yes.err
    assert free.status == 0, free.err


def test_a_state_that_was_overwritten_is_had_back_from_its_previous_version(
    operators: Operators, tmp_path: Path
) -> None:
    """The commands of docs/bootstrap.md."""
    name, broken, rescued = ("--name", "stage1.tfstate"), tmp_path / "broken", tmp_path / "rescued.tfstate"
    broken.write_text("an accident", encoding="utf-8")
    operators.blobs("upload", *name, "--file", str(broken), "--overwrite").json()
    assert operators.terraform(1, "plan").status == 1

    query = "reverse(sort_by([?name=='stage1.tfstate' && !isCurrentVersion], &versionId))[0].versionId"
    newest = operators.blobs("list", "--include", "v", "--query", query).json()
    operators.blobs("download", *name, "--version-id", newest, "--file", str(rescued)).json()
    operators.blobs("upload", *name, "--file", str(rescued), "--overwrite").json()

    assert json.loads(rescued.read_text(encoding="utf-8"))["resources"]
    assert operators.terraform(1, "plan", "-detailed-exitcode").status == 0


def test_new_database_keys_by_az_and_terraform(operators: Operators, pytestconfig: pytest.Config) -> None:
    """The whole of `invoke rotate`: what it asks of Azure is written down, and Key Vault has the new keys."""
    project, store = operators.project, Store(operators.project.cloud.provider_store)
    (before,) = store.of_type(account_keys.TYPE)
    project.cloud.control("DELETE", "/requests")

    ended = project.cloud.run(
        project.command("rotate", "--env", "dev", "--yes"), forked=True,
        **{**project.variables, "RESOURCE_GROUP": before["resource_group_name"]},
    )  # fmt: skip

    assert ended.status == 0, ended.err
    (after,) = store.of_type(account_keys.TYPE)
    kept = {s["name"]: s["value"] for s in store.of_type("azurerm_key_vault_secret") if "cosmos-" in s["name"]}
    for which in account_keys.KINDS.values():
        assert after[f"{which}_key"] != before[f"{which}_key"]
        assert after[f"{which}_mongodb_connection_string"] in kept.values()
    assert len(kept) == len(account_keys.KINDS)
    values = project.folder / "terraform/environments/dev/terraform.tfvars"
    assert 'active_key = "secondary"' in values.read_text(encoding="utf-8")
    assert operators.terraform(2, "plan", "-detailed-exitcode").status == 0
    asked = [row for row in project.cloud.requests() if row["host"] != "login.microsoftonline.com"]
    sent = sorted({f"{row['method']} {row['host']}{row['path']} {row['version'] or ''}".strip() for row in asked})
    if pytestconfig.getoption("--regenerate"):
        REQUESTS.write_text(json.dumps(sent, indent=1) + "\n", encoding="utf-8")
    assert sent == json.loads(REQUESTS.read_text(encoding="utf-8"))


def answered(project: Project, answer: str) -> Result:
    """`invoke unlock` at a terminal, where a person types the answer."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    environment = {**project.cloud.environment(forked=True), **project.variables}
    ended = subprocess.run(
        project.command("unlock", "--env", "dev"), env=environment, stdin=theirs, capture_output=True, text=True,
        cwd=project.folder, timeout=300, check=False,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    return Result("unlock", ended.returncode, ended.stdout, ended.stderr)


def me() -> str:
    """As Terraform calls whoever holds a lock."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
