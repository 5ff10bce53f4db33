from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ops.azure import az
from ops.checks import smoke
from ops.checks.smoke import Judgement
from ops.cli import output
from ops.cli.steps import Runner
from ops.clients import people
from ops.clients.outputs import Platform
from ops.errors import AzError, DeclinedError, NotDeployedError, SmokeError, UsageError
from ops.images import push
from ops.rollout import deploy, destroy, rolling_update
from ops.rollout.session import Session
from ops.terraform.cli import Plan, Stage
from ops.terraform.workspace import Workspace
from tests.unit.ops.conftest import Make, dry_run
from twin import control
from twin.control import Status


def verbs(lines: list[str]) -> list[str]:
    """`terraform -chdir=… plan …` → `plan`; other commands → their first two words."""
    return [line.split()[2] if line.startswith("terraform") else " ".join(line.split()[:2]) for line in lines]


def test_dry_run_of_local_prints_the_order(make: Make, servers: Path) -> None:
    """Stage 1, image, stage 2, runtime: one command per line."""
    environment = make(SERVERS_DIR=str(servers))
    lines = dry_run(partial(deploy.deploy, environment))
    assert verbs(lines[:3]) == ["init", "plan", "apply"]
    assert verbs(lines[3:6]) == ["uv venv", "uv pip", "uv pip"]
    assert [line.partition(" ")[0] for line in lines[6:9]] == ["mkdir", "#", "#"]  # code, tag and pin
    assert verbs(lines[9:12]) == ["init", "plan", "apply"]
    assert lines[12].endswith(f"-m twin.runtime --home {environment.home}")


def test_dry_run_of_azure_prints_the_documented_steps(make: Make, servers: Path) -> None:
    """Step 4 as documented: stage 1, login, build, push, Key Vault role, stage 2, with the backend's settings."""
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate", SERVERS_DIR=str(servers))
    lines = dry_run(partial(deploy.deploy, environment))
    assert "-backend-config=storage_account_name=stmcptfstate" in lines[0]
    assert verbs(lines[3:8]) == ["az acr", "docker build", "docker push", "# images.json", "MY_OBJECT_ID=$(az ad"]
    assert "'Key Vault Administrator' --assignee \"${MY_OBJECT_ID}\"" in lines[8]
    assert lines[9].startswith("until az keyvault secret list --vault-name keyvault-mcp")
    assert verbs(lines[10:]) == ["init", "plan", "apply"]


def test_a_young_role_is_waited_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts after some minutes; a closed network does not open by waiting (checks/test_reach.py)."""
    answers: list[AzError | list[object]] = [AzError("refused", kind="missing-role")] * 3 + [[]]
    seen: list[object] = []

    def run(*arguments: str) -> object:
        seen.append(arguments)
        answer = answers.pop(0)
        if isinstance(answer, AzError):
            raise answer
        return answer

    monkeypatch.setattr(az, "run", run)
    monkeypatch.setattr("time.sleep", lambda _: None)
    Runner().run(deploy._wait_for_vault(make("dev")))
    assert len(seen) == 4


def test_each_endpoint_has_its_line(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """With the server's name: what is copied out of the last lines is one address."""
    two = replace(PLATFORM, endpoints={"mongodb": "http://a.test/mongodb/mcp", "notes": "http://a.test/notes/mcp"})
    deploy._tell(make(), two, Runner())
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "is served at" in line] == [
        "mongodb is served at http://a.test/mongodb/mcp",
        "notes is served at http://a.test/notes/mcp",
    ]


