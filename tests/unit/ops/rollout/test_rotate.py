"""`invoke rotate`: in which order, what an interruption leaves, and what the next run makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.azure import az
from ops.cli.steps import Runner
from ops.config.environment import ROOT, Environment
from ops.config.servers import COSMOS as COSMOS_KIND
from ops.config.servers import has_database, uses_database
from ops.errors import AzError, NotDeployedError, SettingError, UsageError
from ops.images import images_json
from ops.rollout import revisions, rolling_update, rotate
from ops.rollout import session as sessions
from ops.rollout.rotate import Rotation
from ops.rollout.session import Session
from ops.terraform import active_key, workspace
from tests.unit.ops.conftest import Make
from twin import database_keys

COSMOS = '\ncosmos_account_name = "cosmos-mcp"\ncosmos = {\n  throughput_mode = "serverless"\n}\n'


@pytest.fixture
def dev(make: Make) -> Environment:
    return _with_cosmos(make("dev", STORAGE_ACCOUNT="stmcptfstate"), make)


@pytest.fixture
def local(make: Make) -> Environment:
    return _with_cosmos(make("local"), make)


def _with_cosmos(environment: Environment, make: Make) -> Environment:
    path = environment.folder / "terraform.tfvars"
    path.write_text(path.read_text(encoding="utf-8") + COSMOS, encoding="utf-8")
    environment.home.mkdir(exist_ok=True)
    return make(environment.name, STORAGE_ACCOUNT="stmcptfstate")


class Account:
    """Stands where Azure and Terraform would: keys, what was done in order, and a failure at one point of it."""

    def __init__(self, environment: Environment) -> None:
        self.did: list[str] = []
        self.fails_at = 0
        self.late = 0  # how many refreshes still show what was before
        self.session = Session(workspace.locate(environment, {}), None)
        self._keys = dict.fromkeys(("primary", "primaryReadonly", "secondary", "secondaryReadonly"), 0)
        self._shown = dict(self._keys)

    @contextmanager
    def opened(self, _: Environment, runner: Runner) -> Iterator[Session]:
        yield self.session

    def regenerate(self, *arguments: str) -> None:
        kind = arguments[-1]
        self._step(kind)
        self._keys[kind] += 1

    def apply(self, session: Session, _: object) -> None:
        self._step(f"apply {active_key.active(session.environment)}")
        if self.late:
            self.late -= 1
        else:
            self._shown = dict(self._keys)

    def shown(self, _: Any, key: str) -> tuple[str, str]:
        return str(self._shown[key]), str(self._shown[f"{key}Readonly"])

    def _step(self, what: str) -> None:
        self.did.append(what)
        if len(self.did) == self.fails_at:
            raise AzError("Azure failed")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Callable[[Environment], Account]:
    def use(environment: Environment) -> Account:
        made = Account(environment)
        monkeypatch.setattr(sessions, "opened", made.opened)
        monkeypatch.setattr(az, "run", made.regenerate)
        monkeypatch.setattr(database_keys, "regenerate", made.regenerate)
        monkeypatch.setattr(rotate, "_apply", made.apply)
        monkeypatch.setattr(rotate, "_read_keys", made.shown)
        monkeypatch.setattr(rotate.time, "sleep", lambda _: None)
        return made

    return use


WHOLE = [
    "apply primary",
    *("secondary", "secondaryReadonly", "apply primary", "apply secondary"),
    *("primary", "primaryReadonly", "apply secondary"),
]


def test_a_key_is_regenerated_while_nobody_uses_it(dev: Environment, account: Callable[[Environment], Account]) -> None:
    """Secondary first, the servers change over, then primary; the second rotation goes back the other way."""
    azure = account(dev)
    rotate.rotate(dev, Runner(yes=True))
    assert azure.did == WHOLE
    assert 'active_key = "secondary"' in (dev.folder / "terraform.tfvars").read_text(encoding="utf-8")
    azure.did.clear()
    rotate.rotate(dev, Runner(yes=True))
    assert azure.did == [
        "apply secondary",
        *("primary", "primaryReadonly", "apply secondary", "apply primary"),
        *("secondary", "secondaryReadonly", "apply primary"),
    ]
    assert 'active_key = "primary"' in (dev.folder / "terraform.tfvars").read_text(encoding="utf-8")


APPS = {"notes": {"compute": "container-apps", "database": "cosmosdb-mongodb", "tiers": {"reader": {}}}}
TRAFFIC = {"reader": {"revision": "n1", "weight": 100}}


def test_who_was_rolled_back_follows_the_keys(
    dev: Environment, account: Callable[[Environment], Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision keeps its key: the image that serves gets a new one, which has the calls once it is ready."""
    azure = account(replace(dev, variables={**dev.variables, "mcp_servers": APPS}))
    file = azure.session.space.images_file
    goal = {"repository": "notes-mcp", "digest": "sha256:old"}
    images_json.write(file, {"notes": {**goal, "newest": "sha256:bad", "traffic": TRAFFIC}})
    monkeypatch.setattr(rotate, "_apply", lambda *_: azure.did.append(images_json.read(file)["notes"]))
    monkeypatch.setattr(revisions, "require_ready", lambda _, wanted: azure.did.append([app.name for app in wanted]))
    monkeypatch.setattr(rotate, "_renew", lambda _, key: azure.did.append(key))
    rotate.rotate(azure.session.environment, Runner(yes=True))
    held = {**goal, "newest": "sha256:old", "traffic": TRAFFIC}
    assert azure.did == [held, ["notes-reader"], goal, goal, "secondary", goal, "primary"]


