"""Who supervises a home: a lock that dies with its holder, and process identities that survive reuse of a pid."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from emulators.base.files import read_object
from twin.errors import RuntimeFailure

if sys.platform != "win32":
    import fcntl


def identity(pid: int) -> str | None:
    """When the process started, in a form that no later process with the same pid shares; None if it has ended."""
    if sys.platform == "linux":
        return _linux_identity(pid)
    shown = subprocess.run(["ps", "-o", "lstart=,stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    started, _, status = shown.stdout.strip().rpartition(" ")
    return f"ps:{started.strip()}" if started and not status.startswith("Z") else None


def _linux_identity(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the command before may hold blanks and brackets
    return None if fields[0] in ("Z", "X") else f"{boot}:{fields[19]}"


def is_same(pid: int, expected: str | None) -> bool:
    return expected is not None and identity(pid) == expected


def end_group(pid: int, expected: str | None, grace: float) -> None:
    """Ends a process group that an earlier supervisor left, if its leader is still the process we started."""
    for number, timeout in ((signal.SIGTERM, grace), (signal.SIGKILL, 2.0)):
        deadline = time.monotonic() + timeout
        if not is_same(pid, expected):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        while time.monotonic() < deadline and is_same(pid, expected):
            time.sleep(0.02)


class SupervisorLock:
    """`run/supervisor.lock`: held (flock) for the supervisor's life; its text is the holder's pid and identity."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / "run" / "supervisor.lock"
        self._descriptor: int | None = None

    def acquire(self, timeout: float = 2.0) -> None:
        """Takes the lock or raises: two supervisors of one home would fight over its ports and files."""
        if sys.platform == "win32":
            raise RuntimeFailure("the local platform needs Linux or macOS; on Windows, run it in WSL")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + timeout  # somebody may be looking whether it is held, which holds it
        while not _try_lock(descriptor, shared=False):
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise RuntimeFailure(
                    f"{self._path.parent.parent} already has a supervisor; stop it with `invoke destroy`"
                )
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {identity(os.getpid())}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def is_held(self) -> bool:
        """Whether a supervisor runs, even where nothing tells which process it is."""
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(descriptor, shared=True)
        finally:
            os.close(descriptor)

    def holder(self) -> int | None:
        """The pid of the running supervisor, or None. The kernel answers, so a stale file cannot mislead.

        Where the file is gone or says something else than the holder's pid, the holder is looked for by its command. A
        killed holder may be gone a moment before its lock is.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return _supervisor_of(self._home) if self._path.parent.exists() else None
        try:
            if _try_lock(descriptor, shared=True):
                return None
            text = os.pread(descriptor, 128, 0)
        finally:
            os.close(descriptor)
        pid, _, started = text.decode("ascii", "replace").strip().partition(" ")
        return int(pid) if pid.isdecimal() and is_same(int(pid), started) else _supervisor_of(self._home)


#: What the command of every supervisor holds, before its home.
_OPTION = " --home "


def _supervisor_of(home: Path) -> int | None:
    mine = os.getpid()
    return next((pid for pid in _pids() if pid != mine and _command(pid).endswith(f"{_OPTION}{home}")), None)


def _pids() -> Iterator[int]:
    """Every process, the oldest number first."""
    if sys.platform == "linux":
        found = [entry.name for entry in Path("/proc").iterdir()]
    else:
        found = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=False).stdout.split()
    return iter(sorted(int(pid) for pid in found if pid.isdigit()))


def _command(pid: int) -> str:
    """The words of its command line; empty for a process that has ended."""
    if sys.platform == "linux":
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return ""
        return os.fsdecode(b" ".join(words)).strip()
    ps = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout.strip()


def _try_lock(descriptor: int, *, shared: bool) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def leftovers(home: Path) -> list[tuple[int, str]]:
    """Processes that the last status names and that still run: (pid, identity)."""
    parts = read_object(home / "run" / "status.json").get("parts")
    known = [part for part in (parts.values() if isinstance(parts, dict) else ()) if isinstance(part, dict)]
    named = [(part.get("pid"), part.get("identity")) for part in known]
    return [
        (pid, started)
        for pid, started in named
        if isinstance(pid, int) and isinstance(started, str) and is_same(pid, started)
    ]
