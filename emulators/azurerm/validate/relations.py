"""Rules between arguments: conflicts_with, exactly_one_of, at_least_one_of, required_with.

An argument that is unknown may turn out either way, so it never makes a rule fail. As in the SDK, `exactly_one_of` and
`at_least_one_of` hold even when the argument that carries them is not set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulators.azurerm.catalog import Rules, Values
from emulators.azurerm.validate.items import Problem, dotted
from emulators.azurerm.values import Path, is_unknown


def check_relations(rule: Rules, value: Any, root: Values, path: Path) -> Iterator[Problem]:
    if "exactly_one_of" in rule:
        yield from _exactly_one(_with_own(rule["exactly_one_of"], path), root, path)
    if "at_least_one_of" in rule:
        names = _with_own(rule["at_least_one_of"], path)
        if not any(_is_set(root, name) for name in names):
            detail = f'"{dotted(path)}": one of `{",".join(names)}` must be specified'
            yield Problem("Missing required argument", detail, path)
    if value is None or is_unknown(value):
        return
    required = _with_own(rule.get("required_with", []), path)
    if not all(_is_set(root, name) for name in required):
        detail = f'"{dotted(path)}": all of `{",".join(required)}` must be specified'
        yield Problem("Missing required argument", detail, path)
    for name in rule.get("conflicts_with", ()):
        if name != dotted(path) and _is_set(root, name) and not is_unknown(_look_up(root, name)):
            yield Problem("Conflicting configuration arguments", f'"{dotted(path)}": conflicts with {name}', path)


def _with_own(names: list[str], path: Path) -> list[str]:
    """The SDK counts the argument that carries a rule among those that the rule names."""
    return sorted({*names, dotted(path)}) if names else []


def _exactly_one(names: list[str], root: Values, path: Path) -> Iterator[Problem]:
    there = [name for name in names if _is_set(root, name)]
    known = [name for name in there if not is_unknown(_look_up(root, name))]
    said = ",".join(names)
    if not there:
        yield Problem("Invalid combination of arguments", f'"{dotted(path)}": one of `{said}` must be specified', path)
    elif len(known) > 1:
        both = ",".join(known)
        detail = f'"{dotted(path)}": only one of `{said}` can be specified, but `{both}` were specified.'
        yield Problem("Invalid combination of arguments", detail, path)


def _is_set(root: Values, name: str) -> bool:
    return _look_up(root, name) is not None


def _look_up(root: Any, name: str) -> Any:
    """The value at a path like `network_acls.0.bypass`, or None."""
    value = root
    for step in name.split("."):
        if is_unknown(value):
            return value
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return None
    return value