def test_an_interrupted_release_is_finished_first(dev: Environment, account: Callable[[Environment], Account]) -> None:
    """It is not settled which of two images serves, so no key is touched."""
    azure = account(dev)
    images_json.write(azure.session.space.images_file, {"notes": {"digest": "sha256:new", "traffic": TRAFFIC}})
    with pytest.raises(UsageError, match=r"release of notes was interrupted.*`invoke deploy --env dev` or"):
        rotate.rotate(dev, Runner(yes=True))
    assert azure.did == []


def test_a_local_platform_does_the_same_and_leaves_the_committed_file(
    local: Environment, account: Callable[[Environment], Account]
) -> None:
    """Its keys are its own: its home remembers which one is active, and the next rotation goes back."""
    twin, path = account(local), local.folder / "terraform.tfvars"
    written = path.read_text(encoding="utf-8")
    workspace.copy(local.terraform_dir, local.home / "terraform")
    rotate.rotate(local, Runner())
    assert twin.did == WHOLE
    assert path.read_text(encoding="utf-8") == written
    assert rotate.due(local) == Rotation("secondary", "primary", switched=False)


@pytest.mark.parametrize("step", range(1, len(WHOLE) + 1))
def test_wherever_it_is_interrupted_the_next_run_finishes(
    dev: Environment, account: Callable[[Environment], Account], step: int
) -> None:
    """And never regenerates the key that the servers use at that moment."""
    azure = account(dev)
    azure.fails_at = step
    with pytest.raises(AzError):
        rotate.rotate(dev, Runner(yes=True))
    switched = "apply secondary" in azure.did
    azure.did.clear()
    azure.fails_at = 0
    rotate.rotate(dev, Runner(yes=True))
    finished = ["apply secondary", "primary", "primaryReadonly", "apply secondary"]
    assert azure.did == (finished if switched else WHOLE)
    assert rotate.due(dev) == Rotation("secondary", "primary", switched=False)


def test_a_key_that_azure_shows_late_is_waited_for(dev: Environment, account: Callable[[Environment], Account]) -> None:
    """The servers are changed over to what was stored, so it must be the new one."""
    azure = account(dev)
    azure.late = 3
    rotate.rotate(dev, Runner(yes=True))
    assert azure.did.index("apply secondary") == 6
    assert azure.did[3:6] == ["apply primary"] * 3


