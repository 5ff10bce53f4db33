"""Releases of apps: which revision has the calls, what Terraform is told of it, and what az is asked for."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulators.base.files import write_json
from ops.azure import az
from ops.cli.steps import Runner
from ops.config.environment import Environment
from ops.config.servers import App, apps
from ops.errors import NotDeployedError
from ops.images import images_json
from ops.local_platform import Ports
from ops.rollout import revisions, rolling_update
from ops.rollout.session import Session
from ops.terraform.cli import Plan, Stage
from ops.terraform.workspace import Workspace
from tests.unit.ops.conftest import DryRun, Make
from twin import control

OLD, NEW = "sha256:old", "sha256:new"
ENTRY = {"repository": "notes-mcp", "digest": NEW, "history": [{"digest": OLD}]}
SERVERS = {
    "notes": {"compute": "container-apps", "tiers": {"admin": {}, "reader": {}}},
    "mongodb": {"tiers": {"reader": {}}},
}


class Azure:
    """The Azure CLI over a few apps: `revisions` are what `az containerapp revision list` gives, by app."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.revisions: dict[str, list[dict[str, Any]]] = {"notes-admin": [], "notes-reader": []}
        #: What `latestRevisionName` and `latestReadyRevisionName` are, question by question; the last one stays.
        self.ready: list[list[str]] = []
        self.changed: list[tuple[str, str]] = []
        self.slept = 0.0
        monkeypatch.setattr(az, "run", self.run)
        monkeypatch.setattr(revisions, "time", self)

    def made(self, app: str, name: str, image: str, *, active: bool = True, weight: int = 0) -> None:
        """As "az containerapp revision list" prints one."""
        held = self.revisions[app]
        held.append(
            {
                "name": f"{app}--{name}",
                "properties": {
                    "active": active,
                    "createdTime": f"2026-11-30T10:00:{len(held):02}+00:00",
                    "trafficWeight": weight,
                    "template": {"containers": [{"image": f"acr.azurecr.io/notes-mcp@{image}"}]},
                },
            }
        )

    def run(self, *words: str) -> Any:
        options = dict(itertools.pairwise(words))
        assert options["--resource-group"] == "rg-mcp"
        match words[:3]:
            case ("containerapp", "revision", "list"):
                found = self.revisions[options["--name"]]
                return [one for one in found if "--all" in words or one["properties"]["active"]]
            case ("containerapp", "revision", "activate" | "deactivate"):
                self.changed.append((words[2], options["--revision"]))
                return None
            case ("containerapp", "show", _) if options["--query"] == "properties.latestRevisionName":
                return self.revisions[options["--name"]][-1]["name"]
            case ("containerapp", "show", _):
                return self.ready.pop(0) if len(self.ready) > 1 else self.ready[0]
        raise AssertionError(words)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def monotonic(self) -> float:
        return self.slept


class Applied:
    """Terraform that shows the apps of an applied stage 2."""

    def __init__(self, *resources: dict[str, Any]) -> None:
        self.resources = [{"address": f"a.{at}", "mode": "managed", **one} for at, one in enumerate(resources)]

    def show(self, _: object) -> dict[str, Any]:
        return {"values": {"root_module": {"resources": self.resources}}}


def shown(name: str, latest: str, *weights: dict[str, Any]) -> dict[str, Any]:
    values = {"name": name, "latest_revision_name": f"{name}--{latest}", "ingress": [{"traffic_weight": list(weights)}]}
    return {"type": "azurerm_container_app", "values": values}


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Azure:
    return Azure(monkeypatch)


@pytest.fixture
def environment(make: Make) -> Environment:
    """One server of two apps, and one in container groups."""
    return replace(make("dev", STORAGE_ACCOUNT="stmcptfstate"), variables={"mcp_servers": SERVERS})


@pytest.fixture
def session(environment: Environment, tmp_path: Path) -> Session:
    space = Workspace(environment, tmp_path, Applied(), tmp_path / "terraform", {})  # type: ignore[arg-type]
    images_json.write(space.images_file, {"notes": ENTRY, "mongodb": {"digest": OLD}})
    return Session(space, None)


