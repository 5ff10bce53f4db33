"""`ops.terraform.cli` with a stand-in binary: a script that prints what Terraform prints."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ops.config.environment import ROOT
from ops.errors import TerraformError, ToolError
from ops.terraform.cli import Plan, Stage, Terraform
from tests.unit.ops.conftest import DryRun

PLANNED = """
import json, pathlib, sys
out = next(a[5:] for a in sys.argv if a.startswith("-out="))
pathlib.Path(out).touch()
for addr, action in (("a.b", "create"), ("a.c", "update"), ("data.x", "read"), ("a.d", "noop"), ("a.e", "create")):
    print(json.dumps({"type": "planned_change", "@message": addr,
                      "change": {"resource": {"addr": addr}, "action": action}}))
sys.exit(2)
"""

REFUSED = """
import json, sys
print(json.dumps({"@level": "error", "@message": "Error: Invalid value", "diagnostic": {
    "severity": "error", "summary": "Invalid value", "detail": "The name\\nis too long.",
    "range": {"filename": "main.tf", "start": {"line": 7}}}}))
sys.exit(1)
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "terraform" / "stage1"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text("terraform {}\n", encoding="utf-8")
    return Stage(
        1, folder, tmp_path / "x.tfvars", tmp_path / "plans" / "stage1.tfplan", tmp_path / "logs" / "stage1.log"
    )


def terraform(tmp_path: Path, script: str) -> Terraform:
    binary = tmp_path / "terraform-stand-in"
    binary.write_text(f"#!{sys.executable}\n{textwrap.dedent(script)}", encoding="utf-8")
    binary.chmod(0o755)
    return Terraform(binary)


def test_plan_tells_what_changes(tmp_path: Path, stage: Stage) -> None:
    """Created, updated, replaced and deleted resources count; what is only read does not."""
    plan = terraform(tmp_path, PLANNED).plan(stage)
    assert plan.actions == {"a.b": "create", "a.c": "update", "a.e": "create"}
    assert plan.summary() == "2 to create, 1 to update"


DRIFTED = """
import json, sys
said = [("resource_drift", "a.removed", "update"), ("resource_drift", "a.stays", "update"),
        ("resource_drift", "a.gone", "delete"), ("planned_change", "a.removed", "delete"),
        ("planned_change", "a.stays", "update"), ("planned_change", "a.gone", "create")]
import pathlib
pathlib.Path(next(a[5:] for a in sys.argv if a.startswith("-out="))).touch()
for kind, addr, action in said:
    print(json.dumps({"type": kind, "@message": addr, "change": {"resource": {"addr": addr}, "action": action}}))
sys.exit(2)
"""


def test_what_a_plan_deletes_is_not_put_back(tmp_path: Path, stage: Stage) -> None:
    """A removed server's container group differs from the state, and yet nobody has to be told, nor heal it."""
    found = terraform(tmp_path, DRIFTED).plan(stage)
    assert found.drift == {"a.stays": "update", "a.gone": "delete"}
    assert found.actions["a.removed"] == "delete"


def test_saved_plan_is_private(tmp_path: Path, stage: Stage) -> None:
    """A plan holds secrets: only its owner may read it."""
    terraform(tmp_path, PLANNED).plan(stage)
    assert stage.plan_file.stat().st_mode & 0o777 == 0o600


def test_apply_takes_the_saved_plan(tmp_path: Path, stage: Stage) -> None:
    """What was shown is what is applied: the plan file, and no variables."""
    tool = terraform(tmp_path, "import sys; sys.exit(0 if sys.argv[-1].endswith('stage1.tfplan') else 9)")
    tool.apply(Plan(stage, {}, changes=True))
    runner = DryRun()
    Terraform(tool.binary, runner=runner).apply(Plan(stage, {}, changes=True))
    assert shlex.split(runner.lines[0])[2:] == ["apply", "-input=false", "-json", str(stage.plan_file)]


@pytest.mark.parametrize(("changes", "summary"), [(False, "no changes"), (True, "only outputs change")])
def test_nothing_to_do(stage: Stage, changes: bool, summary: str) -> None:
    """No change and a change of outputs alone are told apart."""
    assert Plan(stage, {}, changes=changes).summary() == summary


def test_refusal_is_one_sentence(tmp_path: Path, stage: Stage) -> None:
    """Terraform's first error becomes one line with its place; the log file is named."""
    with pytest.raises(TerraformError) as caught:
        terraform(tmp_path, REFUSED).plan(stage)
    assert str(caught.value) == (
        f"terraform plan of stage 1 failed: Invalid value ({stage.folder / 'main.tf'}:7): The name is too long; "
        f"the whole output is in {stage.log}"
    )
    assert "The name\nis too long." in stage.log.read_text(encoding="utf-8")


