"""Headless Chromium by its own protocol (DevTools), over a pipe: no port, no driver, no other library."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TIMEOUT = 30.0  # seconds for one answer, one page


def find() -> str | None:
    """The browser's path: CHROMIUM, or what the system has."""
    names = (os.environ.get("CHROMIUM") or "", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Chromium:
    """One page of one browser. `problems`: what pages complained of since the start."""

    def __init__(self, binary: str, profile: Path) -> None:
        ours, theirs = os.pipe()
        their_input, our_output = os.pipe()
        options = "--headless=new --remote-debugging-pipe --no-first-run --disable-gpu --hide-scrollbars --mute-audio"
        if os.geteuid() == 0:
            options += " --no-sandbox"  # Chromium's sandbox does not start as root
        # The protocol's two pipes are the descriptors 3 and 4.
        command = f'exec "$0" {options} --user-data-dir="$1" about:blank 3<&{their_input} 4>&{theirs}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, binary, str(profile)],
            pass_fds=(their_input, theirs),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(their_input)
        self._input, self._output = os.fdopen(ours, "rb"), os.fdopen(our_output, "wb", buffering=0)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.problems: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        self._output.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._input.close()

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._output.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == message["id"]:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self._notice(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._input], [], [], TIMEOUT)
            assert ready, f"Chromium says nothing for {TIMEOUT:g} s"
            data = os.read(self._input.fileno(), 1 << 16)
            assert data, "Chromium ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def _notice(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Log.entryAdded":
            entry = event["params"]["entry"]
            # Which icon a site has is asked by the browser itself, and ours has none.
            if entry["level"] == "error" and not entry.get("url", "").endswith("/favicon.ico"):
                self.problems.append(f"{entry['text']} ({entry.get('url', '')})")

    # what a person does

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression on the page; pages themselves have no script."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def open(self, url: str) -> None:
        self._loading(lambda: self.send("Page.navigate", url=url))

    def click(self, selector: str, text: str = "") -> None:
        """Clicks the first element of the selector that holds the text, and waits for the page that follows."""
        all_ = f"[...document.querySelectorAll({json.dumps(selector)})]"
        found = f"{all_}.find(e => e.innerText.includes({json.dumps(text)}))"
        assert self.run(f"!!({found})"), f"no {selector} with {text!r} on:\n{self.text()[:600]}"
        self._loading(lambda: self.run(f"{found}.click()"))

    def fill(self, selector: str, text: str) -> None:
        self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def text(self) -> str:
        return str(self.run("document.body.innerText"))

    def look(self, *, width: int, dark: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )

    def screenshot(self, path: Path) -> None:
        """The whole page, however long."""
        picture = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def _loading(self, act: Callable[[], Any]) -> None:
        """Does something that leads to another document, and waits until that is complete."""
        self.run("window.__before = true")
        act()
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                if self.run("window.__before !== true && document.readyState === 'complete'"):
                    return
            except AssertionError as error:  # between two documents there is nothing to ask
                if "context" not in str(error).lower():
                    raise
            time.sleep(0.02)
        raise AssertionError(f"no new page within {TIMEOUT:g} s; still at:\n{self.text()[:600]}")