def app(environment: Environment, name: str = "notes-reader") -> App:
    return apps(environment)[name]


def entry(session: Session) -> dict[str, Any]:
    return images_json.read(session.space.images_file)["notes"]


def test_what_runs_another_image_is_released(environment: Environment) -> None:
    """Each tier's app of a server that had an image; what is new, or the same, or in container groups has no steps."""
    before = {"notes": {"digest": OLD}, "mongodb": {"digest": OLD}}
    released = revisions.released(environment, before, {"notes": {"digest": NEW}, "mongodb": {"digest": NEW}})
    assert [one.name for one in released] == ["notes-admin", "notes-reader"]
    assert revisions.released(environment, before, {"notes": {"digest": OLD}}) == []
    assert revisions.released(environment, before, {}) == []
    assert revisions.released(environment, {}, {"notes": {"digest": NEW}}) == []


def test_who_has_the_calls(environment: Environment, session: Session) -> None:
    """The newest revision, or the one to which they were held; an app that is not there yet has none."""
    latest = {"latest_revision": True, "revision_suffix": "", "percentage": 0}
    applied = Applied(
        shown("notes-admin", "n2", {**latest, "percentage": 100}),
        shown("notes-reader", "n2", {"revision_suffix": "n1", "percentage": 100}, latest),
        shown("others-reader", "n1", {**latest, "percentage": 100}),
    )
    found = Session(replace(session.space, terraform=applied), None)  # type: ignore[arg-type]
    assert revisions.serving(found, apps(environment).values()) == {"notes-admin": "n2", "notes-reader": "n1"}
    assert revisions.serving(session, apps(environment).values()) == {}


def test_calls_are_held_in_steps_and_released(session: Session) -> None:
    """Terraform reads it from images.json; what else stands there stays."""
    for weight in revisions.STEPS:
        revisions.hold(session, {"notes-admin": "n1", "notes-reader": "n0"}, weight)
        held = {"admin": {"revision": "n1", "weight": weight}, "reader": {"revision": "n0", "weight": weight}}
        assert entry(session) == {**ENTRY, "traffic": held}
    revisions.hold(session, {"notes-reader": "n0"}, 10)
    assert entry(session)["traffic"] == {**held, "reader": {"revision": "n0", "weight": 10}}
    revisions.release(session)
    assert images_json.read(session.space.images_file) == {"notes": ENTRY, "mongodb": {"digest": OLD}}


def test_the_way_back_is_another_weight(azure: Azure, session: Session) -> None:
    """The youngest revision of the image that was before, made active where it is not; no new one is made."""
    for name in azure.revisions:
        azure.made(name, "n0", OLD, active=False)
        azure.made(name, "n1", OLD, active=name == "notes-admin")
        azure.made(name, "n2", NEW, weight=100)
    goal = {"repository": "notes-mcp", "digest": OLD}
    back = revisions.back(session, "notes", goal, ENTRY)
    held = {tier: {"revision": "n1", "weight": 100} for tier in ("admin", "reader")}
    assert back == {**goal, "newest": NEW, "traffic": held}
    assert azure.changed == [("activate", "notes-reader--n1")]
    assert revisions.back(session, "notes", goal, {**ENTRY, "newest": "sha256:newer"})["newest"] == "sha256:newer"


def test_a_revision_that_is_gone_is_made_anew(azure: Azure, session: Session) -> None:
    """Of all apps of the server, where one of them has none: they run the same image."""
    azure.made("notes-admin", "n1", OLD)
    azure.made("notes-reader", "n2", NEW)
    goal = {"repository": "notes-mcp", "digest": OLD}
    assert revisions.back(session, "notes", goal, ENTRY) == goal