KEPT = """
import json, sys
for address in ('database.terraform_data.keep["collection/platform/incidents"]',
                'database.terraform_data.keep["database/platform"]', 'registry.terraform_data.keep["registry"]'):
    print(json.dumps({"@level": "error", "@message": "Error: Instance cannot be destroyed", "diagnostic": {
        "severity": "error", "summary": "Instance cannot be destroyed",
        "detail": f"Resource module.{address} has lifecycle.prevent_destroy set, but the plan calls for this resource "
                  "to be destroyed. To avoid this error and continue with the plan, either disable "
                  "lifecycle.prevent_destroy or reduce the scope of the plan using the -target option."}}))
sys.exit(1)
"""


def test_what_would_be_lost_is_said(tmp_path: Path, stage: Stage) -> None:
    """A guard of ours refuses in Terraform's words, which name neither what is lost nor a way."""
    with pytest.raises(TerraformError) as caught:
        terraform(tmp_path, KEPT).plan(stage)
    assert str(caught.value) == (
        "terraform plan of stage 1 failed: this would destroy collection platform/incidents, database platform and the "
        "registry, with all that they hold, and data_protection.prevent_destroy forbids it; put the old values back, "
        'add the new beside them and copy what they hold ("Data in production" in terraform/README.md has the way to '
        f"let the old ones go); the whole output is in {stage.log}"
    )
    assert caught.value.kind == "kept"


def test_an_error_names_the_file_that_a_person_edits(tmp_path: Path, stage: Stage) -> None:
    """Locally a copy is applied: its place is that of the checkout's file, and of the one that several stages share."""
    source = tmp_path / "checkout" / "terraform"
    for name in ("shared", "stage1"):
        (source / name).mkdir(parents=True)
    (source / "shared" / "main.tf").touch()
    (source / "stage1" / "main.tf").symlink_to("../shared/main.tf")
    with pytest.raises(TerraformError) as caught:
        terraform(tmp_path, REFUSED).plan(replace(stage, source=source))
    assert f"({source / 'shared' / 'main.tf'}:7)" in str(caught.value)


def test_a_plain_error_names_the_checkout_too(tmp_path: Path, stage: Stage) -> None:
    """As `init` prints it, with the copy's path in its text."""
    source = tmp_path / "checkout" / "terraform"
    script = f"print('Error: Unreadable module {stage.folder.parent}/modules/apim'); raise SystemExit(1)"
    with pytest.raises(TerraformError, match=f"Unreadable module {source}/modules/apim"):
        terraform(tmp_path, script).init(replace(stage, source=source))


def test_plain_error_is_found(tmp_path: Path, stage: Stage) -> None:
    """`init` prints no JSON; its error is found all the same."""
    script = "print('╷\\n│ Error: Backend changed\\n│ \\n│ Run init again.\\n╵'); raise SystemExit(1)"
    with pytest.raises(TerraformError, match=r"init of stage 1 failed: Error: Backend changed Run init again\."):
        terraform(tmp_path, script).init(stage)


def test_init_runs_once_per_content(tmp_path: Path, stage: Stage) -> None:
    """Nothing changed: init is not run again. A changed file: it is."""
    ran = tmp_path / "ran"
    tool = terraform(tmp_path, f"open({str(ran)!r}, 'a').write('x')")
    tool.init(stage)
    tool.init(stage)
    assert ran.read_text(encoding="utf-8") == "x"
    (stage.folder / "main.tf").write_text("terraform {\n}\n", encoding="utf-8")
    tool.init(stage)
    assert ran.read_text(encoding="utf-8") == "xx"


def test_failed_init_is_repeated(tmp_path: Path, stage: Stage) -> None:
    """An init that failed does not count as done."""
    with pytest.raises(TerraformError):
        terraform(tmp_path, "raise SystemExit(1)").init(stage)
    ran = tmp_path / "ran"
    terraform(tmp_path, f"open({str(ran)!r}, 'a').write('x')").init(stage)
    assert ran.exists()


def test_missing_binary(tmp_path: Path, stage: Stage) -> None:
    """A binary that is gone is named."""
    with pytest.raises(ToolError, match="nowhere does not run"):
        Terraform(tmp_path / "nowhere").init(stage)


