"""A person's desktop: a home folder, programs that run in it, and a browser in which the person signs in."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.conformance import suite
from tests.support.chromium import Chromium

PEOPLE = {"admin": "Ada Admin", "reader": "Rae Reader", "outsider": "Otto Outsider"}
TIMEOUT = 60.0  # seconds for one program, with a sign-in
# Written whole: something follows it.
_AUTHORIZE = re.compile(r"https?://[^\s\"'<>\x07\x1b]+/oauth/authorize\?[^\s\"'<>\x07\x1b]+(?=[\s\x07\x1b])")
# Vendors' programs call home, update themselves and open what a desktop of this machine prefers.
_QUIET = {
    "DO_NOT_TRACK": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
    "NO_PROXY": "127.0.0.1,localhost",
}
_LEFT_OUT = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_", "DBUS_", "NODE_OPTIONS", "FORCE_COLOR")


@dataclass
class Desktop:
    """`opened`: the addresses at which this person signed in, one for each time that a program asked."""

    home: Path
    chromium: Chromium
    user: str
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._asked = self.home / "opened"
        self._asked.touch()
        browser = self.home / "bin" / "xdg-open"
        browser.parent.mkdir(exist_ok=True)
        browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{shlex.quote(str(self._asked))}\n', encoding="utf-8")
        browser.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of this machine's desktop; whatever opens a browser opens this person's."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        programs = [self.home / "bin", suite.node().parent, suite.MODULES / ".bin", Path(sys.executable).parent]
        path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
        return {**own, **_QUIET, "HOME": str(self.home), "PATH": path, "BROWSER": str(self.home / "bin" / "xdg-open")}

    def run(self, *command: str, terminal: bool = False, cwd: Path | None = None) -> str:
        """Run a program to its end, signing in when it asks; return what it wrote. AssertionError where it fails.

        `terminal`: it has one, as programs do that refuse to ask nobody.
        """
        with self.started(command, terminal=terminal, cwd=cwd) as (process, said):
            deadline = time.monotonic() + TIMEOUT
            while process.poll() is None:
                assert time.monotonic() < deadline, f"{command} takes longer than {TIMEOUT:g} s:\n{said()}"
                self.attend(said())
                time.sleep(0.05)
            assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{said()}"
        return said()

    @contextmanager
    def started(
        self, command: tuple[str, ...], *, terminal: bool = False, cwd: Path | None = None
    ) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
        """Give the process, and what it has written so far as a function; end it and what it started afterwards."""
        log = self.home / f"{Path(command[0]).name}.log"
        master, slave = pty.openpty() if terminal else (None, None)
        with log.open("wb") as written:
            process = subprocess.Popen(
                command,
                env={**self.environment, **({"TERM": "xterm"} if terminal else {})},
                cwd=cwd or self.home,
                stdin=subprocess.DEVNULL if slave is None else slave,
                stdout=written if slave is None else slave,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        shown = b""

        def said() -> str:
            nonlocal shown
            if master is None:
                return log.read_text(encoding="utf-8", errors="replace")
            with contextlib.suppress(OSError):  # nothing there, or nobody who writes any more
                while data := os.read(master, 1 << 16):
                    shown += data
            return shown.decode(errors="replace")

        if master is not None and slave is not None:
            os.set_blocking(master, False)
            os.close(slave)
        try:
            yield process, said
        finally:
            ended(process)
            if master is not None:
                said()
                os.close(master)

    def attend(self, said: str = "") -> None:
        """Sign in at each address that a program opened or wrote for the person to open."""
        asked = self._asked.read_text(encoding="utf-8").splitlines()
        for url in [*asked, *_AUTHORIZE.findall(said)]:
            if "/oauth/authorize?" in url and url not in self.opened:
                self.opened.append(url)
                self.sign_in(url)

    def addresses(self) -> list[str]:
        """Everything that programs opened, sign-in or not."""
        return self._asked.read_text(encoding="utf-8").splitlines()

    def sign_in(self, url: str) -> None:
        """Open it and press the buttons, up to the page of the program that asked."""
        _answers(parse_qs(urlsplit(url).query)["redirect_uri"][0])
        self.chromium.send("Network.clearBrowserCookies")
        self.chromium.open(url)
        self.press_buttons()

    def press_buttons(self) -> None:
        """Of the page on which an account is picked, and of the consent where it is asked."""
        self.chromium.click("button", PEOPLE[self.user])
        while self.chromium.run("!!document.querySelector('button[name=accept]')"):
            self.chromium.click("button[name=accept]")

    @contextmanager
    def conversation(self, *command: str) -> Iterator[Conversation]:
        """A program that speaks JSON-RPC on its standard streams, one message a line."""
        with (self.home / "conversation.log").open("wb") as errors:
            process = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        try:
            yield Conversation(self, process)
        finally:
            ended(process)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


@dataclass
class Conversation:
    desktop: Desktop
    process: subprocess.Popen[bytes]
    _number: int = 0
    _read: bytes = b""

    def __post_init__(self) -> None:
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def request(self, method: str, params: dict[str, Any]) -> Any:
        """The result; the person signs in when the program asks meanwhile. AssertionError for an error."""
        self._number += 1
        self.notify(method, params, id=self._number)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            while b"\n" in self._read:
                line, _, self._read = self._read.partition(b"\n")
                message = json.loads(line)
                if message.get("id") == self._number and "method" not in message:
                    assert "error" not in message, f"{method}: {message['error']}"
                    return message["result"]
            self.desktop.attend()
            assert self.process.poll() is None, self._log()
            assert self.process.stdout is not None
            self._read += self.process.stdout.read() or b""
            time.sleep(0.02)
        raise AssertionError(f"{method} takes longer than {TIMEOUT:g} s:\n{self._log()}")

    def notify(self, method: str, params: dict[str, Any], **more: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(
            json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode() + b"\n"
        )
        self.process.stdin.flush()

    def _log(self) -> str:
        return (self.desktop.home / "conversation.log").read_text(encoding="utf-8", errors="replace")


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started in its session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return


def _answers(callback: str) -> None:
    """Wait until the program listens at its callback: some open the browser first, and people are slower."""
    place = urlsplit(callback)
    deadline = time.monotonic() + 20
    while place.hostname in ("127.0.0.1", "localhost") and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((place.hostname, place.port), 1):
            return
        time.sleep(0.05)
