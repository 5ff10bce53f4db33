"""Projections: `$project`, `$addFields`, `$unset`, and `find`'s own with `$slice`, `$elemMatch` and the positional `$`.

A projection either includes or excludes; `_id` alone may go against the rest. Paths reach into arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bson import Decimal128

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import Expression, Scope, Variables, compile_expression
from emulators.mongodb.query.paths import split
from emulators.mongodb.values import MISSING, Document, is_number, truthy

Projection = Callable[[Document], Document]
KEEP, DROP = True, False
Tree = dict[str, Any]  # name → KEEP, DROP, an Expression, or a Tree


def compile_project(spec: Any, scope: Scope) -> Projection:
    """`$project`; raises when it is empty, or includes and excludes at once."""
    if not isinstance(spec, dict) or not spec:
        raise CommandError(51272, "projection specification must have at least one field")
    tree = build_tree(spec, scope)
    including = check_mode(tree)
    if including:
        tree.setdefault("_id", KEEP)
        return lambda document: _include(document, tree, document, scope.start(document))
    return lambda document: _exclude(document, tree)


def compile_add_fields(spec: Any, scope: Scope) -> Projection:
    """`$addFields` and `$set`: every value is an expression, numbers and booleans included."""
    if not isinstance(spec, dict) or not spec:
        raise CommandError(40177, "$addFields specification stage must be an object with at least one field")
    tree = build_tree(spec, scope, computed_only=True)
    return lambda document: _add(document, tree, document, scope.start(document))


def compile_unset(spec: Any) -> Projection:
    names = spec if isinstance(spec, list) else [spec]
    if not names or not all(type(name) is str and name and not name.startswith("$") for name in names):
        raise CommandError(31002, "$unset specification must be a string or an array of field names")
    tree = build_tree(dict.fromkeys(names, 0), Scope())
    return lambda document: _exclude(document, tree)


def build_tree(spec: Document, scope: Scope, *, computed_only: bool = False) -> Tree:
    """The specification as a tree of path parts; 31249 when one path runs through another."""
    tree: Tree = {}
    for path, value in spec.items():
        if path.startswith("$"):
            raise CommandError(16410, f"FieldPath field names may not start with '$': {path}")
        *parents, last = split(path)
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise CommandError(31249, f"Path collision at {path} remaining portion {last}")
        leaf = _leaf(value, scope, computed_only)
        if last in node:
            raise CommandError(31250, f"Path collision at {path}")
        node[last] = leaf
    return tree


def _leaf(value: Any, scope: Scope, computed_only: bool) -> Any:
    if not computed_only and (isinstance(value, bool | Decimal128) or is_number(value)):
        return KEEP if truthy(value) else DROP
    if isinstance(value, dict) and not any(name.startswith("$") for name in value):
        if not value:
            if computed_only:
                return compile_expression(value, scope)
            raise CommandError(51270, "An empty sub-projection is not a valid value. Found empty object at path")
        return build_tree(value, scope, computed_only=computed_only)
    return compile_expression(value, scope)


def check_mode(tree: Tree) -> bool:
    """True when the tree includes, False when it excludes; a mix is refused (31253, 31254)."""
    kinds = {name: _kinds(node) for name, node in tree.items() if name != "_id" or isinstance(node, dict)}
    including = any("keep" in found for found in kinds.values())
    excluding = any("drop" in found for found in kinds.values())
    if including and excluding:
        name = next(name for name, found in kinds.items() if "drop" in found)
        raise CommandError(31254, f"Cannot do exclusion on field {name} in inclusion projection")
    if not kinds or not (including or excluding):
        return tree.get("_id") is not DROP
    if excluding and "_id" in tree and tree["_id"] is not DROP:
        raise CommandError(31253, "Cannot do inclusion on field _id in exclusion projection")
    return including


def _kinds(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set().union(*map(_kinds, node.values()))
    return {"drop"} if node is DROP else {"keep"}


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
