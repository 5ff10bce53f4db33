"""Projections: `$project`, `$addFields`, `$unset`, and `find`'s own with `$slice`, `$elemMatch` and the positional `$`.

A projection either includes or excludes; `_id` alone may go against the rest. Paths reach into arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bson import Decimal128

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import Expression, Scope, Variables, compile_expression
from emulators.mongodb.query.paths import field_names
from emulators.mongodb.values import MISSING, Document, is_number, truthy, type_name

Projection = Callable[[Document], Document]
KEEP, DROP = True, False
Tree = dict[str, Any]  # name → KEEP, DROP, an Expression, or a Tree


def compile_project(spec: Any, scope: Scope) -> Projection:
    """`$project`; raises when it is empty, or includes and excludes at once."""
    if not isinstance(spec, dict):
        raise CommandError(15969, "$project specification must be an object")
    if not spec:
        raise CommandError(51272, "projection specification must have at least one field")
    tree = build_tree(spec, scope)
    including = check_mode(tree, spec)
    if including:
        tree.setdefault("_id", KEEP)
        return lambda document: _include(document, tree, document, scope.start(document))
    return lambda document: _exclude(document, tree)


def compile_add_fields(spec: Any, scope: Scope, name: str = "$addFields") -> Projection:
    """`$addFields` and `$set`: every value is an expression, numbers and booleans included."""
    if not isinstance(spec, dict):
        raise CommandError(40272, f"{name} specification stage must be an object, got {type_name(spec)}")
    tree = build_tree(spec, scope, computed_only=True, collision=40176)
    return lambda document: _add(document, tree, document, scope.start(document))


def compile_unset(spec: Any) -> Projection:
    if not isinstance(spec, str | list):
        raise CommandError(31002, "$unset specification must be a string or an array")
    names = spec if isinstance(spec, list) else [spec]
    if not names:
        raise CommandError(31119, "$unset specification must be a string or an array with at least one field")
    if not all(type(name) is str for name in names):
        raise CommandError(31120, "$unset specification must be a string or an array containing only string values")
    tree: Tree = {}
    for path in names:
        if "\0" in path:
            raise CommandError(9527900, f"a field's name may not contain a null byte: {path!r}")
        _plant(tree, path, field_names(path), DROP)
    return lambda document: _exclude(document, tree)


def build_tree(spec: Document, scope: Scope, *, computed_only: bool = False, collision: int | None = None) -> Tree:
    """The specification as a tree of path parts; 31249 or 31250 (or `collision`) when one path runs through another."""
    tree: Tree = {}
    for path, value in spec.items():
        _plant(tree, path, field_names(path), _leaf(value, scope, computed_only, collision), collision)
    return tree


def _plant(tree: Tree, path: str, parts: tuple[str, ...], leaf: Any, collision: int | None = None) -> None:
    node = tree
    for part in parts[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise CommandError(collision or 31249, f"Path collision at {path} remaining portion {parts[-1]}")
    last = parts[-1]
    if last in node:
        raise CommandError(collision or 31250, f"Path collision at {path}")
    node[last] = leaf


def _leaf(value: Any, scope: Scope, computed_only: bool, collision: int | None = None) -> Any:
    if not computed_only and (isinstance(value, bool | Decimal128) or is_number(value)):
        return KEEP if truthy(value) else DROP
    if isinstance(value, dict) and not any(name.startswith("$") for name in value):
        if not value:
            if computed_only:
                return compile_expression(value, scope)
            raise CommandError(51270, "An empty sub-projection is not a valid value. Found empty object at path")
        if any("." in name for name in value) and computed_only:
            raise CommandError(40183, "field names in a sub-object may not contain '.'")
        return build_tree(value, scope, computed_only=computed_only, collision=collision)
    if isinstance(value, dict) and len(value) > 1:
        raise CommandError(40181 if computed_only else 16410, f"an expression has exactly one operator: {list(value)}")
    return compile_expression(value, scope)


def check_mode(tree: Tree, spec: Document | None = None) -> bool:
    """True when the tree includes, False when it excludes; a mix is refused under the code of what does not fit.

    The first field that says so decides; `_id` alone says nothing unless it is all there is.
    """
    mode: bool | None = None
    for path, node in _leaves(tree, ""):
        if path == "_id" and not callable(node):
            continue
        if node is DROP:
            if mode is True:
                raise CommandError(31254, f"Cannot do exclusion on field {path} in inclusion projection")
            mode = False
        elif node is KEEP:
            if mode is False:
                raise CommandError(31253, f"Cannot do inclusion on field {path} in exclusion projection")
            mode = True
        else:
            if mode is False:
                code = 31252 if _is_operator(spec or {}, path) else 31310
                raise CommandError(code, f"Cannot use an expression on field {path} in exclusion projection")
            mode = True
    if mode is None:
        return tree.get("_id") is not DROP
    return mode


def _is_operator(spec: Document, path: str) -> bool:
    """Whether an object with an operator stands at the path of a specification, dotted or nested."""
    for name, value in spec.items():
        if name == path:
            return isinstance(value, dict)
        if path.startswith(f"{name}.") and isinstance(value, dict):
            return _is_operator(value, path[len(name) + 1 :])
    return False


def _leaves(tree: Tree, above: str) -> Iterator[tuple[str, Any]]:
    for name, node in tree.items():
        if isinstance(node, dict):
            yield from _leaves(node, f"{above}{name}.")
        else:
            yield f"{above}{name}", node


def _include(value: Document, tree: Tree, root: Document, variables: Variables) -> Document:
    out: Document = {}
    for name, item in value.items():
        node = tree.get(name, DROP)
        if node is KEEP:
            out[name] = item
        elif isinstance(node, dict):
            found = _include_below(item, node, root, variables)
            if found is not MISSING:
                out[name] = found
    for name, node in tree.items():
        if callable(node):
            _put(out, name, node(root, variables))
        elif isinstance(node, dict) and name not in value and _computes(node):
            _put(out, name, _include({}, node, root, variables))
    return out


def _include_below(item: Any, tree: Tree, root: Document, variables: Variables) -> Any:
    if type(item) is dict:
        return _include(item, tree, root, variables)
    if type(item) is list:
        kept = (_include_below(element, tree, root, variables) for element in item)
        return [element for element in kept if element is not MISSING]
    return _include({}, tree, root, variables) if _computes(tree) else MISSING


def _computes(tree: Tree) -> bool:
    return any(callable(node) or (isinstance(node, dict) and _computes(node)) for node in tree.values())


def _put(out: Document, name: str, value: Any) -> None:
    out.pop(name, None)
    if value is not MISSING:
        out[name] = value


def _exclude(value: Document, tree: Tree) -> Document:
    out: Document = {}
    for name, item in value.items():
        node = tree.get(name, KEEP)
        if isinstance(node, dict):
            out[name] = _exclude_below(item, node)
        elif node is not DROP:
            out[name] = item
    return out


def _exclude_below(item: Any, tree: Tree) -> Any:
    if type(item) is dict:
        return _exclude(item, tree)
    return [_exclude_below(element, tree) for element in item] if type(item) is list else item


def _add(value: Document, tree: Tree, root: Document, variables: Variables) -> Document:
    out = dict(value)
    for name, node in tree.items():
        found = _add_below(value.get(name), node, root, variables) if isinstance(node, dict) else node(root, variables)
        if found is MISSING:
            out.pop(name, None)
        else:
            out[name] = found
    return out


def _add_below(item: Any, tree: Tree, root: Document, variables: Variables) -> Any:
    if type(item) is list:
        return [_add_below(element, tree, root, variables) for element in item]
    return _add(item if type(item) is dict else {}, tree, root, variables)


def constant(expression: Expression) -> Any:
    """The value of an expression that refers to nothing."""
    return expression({}, {})
