"""Every file of `run/`, damaged in every way, while the platform runs: each task says one sentence, and stop stops."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from emulators.base.errors import EmulatorError
from ops.checks import status
from ops.clients import outputs
from ops.clients.outputs import Platform as Offer
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.errors import OpsError
from tests.integration.runtime.conftest import Platform
from tests.integration.runtime.test_supervision import alive
from tests.unit.ops.conftest import LOCAL, TFVARS
from twin import control
from twin.supervise import lock

FILES = (
    "supervisor.lock",
    "status.json",
    "runtime.json",
    "reload.json",
    "ports.json",
    "state.json",
    "secrets.json",
    "platform.json",
    "console.json",
    "trace.json",
    "containers.json",
    "mongo.volume.json",
)
DAMAGES = {
    "gone": None,
    "empty": b"",
    "object": b"{}",
    "list": b"[]",
    "null": b"null",
    "number": b"0.5",
    "bytes": b"\xff\xfe\x00",
    "half": b'{"parts": {"gateway": ',
    "other": b'{"parts": [], "pid": "x", "number": "y", "gateway": {}, "mongo": "z", "surplus": 1}',
}
OFFER = Offer("http://127.0.0.1:1", {"mongodb": "http://127.0.0.1:1/mongodb/mcp"}, "http://127.0.0.1:2/t", "t", "s", {})


@pytest.fixture
def environment(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Environment:
    """The settings of this platform, as the tasks read them."""
    folder = tmp_path_factory.mktemp("terraform")
    for name in ("stage1", "stage2", "modules", "environments/local"):
        (folder / name).mkdir(parents=True)
    (folder / "environments/local/terraform.tfvars").write_text(TFVARS + LOCAL, encoding="utf-8")
    monkeypatch.setenv("TERRAFORM_DIR", str(folder))
    monkeypatch.setenv("TWIN_HOME", str(platform.home))
    return environments.load("local", {})


def damage(home: Path, name: str, content: bytes | None) -> None:
    path = home / "run" / name
    path.unlink(missing_ok=True) if content is None else path.write_bytes(content)


def done_or_refused(act: Callable[[], object]) -> None:
    """Any other error than a refusal is a traceback for whoever runs the task."""
    with suppress(OpsError, EmulatorError):
        act()


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_stops_no_stop(platform: Platform, name: str, how: str, environment: Environment) -> None:
    """`status` judges or refuses, `reload` and `start` work or refuse, `stop` ends every process."""
    outputs.save(OFFER, platform.home)
    running = platform.start()
    processes = [running.pid, *(part.pid for part in running.parts.values())]
    damage(platform.home, name, DAMAGES[how])
    done_or_refused(lambda: status.document(environment, lambda endpoint, token=None: 200 if token else 401))
    done_or_refused(lambda: control.reload(platform.home, timeout=5))
    damage(platform.home, name, DAMAGES[how])
    assert control.stop(platform.home)
    assert not [pid for pid in processes if alive(pid)]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", FILES[:6])
def test_a_damaged_file_heals_with_the_next_start(platform: Platform, name: str, how: str) -> None:
    """`invoke deploy` writes the applied state and the settings, then starts: what is damaged is replaced."""
    before = platform.start()
    damage(platform.home, name, DAMAGES[how])
    platform.write_state()
    after = platform.start()
    assert after.healthy
    assert after.pid == before.pid or not alive(before.pid)
    assert json.loads((platform.home / "run/status.json").read_bytes())["pid"] == after.pid


def test_a_lock_that_names_somebody_else_harms_nobody(platform: Platform) -> None:
    """The pid of another program, of this user, stands in the file: it is asked nothing and ended never."""
    running = platform.start()
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        damage(platform.home, "supervisor.lock", str(bystander.pid).encode())
        assert control.stop(platform.home)
        assert (bystander.poll(), alive(running.pid)) == (None, False)
    finally:
        bystander.kill()
        bystander.wait()


def test_two_damaged_files_at_once(platform: Platform) -> None:
    """With neither the lock's text nor a status, the supervisor is found by its command."""
    running = platform.start()
    for name in ("supervisor.lock", "status.json"):
        damage(platform.home, name, b"\xff")
    assert "status.json is damaged" in control.damage(platform.home)
    assert control.stop(platform.home)
    assert not alive(running.pid)
    assert lock.leftovers(platform.home) == []
