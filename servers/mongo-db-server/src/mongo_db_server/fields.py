"""Fields that callers may not see, and the stage that takes them out before anything else can look.

Whether an expression reads a redacted field cannot be told from its text: `$$ROOT`, `$objectToArray`, computed names
and nested objects all reach it. So nothing is guessed: every pipeline, nested ones included, starts with stages that
remove the fields at the source, and whatever follows works on documents that do not hold them. Where no such stage can
stand (updates, deletes, `distinct`), filters are restricted to what cannot compare a redacted value.

A pattern is a dotted path; `*` and `?` work within one segment. `**.name` denies that name at any depth. What is denied
takes everything beneath it along. Array indexes in a path do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mongo_db_server.errors import RefusedError, SettingsError
from mongo_db_server.patterns import as_regex, items, matches

Path = tuple[str, ...]

_ANYWHERE = "**"
# Levels that `**.name` looks into; what lies deeper is left out whole. Each costs the expression about 15 levels of
# nesting, of which MongoDB takes 100.
_DEEPEST = 5


def segments(path: str) -> Path:
    """Without array indexes and the positional operators of updates."""
    parts = (part for part in path.split(".") if part != "$" and not part.startswith("$["))
    return tuple(part for part in parts if not part.isdigit())


@dataclass(frozen=True)
class FieldRules:
    """`allow` None admits every field, an empty one none; deny wins."""

    allow: tuple[Path, ...] | None = None
    deny: tuple[Path, ...] = ()

    @classmethod
    def of(cls, allow: str | None, deny: str) -> FieldRules:
        """Raises SettingsError for a pattern that cannot be carried out."""
        allowed = None if allow is None else tuple(tuple(item.split(".")) for item in items(allow))
        denied = tuple(tuple(item.split(".")) for item in items(deny))
        for path in (*(allowed or ()), *denied):
            if "" in path or any(part.startswith("$") for part in path):
                raise SettingsError(f"MCP_FIELDS_ALLOW or MCP_FIELDS_DENY is malformed: {'.'.join(path)} is no path.")
        for path in denied:
            if _ANYWHERE in path and (path[0] != _ANYWHERE or len(path) != 2):
                raise SettingsError("MCP_FIELDS_DENY is malformed: ** stands only before a single name, as in **.ssn.")
        if allowed and any(map(_has_glob, allowed)) and any(len(path) > 1 for path in allowed):
            raise SettingsError("MCP_FIELDS_ALLOW is malformed: wildcards and dotted paths cannot be mixed in it.")
        return cls(allowed, denied)

    @property
    def active(self) -> bool:
        return self.allow is not None or bool(self.deny)

    def denies(self, path: str) -> bool:
        """Whether the deny list takes the field, or an object that it lies in."""
        return any(_takes(pattern, segments(path)) for pattern in self.deny)

    def hides(self, path: str) -> bool:
        """Whether nothing at or beneath the path may be seen."""
        if self.denies(path):
            return True
        given = segments(path)
        return self.allow is not None and not any(_overlap(pattern, given) for pattern in self.allow)

    def covers(self, path: str) -> bool:
        """Whether a redacted field may lie at the path or beneath it."""
        given = segments(path)
        if any(pattern[0] == _ANYWHERE or _overlap(pattern, given) for pattern in self.deny):
            return True
        return self.allow is not None and not any(_takes(pattern, given) for pattern in self.allow)

    def require(self, path: str) -> None:
        """Raises RefusedError for a path that is redacted."""
        if self.hides(path):
            raise RefusedError(
                f"`{path}` is a redacted field; this server neither shows nor compares it (`MCP_FIELDS_ALLOW`, "
                "`MCP_FIELDS_DENY`)."
            )

    def require_whole(self, path: str) -> None:
        """Raises RefusedError for a path that is redacted or holds a redacted field."""
        self.require(path)
        if self.covers(path):
            raise RefusedError(
                f"`{path}` may hold a redacted field (`MCP_FIELDS_ALLOW`, `MCP_FIELDS_DENY`): name single fields by "
                "their dotted path instead."
            )

    def require_document(self, document: Mapping[str, Any]) -> None:
        """Raises RefusedError for a document to be stored that sets a redacted field."""
        for path in _paths(document, ""):
            self.require(path)

    @cached_property
    def mask(self) -> tuple[dict[str, Any], ...]:
        """Stages that leave no redacted field in a document; empty without rules."""
        return (*self._allowing(), *self._denying())

    def _denying(self) -> Iterator[dict[str, Any]]:
        literal = [path for path in self.deny if not _has_glob(path)]
        if literal:
            yield {"$project": {".".join(path): 0 for path in _outermost(literal)}}
        for path in self.deny:
            if path[0] == _ANYWHERE:
                yield {"$replaceWith": _without_anywhere("$$ROOT", path[1], 0)}
            elif _has_glob(path):
                yield {"$replaceWith": _without("$$ROOT", path, 0)}

    def _allowing(self) -> Iterator[dict[str, Any]]:
        if self.allow is None:
            return
        if not self.allow:
            yield {"$replaceWith": {"$literal": {}}}
        elif any(map(_has_glob, self.allow)):
            kept = {"$or": [_key_matches("$$field.k", path[0]) for path in self.allow]}
            chosen = {"$filter": {"input": {"$objectToArray": "$$ROOT"}, "as": "field", "cond": kept}}
            yield {"$replaceWith": {"$arrayToObject": chosen}}
        else:
            shown: dict[str, Any] = {".".join(path): 1 for path in _outermost(list(self.allow))}
            yield {"$project": shown if any(path[0] == "_id" for path in self.allow) else {"_id": 0, **shown}}


def _has_glob(path: Path) -> bool:
    return any("*" in part or "?" in part for part in path)


def _takes(pattern: Path, path: Path) -> bool:
    """Whether the pattern names the path or an object that it lies in."""
    if pattern[0] == _ANYWHERE:
        return any(matches(pattern[1], part) for part in path)
    return len(path) >= len(pattern) and all(map(matches, pattern, path))


def _overlap(pattern: Path, path: Path) -> bool:
    """Whether one of the two lies in the other."""
    return all(map(matches, pattern, path))


def _outermost(paths: list[Path]) -> list[Path]:
    """Without those that lie in another one: MongoDB refuses a projection with both."""
    return [path for path in dict.fromkeys(paths) if not any(path[:n] in paths for n in range(1, len(path)))]


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            below = f"{path}.{name}" if path else str(name)
            yield below
            yield from _paths(inner, below)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, path)


def _key_matches(key: str, pattern: str) -> dict[str, Any]:
    return {"$regexMatch": {"input": key, "regex": as_regex(pattern), "options": "s"}}


def _without(value: str, path: Path, level: int) -> dict[str, Any]:
    """An expression: the value without what the pattern names."""
    key, inner = f"$$f{level}.k", f"$$f{level}.v"
    if len(path) == 1:
        return _rebuilt(value, level, keep={"$not": [_key_matches(key, path[0])]}, inner=inner)
    below = {"$cond": [_key_matches(key, path[0]), _without(inner, path[1:], level + 1), inner]}
    return _rebuilt(value, level, keep=True, inner=below)


def _without_anywhere(value: str, name: str, level: int) -> Any:
    if level == _DEEPEST:
        return {"$cond": [{"$in": [{"$type": value}, ["object", "array"]]}, None, value]}
    below = _without_anywhere(f"$$f{level}.v", name, level + 1)
    return _rebuilt(value, level, keep={"$not": [_key_matches(f"$$f{level}.k", name)]}, inner=below)


def _rebuilt(value: str, level: int, *, keep: Any, inner: Any) -> dict[str, Any]:
    """The object, or each object of an array, from those of its fields that stay; arrays in arrays become null. An
    array and a single object take the same way, so that the expression grows with the depth and not with its power."""
    whole, element, done, field = f"v{level}", f"e{level}", f"d{level}", f"f{level}"
    fields = {"$filter": {"input": {"$objectToArray": f"$${element}"}, "as": field, "cond": keep}}
    pairs = {"$map": {"input": fields, "as": field, "in": {"k": f"$${field}.k", "v": inner}}}
    one = {
        "$switch": {
            "branches": [
                {"case": {"$eq": [{"$type": f"$${element}"}, "object"]}, "then": {"$arrayToObject": pairs}},
                {"case": {"$isArray": [f"$${element}"]}, "then": None},
            ],
            "default": f"$${element}",
        }
    }
    is_array = {"$isArray": [f"$${whole}"]}
    each = {"$map": {"input": {"$cond": [is_array, f"$${whole}", [f"$${whole}"]]}, "as": element, "in": one}}
    chosen = {"$cond": [is_array, f"$${done}", {"$arrayElemAt": [f"$${done}", 0]}]}
    return {"$let": {"vars": {whole: value}, "in": {"$let": {"vars": {done: each}, "in": chosen}}}}
