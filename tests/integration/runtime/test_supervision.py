"""Real processes under the real supervisor: started, restarted, reloaded, stopped, and none left over."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emulators.base.files import write_json
from tests.integration.runtime.conftest import FAKE_SUPERVISOR, Platform
from twin import control
from twin.control import RuntimeConfig
from twin.errors import RuntimeFailure
from twin.supervise import lock
from twin.supervise.plan import ROOT


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def alive(pid: int | None) -> bool:
    return pid is not None and lock.identity(pid) is not None


def test_start_returns_when_every_part_serves(platform: Platform) -> None:
    """The status names each part's pid and port, and progress was reported."""
    progress: list[tuple[str, str]] = []
    status = platform.start(progress=lambda part, state: progress.append((part, state)))
    assert status.healthy
    assert {name: part.port for name, part in status.parts.items() if name != "server"} == {
        "entra": platform.config.entra_port,
        "gateway": platform.config.gateway_port,
    }
    assert all(alive(part.pid) for part in status.parts.values())
    assert {("entra", "healthy"), ("server", "healthy"), ("gateway", "healthy")} <= set(progress)


def test_starting_twice_changes_nothing(platform: Platform) -> None:
    first = platform.start()
    second = platform.start()
    assert (second.pid, platform.pids()) == (first.pid, {name: part.pid for name, part in first.parts.items()})


def test_stop_leaves_no_process_and_no_status(platform: Platform) -> None:
    """A part that ignores SIGTERM is killed."""
    platform.wants(entra="serve", server="stubborn", gateway="serve")
    status = platform.start()
    assert control.stop(platform.home)
    assert [pid for part in status.parts.values() if alive(pid := part.pid)] == []
    assert (control.status(platform.home), control.stop(platform.home)) == (None, False)


def test_a_killed_part_comes_back(platform: Platform) -> None:
    """With a new pid on the same port, and the restart is counted."""
    before = platform.start().parts["server"]
    assert before.pid
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: platform.status().parts["server"].restarts == 1 and platform.status().healthy)
    after = platform.status().parts["server"]
    assert (after.port, after.pid != before.pid) == (before.port, True)


def no_room(pid: int, *, ends: bool = False) -> None:
    """As on a full disk: no file of that process grows (setrlimit(2)); what it starts meanwhile neither."""
    soft = resource.getrlimit(resource.RLIMIT_FSIZE)[1] if ends else 0
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be set on Linux only")
def test_a_full_disk_ends_no_supervision(platform: Platform) -> None:
    """What dies then comes back when there is room, and the status says so; a reload fails, and what runs goes on."""
    before = platform.start()
    server = before.parts["server"].pid
    assert server
    no_room(before.pid)
    os.kill(server, signal.SIGKILL)
    with pytest.raises(RuntimeFailure):
        control.reload(platform.home, timeout=3)
    assert alive(before.pid)
    assert alive(before.parts["gateway"].pid)
    no_room(before.pid, ends=True)
    eventually(lambda: platform.status().healthy and platform.status().parts["server"].pid != server, 20)
    assert platform.status().parts["gateway"].pid == before.parts["gateway"].pid
    assert control.reload(platform.home).healthy


def test_restart_policy_never_is_honoured(platform: Platform) -> None:
    platform.wants(entra="serve", server="Never:serve", gateway="serve")
    pid = platform.start().parts["server"].pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: platform.status().parts["server"].state == "ended")
    assert "ended by signal 9" in platform.status().parts["server"].detail
    assert not platform.status().healthy


def test_a_part_that_stops_answering_is_unhealthy(platform: Platform) -> None:
    """It is not killed, and recovers by itself."""
    pid = platform.start().parts["server"].pid
    sick = platform.home / "run" / "server.sick"
    sick.touch()
    eventually(lambda: platform.status().parts["server"].state == "unhealthy")
    assert "503" in platform.status().parts["server"].detail
    sick.unlink()
    eventually(lambda: platform.status().healthy)
    assert platform.status().parts["server"].pid == pid


