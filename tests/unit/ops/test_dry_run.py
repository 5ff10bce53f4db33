"""`--dry-run` prints what a run executes: each task runs twice here, once printed and once recorded, and they agree.

Recorded are the programs that are started, as they are started, and what is written into images.json. The platform has
two slots, so what is replaced is replaced slot by slot. What only looks (`terraform show`, `az … show`) is not printed.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from ops import bootstrap
from ops.azure import az
from ops.bootstrap import Options
from ops.checks import doctor
from ops.cli.steps import Runner
from ops.clients import access_token
from ops.config import environment as environments
from ops.config import tfvars
from ops.config.environment import Environment
from ops.errors import NotDeployedError
from ops.images import engine, images_json, local_store, push
from ops.rollout import deploy, destroy, heal, rollback, rotate, unlock
from ops.rollout.request import Request
from ops.servers import add_server, remove_server
from ops.terraform import binary, saved_plan, workspace
from ops.terraform.binary import Binary
from tests.unit.ops import command_fakes
from tests.unit.ops.bootstrap.conftest import RECORDED, Cloud
from tests.unit.ops.conftest import TFVARS, Make, dry_run

SERVER = """
cosmos_account_name = "cosmos-mcp"
cosmos = {
  throughput_mode = "serverless"
}
mcp_servers = {
  mongodb = {
    image    = { repository = "mongodb-mcp", tag = "0.1.0" }
    database = "cosmosdb-mongodb"
    slots    = ["a", "b"]
    tiers = {
      admin  = { role = "Mcp.Admin", connection = "read-write" }
      reader = { role = "Mcp.Read", connection = "read-only" }
    }
  }
}
"""
GROUPS = [
    f'module.servers["mongodb-{tier}-{slot}"].azurerm_container_group.this'
    for tier in ("admin", "reader")
    for slot in ("a", "b")
]
GATEWAY = "module.apim.azurerm_api_management_api.mcp"
OLD, OLDER = ("sha256:" + digit * 64 for digit in "01")
PUSHED = "sha256:" + "d" * 64
RUNNING = {"mongodb": {"repository": "mongodb-mcp", "digest": OLD, "history": [{"digest": OLDER}]}}
#: Commands that only look. A run decides by their answers; a dry run decides as if everything were still to be done.
LOOKS = re.compile(
    r"terraform -chdir=\S+ show |docker buildx version|az rest --method GET"
    r"|az (account|ad signed-in-user|group|identity|acr repository|storage (account|blob metadata)|container) show"
    r"|az (role assignment|identity federated-credential) list|az storage (account check-name|container exists)"
    r"|az storage account blob-service-properties show"
)

Operation = Callable[[Environment, Runner], object]


class Machine:
    """A machine whose terraform, az and docker note each call; `cloud` is what they find."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.cloud: dict[str, Any] = {
            **{"groups": [], "others": [], "drift": [], "stage1": False, "locks": {}, "blob": "", "active": "primary"},
            "all_groups": GROUPS,
            "keys": dict.fromkeys(("primary", "primaryReadonly", "secondary", "secondaryReadonly"), 0),
        }
        self.cloud["stored"] = dict(self.cloud["keys"])
        for program in ("terraform", "az", "docker"):
            path = folder / "bin" / program
            path.parent.mkdir(exist_ok=True)
            words = [sys.executable, "-S", "-E", command_fakes.__file__, str(folder), program]
            path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
            path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:/bin:/usr/bin")
        monkeypatch.setattr(binary, "find", lambda: Binary(folder / "bin" / "terraform", "1.11.4"))
        monkeypatch.setattr(doctor, "require", lambda *_: None)
        monkeypatch.setattr(access_token, "mint", lambda *_: "token")
        monkeypatch.setattr(engine, "connect", lambda: Docker(self.note))
        monkeypatch.setattr("time.sleep", lambda _: None)
        write = images_json.write

        def noted(path: Path, entries: images_json.Entries) -> None:
            for line in images_json.described(path, images_json.read(path), entries):
                self.note("#", line)
            write(path, entries)

        monkeypatch.setattr(images_json, "write", noted)

    def note(self, *words: str) -> None:
        with (self.folder / "calls.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(words) + "\n")

    def find(self, **cloud: Any) -> None:
        """Let the programs find this cloud, and forget their calls."""
        (self.folder / "cloud.json").write_text(json.dumps({**self.cloud, **cloud}), encoding="utf-8")
        (self.folder / "calls.jsonl").write_text("", encoding="utf-8")

    def executed(self) -> list[str]:
        calls = [json.loads(line) for line in (self.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
        commands = [call[1] if call[0] == "#" else shlex.join(call) for call in calls]
        return [command.removesuffix(" --output json").replace(PUSHED, "sha256:(new)") for command in commands]


class Docker:
    """The SDK's client, which pushes; each method notes the command that does the same."""

    def __init__(self, note: Callable[..., None]) -> None:
        self.note, self.reference = note, ""
        self.images = self.containers = self.networks = self
        self.id, self.name = "sha256:" + "e" * 64, "bridge"

    def list(self) -> list[Docker]:
        return [self]

    def info(self) -> dict[str, bool]:
        return {"IPv4Forwarding": True}

    def get(self, reference: str) -> Docker:
        self.reference = reference
        return self

    def run(self, *_: Any, **__: Any) -> bytes:
        return b"3.12.4\n"

    def tag(self, repository: str, tag: str) -> None:
        if f"{repository}:{tag}" != self.reference:
            self.note("docker", "tag", self.reference, f"{repository}:{tag}")

    def push(self, repository: str, tag: str, **_: Any) -> list[dict[str, Any]]:
        self.note("docker", "push", f"{repository}:{tag}")
        return [{"aux": {"Digest": PUSHED}}]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def dev(make: Make, servers: Path, terraform_dir: Path) -> Environment:
    """An environment on Azure with two slots, whose image runs already."""
    tfvars = terraform_dir / "environments" / "dev" / "terraform.tfvars"
    tfvars.write_text(TFVARS.partition("mcp_servers")[0] + SERVER, encoding="utf-8")
    images_json.write(tfvars.with_name("images.json"), RUNNING)
    return make("dev", STORAGE_ACCOUNT="stmcptfstate", IDENTITY_NAME="id-mcp-pipeline", SERVERS_DIR=str(servers))


def printed(line: str) -> str:
    """The command in a line of a dry run: of a loop that waits for it, or of an assignment of its answer."""
    line = line.replace('"${MY_OBJECT_ID}"', "'${MY_OBJECT_ID}'")  # which a shell would fill in
    line = re.sub(r"^[A-Z_]+=(max )?(?=docker)", "", line)
    waiting = re.fullmatch(r"until (.*); do sleep \d+; done", line)
    inner = waiting[1] if waiting else line
    condition = re.fullmatch(r'\[ "\$\((.*) --output tsv\)" = Running \]', inner)
    inner = condition[1] if condition else inner.removesuffix(" > /dev/null 2>&1")
    assigned = re.fullmatch(r"[A-Z_0-9]+=\$\((.*) --output tsv\)", inner)
    return assigned[1] if assigned else inner


def without_looks(commands: list[str]) -> list[str]:
    """What changes something, is waited for, or tells a value; a wait that asks several times counts once."""
    kept = [command for command in commands if not LOOKS.match(command) or " --query " in command]
    return [command for command, _ in groupby(kept)]


def agree(machine: Machine, environment: Environment, operation: Operation, **cloud: Any) -> list[str]:
    """Run it dry and for real; the commands of both, which are the same."""
    machine.find(**cloud)
    lines = dry_run(partial(operation, environment))
    assert [command for command in machine.executed() if not LOOKS.match(command)] == []  # a dry run runs nothing
    machine.find(**cloud)
    operation(environment, Runner(yes=True))
    programs = [line for line in lines if not line.startswith(("sed ", "cp "))]  # which Python does itself
    assert without_looks([printed(line) for line in programs]) == without_looks(machine.executed())
    return lines


def short(lines: list[str]) -> list[str]:
    """`plan a` for a plan of the groups of slot a, `apply` for an apply, other commands by their first words."""
    found = []
    for line in lines:
        if line.startswith("# images.json"):
            found.append("pin")
            continue
        if line.startswith("MY_OBJECT_ID="):
            found.append("ask")
            continue
        slots = {target[-1] for target in re.findall(r'-target=module\.servers\["([^"]+)"\]', line)}
        words = line.removeprefix("BUILDX_METADATA_PROVENANCE=max ").split()
        if words[0] == "until":
            found.append("wait")
        elif words[0] == "terraform":
            found.append(" ".join([words[2], *sorted(slots)]))
        else:
            found.append(" ".join(words[:2]))
    return found


SLOT_A, SLOT_B = [["plan a", "apply", "wait", "wait"], ["plan b", "apply", "wait", "wait"]]
SLOTWISE = [*SLOT_A, *SLOT_B]
#: Both slots are held at what they run, then let go one by one.
PINNED = ["pin", "pin", *SLOT_A, "pin", *SLOT_B]


def test_deploy_with_a_new_image(machine: Machine, dev: Environment) -> None:
    """One slot after the other, and then whatever else differs."""
    lines = agree(machine, dev, deploy.deploy, stage1=True, groups=GROUPS, others=[GATEWAY])
    assert short(lines) == [
        *("init", "plan", "apply"),
        *("az acr", "docker buildx", "docker push", "pin"),
        *("ask", "az role", "wait"),
        *("init", "plan", *PINNED, "plan", "apply"),
    ]
    pins = [line.partition(": ")[2] for line in lines if line.startswith("# images.json of dev")]
    new = "mongodb runs mongodb-mcp@sha256:(new) (0.1.0)"
    assert pins == [new, f"{new}; slot a stays at {OLD}; slot b stays at {OLD}", f"{new}; slot b stays at {OLD}", new]


def test_the_first_deployment(machine: Machine, dev: Environment) -> None:
    """Nothing runs yet, so there is nothing to replace slot by slot."""
    (dev.folder / "images.json").unlink()
    lines = agree(machine, dev, deploy.deploy, stage1=True, others=[GATEWAY])
    assert short(lines)[-3:] == ["init", "plan", "apply"]


@pytest.mark.parametrize(("stage", "last"), [(1, ["init", "plan", "apply"]), (2, ["init", "plan", "apply"])])
def test_deploy_of_one_stage(machine: Machine, dev: Environment, stage: int, last: list[str]) -> None:
    operation = partial(_deploy, Request((stage,)))
    assert short(agree(machine, dev, operation, stage1=True, others=[GATEWAY]))[-3:] == last


def test_deploy_of_an_image_that_exists(machine: Machine, dev: Environment) -> None:
    """Nothing is built, and the slots change over to it."""
    operation = partial(_deploy, Request(images={"mongodb": "1.2.3"}))
    lines = agree(machine, dev, operation, stage1=True, groups=GROUPS, others=[GATEWAY])
    assert short(lines)[3:] == ["pin", "ask", "az role", "wait", "init", "plan", *PINNED, "plan", "apply"]


def test_deploy_of_what_runs_already(machine: Machine, dev: Environment) -> None:
    """`--target-image` with the digest that runs replaces nothing."""
    operation = partial(_deploy, Request(images={"mongodb": OLD}))
    lines = agree(machine, dev, operation, stage1=True, others=[GATEWAY])
    assert short(lines)[3:] == ["ask", "az role", "wait", "init", "plan", "apply"]


def test_deploy_of_a_saved_plan(machine: Machine, dev: Environment, tmp_path: Path) -> None:
    """The plan's own actions decide, which are in the folder."""
    found = {"stage1": True, "groups": GROUPS, "others": [GATEWAY]}
    machine.find(**found)
    with workspace.opened(dev, {}) as space:
        space.terraform.init(space.stage(2))
        saved_plan.save(space, space.terraform.plan(space.stage(2)), tmp_path / "plans")
    blob = json.loads((tmp_path / "cloud.json").read_text(encoding="utf-8"))["blob"]
    operation = partial(_deploy, Request((2,), plan=tmp_path / "plans"))
    lines = agree(machine, dev, operation, **found, blob=blob)
    copied = f"cp {tmp_path}/plans/images.json {dev.folder}/images.json"
    assert copied in lines
    lines.remove(copied)
    assert short(lines) == ["init", "ask", "az role", "wait", "az storage", "plan", *SLOTWISE, "plan", "apply"]


def _deploy(asked: Request, environment: Environment, runner: Runner) -> None:
    deploy.deploy(environment, runner, asked)


def test_push(machine: Machine, dev: Environment) -> None:
    lines = agree(machine, dev, push.push)
    assert short(lines) == ["az acr", "docker buildx", "docker push", "pin"]
    assert lines[-1] == "# images.json of dev: mongodb runs mongodb-mcp@sha256:(new) (0.1.0)"


def test_destroy(machine: Machine, dev: Environment) -> None:
    assert short(agree(machine, dev, destroy.destroy)) == ["init", "plan", "apply"] * 2


def test_rollback(machine: Machine, dev: Environment) -> None:
    """Each slot goes back by itself; after them nothing is left."""
    lines = agree(machine, dev, rollback.rollback, groups=GROUPS)
    assert short(lines) == ["init", "init", "pin", "plan", *PINNED, "plan"]
    assert lines[2] == f"# images.json of dev: mongodb runs mongodb-mcp@{OLDER}"


def test_rollback_to_nothing(machine: Machine, dev: Environment) -> None:
    """A dry run refuses what the run refuses."""
    images_json.write(dev.folder / "images.json", {"mongodb": {"repository": "mongodb-mcp", "digest": OLD}})
    for runner in (Runner(dry_run=True), Runner(yes=True)):
        machine.find()
        with pytest.raises(NotDeployedError, match="no earlier digest of mongodb"):
            rollback.rollback(dev, runner)


def test_prod_can_be_looked_at(make: Make, machine: Machine, dev: Environment, capsys: Any) -> None:
    """A dry run destroys nothing, so it needs no --prod; it says that the run does."""
    dev.folder.rename(dev.folder.with_name("prod"))
    prod = make("prod", STORAGE_ACCOUNT="stmcptfstate")
    machine.find()
    assert short(dry_run(partial(destroy.destroy, prod))) == ["init", "plan", "apply"] * 2
    assert "the run itself wants --prod too" in capsys.readouterr().err
    assert agree(machine, prod, partial(destroy.destroy, prod=True))


def test_local_push(make: Make, machine: Machine, servers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is not there yet is printed; what is there, is not."""
    monkeypatch.setattr(local_store, "push", partial(local_store.push, venvs=machine.folder / "venvs"))
    environment = make(SERVERS_DIR=str(servers))
    machine.find()
    lines = dry_run(partial(push.push, environment))
    assert [line.partition(" ")[0] for line in lines if not line.startswith("uv ")] == ["mkdir", "#", "#"]
    place = shlex.split(lines[-3])[2]
    push.push(environment, Runner())
    assert (Path(place) / "src" / "server" / "__init__.py").exists()
    digest = f"sha256:{Path(place).name}"
    assert lines[-2:] == [
        f"# tags.json of mongodb-mcp: 0.1.0 is {digest}",
        f"# images.json of local: mongodb runs mongodb-mcp@{digest} (0.1.0)",
    ]
    assert dry_run(partial(push.push, environment)) == []


def test_rotate(machine: Machine, dev: Environment) -> None:
    """The unused keys, the servers slot by slot, the other keys; a plan before it, as files and platform must agree."""
    copy = dev.folder / "copy.tfvars"
    shutil.copyfile(dev.folder / "terraform.tfvars", copy)
    lines = agree(machine, dev, rotate.rotate)
    stored = ["az cosmosdb", "az cosmosdb", "plan", "apply"]
    assert short(lines) == ["init", "init", "plan", *stored, "sed -i", "plan", *SLOTWISE, "plan", *stored]
    edit = next(shlex.split(line) for line in lines if line.startswith("sed "))
    subprocess.run([*edit[:-1], str(copy)], check=True)  # what the run itself does, it does without sed
    assert tfvars.read(copy, dev.home) == tfvars.read(dev.folder / "terraform.tfvars", dev.home)
    assert tfvars.read(copy, dev.home)["cosmos"]["active_key"] == "secondary"


def test_heal(machine: Machine, dev: Environment) -> None:
    """What drifted so that it is replaced goes slot by slot; then stage 2 is looked at again."""
    lines = agree(machine, dev, heal.heal, groups=GROUPS, drift=GROUPS)
    assert short(lines) == ["init", "init", "plan", "plan", "plan a b", *SLOTWISE, "plan a b", "plan"]


def test_unlock(machine: Machine, dev: Environment) -> None:
    """Each lock by its id, which the dry run leaves to the shell."""
    ids = {"stage1.tfstate": "1-1", "stage2.tfstate": "2-2"}
    machine.find(locks=ids)
    lines = dry_run(partial(unlock.unlock, dev))
    shell = iter(ids.values())
    typed = [
        re.sub(r'"\$\(echo .*\)"', lambda _: next(shell), line) for line in lines if not line.startswith("LOCK_ID_")
    ]
    unlock.unlock(dev, Runner(yes=True))
    assert typed == without_looks(machine.executed())
    asked = [command.removesuffix(" --query terraformlockid") for command in map(printed, lines[:2])]
    assert asked == [command for command in machine.executed() if "metadata show" in command][:2]


def test_add_server(make: Make, servers: Path) -> None:
    """No program runs: what is printed is each file that is then there, and the entry."""
    environment = make("local", SERVERS_DIR=str(servers))
    lines = dry_run(lambda runner: add_server.add(environment, runner, "second"))
    before = set(servers.rglob("*"))
    add_server.add(environment, Runner(), "second")
    made = [f"create {path}" for path in set(servers.rglob("*")) - before if path.is_file()]
    assert sorted(lines[:-1]) == sorted(made)
    assert lines[-1] == f"add to mcp_servers in {environment.folder / 'terraform.tfvars'}"


def test_remove_server(make: Make, servers: Path) -> None:
    """What is printed is the folder that is then gone, and the entry; nothing else is touched."""
    environment = make("local", SERVERS_DIR=str(servers))
    variables = environment.folder / "terraform.tfvars"
    before = (set(servers.rglob("*")), variables.read_text(encoding="utf-8"))
    add_server.add(environment, Runner(), "second")
    added = environments.load("local", {"SERVERS_DIR": str(servers)})
    lines = dry_run(lambda runner: remove_server.remove(added, runner, "second"))
    assert (servers / "second").is_dir()
    remove_server.remove(added, Runner(yes=True), "second")
    assert (set(servers.rglob("*")), variables.read_text(encoding="utf-8")) == before
    assert lines == [f"remove from mcp_servers in {variables}: second", f"delete {servers / 'second'}"]


class Fresh(Cloud):
    """Nothing of ours is there: az works in another subscription, and no account keeps versions."""

    def _read(self, arguments: tuple[str, ...], words: str) -> Any:
        made = [" ".join(one) for one in self.made]
        if words == "account show" and not any(one.startswith("account set") for one in made):
            return {**RECORDED["account show"], "id": "99999999-9999-4999-8999-999999999999"}
        properties = "storage account blob-service-properties"
        if words.startswith(f"{properties} show") and not any(one.startswith(f"{properties} update") for one in made):
            return {"isVersioningEnabled": None}
        return super()._read(arguments, words)


STEPS = [(), ("identity",), ("identity", "federation"), ("identity", "entra"), ("identity", "state")]


@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: "-".join(steps) or "all")
def test_bootstrap(make: Make, machine: Machine, monkeypatch: pytest.MonkeyPatch, steps: tuple[str, ...]) -> None:
    """Every change in its order; what tells a value later commands need is asked as soon as it can be."""
    names = {"IDENTITY_NAME": "id-mcp-pipeline", "ADO_ORG": "contoso", "ADO_PROJECT": "mcp"}
    names |= {"SERVICE_CONNECTION_NAME": "sc-mcp", "STORAGE_ACCOUNT": "stmcptfstate"}
    environment = make("dev", SUBSCRIPTION_ID=RECORDED["account show"]["id"], **names)
    options = Options(ado_org_id="77777777-7777-4777-8777-777777777777")

    def operation(runner: Runner) -> None:
        bootstrap.bootstrap(environment, runner, options, steps or tuple(bootstrap.STEPS))

    machine.find()
    lines = dry_run(operation)
    cloud = Fresh()

    def run(*arguments: str) -> Any:
        machine.note("az", *arguments)
        return cloud.run(*arguments)

    monkeypatch.setattr(az, "run", run)
    operation(Runner(yes=True))
    wanted = without_looks([printed(line) for line in lines])
    found = without_looks(machine.executed())
    changes = [command for command in found if " --query " not in command]
    _match([command for command in wanted if " --query " not in command], changes)
    _match(sorted(c for c in wanted if " --query " in c), sorted({c for c in found if " --query " in c}))


def _match(printed_: list[str], executed: list[str]) -> None:
    """Equal but for the references, which a shell fills in."""
    assert len(printed_) == len(executed), (printed_, executed)
    for line, command in zip(printed_, executed, strict=True):
        for word, given in zip(shlex.split(line), shlex.split(command), strict=True):
            assert re.fullmatch(re.sub(r"\\\$\\\{[A-Z_]+\\\}", ".+", re.escape(word)), given), (line, command)


def test_every_task_with_a_dry_run_is_compared_here() -> None:
    """A task that gains --dry-run gains a test of it."""
    import tasks

    names = {
        name
        for name in tasks.namespace.task_names
        if any(argument.attr_name == "dry_run" for argument in tasks.namespace[name].get_arguments())
    }
    bootstrap_tasks = {"bootstrap.bootstrap-all", *(f"bootstrap.{name}" for name in bootstrap.STEPS)}
    assert names - bootstrap_tasks == {
        *("add-server", "remove-server", "deploy", "destroy", "heal", "push", "rollback", "rotate", "unlock"),
    }
    assert {f"bootstrap.{steps[-1]}" for steps in STEPS if steps} | {"bootstrap.bootstrap-all"} == bootstrap_tasks
