"""One JSON line per call: who did what to which namespace, how it ended, how long and how much. Never a value."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from gateway_auth import CALLER
from pydantic_core import to_json

Sink = Callable[[dict[str, Any]], None]

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def write_line(record: dict[str, Any]) -> None:
    """To standard error: standard output holds only the line that says the server is ready. What is written while a
    request runs, by a library too, carries the gateway's id of that request, so that both logs can be joined."""
    correlation_id = CALLER.get().correlation_id
    request = {} if correlation_id is None else {"correlation_id": correlation_id}
    line = {"time": _now(), **request, **record}
    try:
        text = to_json(line).decode()
    except ValueError:  # half a surrogate pair in a name that a caller invented, or a type of a library
        text = _ENCODER.encode(line)
    _write(text)


class _Unwritten:
    lines = 0


def _write(text: str) -> None:
    """A full disk below the log fails no call: what was done is done, and its caller has to hear of it."""
    try:
        if _Unwritten.lines:
            message = f"{_Unwritten.lines} lines could not be written when they were due; they may be missing"
            said = _ENCODER.encode({"time": _now(), "level": "error", "logger": __name__, "message": message})
            sys.stderr.write(said + "\n")
            _Unwritten.lines = 0
        sys.stderr.write(text + "\n")
    except OSError:
        _Unwritten.lines += 1


def _now() -> str:
    seconds = time.time()
    return f"{_second(int(seconds))}.{int(seconds * 1000) % 1000:03d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class JsonLogHandler(logging.Handler):
    """Log records of libraries in the same form. Tracebacks are reduced to the exception's type: its text may hold
    values or the connection string."""

    def emit(self, record: logging.LogRecord) -> None:
        line: dict[str, Any] = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line |= {"exception": record.exc_info[0].__name__, "at": _origin(record.exc_info[2])}
        write_line(line)


def _origin(trace: TracebackType | None) -> str | None:
    """File and line that raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
