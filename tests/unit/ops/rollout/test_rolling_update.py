"""One slot after the other: which, in which order, and what catalog.json says meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.azure import az
from ops.cli.steps import Runner
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.config.servers import slots
from ops.errors import DeclinedError, NotDeployedError, SmokeError, TerraformError, UsageError
from ops.images import images_json
from ops.rollout import heal, health_check, rolling_update
from ops.rollout.rollback import choose, earlier
from ops.rollout.session import Session
from ops.terraform.cli import Plan, Stage
from ops.terraform.workspace import Workspace
from tests.unit.ops.conftest import Make

TIERS = {"admin": {}, "reader": {}}
GROUP = 'module.servers["{}"].azurerm_container_group.this'
STAGE = Stage(2, Path(), Path(), Path(), Path())
OLD, NEW = {"digest": "sha256:old", "tag": "1"}, {"digest": "sha256:new", "tag": "2"}


@pytest.fixture
def environment(make: Make) -> Environment:
    """One server with two slots, one with one."""
    servers = {"two": {"tiers": TIERS, "slots": ["b", "a"]}, "one": {"tiers": {"reader": {}}}}
    return replace(make("dev", STORAGE_ACCOUNT="stmcptfstate"), variables={"mcp_servers": servers})


def replaced(*names: str) -> dict[str, str]:
    return {GROUP.format(name): "replace" for name in names}


def test_slots_are_terraforms(environment: Environment) -> None:
    """<server>-<tier>-<slot>, slot a where none is named."""
    assert set(slots(environment)) == {*("two-admin-a", "two-admin-b", "two-reader-a", "two-reader-b", "one-reader-a")}


def test_a_batch_is_one_slot_of_every_tier(environment: Environment) -> None:
    """In the alphabet's order; a server with one slot has nothing to wait for."""
    actions = replaced("two-reader-b", "two-admin-a", "two-reader-a", "one-reader-a")
    assert [(batch.slot, batch.groups) for batch in rolling_update.batches(environment, actions)] == [
        ("a", ("aci-two-admin-a", "aci-two-reader-a")),
        ("b", ("aci-two-reader-b",)),
    ]
    assert rolling_update.batches(environment, {GROUP.format("two-admin-a"): "create", "module.x.a.b": "replace"}) == []


class Recorder:
    """Terraform whose whole plan replaces what its targeted applies have not replaced yet."""

    def __init__(self, file: Path) -> None:
        self.file, self.left = file, {"two-admin-a", "two-admin-b", "two-reader-a", "two-reader-b"}
        self.applied: list[tuple[tuple[str, ...], dict[str, Any]]] = []

    def init(self, stage: Stage) -> None:
        """Nothing to initialise."""

    def plan(self, stage: Stage, *, targets: tuple[str, ...] = (), **_: object) -> Plan:
        self.targets = tuple(targets)
        names = [name for name in self.left if not targets or f'module.servers["{name}"]' in targets]
        return Plan(stage, replaced(*sorted(names)), bool(names))

    def apply(self, plan: Plan) -> None:
        self.applied.append((self.targets, images_json.read(self.file)["two"]))
        self.left -= {name for name in self.left if GROUP.format(name) in plan.actions}


Checked = list[tuple[str, ...]]


@pytest.fixture
def session(environment: Environment, tmp_path: Path) -> Session:
    made = Workspace(environment, tmp_path, None, tmp_path / "terraform", {})  # type: ignore[arg-type]
    images_json.write(made.images_file, {"two": {"repository": "r", **NEW}})
    return Session(replace(made, terraform=Recorder(made.images_file)), None)  # type: ignore[arg-type]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Checked:
    """The groups whose health was waited for, in order."""
    found: Checked = []
    monkeypatch.setattr(Session, "check_health", lambda _, groups: found.append(tuple(groups)))
    return found


A, B = ("aci-two-admin-a", "aci-two-reader-a"), ("aci-two-admin-b", "aci-two-reader-b")


def test_each_slot_waits_for_the_one_before(session: Session, checked: Checked) -> None:
    """And until its turn, images.json keeps it on the digest that it runs."""
    assert rolling_update.apply_stage(session, 2, {"two": {"repository": "r", **OLD}}, agreed=True)
    assert checked == [A, B]
    recorder: Any = session.space.terraform
    (first, during_a), (second, during_b) = recorder.applied
    assert first == ('module.servers["two-admin-a"]', 'module.servers["two-reader-a"]')
    assert second == ('module.servers["two-admin-b"]', 'module.servers["two-reader-b"]')
    assert during_a == {"repository": "r", **NEW, "slots": {"b": OLD}}
    assert during_b == images_json.read(session.space.images_file)["two"] == {"repository": "r", **NEW}


