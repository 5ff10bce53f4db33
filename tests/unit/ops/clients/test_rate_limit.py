"""What the gateway's limit of requests makes a task do."""

from __future__ import annotations

import email.message
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from ops.checks import probes
from ops.clients import rate_limit, registrations


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
def test_a_limit_is_waited_out(status: int, headers: dict[str, str], waits: list[int], slept: list[int]) -> None:
    assert rate_limit.waited(status, headers) == bool(waits)
    assert slept == waits


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


Answers = Callable[..., None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What the gateway answers, in turn: a 429, or the body of a 200."""
    headers = email.message.Message()
    headers["Retry-After"] = "7"
    left: list[Any] = []

    class Opener:
        def open(self, *_: object, **__: object) -> Any:
            answer = left.pop(0)
            if answer == 429:
                raise urllib.error.HTTPError("http://gateway", 429, "", headers, io.BytesIO())
            return answer

    monkeypatch.setattr(urllib.request, "build_opener", lambda *_: Opener())

    def given(*each: object) -> None:
        left.extend(each)

    return given


def test_an_entry_is_not_taken_for_missing_where_a_limit_is_met(answers: Answers, slept: list[int]) -> None:
    """Asking for thirty clients at once meets the gateway's limit a minute: the answer comes after it."""
    answers(429, io.BytesIO(json.dumps({"client_id": "desktop-id"}).encode()))
    assert registrations.ask("http://gateway", registrations.REGISTRATIONS["vscode"]) == "desktop-id"
    assert slept == [7]


def test_a_gateway_that_goes_on_refusing_is_asked_twice(answers: Answers, slept: list[int]) -> None:
    answers(429, 429)
    assert registrations.ask("http://gateway", registrations.REGISTRATIONS["vscode"]) is None
    assert slept == [7]


def test_a_check_takes_the_second_refusal_for_the_answer(answers: Answers, slept: list[int]) -> None:
    answers(429, 429)
    assert probes.ask("http://gateway").status == 429
    assert slept == [7]