def test_a_new_revision_is_waited_for(azure: Azure, environment: Environment, session: Session) -> None:
    azure.ready = [["notes-reader--n2", "notes-reader--n1"]] * 3 + [["notes-reader--n2", "notes-reader--n2"]]
    revisions.require_ready(session, [app(environment)])
    assert azure.slept == 15


def test_one_that_does_not_come_up_ends_with_the_remedy(
    azure: Azure, environment: Environment, session: Session
) -> None:
    """After ten minutes: the calls are where they were."""
    azure.ready = [["notes-reader--n2", "notes-reader--n1"]]
    with pytest.raises(NotDeployedError) as caught:
        revisions.require_ready(session, [app(environment)])
    said = str(caught.value)
    assert said.startswith("revision notes-reader--n2 of app notes-reader is not ready after 600 s, so the calls stay")
    assert "with notes-reader--n1;" in said
    assert said.endswith("`invoke logs --env dev`, then `invoke rollback --env dev`")
    assert 600 < azure.slept <= 610


def test_a_dry_run_prints_the_loop_that_waits(environment: Environment, session: Session) -> None:
    runner = DryRun()
    revisions.require_ready(Session(replace(session.space, runner=runner), None), [app(environment)])
    (line,) = runner.lines
    assert line.startswith('until [ "$(az containerapp show --resource-group rg-mcp --name notes-reader --query ')
    assert line.endswith("; do sleep 5; done")


def test_only_what_is_idle_is_ended(azure: Azure, environment: Environment, session: Session) -> None:
    """Neither the newest, which may still become ready, nor what has a weight, nor what ended before."""
    azure.made("notes-reader", "n0", OLD, active=False)
    azure.made("notes-reader", "n1", OLD)
    azure.made("notes-reader", "n2", OLD, weight=100)
    azure.made("notes-reader", "n3", NEW)
    revisions.deactivate_old(session, [app(environment)])
    assert azure.changed == [("deactivate", "notes-reader--n1")]


def test_a_dry_run_ends_nothing(azure: Azure, environment: Environment, session: Session) -> None:
    azure.made("notes-reader", "n1", OLD)
    runner = DryRun()
    revisions.deactivate_old(Session(replace(session.space, runner=runner), None), [app(environment)])
    assert (runner.lines, azure.changed) == ([], [])


class Releasing(Applied):
    """Terraform whose plan changes both apps of the server, and notes what images.json says as each is applied."""

    def __init__(self, file: Path, happened: list[Any]) -> None:
        super().__init__(*(shown(f"notes-{tier}", "n1", {"latest_revision": True}) for tier in ("admin", "reader")))
        self.file, self.happened = file, happened

    def init(self, stage: Stage) -> None:
        """Nothing to initialise."""

    def plan(self, stage: Stage, **_: object) -> Plan:
        names = [f'module.apps["notes-{tier}-a"].azurerm_container_app.this' for tier in ("admin", "reader")]
        return Plan(stage, dict.fromkeys(names, "update"), changes=True)

    def apply(self, _: Plan) -> None:
        held = images_json.read(self.file)["notes"].get("traffic") or {}
        self.happened.append({tier: (one["revision"], one["weight"]) for tier, one in held.items()})


@pytest.fixture
def release(session: Session, monkeypatch: pytest.MonkeyPatch) -> tuple[Session, list[Any]]:
    """A session, and what a release does in it: applies, waits for revisions, asks the gateway, ends what is idle."""
    found: list[Any] = []
    terraform: Any = Releasing(session.space.images_file, found)
    monkeypatch.setattr(revisions, "require_ready", lambda _, wanted: found.append(f"{len(list(wanted))} ready"))
    monkeypatch.setattr(revisions, "deactivate_old", lambda _, wanted: found.append(f"{len(list(wanted))} ended"))
    monkeypatch.setattr(Session, "check_health", lambda *_: found.append("asked"))
    monkeypatch.setattr(Session, "publish", lambda _: None)
    return replace(session, space=replace(session.space, terraform=terraform)), found


def held(weight: int) -> dict[str, tuple[str, int]]:
    return dict.fromkeys(("admin", "reader"), ("n1", weight))


