"""The gateway's own rate limit: a task that meets it waits once, and says so."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ops.cli import output

_LONGEST = 60  # seconds: the gateway's limits are by the minute


def waited(status: int, headers: Mapping[str, str]) -> bool:
    """Wait as long as a 429 asks for (`Retry-After`, RFC 9110 10.2.3), a minute at most; whether to ask again."""
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    if status != 429 or not told.isdecimal() or int(told) > _LONGEST:
        return False
    output.say(f"the gateway's rate limit is reached: asking again in {told} s")
    time.sleep(int(told))
    return True
