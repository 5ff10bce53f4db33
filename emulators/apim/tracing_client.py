"""Reads the traces of a home's gateway: `run/trace.json` (0600) says where they are and holds the key."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from emulators.base.errors import EmulatorError
from emulators.base.files import read_json

_TIMEOUT = 5.0  # seconds


class TracesUnavailable(EmulatorError):
    """No gateway that traces answers."""


def recent(home: Path, after: int = 0, most: int = 200) -> list[dict[str, Any]]:
    """Summaries of requests newer than number `after`, newest first."""
    found: list[dict[str, Any]] = _ask(home, {"after": after, "most": most})["requests"]
    return found


class Follower:
    """What is new since the last question, oldest first; a gateway that was restarted begins anew."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._after = 0

    def more(self) -> list[dict[str, Any]]:
        answer = _ask(self._home, {"after": self._after})
        if answer["latest"] < self._after:
            answer = _ask(self._home, {"after": 0})
        self._after = answer["latest"]
        return list(reversed(answer["requests"]))


def find(home: Path, request_id: str) -> dict[str, Any] | None:
    """One trace; None where the gateway holds no such request (any more)."""
    found: dict[str, Any] | None = _ask(home, {"id": request_id})["trace"]
    return found


def _ask(home: Path, question: dict[str, Any]) -> dict[str, Any]:
    port, key = _settings(home / "run" / "trace.json")
    try:
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as connection:
            connection.sendall(json.dumps({**question, "key": key}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
    except (OSError, ValueError) as error:
        raise TracesUnavailable("the local gateway does not answer; run `invoke status`") from error
    if "error" in answer:
        raise TracesUnavailable(f"the local gateway tells no traces: {answer['error']}; run `invoke deploy`")
    return answer


def _settings(path: Path) -> tuple[int, str]:
    """Port and key; no file, or an empty object, is what a gateway without traces leaves."""
    found = read_json(path)
    if not path.exists() or found == {}:
        raise TracesUnavailable("the local gateway keeps no traces; run `invoke deploy --setting TRACE=1`")
    port, key = (found.get("port"), found.get("key")) if isinstance(found, dict) else (None, None)
    if not isinstance(port, int) or not isinstance(key, str):
        raise TracesUnavailable(
            f"{path} is damaged: it names no port and key of the gateway's traces; the gateway writes it when it "
            "starts: run `invoke deploy --setting TRACE=0`, then `invoke deploy --setting TRACE=1`"
        )
    return port, key
