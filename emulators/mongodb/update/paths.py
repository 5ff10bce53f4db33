"""Writing to dotted paths: concrete places for `$`, `$[]` and `$[name]`, and setting or removing what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.mongodb.errors import CommandError, bad_value
from emulators.mongodb.query.leaf import Test
from emulators.mongodb.query.paths import split
from emulators.mongodb.query.position import matched_position
from emulators.mongodb.values import MISSING, Document, type_name

Place = tuple[str, ...]
_MAX_PADDING = 1_500_000


def read(document: Any, place: Place) -> Any:
    """The value at a concrete place; MISSING when it is not there."""
    for part in place:
        if type(document) is dict:
            document = document.get(part, MISSING)
        elif type(document) is list and part.isdecimal():
            document = document[int(part)] if int(part) < len(document) else MISSING
        else:
            return MISSING
    return document


def write(document: Document, place: Place, value: Any) -> None:
    """Sets a value, making objects on the way; PathNotViable (28) where something that is no object is in the way."""
    node: Any = document
    for depth, part in enumerate(place[:-1]):
        below = read(node, (part,))
        if below is MISSING:
            below = {}
            _assign(node, part, below, place[:depth])
        elif type(below) not in (dict, list):
            raise CommandError(28, f"Cannot create field '{place[depth + 1]}' in element {{{part}: {below!r}}}")
        node = below
    _assign(node, place[-1], value, place[:-1])


def _assign(node: Any, part: str, value: Any, above: Place) -> None:
    if type(node) is dict:
        node[part] = value
        return
    if not part.isdecimal():
        raise CommandError(28, f"Cannot create field '{part}' in element {{{'.'.join(above)}: [...]}}")
    index = int(part)
    if index - len(node) > _MAX_PADDING:
        raise bad_value(f"can't backfill more than {_MAX_PADDING} elements to reach index {index}")
    node.extend([None] * (index + 1 - len(node)))
    node[index] = value


def remove(document: Document, place: Place) -> None:
    """Removes a field; an array element becomes null, as the manual's `$unset` says."""
    node = read(document, place[:-1])
    if type(node) is dict:
        node.pop(place[-1], None)
    elif type(node) is list and place[-1].isdecimal() and int(place[-1]) < len(node):
        node[int(place[-1])] = None


def places(document: Document, path: str, query: Document, filters: Mapping[str, Test]) -> list[Place]:
    """The concrete places that a path with positional parts stands for in this document."""
    found: list[Place] = [()]
    for part in split(path):
        if part == "$":
            found = [(*place, str(_position(document, place, query))) for place in found]
        elif part.startswith("$[") and part.endswith("]"):
            test = filters[part[2:-1]] if part != "$[]" else None
            found = [(*place, index) for place in found for index in _indexes(document, place, test, path)]
        else:
            found = [(*place, part) for place in found]
    return found


def _position(document: Document, place: Place, query: Document) -> int:
    index = matched_position(query, document, ".".join(place))
    if index is None:
        raise bad_value("The positional operator did not find the match needed from the query.")
    return index


def _indexes(document: Document, place: Place, test: Test | None, path: str) -> list[str]:
    array = read(document, place)
    if array is MISSING:
        raise bad_value(f"The path '{'.'.join(place)}' must exist in the document in order to apply array updates.")
    if type(array) is not list:
        raise bad_value(
            f"Cannot apply array updates to non-array element {'.'.join(place)}: {type_name(array)} (path '{path}')"
        )
    return [str(index) for index, element in enumerate(array) if test is None or test(element)]


def order_of(path: str) -> tuple[tuple[int, int, str], ...]:
    """The order in which an update visits paths: by name, and by number where parts are numbers."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in path.split("."))


def check_conflicts(paths: list[str]) -> None:
    """ConflictingUpdateOperators (40) when two paths are equal or one contains the other."""
    seen: set[str] = set()
    for path in paths:
        parts = path.split(".")
        prefixes = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        clash = next((prefix for prefix in prefixes if prefix in seen), None)
        if clash or any(other.startswith(f"{path}.") for other in seen):
            raise CommandError(40, f"Updating the path '{path}' would create a conflict at '{clash or path}'")
        seen.add(path)
