"""A plan that is made here and applied there: exactly that one, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.azure import az
from ops.cli import output
from ops.cli.steps import Runner
from ops.errors import NotDeployedError, StalePlanError, UsageError
from ops.images import images_json
from ops.rollout import deploy, request
from ops.rollout.session import Session
from ops.terraform import saved_plan, workspace
from ops.terraform.cli import Plan, Stage
from ops.terraform.workspace import Workspace
from tests.unit.ops.conftest import Make

CREATE = {"actions": ["create"], "before": None, "after": {"name": "x"}, "after_unknown": {"id": True}}
UPDATE = {"actions": ["update"], "before": {"name": "y"}, "after": {"name": "x"}, "after_unknown": {}}
NOTHING = {"actions": ["no-op"], "before": {}, "after": {}, "after_unknown": {}}


class Terraform:
    """Plans what it is told to, as a file that `show` reads back."""

    def __init__(self, changes: dict[str, Any]) -> None:
        self.changes, self.drift, self.applied = changes, {}, []  # type: ignore[var-annotated]

    def init(self, stage: Stage) -> None:
        """Nothing to initialise."""

    def plan(self, stage: Stage, **_: object) -> Plan:
        stage.plan_file.parent.mkdir(parents=True, exist_ok=True)
        stage.plan_file.write_text(json.dumps(self.changes), encoding="utf-8")
        actions = {name: change["actions"][0] for name, change in self.changes.items() if change is not NOTHING}
        return Plan(stage, actions, bool(actions), self.drift)

    def show(self, stage: Stage, plan_file: Path | None = None) -> dict[str, Any]:
        assert plan_file
        changes: dict[str, Any] = json.loads(plan_file.read_text(encoding="utf-8"))
        return {"resource_changes": [{"address": name, "change": change} for name, change in changes.items()]}

    def apply(self, plan: Plan) -> None:
        self.applied.append(json.loads(plan.stage.plan_file.read_text(encoding="utf-8")))


def made(make: Make, changes: dict[str, Any], env: str = "local") -> tuple[Workspace, Terraform]:
    environment = make(env, STORAGE_ACCOUNT="stmcptfstate")
    terraform = Terraform(changes)
    home = environment.home
    return Workspace(environment, home, terraform, home / "terraform", {}), terraform  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_plan, "_commit", lambda: "c0ffee")


def test_what_was_saved_is_what_is_applied(make: Make, tmp_path: Path) -> None:
    """The file of the folder, not the one that was made to compare with."""
    space, terraform = made(make, {"a.b": CREATE, "a.c": NOTHING})
    about = saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path / "plans")
    assert (about.summary, about.actions, about.commit) == ("1 to create", {"a.b": "create"}, "c0ffee")
    space.stage(1).plan_file.unlink()
    assert deploy.apply_saved(Session(space, None), 1, tmp_path / "plans")
    assert terraform.applied == [{"a.b": CREATE, "a.c": NOTHING}]
    assert (tmp_path / "plans" / "stage1.tfplan").stat().st_mode & 0o77 == 0


def test_drift_is_shown_and_then_nothing_is_changed(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was changed by hand since the plan was approved ends the run."""
    shown: list[object] = []
    monkeypatch.setattr(output, "table", lambda title, columns, rows: shown.append((title, list(rows))))
    space, terraform = made(make, {"a.b": CREATE})
    saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path)
    terraform.changes, terraform.drift = {"a.b": CREATE, "a.c": UPDATE}, {"a.c": "update"}
    with pytest.raises(StalePlanError, match=r"stage 1 is not as it was when the plan was made: a\.c would now change"):
        deploy.apply_saved(Session(space, None), 1, tmp_path)
    assert terraform.applied == []
    assert shown[0] == (
        "stage 1: not as Terraform recorded it (changed by something else, or a run was cut off), and put back",
        [("update", "a.c")],
    )
    assert shown[1] == ("changed since the plan was made", [("a.c", "nothing", "update")])