BEFORE = {"notes": {"repository": "notes-mcp", "digest": OLD}}


def test_a_release_goes_in_steps(release: tuple[Session, list[Any]]) -> None:
    """None to the new revision until it is ready, half while the gateway is asked, then all; what is idle ends last."""
    session, happened = release
    assert rolling_update.apply_stage(session, 2, BEFORE, agreed=True)
    step = ["2 ready", "asked"]
    assert happened == [held(100), *step, held(50), *step, {}, "2 ready", "2 ended"]
    assert "traffic" not in entry(session)


def test_a_revision_that_is_not_ready_stops_the_release(
    release: tuple[Session, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call stays with the earlier one, and images.json says so for whoever goes on."""
    session, happened = release

    def fails(*_: object) -> None:
        raise NotDeployedError("revision notes-reader--n2 is not ready")

    monkeypatch.setattr(revisions, "require_ready", fails)
    with pytest.raises(NotDeployedError):
        rolling_update.apply_stage(session, 2, BEFORE, agreed=True)
    assert happened == [held(100)]
    assert entry(session)["traffic"]["reader"] == {"revision": "n1", "weight": 100}


def test_what_runs_the_same_image_takes_no_steps(release: tuple[Session, list[Any]]) -> None:
    """Another value of the same apps: one apply, and the wait for what it made."""
    session, happened = release
    assert rolling_update.apply_stage(session, 2, {"notes": ENTRY}, agreed=True)
    assert happened == [{}, "2 ready", "2 ended"]


Local = tuple[Session, Callable[..., None]]


@pytest.fixture
def local(make: Make, session: Session, monkeypatch: pytest.MonkeyPatch) -> Local:
    """A local platform of one app, and what writes the files that its ingress and its plan leave."""
    local = make()
    environment = replace(local, variables={**local.variables, "mcp_servers": SERVERS})
    run = environment.home / "run"

    def leaves(revision: str, state: str, image: str = NEW) -> None:
        kept = json.loads((run / "revisions.json").read_text()) if (run / "revisions.json").exists() else {}
        template = {"container": [{"image": f"acr/notes-mcp@{image}"}]}
        made = [*kept.get("notes-reader", []), {"name": f"notes-reader--{revision}", "template": template}]
        write_json(run / "revisions.json", {"notes-reader": made})
        replicas = {f"notes-reader--{revision}.1": {"state": state}}
        write_json(run / "apps.status.json", {"notes-reader": {"latest": "notes-reader--n1", "replicas": replicas}})

    monkeypatch.setattr(control, "status", lambda _: object())
    space = replace(session.space, environment=environment, runner=Runner())
    return Session(space, Ports(1, 2)), leaves


def test_locally_the_ingress_says_it(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended says why not at once; what is starting is looked at again; without a platform nobody waits."""
    session, leaves = local
    wanted = [app(session.environment)]
    leaves("n1", "healthy")
    revisions.require_ready(session, wanted)
    leaves("n2", "failed")
    with pytest.raises(NotDeployedError, match=r"notes-reader--n2 .* not ready \(failed\), .* with notes-reader--n1"):
        revisions.require_ready(session, wanted)
    leaves("n3", "starting")
    monkeypatch.setattr("ops.rollout.revisions.time.sleep", lambda _: leaves("n3", "healthy"))
    revisions.require_ready(session, wanted)
    leaves("n4", "starting")
    monkeypatch.setattr(control, "status", lambda _: None)
    revisions.require_ready(session, wanted)


def test_locally_the_kept_revisions_are_asked(local: Local) -> None:
    session, leaves = local
    for name, image in (("n1", OLD), ("n2", OLD), ("n3", NEW)):
        leaves(name, "healthy", image)
    assert revisions.revision_of(session, app(session.environment), OLD) == "n2"
    assert revisions.revision_of(session, app(session.environment), "sha256:never") == ""
    revisions.deactivate_old(session, [app(session.environment)])  # no az: it ends by itself
