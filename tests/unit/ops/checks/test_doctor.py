"""`invoke doctor`: one list of checks, which README and dry runs have too."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ops.azure import az, rights
from ops.checks import costs, doctor, durations
from ops.checks.prerequisites import Note
from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config.environment import ROOT
from ops.errors import OpsError, SettingError, ToolError
from ops.rollout import deploy
from tests.unit.ops.conftest import Make

BOOTSTRAPS = f"{rights.DIRECTORY_TO_BOOTSTRAP}; "


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


@pytest.mark.parametrize(("page", "table"), [("README.md", doctor.table()), ("docs/bootstrap.md", rights.table())])
def test_pages_have_the_lists(page: str, table: str) -> None:
    """One list of prerequisites and of roles: the pages' are those that `doctor` checks, word for word."""
    assert table in (ROOT / page).read_text(encoding="utf-8"), f"{page} lacks this table:\n{table}"


def test_pages_say_the_same_times() -> None:
    """Minutes of API Management and of a new role are those of `durations`, wherever a page has them."""
    gateway = durations.of(durations.FIRST)[0]
    wanted = {f"{gateway.shortest}", f"{gateway.longest}"}
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    found = re.findall(r"API Management alone (\d+)(?: to |–|-)(\d+)", text)
    assert found
    assert {number for pair in found for number in pair} == wanted


def test_a_laptop_needs_no_pipeline_s_roles(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """`bootstrap --without-pipeline` makes no identity: neither its role nor its settings are asked for."""
    names = {"STORAGE_ACCOUNT": "stmcptfstate"}
    runner = Runner(dry_run=True)
    doctor.require_values(make("dev", **names), runner, identity=False)
    doctor.preview(make("dev", **names), runner, bootstraps=True, pipeline=False)
    said = capsys.readouterr().err
    assert rights.PRIVILEGED not in said
    assert rights.DIRECTORY_TO_DEPLOY in said
    assert durations.BOOTSTRAP in said
    assert runner._refused == []


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
    lines = costs.text(make("dev")).splitlines()
    assert lines[0].split(maxsplit=2) == ["API", "Management", "Developer, 1 unit"]
    assert len({line.index(sku) for line, sku in zip(lines, costs.skus("dev").values(), strict=False)}) == 1
    assert lines[-1].startswith(f"{len(lines) - 1} kinds in all")


@pytest.mark.parametrize(("sku", "told"), [("StandardV2_1", "StandardV2, 1 unit"), ("Developer_1", "")])
def test_costs_of_a_gateway_that_the_page_was_not_made_with(make: Make, sku: str, told: str) -> None:
    """The page has the plans of the files as they were; a tier of one's own is said, and not passed over."""
    path = make("dev").folder / "terraform.tfvars"
    path.write_text(f'{path.read_text(encoding="utf-8")}apim = {{ sku_name = "{sku}" }}\n', encoding="utf-8")
    found = costs.text(make("dev"))
    assert isinstance(found, Note) == bool(told)
    assert (f"apim.sku_name is {told} now" in found) == bool(told)


def test_a_dry_run_says_what_is_needed(servers: Path, capsys: pytest.CaptureFixture[str], make: Make) -> None:
    """Beside its commands, on stderr: prerequisites, times, costs, and at its end what the run itself refuses."""
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate", SERVERS_DIR=str(servers))
    runner = Runner(dry_run=True)
    deploy.deploy(environment, runner)
    out, err = capsys.readouterr()
    first = {line.split()[0] for line in out.splitlines()}
    assert first == {"terraform", "az", "docker", "until", "mkdir", "#", "MY_OBJECT_ID=$(az"}
    asked = doctor.applicable(environment)
    assert asked["organisation"].what not in err
    for check in (one for name, one in asked.items() if name != "organisation"):
        said = "the money" if check.what.startswith("the money") else check.what.removeprefix(BOOTSTRAPS)
        assert said in re.sub(r"\s+", " ", err) or said == "the money"
    assert rights.PRIVILEGED not in err
    assert "creating API Management usually takes 30–45 minutes" in err
    assert re.search(r"cost +API Management +Developer, 1 unit\n +Container Instances +2", err)
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
