"""Configuration files: one JSON object each. A ConfigError names what is unknown, missing or cannot be read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

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


def check_object(given: Mapping[str, Any], what: str, shape: type, needed: Collection[str] = ()) -> None:
    """Refuse what `check_keys` refuses, then what is not of the kind that the dataclass `shape` declares.

    In JSON a path is text, a tuple a list, a mapping or a dataclass an object; `port` is from 0 to 65535.
    """
    hints = get_type_hints(shape)
    check_keys(given, what, hints, needed)
    for key, value in given.items():
        hint = hints[key]
        if get_origin(hint) in (Union, UnionType):
            if value is None and NoneType in get_args(hint):
                continue
            hint = next(one for one in get_args(hint) if one is not NoneType)
        if problem := _problem(key, value, hint):
            raise ConfigError(f"{what}: {key!r} must be {problem}")


def _problem(key: str, value: Any, hint: Any) -> str:
    kind = get_origin(hint) or hint
    words, wanted = _KINDS.get(
        kind, ("an object", dict) if issubclass(kind, Mapping) or is_dataclass(kind) else ("a list", list)
    )
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        return f"{words}, not {_noun(value)}"
    if key == "port" and not 0 <= value <= LAST_PORT:
        return f"from 0 to {LAST_PORT}, not {value}"
    if wanted is list and (inner := _INNER.get(get_origin(get_args(hint)[0]) or get_args(hint)[0])):
        wrong = [one for one in value if not isinstance(one, inner[1])]
        return f"a list of {inner[0]}; one of them is {_noun(wrong[0])}" if wrong else ""
    return ""


LAST_PORT = 65535
_KINDS: dict[Any, tuple[str, Any]] = {
    bool: ("true or false", bool),
    int: ("a whole number", int),
    float: ("a number", (int, float)),
    str: ("text", str),
    Path: ("text", str),
}
_INNER: dict[Any, tuple[str, type]] = {str: ("text", str), dict: ("objects", dict)}
_NOUNS = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}


def _noun(value: Any) -> str:
    return _NOUNS.get(type(value), "null")
