"""JSON from outside: what Python's reader lets through, or answers with other errors, is a ValueError here."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def loads(text: str | bytes) -> Any:
    """Parses JSON as RFC 8259 has it. Raises ValueError, also for NaN, Infinity and nesting beyond Python's limit."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