def test_a_key_that_never_changes_ends_it(
    dev: Environment, account: Callable[[Environment], Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = account(dev)
    azure.late = 99
    monkeypatch.setattr(rotate, "_TIMEOUT", 0.0)
    with pytest.raises(NotDeployedError, match="still shows a secondary key"):
        rotate.rotate(dev, Runner(yes=True))
    assert "apply secondary" not in azure.did


def test_somebody_elses_rotation_is_not_repeated(
    dev: Environment, account: Callable[[Environment], Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While this one waited for an answer: its plan would regenerate the key in use."""
    azure = account(dev)
    path = dev.folder / "terraform.tfvars"
    monkeypatch.setattr(Runner, "confirm", lambda *_, **__: active_key.switch(dev, "secondary", path).act())
    with pytest.raises(UsageError, match="rotated meanwhile"):
        rotate.rotate(dev, Runner())
    assert azure.did == []


def test_what_is_applied_is_published(local: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of one slot is changed by the apply itself: what runs must learn of it."""
    seen: list[str] = []
    monkeypatch.setattr(Session, "publish", lambda _: seen.append("published"))
    session = Session(workspace.locate(local, {}), None)
    for changed in (True, False):
        monkeypatch.setattr(rolling_update, "apply_stage", lambda *_, changed=changed, **__: changed)
        rotate._apply(session, {})
    assert seen == ["published"]


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_the_active_key_is_written_and_nothing_else(environment: str) -> None:
    """Into a file that does not name it yet, and over what it says."""
    text = (ROOT / f"terraform/environments/{environment}/terraform.tfvars").read_text(encoding="utf-8")
    once = active_key.with_active(text, "secondary")
    assert once.replace('  active_key = "secondary"\n\n', "") == text
    assert active_key.with_active(once, "primary") == once.replace('active_key = "secondary"', 'active_key = "primary"')


def test_a_file_without_cosmos() -> None:
    """Nothing is guessed."""
    with pytest.raises(SettingError, match=r"no `cosmos = \{`"):
        active_key.with_active("name = 1\n", "secondary")


def test_a_homes_copy_says_what_the_home_remembers(local: Environment, tmp_path: Path) -> None:
    """Each time the copy is made anew, and in a copy of the home too."""
    copied = local.home / "terraform/environments/local/terraform.tfvars"
    workspace.copy(local.terraform_dir, local.home / "terraform")
    active_key.switch(local, "secondary", copied).act()
    workspace.copy(local.terraform_dir, local.home / "terraform")
    assert "active_key" not in copied.read_text(encoding="utf-8")
    active_key.place(local.home, copied)
    assert 'active_key = "secondary"' in copied.read_text(encoding="utf-8")
    (tmp_path / "other").mkdir()
    active_key.carry(local.home, tmp_path / "other")
    assert json.loads((tmp_path / "other/active_key.json").read_text())["active"] == "secondary"


def test_a_later_edit_of_the_committed_file_counts(local: Environment) -> None:
    """Whoever writes the key into the file gets it, whatever was rotated before."""
    path = local.folder / "terraform.tfvars"
    active_key.switch(local, "secondary", _copy_of(path, local.home)).act()
    assert active_key.active(local) == "secondary"
    path.write_text(active_key.with_active(path.read_text(encoding="utf-8"), "primary"), encoding="utf-8")
    assert active_key.active(local) == "primary"
    copied = _copy_of(path, local.home)
    active_key.place(local.home, copied)
    assert copied.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def test_a_key_that_does_not_exist(dev: Environment) -> None:
    path = dev.folder / "terraform.tfvars"
    path.write_text(active_key.with_active(path.read_text(encoding="utf-8"), "tertiary"), encoding="utf-8")
    with pytest.raises(SettingError, match="'tertiary'; it must be primary or secondary"):
        active_key.active(dev)


def _copy_of(path: Path, folder: Path) -> Path:
    copied = folder / "terraform.tfvars"
    copied.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return copied


def test_a_database_without_keys_has_nothing_to_rotate(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so and asks nobody; an account that is kept beside it still has keys."""
    path = make("dev").folder / "terraform.tfvars"
    text = path.read_text(encoding="utf-8").replace('"cosmosdb-mongodb"', '"documentdb"')
    path.write_text(text, encoding="utf-8")
    rotate.rotate(make("dev", STORAGE_ACCOUNT="stmcptfstate"), Runner())
    assert "nothing to rotate: dev has no database that knows keys" in capsys.readouterr().err
    path.write_text(text + "cosmos = { enabled = true }\n", encoding="utf-8")
    kept = make("dev", STORAGE_ACCOUNT="stmcptfstate")
    assert has_database(kept, COSMOS_KIND)
    assert not uses_database(kept, COSMOS_KIND)
