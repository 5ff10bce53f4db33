"""The fuzzing session of members: it calls each, and sees where an error of Python's was only translated."""

from __future__ import annotations

import pytest

from emulators.apim.csharp.library import catalogue, is_documented
from emulators.apim.csharp.members import dates
from tools.fuzz.members import Calls, judged


def test_the_same_seed_makes_the_same_calls() -> None:
    """So that a finding can be looked at again."""
    first, second = Calls(3), Calls(3)
    assert [first.next() for _ in range(50)] == [second.next() for _ in range(50)]


def test_calls_are_judged_without_a_finding() -> None:
    """Most compile and yield something; those that fail do as .NET does."""
    made = Calls(5)
    found = [judged(made.next()[1]) for _ in range(300)]
    assert [problem for _, problem in found if problem] == []
    assert sum(kind == "value" for kind, _ in found) > 150


def test_every_member_is_called() -> None:
    """Of every documented type."""
    made = Calls(1)
    called = {made.next()[0].owner for _ in range(20_000)}
    assert {member.owner for member in catalogue() if is_documented(member.owner)} == called


def test_a_translated_error_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that a member raises itself is none."""
    assert judged("@(new DateTime(2024, 13, 1))") == ("exception", "")
    monkeypatch.setattr(dates, "now", lambda: [] + 1)  # type: ignore[operator]
    assert judged("@(DateTime.UtcNow)")[1].startswith("TypeError: ")
