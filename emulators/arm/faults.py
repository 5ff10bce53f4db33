"""Faults on request: the next matching requests are answered with an error, late, or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from emulators.arm.errors import AzureError
from emulators.base.errors import EmulatorError

_MESSAGES = {
    403: ("AuthorizationFailed", "The client does not have authorization to perform the action (a fault on request)."),
    409: ("AnotherOperationInProgress", "Another operation on this resource is in progress (a fault on request)."),
    429: ("TooManyRequests", "The request is being throttled (a fault on request)."),
    500: ("InternalServerError", "The server was unable to process the request (a fault on request)."),
    503: ("ServiceUnavailable", "The service is unavailable (a fault on request)."),
    504: ("GatewayTimeout", "The gateway did not receive a response in time (a fault on request)."),
}


@dataclass
class Fault:
    """`path` is a regular expression searched in the path; `seconds` is how long the answer is held back.

    `after` acts first and then loses the answer; `drop` closes the connection in place of an answer. `skip` matching
    requests are let through before the first.
    """

    status: int = 500
    method: str = ""
    host: str = ""
    path: str = ""
    code: str = ""
    message: str = ""
    retry_after: int | None = None
    times: int = 1
    seconds: float = 0
    after: bool = False
    drop: bool = False
    skip: int = 0

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Fault:
        unknown = set(document) - {entry.name for entry in fields(cls)}
        if unknown:
            raise EmulatorError(
                f"a fault has the unknown keys {sorted(unknown)}; it knows {[f.name for f in fields(cls)]}"
            )
        made = cls(**document)
        if not (made.drop or made.code or made.status in _MESSAGES):
            raise EmulatorError(
                f"a fault with status {made.status} needs a code; known without are {sorted(_MESSAGES)}"
            )
        return made

    def fits(self, method: str, host: str, path: str) -> bool:
        if self.times < 1 or (self.method and self.method != method) or not host.endswith(self.host):
            return False
        return re.search(self.path, path, re.IGNORECASE) is not None

    def passes(self) -> bool:
        """Whether this request is one that is let through first."""
        self.skip -= 1
        return self.skip >= 0

    def error(self) -> AzureError:
        code, message = _MESSAGES.get(self.status, (self.code, "A fault on request."))
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return AzureError(self.status, self.code or code, self.message or message, headers)


class Faults:
    """In the order they were asked for; each counts down and is gone at zero."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def take(self, method: str, host: str, path: str) -> Fault | None:
        for fault in self._waiting:
            if fault.fits(method, host, path) and not fault.passes():
                fault.times -= 1
                self._waiting = [f for f in self._waiting if f.times > 0]
                return fault
        return None

    def waiting(self) -> int:
        return sum(fault.times for fault in self._waiting)

    def clear(self) -> None:
        self._waiting.clear()
