"""Configuration files: one JSON object each. A ConfigError names what is unknown, missing or cannot be read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from emulators.base.errors import ConfigError


def read_object(path: Path, what: str, *, private: bool = False) -> dict[str, Any]:
    """The file's object. `what` names the file for a reader; `private`: others may not be able to read it."""
    try:
        if private and path.stat().st_mode & 0o077:
            raise ConfigError(f"{what} {path} holds secrets: make it readable by you only (chmod 600)")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{what} {path} cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{what} {path} must be a JSON object, not a {type(found).__name__}")
    return found


def check_keys(given: Mapping[str, Any], what: str, known: Collection[str], needed: Collection[str] = ()) -> None:
    """Refuse the first unknown key, and the first needed one that is missing or empty."""
    if unknown := sorted(set(given) - set(known)):
        raise ConfigError(f"{what} has the unknown key {unknown[0]!r}; it knows {', '.join(sorted(known))}")
    for key in needed:
        if not given.get(key):
            raise ConfigError(f"{what} lacks {key!r}")