def test_the_same_action_with_another_value_is_another_plan(make: Make, tmp_path: Path) -> None:
    """Values are compared, not only what is done to which resource."""
    space, terraform = made(make, {"a.b": UPDATE})
    saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path)
    terraform.changes = {"a.b": {**UPDATE, "after": {"name": "z"}}}
    with pytest.raises(StalePlanError, match="would now change in another way; nothing was changed"):
        deploy.apply_saved(Session(space, None), 1, tmp_path)


def test_a_plan_without_changes_is_not_applied(make: Make, tmp_path: Path) -> None:
    """And that is no error."""
    space, terraform = made(make, {"a.b": NOTHING})
    saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path)
    assert not deploy.apply_saved(Session(space, None), 1, tmp_path)
    assert terraform.applied == []


def test_a_plan_that_somebody_changed_is_refused(make: Make, tmp_path: Path) -> None:
    """Its SHA-256 is in what was approved."""
    space, terraform = made(make, {"a.b": CREATE})
    saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path)
    (tmp_path / "stage1.tfplan").write_text("{}", encoding="utf-8")
    with pytest.raises(StalePlanError, match="its SHA-256 differs"):
        deploy.apply_saved(Session(space, None), 1, tmp_path)


def test_a_slot_does_only_what_was_approved(make: Make, tmp_path: Path) -> None:
    """Its part of the plan: no other object, no other action, no other value; what was unknown may have any."""
    space, terraform = made(make, {"a.b": CREATE, "a.c": UPDATE})
    saved_plan.save(space, terraform.plan(space.stage(2)), tmp_path)
    approved = saved_plan.fetch(space, saved_plan.load(tmp_path, space.environment, 2), tmp_path)

    def require(changes: dict[str, Any]) -> None:
        terraform.changes = changes
        saved_plan.require_within(space, approved, terraform.plan(space.stage(2)))

    require({"a.c": UPDATE})
    require({"a.b": {**CREATE, "after": {"name": "x", "id": "known by now"}}})
    for stray in (
        {"a.d": CREATE},
        {"a.b": {**CREATE, "actions": ["delete"]}},
        {"a.b": {**CREATE, "after": {"name": "z"}}},
    ):
        with pytest.raises(StalePlanError, match="would change in a way that was not approved"):
            require(stray)


def test_images_go_with_the_plan(make: Make, tmp_path: Path) -> None:
    """Terraform reads catalog.json again when it applies, in a clone that pushed nothing."""
    space, terraform = made(make, {"a.b": CREATE})
    images_json.write(space.images_file, {"mongodb": {"repository": "r", "digest": "sha256:1"}})
    saved_plan.save(space, terraform.plan(space.stage(2)), tmp_path)
    space.images_file.unlink()
    saved_plan.place_images(space, tmp_path).act()
    assert images_json.read(space.images_file) == {"mongodb": {"repository": "r", "digest": "sha256:1"}}


