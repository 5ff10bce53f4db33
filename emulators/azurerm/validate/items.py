"""Rules of one value: allowed strings, ranges, numbers of elements, text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from emulators.azurerm.catalog import Rules
from emulators.azurerm.documented import Must
from emulators.azurerm.validate.text import text_problem
from emulators.azurerm.values import NO_RULES, Path, is_unknown


@dataclass(frozen=True)
class Problem:
    """As Terraform prints it: `summary` is the headline, `path` says which argument is underlined."""

    summary: str
    detail: str
    path: Path


MOST_TAGS, LONGEST_TAG_KEY, LONGEST_TAG = 50, 512, 256
IN_SET = -1  # the step into an element of a set


def dotted(path: Path) -> str:
    return ".".join(str(step) for step in path if step != IN_SET)


def check_value(type_: Any, rule: Rules, value: Any, path: Path) -> Iterator[Problem]:
    """Checks a value and, in a collection, its elements; `type_` is the argument's Terraform type."""
    if value is None or is_unknown(value):
        return
    if isinstance(type_, str):
        # Terraform sends a number that no float holds exactly, such as 0.1, as text.
        yield from _scalar(rule, Decimal(value) if type_ == "number" else value, path)
        return
    kind, inner = type_
    if kind == "map":
        yield from _entries(rule, value, path)
    elif kind in ("list", "set"):
        yield from _count(rule, value, path)
        for index, element in enumerate(value):
            yield from check_value(inner, rule, element, (*path, index if kind == "list" else IN_SET))
    elif kind == "object":
        fields = rule.get("fields", NO_RULES)
        for name, field_type in inner.items():
            yield from check_value(field_type, fields.get(name, NO_RULES), value.get(name), (*path, name))


def _scalar(rule: Rules, value: Any, path: Path) -> Iterator[Problem]:
    name = dotted(path)
    if "enum" in rule and isinstance(value, str) and value not in rule["enum"]:
        allowed = " ".join(f'"{option}"' for option in rule["enum"])
        yield Problem(f"expected {name} to be one of [{allowed}], got {value}", "", path)
    if rule.get("whole") and isinstance(value, Decimal) and value % 1 != 0:
        yield Problem("Attribute must be a whole number", f"{name}: a number is required, got {value}", path)
        return
    if "range" in rule and isinstance(value, Decimal):
        low, high = rule["range"]
        if not low <= value <= high:
            yield Problem(f"expected {name} to be in the range ({low} - {high}), got {value}", "", path)
    if "text" in rule and isinstance(value, str) and "enum" not in rule:
        wrong = text_problem(str(path[-1] if isinstance(path[-1], str) else path[-2]), rule["text"], value)
        if wrong:
            yield Problem(f"{name} {wrong}", "", path)
            return
    if "must" in rule and not (isinstance(value, str) and not value and "not_empty" in rule.get("text", ())):
        yield from _documented(rule["must"], value, path)


def _documented(must: Must, value: Any, path: Path) -> Iterator[Problem]:
    """azurerm's own wording begins with "expected" where a number or a form is wanted, and with the name otherwise."""
    if must.fits(value):
        return
    name, said = dotted(path), json.dumps(value, ensure_ascii=False) if isinstance(value, str) else value
    yield Problem(f'{"expected " if must.says.startswith("to ") else ""}"{name}" {must.says}, got: {said}', "", path)


def _entries(rule: Rules, value: dict[str, Any], path: Path) -> Iterator[Problem]:
    if path == ("tags",):
        yield from _tags(value, path)
    for key in value if "must" in rule else ():
        yield from _documented(rule["must"], key, path)


def _tags(tags: dict[str, Any], path: Path) -> Iterator[Problem]:
    """Azure Resource Manager's limits, which azurerm checks on every type that has tags."""
    if len(tags) > MOST_TAGS:
        yield Problem(f"a maximum of {MOST_TAGS} tags can be applied to each ARM resource", "", path)
    for key, text in tags.items():
        if len(key) > LONGEST_TAG_KEY:
            said = f"the maximum length for a tag key is {LONGEST_TAG_KEY} characters: {key!r} has {len(key)}"
            yield Problem(said, "", path)
        if isinstance(text, str) and len(text) > LONGEST_TAG:
            said = f"the maximum length for a tag value is {LONGEST_TAG} characters: that of {key!r} has {len(text)}"
            yield Problem(said, "", path)


def _count(rule: Rules, value: list[Any], path: Path) -> Iterator[Problem]:
    name, count = path[-1], len(value)
    most, least = rule.get("max_items"), rule.get("min_items")
    if most is not None and count > most:
        yield Problem(
            "Too many list items",
            f"Attribute {name} supports {most} item maximum, but config has {count} declared.",
            path,
        )
    if least is not None and count < least:
        yield Problem(
            "Not enough list items",
            f"Attribute {name} requires {least} item minimum, but config has only {count} declared.",
            path,
        )
