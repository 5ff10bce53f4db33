"""How everyone else handles a local platform: start, reload, stop, ask. One supervisor per home (see twin.runtime)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from emulators.base import files
from twin.errors import RuntimeFailure
from twin.supervise import docker_box, docker_container, lock
from twin.supervise.fingerprint import code_fingerprint
from twin.supervise.plan import ROOT
from twin.supervise.settings import RuntimeConfig
from twin.supervise.status import PartStatus, Status

Progress = Callable[[str, str], None]
"""Called with a part's name and its new state ("starting", "healthy", …)."""

__all__ = [
    "PartStatus",
    "Progress",
    "RuntimeConfig",
    "Status",
    "discard",
    "log_files",
    "reload",
    "start",
    "status",
    "stop",
]

_HOPELESS = ("failed", "refused", "ended")
#: Seconds for every part to serve. What failed ends the wait at once; this is for machines that have much else to do.
START_TIMEOUT = 90.0


def start(
    home: Path,
    config: RuntimeConfig,
    progress: Progress | None = None,
    timeout: float = START_TIMEOUT,
    module: str = "twin.runtime",
) -> Status:
    """Brings the platform of `home` up for its `run/state.json` and returns when every part serves.

    A platform that already runs is reloaded instead, unless the twin's own code has changed since. RuntimeFailure says
    what did not start and why; a platform that was started here and did not come up is stopped again. `module` is the
    supervisor's program.
    """
    home = home.resolve()
    config.save(home)
    running = status(home)
    if running is not None and running.code == code_fingerprint():
        return reload(home, progress, timeout)
    stop(home)
    process = spawn(home, module)
    try:
        return _wait(home, process, 0, progress, timeout)
    except BaseException:  # also Ctrl-C: half a platform must not stay
        stop(home)
        raise


def reload(home: Path, progress: Progress | None = None, timeout: float = START_TIMEOUT) -> Status:
    """Applies what changed in `run/` and returns when every part serves; on RuntimeFailure, what ran before runs on."""
    home = home.resolve()
    holder = lock.SupervisorLock(home).holder()
    if holder is None:
        raise RuntimeFailure(f"no platform runs in {home}; start it with `invoke deploy`")
    number = time.time_ns()
    files.write_json(home / "run" / "reload.json", {"number": number})
    os.kill(holder, signal.SIGHUP)
    return _wait(home, None, number, progress, timeout)


def stop(home: Path, timeout: float = 20) -> bool:
    """Stops the platform and everything an earlier one left behind; whether there was anything to stop."""
    home = home.resolve()
    supervisor = lock.SupervisorLock(home)
    holder = supervisor.holder()
    if holder is not None:
        started = lock.identity(holder)
        with suppress(ProcessLookupError):
            os.kill(holder, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while supervisor.holder() is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        lock.end_group(holder, started, grace=1)
    if supervisor.is_held():
        raise RuntimeFailure(
            f"a process that cannot be found holds {home / 'run' / 'supervisor.lock'}; end the one whose command ends "
            f"with `--home {home}`, then run it again"
        )
    left = lock.leftovers(home)
    for pid, identity in left:
        lock.end_group(pid, identity, grace=3)
    orphaned = False
    for leftovers in (docker_container.stop_leftovers, docker_box.stop_leftovers):
        with suppress(RuntimeFailure):  # no engine answers: the next start looks again
            orphaned = leftovers(home) or orphaned
    (home / "run" / "status.json").unlink(missing_ok=True)
    return holder is not None or bool(left) or orphaned


def discard(home: Path) -> None:
    """Removes what a stopped platform keeps outside its home: the database's volume, where Docker holds one.

    RuntimeFailure where the engine does not answer.
    """
    docker_container.discard(home.resolve())


def status(home: Path) -> Status | None:
    """The platform as its supervisor last saw it; None where none runs."""
    home = home.resolve()
    holder = lock.SupervisorLock(home).holder()
    found = Status.read(home)
    return found if found is not None and found.pid == holder else None


def damage(home: Path) -> str:
    """Why a supervisor that runs has no status that can be read; empty where it has, and where none runs."""
    home = home.resolve()
    holder = lock.SupervisorLock(home).holder()
    path = home / "run" / "status.json"
    if holder is None or Status.read(home) is not None:
        return ""
    how = "damaged" if path.exists() else "gone"
    return f"the platform runs (process {holder}), but {path} is {how}; `invoke deploy` starts it anew"


def log_files(home: Path) -> dict[str, Path]:
    """The log of each part that ever ran here, and the supervisor's own."""
    return {path.stem: path for path in sorted((home.resolve() / "logs").glob("*.log"))}


def prepare_log(home: Path) -> Path:
    """The supervisor's own log, rotated if it has grown large."""
    log = home / "logs" / "supervisor.log"
    files.rotate(log)
    return log


def spawn(home: Path, module: str) -> subprocess.Popen[bytes]:
    """The supervisor, detached from this terminal and its signals."""
    log = prepare_log(home)
    command = [sys.executable, "-m", module, "--home", str(home)]
    with log.open("ab") as output:
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def _wait(
    home: Path, process: subprocess.Popen[bytes] | None, number: int, progress: Progress | None, timeout: float
) -> Status:
    seen: dict[str, str] = {}
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeFailure(
                files.tail(home / "logs" / "supervisor.log", lines=1) or "the supervisor ended at once"
            )
        found = status(home)
        if found is not None:
            _report(found, seen, progress)
            if found.reload >= number:
                _raise_hopeless(found)
                if found.healthy:
                    return found
        time.sleep(0.03)
    raise _late(home, timeout)


def _report(found: Status, seen: dict[str, str], progress: Progress | None) -> None:
    for name, part in found.parts.items():
        if seen.get(name) != part.state:
            seen[name] = part.state
            if progress is not None:
                progress(name, part.state)


def _raise_hopeless(found: Status) -> None:
    if found.failure:
        raise RuntimeFailure(found.failure)
    hopeless = {name: part for name, part in found.parts.items() if part.state in _HOPELESS}
    if hopeless:
        raise RuntimeFailure("\n".join(_sentence(name, part) for name, part in hopeless.items()))


def _sentence(name: str, part: PartStatus) -> str:
    return part.detail if part.state == "refused" else f"{name} did not start: it {part.detail}"


def _late(home: Path, timeout: float) -> RuntimeFailure:
    found = status(home)
    if found is None:
        return RuntimeFailure(
            f"the supervisor did not report within {timeout:g} s; see {home / 'logs' / 'supervisor.log'}"
        )
    waiting = []
    for name, part in found.parts.items():
        if not part.healthy:
            words = files.tail(home / "logs" / f"{name}.log", lines=5)
            waiting.append(f"{name} ({part.state}: {part.detail or 'no answer yet'}); its log ends with:\n{words}")
    return RuntimeFailure(f"not healthy within {timeout:g} s: " + "\n".join(waiting))