@pytest.mark.parametrize(("part", "behaviour"), [("gateway", "serve"), ("entra", "serve"), ("server", "probed")])
def test_a_hung_part_is_restarted_and_said_so(platform: Platform, part: str, behaviour: str) -> None:
    """Alive, accepting connections, and silent: by its liveness check it is ended, also where it takes no signal."""
    platform.wants(**{"entra": "serve", "server": "serve", "gateway": "serve", part: behaviour})
    before = platform.start().parts[part]
    assert before.pid
    os.kill(before.pid, signal.SIGSTOP)
    eventually(lambda: platform.status().parts[part].pid not in (None, before.pid) and platform.status().healthy)
    after = platform.status().parts[part]
    said = "was alive but failed 3 liveness checks in a row (no answer on port"
    assert (after.restarts, after.port, said in after.ended) == (1, before.port, True)
    for log in (part, "supervisor"):
        assert said in (platform.home / f"logs/{log}.log").read_text(encoding="utf-8")


def test_a_probed_server_that_answers_badly_is_restarted(platform: Platform) -> None:
    """A status outside 200 to 399 counts as a failed check."""
    platform.wants(entra="serve", server="probed", gateway="serve")
    before = platform.start().parts["server"]
    (platform.home / "run" / "server.sick").touch()
    eventually(lambda: platform.status().parts["server"].restarts >= 1)
    assert "503" in platform.status().parts["server"].ended
    assert not alive(before.pid)


def test_a_hung_server_without_a_probe_is_left_alone(platform: Platform) -> None:
    """As Container Instances leaves it; with the restart policy Never a failed probe ends it for good."""
    platform.wants(entra="serve", server="serve", never="Never:probed", gateway="serve")
    parts = platform.start().parts
    for name in ("server", "never"):
        pid = parts[name].pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
    eventually(lambda: platform.status().parts["never"].state == "ended")
    eventually(lambda: platform.status().parts["server"].state == "unhealthy")
    assert platform.status().parts["server"].pid == parts["server"].pid


def test_a_job_that_runs_to_its_end_counts_as_well(platform: Platform) -> None:
    """It starts once the issuer serves, is tried again where it fails, and is not run once more when it is done."""
    platform.wants(entra="serve", users="OnFailure:job", gateway="serve")
    status = platform.start()
    done = status.parts["users"]
    assert (status.healthy, done.state, done.healthy, done.restarts, done.pid) == (True, "succeeded", True, 1, None)
    assert platform.start().parts["users"].restarts == 1


def test_reload_restarts_only_what_changed(platform: Platform) -> None:
    """Removed parts are stopped, new ones started, the others keep their process."""
    platform.wants(entra="serve", server="serve", old="serve", gateway="serve")
    before = {name: part.pid for name, part in platform.start().parts.items()}
    platform.wants(entra="serve", server="serve differently", new="serve", gateway="serve")
    control.reload(platform.home)
    after = platform.pids()
    assert {name: after[name] == before.get(name) for name in after} == {
        "entra": True,
        "server": False,
        "new": False,
        "gateway": True,
    }
    assert not alive(before["old"])


def test_an_interrupted_start_leaves_nothing(platform: Platform) -> None:
    """Ctrl-C half-way stops what was started, and the next start works."""

    def interrupt(part: str, state: str) -> None:
        raise KeyboardInterrupt  # at whatever is seen first: a part may be there before anybody looked

    with pytest.raises(KeyboardInterrupt):
        platform.start(progress=interrupt)
    assert control.status(platform.home) is None
    assert lock.leftovers(platform.home) == []
    assert platform.start().healthy


def test_start_reports_why_a_part_dies(platform: Platform) -> None:
    """The failure carries the program's own last words, and nothing is left running."""
    platform.wants(entra="serve", server="serve", gateway="die")
    with pytest.raises(RuntimeFailure, match=r"(?s)gateway did not start: .*exit code 1.*the policy is broken"):
        platform.start()
    assert control.status(platform.home) is None


