"""Circuit breakers of backends ("Backends in API Management", circuit breaker)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds(duration: str) -> float:
    """An ISO 8601 duration of days, hours, minutes and seconds; anything else raises ValueError."""
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        raise ValueError(f"{duration!r} is not an ISO 8601 duration")
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


@dataclass(frozen=True)
class Rule:
    """Trips for `trip` seconds after `count` failures (or `percentage` of calls) in `interval` seconds."""

    count: int | None
    percentage: int | None
    interval: float
    trip: float
    statuses: tuple[tuple[int, int], ...]
    reasons: frozenset[str]
    accept_retry_after: bool

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Rule:
        """From azurerm's `circuit_breaker_rule`."""
        condition = block["failure_condition"][0]
        ranges = condition.get("status_code_range") or []
        return cls(
            count=condition.get("count") or None,
            percentage=condition.get("percentage") or None,
            interval=seconds(condition["interval_duration"]),
            trip=seconds(block["trip_duration"]),
            statuses=tuple((int(entry["min"]), int(entry["max"])) for entry in ranges),
            reasons=frozenset(condition.get("error_reasons") or []),
            accept_retry_after=bool(block.get("accept_retry_after_enabled")),
        )


#: Below this many calls a percentage says nothing.
_MIN_CALLS = 5


class Breaker:
    def __init__(self, rule: Rule, clock: Callable[[], float]) -> None:
        self._rule = rule
        self._clock = clock
        self._open_until = 0.0
        self._calls: deque[tuple[float, bool]] = deque(maxlen=10_000)

    def closed(self) -> bool:
        return self._clock() >= self._open_until

    def retry_after(self) -> list[tuple[str, str]]:
        return [("Retry-After", str(max(1, round(self._open_until - self._clock()))))]

    def failed(self, reason: str) -> None:
        """A call without an answer counts where a rule names its reason, or 500, the status that it gives."""
        self._count(reason in self._rule.reasons or any(low <= 500 <= high for low, high in self._rule.statuses))

    def answered(self, status: int, retry_after: str | None) -> None:
        failure = any(low <= status <= high for low, high in self._rule.statuses)
        self._count(failure)
        if failure and not self.closed() and self._rule.accept_retry_after and (retry_after or "").isdecimal():
            self._open_until = self._clock() + float(retry_after or 0)

    def _count(self, failure: bool) -> None:
        now = self._clock()
        self._calls.append((now, failure))
        while self._calls and self._calls[0][0] <= now - self._rule.interval:
            self._calls.popleft()
        failures = sum(failed for _, failed in self._calls) if failure else 0
        if failure and self._tripped(failures):
            self._open_until = now + self._rule.trip
            self._calls.clear()

    def _tripped(self, failures: int) -> bool:
        if self._rule.count is not None:
            return failures >= self._rule.count
        share = 100 * failures / len(self._calls)
        return len(self._calls) >= _MIN_CALLS and share >= (self._rule.percentage or 100)
