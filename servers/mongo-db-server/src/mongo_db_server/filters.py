"""Filters: what they compare, and whether they may.

`strict` is for places where redacted fields cannot be removed first (updates, deletes, `distinct`): there a filter may
name only fields that hold nothing redacted, because what it matches is an answer too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson.dbref import DBRef

from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.fields import FieldRules
from mongo_db_server.geo import OPERATORS as GEO
from mongo_db_server.geo import check_geo, check_text

_LOGICAL = frozenset({"$and", "$or", "$nor"})
_NO_FIELDS = FieldRules()


def check_fields(document: Mapping[str, Any], rules: FieldRules = _NO_FIELDS, *, strict: bool = False) -> None:
    """Raises RefusedError for a condition on a redacted field, InvalidCallError for a malformed text or geo
    condition."""
    _Conditions(rules, strict).document(document, "")


class _Conditions:
    def __init__(self, rules: FieldRules, strict: bool) -> None:
        self._rules = rules
        self._strict = strict and rules.active

    def document(self, document: Any, prefix: str) -> None:
        if not isinstance(document, Mapping):
            return  # the database says what is wrong with it
        for name, value in document.items():
            if name in _LOGICAL:
                for inner in value if isinstance(value, list) else []:
                    self.document(inner, prefix)
            elif name.startswith("$"):
                self._top_level(name, value)
            else:
                self._condition(f"{prefix}.{name}" if prefix else name, value)

    def _top_level(self, name: str, value: Any) -> None:
        if name == "$text":
            check_text(value)
            if self._rules.active:
                raise RefusedError("`$text` searches fields that it does not name; with redacted fields it is refused.")
        elif self._strict and name != "$comment":
            raise RefusedError(
                f"`{name}` could compare a redacted field here (`MCP_FIELDS_ALLOW`, `MCP_FIELDS_DENY`): name single "
                "fields instead."
            )

    def _condition(self, path: str, value: Any) -> None:
        self._rules.require(path)
        if isinstance(value, Mapping) and any(str(name).startswith("$") for name in value):
            for operator, operand in value.items():
                self._operator(path, operator, operand)
        else:
            self._operand(path, value)

    def _operator(self, path: str, operator: str, operand: Any) -> None:
        if operator in GEO:
            check_geo(operator, operand)
        elif operator == "$not":
            self._condition(path, operand)
        elif operator == "$elemMatch" and isinstance(operand, Mapping):
            of_values = any(str(name).startswith("$") and name not in _LOGICAL for name in operand)
            if of_values:
                self._condition(path, operand)
            else:
                self.document(operand, path)
        else:
            self._operand(path, operand)

    def _operand(self, path: str, operand: Any) -> None:
        if self._strict and self._rules.covers(path) and _holds_document(operand):
            self._rules.require_whole(path)


def matches_all(document: Mapping[str, Any]) -> bool:
    """Whether the filter can be seen to match every document, whatever the collection holds."""
    return all(_always(name, value) for name, value in document.items())


def _always(name: str, value: Any) -> bool:
    if name == "$comment":
        return True
    if name in ("$and", "$or") and isinstance(value, list) and value:
        each = (isinstance(inner, Mapping) and matches_all(inner) for inner in value)
        return all(each) if name == "$and" else any(each)
    if name == "$expr":
        literal = value.get("$literal") if isinstance(value, Mapping) and len(value) == 1 else value
        return isinstance(literal, bool | int | float) and bool(literal)
    return name == "_id" and isinstance(value, Mapping) and dict(value) == {"$exists": True}


def _holds_document(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_document, value))
    return isinstance(value, Mapping | DBRef)


def check_update(update: Any, rules: FieldRules) -> None:
    """Raises RefusedError for an update that writes, moves or reads redacted fields."""
    if not rules.active:
        return
    if isinstance(update, list):
        raise RefusedError("An update pipeline could copy a redacted field; with redacted fields use update operators.")
    for operator, changes in update.items():
        if not isinstance(changes, Mapping):
            raise InvalidCallError(f"`{operator}` must hold an object of fields.")
        for path, value in changes.items():
            rules.require_whole(path)
            if operator == "$rename":
                rules.require_whole(str(value))
            elif isinstance(value, Mapping):
                rules.require_document({path: value})