def test_reload_with_a_broken_part_keeps_the_rest(platform: Platform) -> None:
    """And mending it is another reload."""
    entra = platform.start().parts["entra"].pid
    platform.wants(entra="serve", server="serve", gateway="die")
    with pytest.raises(RuntimeFailure, match="the policy is broken"):
        control.reload(platform.home)
    platform.wants(entra="serve", server="serve", gateway="serve")
    assert control.reload(platform.home).parts["entra"].pid == entra


def test_a_change_that_a_part_cannot_serve_is_told_at_once(platform: Platform) -> None:
    """Of a part that has served before, too: it dies of each start, and whoever deployed need not wait so long."""
    platform.wants(entra="serve", server="serve", gateway="live:serve")
    platform.start()
    platform.wants(entra="serve", server="serve", gateway="live:die")
    begun = time.monotonic()
    with pytest.raises(RuntimeFailure, match="the policy is broken"):
        control.reload(platform.home)
    assert time.monotonic() - begun < 15
    platform.wants(entra="serve", server="serve", gateway="live:serve")
    assert control.reload(platform.home).healthy


def test_a_refused_group_fails_the_start_with_its_sentence(platform: Platform) -> None:
    platform.wants(entra="serve", server="refused", gateway="serve")
    with pytest.raises(RuntimeFailure, match=r"^server is refused on purpose$"):
        platform.start()


def test_a_taken_port_is_reported_before_anything_starts(platform: Platform) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        platform.config = RuntimeConfig(gateway_port=port, entra_port=platform.config.entra_port)
        with pytest.raises(RuntimeFailure, match=f"port {port} is taken by another program .*set GATEWAY_PORT"):
            platform.start()
    assert list(control.log_files(platform.home)) == ["supervisor"]


def test_reload_onto_a_taken_port_leaves_the_platform_alone(platform: Platform) -> None:
    before = platform.start()
    with socket.create_server(("127.0.0.1", 0)) as other:
        platform.config = RuntimeConfig(gateway_port=other.getsockname()[1], entra_port=platform.config.entra_port)
        with pytest.raises(RuntimeFailure, match="set GATEWAY_PORT"):
            platform.start()
    assert platform.pids() == {name: part.pid for name, part in before.parts.items()}


def test_children_die_with_a_killed_supervisor(platform: Platform) -> None:
    """However it dies."""
    status = platform.start()
    os.kill(status.pid, signal.SIGKILL)
    eventually(lambda: not any(alive(part.pid) for part in status.parts.values()))
    assert control.status(platform.home) is None
    assert platform.start().healthy


def test_two_supervisors_of_one_home_are_refused(platform: Platform) -> None:
    platform.start()
    second = control.spawn(platform.home, FAKE_SUPERVISOR)
    assert second.wait(60) == 1
    assert "already has a supervisor" in (platform.home / "logs/supervisor.log").read_text()
    assert platform.status().healthy


def test_a_late_part_is_named_with_what_it_answers(platform: Platform) -> None:
    platform.wants(entra="serve", server="serve", gateway="serve")
    (platform.home / "run" / "server.sick").touch()
    with pytest.raises(RuntimeFailure, match=r"not healthy within 2 s: server \(starting: GET / answers 503"):
        platform.start(timeout=2)
    assert control.status(platform.home) is None


@pytest.mark.parametrize("same", [True, False])
def test_watchdog_ends_leftovers_and_nobody_else(tmp_path: Path, same: bool) -> None:
    """Where the kernel does not end orphans: a process with the recorded start time is ended, a stranger is not."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        recorded = lock.identity(sleeper.pid) if same else "another start time"
        write_json(tmp_path / "run/status.json", {"parts": {"x": {"pid": sleeper.pid, "identity": recorded}}})
        command = [sys.executable, "-m", "twin.supervise.watchdog", str(tmp_path)]
        subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=True, timeout=15)
        with contextlib.suppress(subprocess.TimeoutExpired):
            sleeper.wait(0.5)
        assert (sleeper.poll() is not None) is same
    finally:
        sleeper.kill()
        sleeper.wait()
