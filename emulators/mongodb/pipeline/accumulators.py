"""Accumulators of `$group`, `$bucket` and `$setWindowFields`: what is collected of each document, and how it ends."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bson import Code, MaxKey, MinKey

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr import percentiles
from emulators.mongodb.expr.accumulate import FOLDS
from emulators.mongodb.expr.core import (
    REFUSED,
    Expression,
    Scope,
    compile_expression,
    is_literal,
    nothing,
    refers_to_document,
)
from emulators.mongodb.expr.objects import merge_objects
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.sort import compare_documents, parse_sort
from emulators.mongodb.values import INT64_MAX, MISSING, Document, key, type_name

Fold = Callable[[list[Any]], Any]


@dataclass(frozen=True)
class Accumulator:
    """`collect` is evaluated for each document of the group, `fold` turns what was collected into the result."""

    collect: Expression
    fold: Fold
    keeps: bool = False  # whether each value stays until the end, in the server too


def compile_accumulator(field: str, spec: Any, scope: Scope, *, grouping: bool = True) -> Accumulator:
    """`{$sum: …}` and the like; 40234 when it is not an object with one operator. `grouping`: see `carried_over`."""
    if not isinstance(spec, dict) or not spec or not next(iter(spec)).startswith("$"):
        raise CommandError(40234, f"The field '{field}' must be an accumulator object")
    if len(spec) != 1:
        raise CommandError(40238, f"The field '{field}' must specify one accumulator")
    name, argument = next(iter(spec.items()))
    if name in _SIMPLE:
        if isinstance(argument, list):
            raise CommandError(40237, f"The {name} accumulator is a unary operator")
        fold = _SIMPLE[name]
        literal = name in ("$first", "$min", "$max") and is_literal(argument)
        if grouping and (literal or name in ("$last", "$addToSet")):
            plain, fold = fold, lambda values: carried_over(plain(values))
        return Accumulator(compile_expression(argument, scope), fold, keeps=name in ("$push", "$addToSet"))
    if name == "$count":
        if argument != {}:
            raise CommandError(9, "$count takes no arguments, i.e. $count:{}")
        return Accumulator(lambda document, variables: 1, len)
    if name in ("$percentile", "$median"):
        return Accumulator(*percentiles.parse(name, argument, scope))
    if name in ("$firstN", "$lastN", "$minN", "$maxN"):
        return _several(name, argument, scope)
    if name in ("$top", "$topN", "$bottom", "$bottomN"):
        return _ranked(name, argument, scope)
    if name in REFUSED:
        raise not_supported(f"the accumulator {name}")
    raise CommandError(15952, f"unknown group operator '{name}'")


def carried_over(value: Any) -> Any:
    """A value as the server's other engine hands it on from `$group`: MinKey and MaxKey in an object, code as text.

    Source: the expectations of documentdb/functional-tests (operator/accumulators, stages/group), checked on 8.2.
    """
    if type(value) is list:
        return [carried_over(item) for item in value]
    if isinstance(value, MinKey | MaxKey):
        return {"": value}
    return str(value) if type(value) is Code and value.scope is None else value


def _first(values: list[Any]) -> Any:
    return None if not values or values[0] is MISSING else values[0]


def _last(values: list[Any]) -> Any:
    return None if not values or values[-1] is MISSING else values[-1]


def _push(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not MISSING]


def _add_to_set(values: list[Any]) -> list[Any]:
    return list({key(value): value for value in reversed(values) if value is not MISSING}.values())[::-1]


def _merged(values: list[Any]) -> Document:
    for value in values:
        if not nothing(value) and type(value) is not dict:
            raise CommandError(
                5911200, f"$mergeObjects requires object inputs, but input is of type {type_name(value)}"
            )
    return merge_objects(*values) if values else {}


_SIMPLE: dict[str, Fold] = {
    **FOLDS,
    "$first": _first,
    "$last": _last,
    "$push": _push,
    "$addToSet": _add_to_set,
    "$mergeObjects": _merged,
}


def number_of(name: str, value: Any, code: int = 7548606) -> int:
    """The `n` of an accumulator of several: a whole number above 0 that 64 bits hold."""
    count = as_integer(value)
    if count is None or not 1 <= count <= INT64_MAX:
        raise CommandError(code, f"'n' must be a positive integer for {name}, found {value!r}")
    return count


def _number(name: str, spec: Any, scope: Scope) -> int:
    if refers_to_document(spec):
        raise CommandError(17276, f"'n' of {name} may not refer to the documents")
    return number_of(name, compile_expression(spec, scope)({}, scope.start({})))


def _fields(name: str, argument: Any, names: list[str], first: int) -> Document:
    """The argument of an accumulator of several; the server's numbers follow each other from `first` on."""
    if not isinstance(argument, dict):
        raise CommandError(first, f"specification must be an object; found {name}: {argument!r}")
    for field in argument:
        if field not in names:
            raise CommandError(first + 1, f"Unknown argument to {name} '{field}'")
    codes = {"n": 5787906 if first == 5787900 else 5788003, "input": 5787907, "output": 5788004, "sortBy": 5788005}
    for field in names:
        if field not in argument:
            raise CommandError(codes[field], f"Missing value for '{field}' in {name}")
    return argument


def _several(name: str, argument: Any, scope: Scope) -> Accumulator:
    fields = _fields(name, argument, ["n", "input"], 5787900)
    count = _number(name, fields["n"], scope)

    def fold(values: list[Any]) -> list[Any]:
        if name in ("$firstN", "$lastN"):
            filled = [None if value is MISSING else value for value in values]
            return filled[:count] if name == "$firstN" else filled[-count:]
        found = [value for value in values if not nothing(value)]
        return sorted(found, key=key, reverse=name == "$maxN")[:count]

    return Accumulator(compile_expression(fields["input"], scope), fold)


def _ranked(name: str, argument: Any, scope: Scope) -> Accumulator:
    names = ["output", "sortBy"] + (["n"] if name.endswith("N") else [])
    fields = _fields(name, argument, names, 5788001)
    if not isinstance(fields["sortBy"], dict):
        raise CommandError(10065, "invalid parameter: expected an object (sortBy)")
    count = _number(name, fields["n"], scope) if "n" in fields else 1
    output = compile_expression(fields["output"], scope)
    order = functools.cmp_to_key(compare_documents(parse_sort(fields["sortBy"])))

    def collect(document: Document, variables: Document) -> Any:
        value = output(document, variables)
        return (document, None if value is MISSING else value)

    def fold(values: list[Any]) -> Any:
        ranked = [value for _, value in sorted(values, key=lambda pair: order(pair[0]))]
        chosen = ranked[:count] if name.startswith("$top") else ranked[-count:]
        return chosen if "n" in fields else (chosen[0] if chosen else None)

    return Accumulator(collect, fold)