def test_on_azure_the_folder_holds_no_plan(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan holds keys, and artifacts have more readers than the state: so it is a blob beside that."""
    blobs: dict[str, bytes] = {}

    def run(*arguments: str) -> None:
        options = dict(zip(arguments[3::2], arguments[4::2], strict=False))
        assert (options["--account-name"], options["--container-name"]) == ("stmcptfstate", "tfstate")
        assert options["--auth-mode"] == "login"
        file = Path(arguments[arguments.index("--file") + 1])
        if arguments[2] == "upload":
            blobs[options["--name"]] = file.read_bytes()
        else:
            file.write_bytes(blobs[options["--name"]])

    monkeypatch.setattr(az, "run", run)
    space, terraform = made(make, {"a.b": CREATE}, "dev")
    about = saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path / "plans")
    assert [path.name for path in (tmp_path / "plans").iterdir()] == ["stage1.json"]
    assert list(blobs) == [f"plans/{about.sha256}.tfplan"]
    assert deploy.apply_saved(Session(space, None), 1, tmp_path / "plans")
    assert terraform.applied == [{"a.b": CREATE}]


def test_a_plan_of_something_else_is_refused(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another environment, another commit, another stage, no plan at all, or a file that is none."""
    with pytest.raises(UsageError, match="holds no plan; make one with `invoke plan --env local --out"):
        request.parse(make(), None, [], str(tmp_path))
    space, terraform = made(make, {"a.b": CREATE})
    saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path)
    assert request.parse(make(), None, [], str(tmp_path)).stages == (1,)
    with pytest.raises(UsageError, match="holds stage1, not stage 2"):
        request.parse(make(), "2", [], str(tmp_path))
    with pytest.raises(UsageError, match="is a plan of local; it is never applied to dev"):
        request.parse(make("dev"), "1", [], str(tmp_path))
    with pytest.raises(UsageError, match="images included"):
        request.parse(make(), None, ["mongodb=1"], str(tmp_path))
    monkeypatch.setattr(saved_plan, "_commit", lambda: "decaf")
    with pytest.raises(UsageError, match="made from commit c0ffee, and this is decaf"):
        request.parse(make(), "1", [], str(tmp_path))
    (tmp_path / "stage1.json").write_text('{"stage": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match="is not what `invoke plan --out` writes"):
        request.parse(make(), "1", [], str(tmp_path))


def test_a_rehearsal_shows_the_plan(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`deploy --plan DIR --dry-run`: what it would change, and nothing of the other stage."""
    said: list[str] = []
    monkeypatch.setattr(output, "say", said.append)
    space, terraform = made(make, {"a.b": CREATE})
    saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path)
    deploy.deploy(make(), Runner(dry_run=True), request.parse(make(), None, [], str(tmp_path)))
    assert said == ["stage 1 of local, commit c0ffee: 1 to create"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["init", "plan", "apply"]
    assert "stage2" not in "".join(lines)


def test_a_stage_of_its_own_needs_the_one_before(make: Make) -> None:
    """Stage 2 without stage 1, and stage 2 without an image, are one sentence each."""
    space, _ = made(make, {})
    space.terraform.show = lambda *_: {"format_version": "1.0"}  # type: ignore[method-assign]
    with pytest.raises(NotDeployedError, match=r"run `invoke deploy --env local --stage 1` first"):
        deploy._require_stage1(space)
    with pytest.raises(NotDeployedError, match=r"records no image of mongodb, and --stage 2 builds none"):
        deploy._require_images(space)


def test_a_stage_of_its_own_builds_nothing(make: Make) -> None:
    """Only a whole deployment builds catalog."""
    assert request.parse(make(), None, [], None).builds
    assert not request.parse(make(), "2", [], None).builds
    assert workspace.locate(make(), {}).stages[0].number == 1


LOCK = 'provider "registry.terraform.io/hashicorp/azurerm" {\n  version     = "%s"\n  constraints = "~> 5.2"\n}\n'


def test_another_provider_ends_an_approved_plan(make: Make, tmp_path: Path) -> None:
    """A release between plan and apply is one sentence, and nothing was changed."""
    space, terraform = made(make, {"a.b": CREATE})
    lock = space.stage(1).folder / ".terraform.lock.hcl"
    lock.parent.mkdir(parents=True)
    lock.write_text(LOCK % "5.2.0", encoding="utf-8")
    saved_plan.save(space, terraform.plan(space.stage(1)), tmp_path)
    lock.write_text(LOCK % "5.3.0", encoding="utf-8")
    with pytest.raises(StalePlanError, match=r"hashicorp/azurerm 5\.2\.0 is now 5\.3\.0\).*plan again") as caught:
        deploy.apply_saved(Session(space, None), 1, tmp_path)
    assert "\n" not in str(caught.value)
    assert terraform.applied == []
    lock.write_text(LOCK % "5.2.0", encoding="utf-8")
    assert deploy.apply_saved(Session(space, None), 1, tmp_path)
