"""`invoke doctor`: one list of checks, which README and dry runs have too."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ops.azure import az
from ops.checks import costs, doctor
from ops.checks.prerequisites import Note
from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config.environment import ROOT
from ops.errors import OpsError, SettingError, ToolError
from ops.rollout import deploy
from tests.unit.ops.conftest import Make


def fails(_: object) -> str:
    raise ToolError("mend it like this")


def fine(_: object) -> str:
    return "fine"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "bad": doctor.Check(fails, "x"),
        "good": doctor.Check(fine, "x", after=("elsewhere",)),
        "next": doctor.Check(fine, "x", after=("good", "bad")),
        "last": doctor.Check(fine, "x", after=("next",)),
        "known": doctor.Check(lambda _: Note("worth knowing"), "x"),
    }
    monkeypatch.setattr(doctor, "CHECKS", known)


def test_what_depends_on_a_failed_check_is_left_out(checks: None, make: Make) -> None:
    """The failing one says its remedy; those that could only repeat it say which comes first."""
    assert [(f.name, f.verdict, f.ok, f.text) for f in doctor.findings(make())] == [
        ("bad", "NO", False, "mend it like this"),
        ("good", "ok", True, "fine"),
        ("next", "–", False, "not checked: bad comes first"),
        ("last", "–", False, "not checked: next comes first"),
        ("known", "note", True, "worth knowing"),
    ]
    with pytest.raises(ToolError, match="mend it like this"):
        doctor.require(make(), ("bad",))
    with pytest.raises(ToolError, match=r"1 of 5 checks failed \(bad\)"):
        doctor.report(make(), as_json=False)


def test_json_has_the_source_of_each_setting(
    checks: None, make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACR_NAME", "acrother")
    with pytest.raises(ToolError):
        doctor.report(make("dev"), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["env"], found["ok"], len(found["checks"])) == ("dev", False, 5)
    (registry,) = [one for one in found["settings"] if one["name"] == "ACR_NAME"]
    assert registry == {
        "name": "ACR_NAME",
        "value": "acrother",
        "source": "the environment variable ACR_NAME",
        "instead_of": ["terraform.tfvars says 'acrmcp'"],
    }


def test_a_setting_that_contradicts_terraform_is_refused(make: Make) -> None:
    """az would work on one registry, and Terraform on another."""
    names = {"IDENTITY_NAME": "id-mcp", "STORAGE_ACCOUNT": "stmcptfstate"}
    assert doctor.CHECKS["settings"].run(make("dev", **names)) == "complete"
    with pytest.raises(SettingError, match=r"ACR_NAME is 'acrother' .*, and acr_name in terraform\.tfvars is 'acrmcp'"):
        doctor.CHECKS["settings"].run(make("dev", ACR_NAME="acrother", **names))


def test_checks_follow_the_environment(make: Make) -> None:
    """Azure's tools are not asked for locally, nor local ports on Azure."""
    local, azure = (set(doctor.applicable(make(name))) for name in ("local", "dev"))
    assert {"az", "docker", "licence", "vault", "cost"} <= azure - local
    assert "ports" in local - azure


def test_each_check_comes_after_those_that_it_needs() -> None:
    names = list(doctor.CHECKS)
    assert all(names.index(other) < names.index(name) for name, one in doctor.CHECKS.items() for other in one.after)


def test_readme_has_the_list() -> None:
    """One list of prerequisites: README's is the one that `doctor` checks, word for word."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert doctor.table() in text, f"README.md lacks this table:\n{doctor.table()}"


def test_without_az_it_is_said_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_: None)
    names = {"IDENTITY_NAME": "id-mcp", "STORAGE_ACCOUNT": "stmcptfstate"}
    texts = [finding.text for finding in doctor.findings(make("dev", **names))]
    assert sum("the Azure CLI is not on PATH" in text for text in texts) == 1
    assert texts.count("not checked: az comes first") >= 6


@pytest.mark.parametrize("task", ["plan", "status", "connect", "token", "verify"])
def test_every_door_to_azure_asks_for_az(
    task: str, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Terraform's own words ("unable to build authorizer") do not say what is missing."""
    from ops.checks import status, verify
    from ops.clients import access_token, connect
    from ops.rollout import plan

    monkeypatch.setattr("shutil.which", lambda *_: None)
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate")
    doors = {
        "plan": lambda: plan.make_plans(environment),
        "status": lambda: status.document(environment),
        "connect": lambda: connect.print_configuration(environment, None, write=False, as_json=True),
        "token": lambda: access_token.print_token(environment, "admin"),
        "verify": lambda: verify.report(environment),
    }
    with pytest.raises(ToolError, match="the Azure CLI is not on PATH"):
        doors[task]()


def test_costs_of_an_environment(make: Make) -> None:
    """By SKU and number, as the plans have it; an environment of somebody's own has no column."""
    assert costs.skus("prod")["API Management"] == "Premium, 3 units, zones 1, 2, 3"
    assert "Cosmos DB, shared throughput" not in costs.skus("dev")
    assert costs.skus("staging") == {}
    assert "API Management: Developer, 1 unit" in costs.text(make("dev"))


def test_a_dry_run_says_what_is_needed(servers: Path, capsys: pytest.CaptureFixture[str], make: Make) -> None:
    """Beside its commands, on stderr: prerequisites, times, costs, and at its end what the run itself refuses."""
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate", SERVERS_DIR=str(servers))
    runner = Runner(dry_run=True)
    deploy.deploy(environment, runner)
    out, err = capsys.readouterr()
    first = {line.split()[0] for line in out.splitlines()}
    assert first == {"terraform", "az", "docker", "until", "#", "MY_OBJECT_ID=$(az"}
    for check in doctor.applicable(environment).values():
        assert check.what in re.sub(r"\s+", " ", err) or check.what.startswith(("an hour", "the money"))
    assert "creating API Management usually takes 30–45 minutes" in err
    assert "API Management: Developer, 1 unit" in err
    with pytest.raises(SettingError, match="IDENTITY_NAME is not set"):
        runner.finish()


def test_the_shipped_files_print_everything_and_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(az, "run", fails)
    runner = Runner(dry_run=True)
    environment = environments.load("dev")
    deploy.deploy(environment, runner)
    with pytest.raises(OpsError, match=r"subscription_id in terraform/environments/dev/terraform\.tfvars"):
        runner.finish()
    with pytest.raises(OpsError, match=r"subscription_id in terraform/environments/dev/terraform\.tfvars"):
        deploy.deploy(environment, Runner(yes=True))
