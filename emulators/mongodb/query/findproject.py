"""The projection of `find` and `findAndModify`: `$project`'s, plus `$slice`, `$elemMatch` and the positional `$`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr.core import Expression, Scope, compile_expression
from emulators.mongodb.numeric import cut
from emulators.mongodb.query.match import compile_elem_match
from emulators.mongodb.query.paths import field_names
from emulators.mongodb.query.position import matched_position
from emulators.mongodb.query.project import Projection, build_tree, check_mode, compile_project
from emulators.mongodb.values import MISSING, Document, is_number, truthy

Change = Callable[[Document, Document], Any]  # (the stored document, the projected one) → the field's new value


def compile_find_projection(spec: Any, query: Document, scope: Scope) -> Projection:
    """An empty projection keeps everything."""
    if not spec:
        return lambda document: document
    plain: Document = {}
    changes: list[tuple[str, Change]] = []
    sliced: list[str] = []
    positional: str | None = None
    for path, value in spec.items():
        operator = next(iter(value), "") if isinstance(value, dict) else ""
        if ".$." in path or path.startswith("$."):
            raise CommandError(31394, "As of 4.4, it's illegal to specify positional operator in the middle of a path.")
        if path.endswith(".$"):
            _check_positional(path, spec, positional)
            positional = path[:-2]
            plain[positional] = 1
            changes.append((positional, _positional(positional, query)))
        elif operator == "$elemMatch":
            _check_elem_match(path, value)
            changes.append((path, _elem_match(path, value["$elemMatch"], scope)))
        elif operator == "$slice" and _is_projection(value["$slice"]):
            sliced.append(path)
            changes.append((path, _slice(path, value["$slice"])))
        elif operator == "$meta":
            if len(value) != 1:
                raise CommandError(16410, f"an expression has exactly one operator: {list(value)}")
            changes.append((path, _meta(compile_expression(value, scope), scope)))
        else:
            plain[path] = value
    names = [path for path in spec if isinstance(spec[path], dict) and "$elemMatch" in spec[path]]
    project, including = _with_changes(plain, sliced, names, scope)
    last = set(names) if including else set()
    return (lambda document: _changed(document, project(document), changes, last)) if changes else project


def _check_positional(path: str, spec: Document, other: str | None) -> None:
    if other is not None:
        raise CommandError(31276, "Cannot specify more than one positional projection per query.")
    if any(isinstance(value, dict) and "$elemMatch" in value for value in spec.values()):
        raise CommandError(31255, "Cannot specify positional operator and $elemMatch.")
    if not isinstance(spec[path], bool) and not is_number(spec[path]):
        code = 31271 if isinstance(spec[path], dict) else 31308
        raise CommandError(code, f"positional projection cannot be used with an expression or non-boolean: {path}")


def _check_elem_match(path: str, value: Document) -> None:
    if len(value) != 1:
        raise CommandError(16410, f"an expression has exactly one operator: {list(value)}")
    if not isinstance(value["$elemMatch"], dict):
        raise CommandError(31274, f"elemMatch: Invalid argument, object required, but got {value['$elemMatch']!r}")
    field_names(path)


def _is_projection(operand: Any) -> bool:
    return is_number(operand) or (isinstance(operand, list) and bool(operand) and is_number(operand[0]))


def _with_changes(plain: Document, sliced: list[str], matched: list[str], scope: Scope) -> tuple[Projection, bool]:
    """The projection of the plain fields, and whether it includes.

    `$slice` keeps other fields and `$elemMatch` drops them, unless something else decides.
    """
    rest = {path: value for path, value in plain.items() if path != "_id"}
    including: bool | None = check_mode(build_tree(rest, scope), rest) if rest else None
    if including is None and matched:
        including = True
    if including is None:
        if not plain:
            return _whole, False
        # Of `_id` alone and slices, `_id: 0` excludes, and `_id: 1` includes nothing but what is sliced.
        including = truthy(plain["_id"])
    if not including:
        return compile_project(plain, scope), False
    # A sliced field below others is included as such: what stands beside it is not.
    return compile_project({**plain, **dict.fromkeys(sliced, 1), **dict.fromkeys(matched, 1)}, scope), True


def _whole(document: Document) -> Document:
    return document


def _changed(document: Document, projected: Document, changes: list[tuple[str, Change]], last: set[str]) -> Document:
    """The projected document with the changes made; fields in `last` come behind those that are merely included."""
    out = dict(projected)
    for path, change in changes:
        if "." in path:
            _change_nested(out, path, change(document, out))
            continue
        value = change(document, out)
        if value is MISSING or path in last:
            out.pop(path, None)
        if value is not MISSING:
            out[path] = value
    return out


def _change_nested(out: Document, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    node = out
    for part in parents:
        if not isinstance(node.get(part), dict):
            return
        node[part] = dict(node[part])
        node = node[part]
    if value is MISSING:
        node.pop(last, None)
    else:
        node[last] = value


def _lookup(document: Document, path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        if type(value) is list:
            raise not_supported(f"an array operator in a projection below another array ('{path}')")
        value = value.get(part, MISSING) if type(value) is dict else MISSING
    return value


def _elem_match(path: str, operand: Any, scope: Scope) -> Change:
    if "." in path:
        raise CommandError(31275, f"Cannot use $elemMatch projection on a nested field: '{path}'")
    test = compile_elem_match(operand, scope)

    def change(document: Document, _: Document) -> Any:
        value = document.get(path, MISSING)
        if type(value) is not list:
            return MISSING
        return next(([element] for element in value if test(element)), MISSING)

    return change


def _positional(path: str, query: Document) -> Change:
    def change(document: Document, _: Document) -> Any:
        value = _lookup(document, path)
        if type(value) is not list:
            return value
        place = matched_position(query, document, path)
        if place is None:
            raise CommandError(
                51246, "Executor error during find command :: positional operator '.$' couldn't find a match"
            )
        return [value[place]]

    return change


def _meta(expression: Expression, scope: Scope) -> Change:
    return lambda document, _: expression(document, scope.start(document))


def _slice(path: str, operand: Any) -> Change:
    numbers = [cut(item) for item in (operand if isinstance(operand, list) else [operand])]
    if isinstance(operand, list) and len(operand) == 1:
        raise CommandError(28667, "$slice takes a number, or an array of two")
    if None in numbers or len(numbers) > 2 or (len(numbers) == 2 and numbers[1] is not None and numbers[1] <= 0):
        raise CommandError(28724, "$slice takes a whole number, or [skip, limit] with a positive limit")
    whole = [number or 0 for number in numbers]

    def change(_: Document, projected: Document) -> Any:
        value = _lookup(projected, path)
        if type(value) is not list:
            return value
        if len(whole) == 1:
            return value[: whole[0]] if whole[0] >= 0 else value[whole[0] :]
        start = whole[0] if whole[0] >= 0 else max(len(value) + whole[0], 0)
        return value[start : start + whole[1]]

    return change