def test_a_slot_that_does_not_come_up_stops_the_rest(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others run on, and images.json says so; the next run goes on."""

    def fails(*_: object) -> None:
        raise SmokeError("502")

    monkeypatch.setattr(Session, "check_health", fails)
    with pytest.raises(SmokeError):
        rolling_update.apply_stage(session, 2, {"two": {"repository": "r", **OLD}}, agreed=True)
    recorder: Any = session.space.terraform
    assert recorder.left == {"two-admin-b", "two-reader-b"}
    half = images_json.read(session.space.images_file)
    assert half["two"]["slots"] == {"b": OLD}
    checked: Checked = []
    monkeypatch.setattr(Session, "check_health", lambda _, groups: checked.append(tuple(groups)))
    rolling_update.apply_stage(session, 2, half, agreed=True)
    assert checked == [B]
    assert "slots" not in images_json.read(session.space.images_file)["two"]


def test_what_is_healed_keeps_its_images(session: Session, checked: Checked) -> None:
    """Groups that drifted are replaced slot by slot too, but by what images.json says already."""
    space = session.space
    entries = {"two": {"repository": "r", **NEW, "slots": {"b": OLD}}}
    images_json.write(space.images_file, entries)
    rolling_update.apply_plan(session, space.terraform.plan(space.stage(2)), None, targets=["module.servers"])
    assert checked == [A, B]
    assert images_json.read(space.images_file) == entries


def test_the_next_slot_waits_for_the_breakers_of_the_last(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until they close the gateway sends the changed slot nothing, and its answers prove nothing of it."""
    happened: list[object] = []
    platform = Platform("http://gateway", {}, "http://issuer", "t", "s", {}, breaker_seconds=10)
    monkeypatch.setattr(az, "run", lambda *arguments: happened.append(arguments[5]) or "Running")
    monkeypatch.setattr("time.sleep", happened.append)
    monkeypatch.setattr(health_check, "require_answers", lambda *_: happened.append("asked"))
    health_check.check_azure(environment, ["aci-two-reader-a"], lambda: platform, Runner())
    assert happened == ["aci-two-reader-a", 10, "asked"]


class Deleting:
    """Terraform whose plan deletes one object."""

    def __init__(self, address: str) -> None:
        self.address, self.applied = address, 0

    def init(self, stage: Stage) -> None:
        """Nothing to initialise."""

    def plan(self, stage: Stage, **_: object) -> Plan:
        return Plan(stage, {self.address: "delete"}, changes=True)

    def apply(self, plan: Plan) -> None:
        self.applied += 1


COLLECTION = 'module.cosmos[0].azurerm_cosmosdb_mongo_collection.this["archive/old"]'


@pytest.mark.parametrize(
    ("address", "runner", "applied"),
    [
        (COLLECTION, Runner(), 0),
        (COLLECTION, Runner(yes=True), 1),
        ('module.cosmos[0].azurerm_cosmosdb_mongo_database.this["archive"]', Runner(), 0),
        ("module.documentdb[0].azurerm_mongo_cluster.this", Runner(), 0),
        ("module.apim.azurerm_api_management_api.this", Runner(), 1),
    ],
)
def test_documents_are_not_deleted_unasked(
    session: Session, monkeypatch: pytest.MonkeyPatch, address: str, runner: Runner, applied: int
) -> None:
    """Not even where everything else is agreed beforehand, as it is on this machine."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    terraform = Deleting(address)
    space = replace(session.space, terraform=terraform, runner=runner)  # type: ignore[arg-type]
    asked = replace(session, space=space)
    if applied:
        assert rolling_update.apply_stage(asked, 1, agreed=True)
    else:
        with pytest.raises(DeclinedError, match=r"with every document.*add --yes"):
            rolling_update.apply_stage(asked, 1, agreed=True)
    assert terraform.applied == applied


def test_history_is_newest_first() -> None:
    """A push of the same digest adds nothing."""
    once = images_json.with_history({"repository": "r", **OLD}, {"repository": "r", **NEW})
    assert once["history"] == [OLD]
    assert images_json.with_history(once, {"repository": "r", **NEW}) == once
    assert images_json.with_history(None, {"repository": "r", **NEW}) == {"repository": "r", **NEW}


def test_going_back_takes_the_newest_of_the_history() -> None:
    """Again: one further, until there is none."""
    oldest = {"digest": "sha256:oldest", "tag": "0"}
    back = images_json.earlier({"repository": "r", **NEW, "history": [OLD, oldest]})
    assert back == {"repository": "r", **OLD, "history": [oldest]}
    assert images_json.earlier(back) == {"repository": "r", **oldest}
    assert images_json.earlier({"repository": "r", **oldest}) is None


def test_nothing_to_go_back_to(environment: Environment) -> None:
    with pytest.raises(NotDeployedError, match="no earlier digest of two"):
        earlier(environment, "two", {"two": {"repository": "r", **NEW}})


def test_an_interrupted_way_back_is_finished() -> None:
    """Slots that still wait are what is done first; nothing goes back further."""
    entry = {"repository": "r", **OLD, "slots": {"b": NEW}, "history": [NEW]}
    assert images_json.earlier(entry) == {"repository": "r", **OLD, "history": [NEW]}


@pytest.mark.parametrize(
    ("server", "error", "sentence"),
    [
        (None, UsageError, "several servers; choose with --server: two, one"),
        ("three", UsageError, "server 'three' does not exist"),
        ("one", NotDeployedError, "records no image of one"),
    ],
)
def test_which_server(environment: Environment, server: str | None, error: type[Exception], sentence: str) -> None:
    """Never a guess."""
    with pytest.raises(error, match=sentence):
        earlier(environment, choose(environment, server), {"two": NEW})


def plan(actions: dict[str, str], drift: dict[str, str]) -> Plan:
    return Plan(Stage(2, Path(), Path(), Path(), Path()), actions, bool(actions), drift)


def test_container_addresses_are_shown_first() -> None:
    """They are what breaks the gateway."""
    found = plan({}, {"azurerm_a.b": "update", GROUP.format("two-admin-a"): "update"})
    assert [address for address, _ in rolling_update.sorted_drift(found)] == [
        GROUP.format("two-admin-a"),
        "azurerm_a.b",
    ]


def test_what_is_healed_is_the_module_of_what_drifted() -> None:
    """The record follows the address; a resource of the root stands for itself."""
    drift = {
        GROUP.format("two-admin-a"): "update",
        "azurerm_key_vault_secret.s": "delete",
        "module.a.module.b.x.y": "update",
    }
    assert heal.targets(plan({}, drift)) == [
        'module.servers["two-admin-a"]',
        "azurerm_key_vault_secret.s",
        "module.a.module.b",
    ]


def test_undeployed_changes_are_not_healed() -> None:
    """A replacement that no drift explains is somebody's edit."""
    group = GROUP.format("two-admin-a")
    assert heal.undeployed(plan({group: "replace"}, {}), {}) == [group]
    assert heal.undeployed(plan({group: "create", "a.b": "update"}, {}), {group: "delete"}) == []


class BusyOnce:
    """API Management refuses the first apply; planning again finds `left`."""

    def __init__(self, *left: str, kind: str = "api-busy") -> None:
        self.left, self.kind, self.tries = left, kind, 0

    def apply(self, plan: Plan) -> None:
        self.tries += 1
        if self.tries == 1:
            raise TerraformError("409", log=Path("log"), kind=self.kind)

    def again(self) -> Plan:
        return Plan(STAGE, dict.fromkeys(self.left, "create"), bool(self.left))


def test_a_busy_api_is_asked_once_more(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """What is left is applied, aloud; a second refusal, another error and anything new are errors."""
    plan = Plan(STAGE, {"a.b": "create", "a.c": "create"}, changes=True)

    def tries(busy: BusyOnce) -> int:
        space = replace(session.space, terraform=busy)  # type: ignore[arg-type]
        rolling_update.apply_repeating(space, plan, busy.again)
        return busy.tries

    assert tries(BusyOnce("a.c")) == 2
    assert "409 PessimisticConcurrencyConflict" in " ".join(capsys.readouterr().err.split())
    assert tries(BusyOnce()) == 1
    for busy in (BusyOnce("a.c", kind=""), BusyOnce("a.d")):
        with pytest.raises(TerraformError, match="409"):
            tries(busy)
