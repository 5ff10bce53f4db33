"""Failures on demand: `configureFailPoint`, as drivers' own tests use it, and Cosmos DB's throttling (16500)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.values import Document

_DATA = {
    "failCommands",
    "errorCode",
    "errmsg",
    "errorLabels",
    "closeConnection",
    "blockConnection",
    "blockTimeMS",
    "appName",
}
_DATA |= {"RetryAfterMs", "failInternalCommands"}
# Cosmos DB for MongoDB, "Rate limiting errors": how a throttled request reads.
_THROTTLED = (
    "Error=16500, RetryAfterMs={}, Details='Response status code does not indicate success: TooManyRequests (429)'"
)


@dataclass(frozen=True)
class Failure:
    """What to do to a command instead of, or (`error` None) before, running it."""

    error: CommandError | None
    close: bool
    block_ms: int


class FailPoints:
    """`failCommand` and `maxTimeAlwaysTimeOut`; others are refused by name."""

    def __init__(self) -> None:
        self._data: Document = {}
        self._skip = self._times = 0
        self.always_time_out = False

    def configure(self, name: Any, mode: Any, data: Document) -> None:
        if name == "maxTimeAlwaysTimeOut":
            self.always_time_out = _counts(mode)[1] > 0
            return
        if name != "failCommand":
            raise not_supported(f"the fail point {name!r}")
        unknown = set(data) - _DATA
        if unknown:
            raise not_supported(f"failCommand with {min(unknown)}")
        if not isinstance(data.get("failCommands", []), list):
            raise bad_value("failCommands must be an array of command names")
        self._skip, self._times = _counts(mode)
        self._data = data

    def strike(self, command: str, app_name: str | None = None) -> Failure | None:
        """The failure that is due for this command, and counts it; configureFailPoint itself never fails."""
        data = self._data
        if not self._times or command == "configureFailPoint" or command not in data.get("failCommands", ()):
            return None
        if "appName" in data and data["appName"] != app_name:
            return None
        if self._skip:
            self._skip -= 1
            return None
        self._times -= 1
        block = int(data.get("blockTimeMS", 0)) if data.get("blockConnection") else 0
        return Failure(_error(data), bool(data.get("closeConnection")), block)


def _counts(mode: Any) -> tuple[int, int]:
    """How many calls to let pass, and how many to fail."""
    if mode == "off":
        return 0, 0
    if mode == "alwaysOn":
        return 0, 2**62
    if isinstance(mode, dict) and len(mode) == 1:
        name, value = next(iter(mode.items()))
        count = as_integer(value)
        if count is not None and count >= 0 and name in ("times", "skip"):
            return (0, count) if name == "times" else (count, 2**62)
    raise bad_value("the mode of a fail point is 'off', 'alwaysOn', {times: n} or {skip: n}")


def _error(data: Document) -> CommandError | None:
    code = as_integer(data.get("errorCode"))
    if code is None:
        return None
    retry_after = as_integer(data.get("RetryAfterMs"))
    details: Document = {"errorLabels": data["errorLabels"]} if "errorLabels" in data else {}
    message = data.get("errmsg", "Failing command via 'failCommand' failpoint")
    if code == 16500:
        message = data.get("errmsg", _THROTTLED.format(retry_after or 0))
        if retry_after is not None:
            details["RetryAfterMs"] = retry_after
    return CommandError(code, message, **details)
