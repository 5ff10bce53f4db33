"""One child process: its own group, its log, and an end that comes with its supervisor's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from emulators.base import files, live
from emulators.base.processes import die_with_parent
from twin.supervise import lock
from twin.supervise.spec import ProcessSpec


class Child:
    """A started process. `log_start` is where its own lines begin in the log."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, log_start: int) -> None:
        self.pid = process.pid
        self.identity = lock.identity(process.pid)
        self._process = process
        self._log = log
        self._log_start = log_start

    @classmethod
    async def start(cls, spec: ProcessSpec, log: Path) -> Child:
        """Starts it with exactly `spec.env`; OSError where the program cannot be run."""
        for path, text in spec.files.items():
            files.write_private(Path(path), text)
        live.write(spec.live)
        files.make_folder(spec.cwd)
        files.remove(spec.health.file)  # its last life may have left it
        files.rotate(log)
        start = files.size(log)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *spec.argv,
                env=dict(spec.env),
                cwd=spec.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        return cls(process, log, start)

    async def wait(self) -> int:
        """The exit code; what is left of its group is ended too."""
        code = await self._process.wait()
        self._signal(signal.SIGKILL)
        return code

    async def stop(self, grace: float) -> None:
        """SIGTERM, then SIGKILL to the whole group after `grace` seconds."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), grace)
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def note(self, sentence: str) -> None:
        """Write a line of the platform's own into the process's log, where whoever asks what happened looks first."""
        with contextlib.suppress(OSError), self._log.open("a", encoding="utf-8") as log:  # a full disk keeps nothing
            log.write(f"{sentence}\n")

    def signal_reload(self) -> None:
        """Tells the process itself, not its group, that a live file has changed."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGHUP)

    def log_tail(self, lines: int = 8) -> str:
        return files.tail(self._log, self._log_start, lines)

    def keep_log_short(self) -> None:
        if files.shorten(self._log):
            self._log_start = 0

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