def test_dry_run_touches_nothing(make: Make, servers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--dry-run` leaves no file, not even a lock or the port that it would pick."""
    monkeypatch.setattr("ops.local_platform.is_free", lambda port: port != 8082)
    monkeypatch.setattr("twin.supervise.ports.is_free", lambda _: True)
    environment = make(SERVERS_DIR=str(servers))
    for operation in (deploy.deploy, push.push, destroy.destroy):
        assert dry_run(partial(operation, environment))
    assert not environment.home.exists()


def test_destroy_goes_backwards(make: Make) -> None:
    """Stage 2 goes before stage 1, and both plans are plans to destroy."""
    lines = dry_run(partial(destroy.destroy, make()))
    assert ["stage2" in line for line in lines[:6]] == [True] * 3 + [False] * 3
    assert [("-destroy" in line) for line in lines[:3]] == [False, True, False]


def test_prod_needs_its_flag(make: Make, terraform_dir: Path) -> None:
    """prod is never destroyed by --yes alone."""
    (terraform_dir / "environments" / "dev").rename(terraform_dir / "environments" / "prod")
    with pytest.raises(UsageError, match="--prod"):
        destroy.destroy(make("prod"), Runner(yes=True))


def test_nobody_to_ask(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nothing is destroyed on Azure unless --yes says so."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(DeclinedError, match="--yes"):
        destroy.destroy(make("dev", STORAGE_ACCOUNT="stmcptfstate"), Runner())


class Recorder:
    """Plans one change, and remembers what was applied."""

    def __init__(self, stage: Stage, changes: bool) -> None:
        self.planned = Plan(stage, {"a.b": "create"} if changes else {}, changes)
        self.applied: list[Plan] = []

    def init(self, stage: Stage) -> None:
        """Nothing to initialise."""

    def plan(self, stage: Stage, **_: object) -> Plan:
        return self.planned

    def apply(self, plan: Plan) -> None:
        self.applied.append(plan)


def session(make: Make, tmp_path: Path, *, changes: bool) -> tuple[Session, Recorder]:
    stage = Stage(1, tmp_path, tmp_path, tmp_path, tmp_path)
    recorder = Recorder(stage, changes)
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate")
    space = Workspace(environment, tmp_path, recorder, environment.terraform_dir, {})  # type: ignore[arg-type]
    return Session(space, None), recorder


def test_the_plan_that_was_shown_is_applied(make: Make, tmp_path: Path) -> None:
    """With --yes the saved plan is applied at once."""
    made, recorder = session(make, tmp_path, changes=True)
    assert rolling_update.apply_stage(made, 1, agreed=True)
    assert recorder.applied == [recorder.planned]


def test_no_changes_no_apply(make: Make, tmp_path: Path) -> None:
    """An empty plan is not applied, and nobody is asked."""
    made, recorder = session(make, tmp_path, changes=False)
    assert not rolling_update.apply_stage(made, 1)
    assert recorder.applied == []


def test_a_person_can_decline(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any answer but "yes" applies nothing."""
    made, recorder = session(make, tmp_path, changes=True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "y\n", raising=False)
    with pytest.raises(DeclinedError, match="nothing was changed"):
        rolling_update.apply_stage(made, 1)
    assert recorder.applied == []


def test_yes_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly "yes" goes on."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "yes\n", raising=False)
    output.confirm("Apply?", yes=False)


PLATFORM = Platform("http://gateway", {"mongodb": "http://gateway/mongodb/mcp"}, "http://issuer", "t", "s", {})
CUT_OFF = Status(1, "now", {}, unreachable={"host:8000": "backend x cannot be reached: it has no DNS record"})


def test_a_failed_smoke_test_names_what_is_unreachable(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call only meets a 5xx; the missing DNS record behind it comes first."""

    def fails(*_: object, **__: object) -> Judgement:
        raise SmokeError("the call fails")

    monkeypatch.setattr(control, "status", lambda home: CUT_OFF)
    monkeypatch.setattr(people, "local", lambda environment, platform: [])
    monkeypatch.setattr(smoke, "check_server", fails)
    with pytest.raises(SmokeError, match=r"^backend x cannot be reached: it has no DNS record; the call fails$"):
        deploy._smoke_test(make(), PLATFORM)


def test_a_passed_smoke_test_still_warns_of_what_is_unreachable(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another slot may have answered it."""
    warned: list[str] = []
    monkeypatch.setattr(control, "status", lambda home: CUT_OFF)
    monkeypatch.setattr(people, "local", lambda environment, platform: [])
    monkeypatch.setattr(smoke, "check_server", lambda *_, **__: Judgement(["fine"], []))
    monkeypatch.setattr(output, "warn", warned.append)
    deploy._smoke_test(make(), PLATFORM)
    assert warned == ["backend x cannot be reached: it has no DNS record"]


def test_an_api_that_is_away_leaves_the_other_servers_tested(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose calls somebody else answers is for the entry to say; the words of that server are a warning."""
    others = {"shop": {"front": {}}, "tickets": {"remote": {"url": "https://mcp.example.com/mcp"}}}
    environment = replace(make(), variables={"mcp_servers": {**others, "mongodb": {}}})
    platform = replace(PLATFORM, endpoints={name: f"http://gateway/{name}/mcp" for name in environment.servers})
    asked: dict[str, bool] = {}
    warned: list[str] = []

    def check(_: Platform, server: str, *__: object, of_others: bool, strangers: object) -> Judgement:
        asked[server] = of_others
        return Judgement(["fine"], [f"{server}: 503"] if of_others else [])

    monkeypatch.setattr(control, "status", lambda home: None)
    monkeypatch.setattr(people, "local", lambda environment, platform: [])
    monkeypatch.setattr(smoke, "check_server", check)
    monkeypatch.setattr(output, "warn", warned.append)
    deploy._smoke_test(environment, platform)
    assert asked == {"shop": True, "tickets": True, "mongodb": False}
    assert warned == ["shop: 503", "tickets: 503"]


def test_nothing_deployed_is_an_error_of_state() -> None:
    """Scripts can tell "asked wrongly" (2) from "not there" (1)."""
    assert (UsageError.exit_code, NotDeployedError.exit_code) == (2, 1)


def test_empty_groups_are_told_at_the_end(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the state, which knows members that were put there in Entra ID too."""
    made, recorder = session(make, tmp_path, changes=False)

    def group(name: str, *members: str) -> dict[str, object]:
        values = {"display_name": name, "members": list(members)}
        return {"address": f"azuread_group.{name}", "type": "azuread_group", "name": name, "mode": "managed"} | {
            "values": values
        }

    groups = [group("administrators"), group("readers", "ada")]
    shown = {"values": {"root_module": {"resources": groups}}}
    recorder.show = lambda *_: shown  # type: ignore[attr-defined]
    deploy._warn_of_empty_groups(made)
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("warning: nobody is in administrators, so nobody may call with that role")
    groups[0] = group("administrators", "bob")
    deploy._warn_of_empty_groups(made)
    assert capsys.readouterr().err == ""
