"""When a part counts as hung, on a clock that stands: no process is started here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twin.supervise import part
from twin.supervise.spec import Health, Liveness, ProcessSpec


class Hung:
    """A child that is stopped once."""

    stopped_at = 0.0

    def __init__(self, clock: list[float]) -> None:
        self._clock = clock

    def note(self, sentence: str) -> None:
        """Nobody reads it."""

    async def stop(self, grace: float) -> None:
        self.stopped_at = self._clock[0]


@pytest.mark.parametrize(("period", "answers_within", "ended"), [(5.0, 5.0, 30.0), (5.0, 1.0, 26.0), (5.0, 7.0, 42.0)])
async def test_a_check_is_part_of_its_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, period: float, answers_within: float, ended: float
) -> None:
    """Six silences, five seconds from one question to the next: half a minute, and not a whole one."""
    clock = [0.0]

    async def passes(seconds: float) -> None:
        clock[0] += seconds

    async def silence(health: Health, port: int, timeout: float) -> str:  # noqa: ASYNC109  # as the real one
        clock[0] += timeout
        return "no answer"

    liveness = Liveness(Health("http"), delay=0, period=period, timeout=answers_within, failures=6)
    spec = ProcessSpec("gateway", "gateway", ("true",), 1, Health("http"), str(tmp_path), liveness=liveness)
    monkeypatch.setattr(part, "check", silence)
    monkeypatch.setattr(part, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(asyncio, "sleep", passes)
    child: Any = Hung(clock)
    await part.Part(spec, tmp_path / "log", lambda: None)._end_when_hung(child)
    assert child.stopped_at == ended