def test_commands_can_be_pasted(stage: Stage) -> None:
    """`--dry-run` prints init, plan and apply with their folder, and once what makes the folder of saved plans."""
    runner = DryRun()
    terraform = Terraform(Path("terraform"), runner=runner)
    terraform.init(stage)
    terraform.apply(terraform.plan(stage))
    assert runner.folders == [f"mkdir -p -m 700 {stage.plan_file.parent}"]
    terraform.plan(stage)
    stage.plan_file.parent.mkdir(parents=True)
    Terraform(Path("terraform"), runner=runner).plan(stage)
    assert len(runner.folders) == 1
    runner.lines = runner.lines[:3]
    lines = runner.lines
    assert [line.split()[2] for line in lines] == ["init", "plan", "apply"]
    assert all(line.startswith(f"terraform -chdir={stage.folder} ") for line in lines)


@pytest.mark.parametrize("work", ["one.init(stage)", "one.side_by_side(lambda: again(one), lambda: again(one))"])
def test_ctrl_c_reaches_terraform_once(tmp_path: Path, stage: Stage, work: str) -> None:
    """Terraform gets one SIGINT (a second would make it drop its state) and is waited for, in whatever thread it runs.

    Whoever does not wait is killed: a Terraform that starts finds no provider, and ends the process it was told of.
    """
    script = f"""
        import os, pathlib, signal, sys, time
        seen = []
        signal.signal(signal.SIGINT, lambda *_: seen.append(1))
        (pathlib.Path({str(tmp_path)!r}) / f"up-{{os.getpid()}}").touch()
        while not seen:
            time.sleep(0.02)
        time.sleep(0.6)
        (pathlib.Path({str(tmp_path)!r}) / f"seen-{{os.getpid()}}").write_text(str(len(seen)))
        sys.exit(1)
    """
    terraform(tmp_path, script)
    caller = f"""
        import signal
        from contextlib import suppress
        from pathlib import Path
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
        from ops.errors import InterruptError, TerraformError
        from ops.terraform.cli import Stage, Terraform
        folder = Path({str(stage.folder)!r})
        stage = Stage(1, folder, folder, folder, Path({str(stage.log)!r}))
        one = Terraform(Path({str(tmp_path / "terraform-stand-in")!r}))
        def again(one):
            with suppress(TerraformError):
                one.init(stage)
            one.init(stage)  # not started any more
        try:
            {work}
        except InterruptError as error:
            raise SystemExit(str(error))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(caller)],
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    count = 2 if "side_by_side" in work else 1
    try:
        deadline = time.monotonic() + 10
        while len(list(tmp_path.glob("up-*"))) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        for _ in range(2):  # as the terminal does: to the whole foreground group; a person repeats it
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.2)
        _, said = process.communicate(timeout=10)
    finally:
        with suppress(ProcessLookupError):  # what has not ended by itself must not outlive the test
            os.killpg(process.pid, signal.SIGKILL)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.glob("seen-*")] == ["1"] * count
    assert len(list(tmp_path.glob("up-*"))) == count
    assert "the next run goes on from there" in said


def saying(summary: str, detail: str) -> str:
    return REFUSED.replace("Invalid value", summary).replace("The name\\nis too long.", detail)


@pytest.mark.parametrize(
    ("summary", "detail", "kind", "remedy"),
    [
        (
            "building account",
            "unable to build authorizer for Resource Manager API: could not configure AzureCli Authorizer",
            "not-signed-in",
            "run `az login`",
        ),
        (
            "Inconsistent dependency lock file",
            "The given plan file was created with a different set of external dependency selections than the current "
            "configuration. A saved plan can be applied only to the same configuration it was created from.",
            "other-providers",
            "plan again, and have that approved",
        ),
        (
            "creating Operation Policy",
            "unexpected status 409 (409 Conflict) with error: PessimisticConcurrencyConflict: Operation on the API is "
            "in progress",
            "api-busy",
            "run it again",
        ),
        (
            "key vault secret (key_vault_id = '/v', name = 'shop-key') was not found",
            "azurerm_key_vault_secret answers with what was applied or seeded in this stand-in cloud",
            "no-secret",
            ".twin/local-secrets.json",
        ),
        ("Invalid value", "too long", "", "failed: Invalid value"),
    ],
)
def test_known_refusals_say_what_helps(
    tmp_path: Path, stage: Stage, summary: str, detail: str, kind: str, remedy: str
) -> None:
    """One sentence with the remedy first, and what Terraform said after it."""
    with pytest.raises(TerraformError) as caught:
        terraform(tmp_path, saying(summary, detail)).plan(stage)
    assert caught.value.kind == kind
    assert remedy in str(caught.value)
    assert summary in str(caught.value)
    assert "\n" not in str(caught.value)
