"""What the gateway's limit of requests makes a task do."""

from __future__ import annotations

import email.message
import io
import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from ops.clients import limits, registrations


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (429, {"Retry-After": "23"}, [23]),
        (429, {"retry-after": "0"}, [0]),
        (429, {"Retry-After": "3600"}, []),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, []),
        (429, {}, []),
        (503, {"Retry-After": "5"}, []),
    ],
)
def test_a_limit_is_waited_out(
    status: int, headers: dict[str, str], waits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[int] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert limits.waited(status, headers) == bool(waits)
    assert slept == waits


def test_an_entry_is_not_taken_for_missing_where_a_limit_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for thirty clients at once meets the gateway's limit a minute: the answer comes after it."""
    headers = email.message.Message()
    headers["Retry-After"] = "7"
    answers: list[Any] = [
        urllib.error.HTTPError("http://gateway", 429, "", headers, io.BytesIO()),
        io.BytesIO(json.dumps({"client_id": "desktop-id"}).encode()),
    ]
    slept: list[int] = []

    class Opener:
        def open(self, *_: object, **__: object) -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(urllib.request, "build_opener", lambda *_: Opener())
    monkeypatch.setattr(time, "sleep", slept.append)
    assert registrations.ask("http://gateway", registrations.REGISTRATIONS["vscode"]) == "desktop-id"
    assert slept == [7]
