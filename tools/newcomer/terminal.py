"""A shell in a pseudo-terminal: what a person who types a command sees, and for how long they see nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_DONE = re.compile(rb"\x1b\]777;(\d+)\x07")
# Printed before each prompt; a terminal shows nothing of it.
_PROMPT = r"printf '\033]777;%d\007' $?"
_QUESTION = "Only 'yes' goes on: "
_POLL = 0.25  # seconds
#: Programs of others, by their command line; Nox's own sessions print a mark for each test, and one test may be long.
THEIRS = re.compile(r"-m venv\b|-m ensurepip\b|/pip3? |/nox ")


@dataclass(frozen=True)
class Ran:
    """`seconds` of the whole command; `silence`: the longest time without a byte; `quiet_after`: the last words
    before that silence; `theirs`: the longest silence while one of `THEIRS` ran, which no project can end."""

    command: str
    code: int
    seconds: float
    silence: float
    quiet_after: str
    output: str
    theirs: float = 0.0


class Shell:
    """One bash, so that an activated environment stays for the next command. A context: it ends with what it started.

    `limit`: seconds after which a command is ended; its code is then 124, as timeout(1) has it.
    """

    def __init__(self, cwd: Path, env: Mapping[str, str], *, columns: int = 100, limit: float = 1800) -> None:
        self._limit = limit
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self._terminal = outer
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "--noediting", "-i"],
            cwd=cwd,
            env={**env, "PROMPT_COMMAND": _PROMPT, "PS1": "", "PS2": "", "TERM": "xterm-256color"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(inner)
        self._until_done(time.monotonic(), "")

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            os.write(self._terminal, b"exit\n")
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        os.close(self._terminal)

    def run(self, command: str) -> Ran:
        """Types the command, which may have several lines joined by a backslash, and waits until it ends."""
        os.write(self._terminal, command.encode() + b"\n")
        return self._until_done(time.monotonic(), command)

    def _until_done(self, started: float, command: str) -> Ran:
        received = b""
        silence, theirs, quiet_after, last = 0.0, 0.0, "", started
        running = ""
        while not (done := _DONE.search(received)):
            ready, _, _ = select.select([self._terminal], [], [], _POLL)
            now = time.monotonic()
            if ready:
                chunk = os.read(self._terminal, 65536)
                if THEIRS.search(running):
                    theirs = max(theirs, now - last)
                elif now - last > silence:
                    silence, quiet_after = now - last, last_words(_text(received))
                last = now
                received += chunk
                if plain(_text(received[-200:])).endswith(_QUESTION):
                    os.write(self._terminal, b"no\n")  # an offer, which a newcomer may decline
            elif now - started > self._limit:
                os.write(self._terminal, b"\x03")
                return Ran(command, 124, now - started, silence, quiet_after, _text(received), theirs)
            running = _foreground(self._terminal)
        output = _text(received[: done.start()])
        return Ran(command, int(done.group(1)), last - started, silence, quiet_after, output, theirs)


def last_words(text: str) -> str:
    """The last line with words in it, without control sequences."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", plain(text))]
    return next((line for line in reversed(lines) if line), "(nothing yet)")


def plain(text: str) -> str:
    """Return the text without control sequences, and what is written between saving and restoring the cursor."""
    return re.sub(r"\x1b7.*?\x1b8|\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]", "", text)


def _text(received: bytes) -> str:
    return received.decode(errors="replace").replace("\r\n", "\n")


def _foreground(terminal: int) -> str:
    """The command line of what runs in it; empty where that cannot be seen, as outside Linux."""
    try:
        return Path(f"/proc/{os.tcgetpgrp(terminal)}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except (OSError, UnicodeDecodeError):
        return ""


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
