"""Compiles an aggregation expression once into a function of the document and the variables.

Operators register themselves here by name (see the sibling modules). One that is not registered is refused: by name
(238) when MongoDB has it, as unrecognized (168) when it does not.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr.codes import ARGUMENT, ARITY, WRONG_ARITY, Codes
from emulators.mongodb.query.meta import Meta
from emulators.mongodb.query.paths import field_names, get
from emulators.mongodb.values import MISSING, Document, Key

if TYPE_CHECKING:
    from emulators.mongodb.query.text import Postings

Variables = dict[str, Any]


def refers_to_document(spec: Any) -> bool:
    """Whether an expression has a path, or a variable that stands for the document."""
    if isinstance(spec, str):
        return spec.startswith("$") and (not spec.startswith("$$") or spec[2:].partition(".")[0] in ("ROOT", "CURRENT"))
    if isinstance(spec, dict):
        return not set(spec) & {"$literal", "$const"} and any(map(refers_to_document, spec.values()))
    return isinstance(spec, list) and any(map(refers_to_document, spec))


class LeftOut(enum.Enum):
    """An optional argument that was not given; one that was given and evaluates to nothing is MISSING, or null."""

    LEFT_OUT = "left out"


LEFT_OUT: Final = LeftOut.LEFT_OUT
Expression = Callable[[Document, Variables], Any]

# Operators of MongoDB 7 that are not implemented; refused by name.
REFUSED = frozenset(
    {"$function", "$accumulator", "$toHashedIndexKey"}
    | {"$covariancePop", "$covarianceSamp", "$denseRank", "$derivative", "$documentNumber", "$expMovingAvg"}
    | {"$integral", "$linearFill", "$locf", "$rank", "$shift"}
    | {"$top", "$topN", "$bottom", "$bottomN", "$count", "$push", "$addToSet"}
)


class Searched(Protocol):
    """What a filter may ask of its collection."""

    def identity(self, value: Any) -> Key:
        """The key of an `_id`."""

    def postings(self) -> Postings:
        """The words of its text index; IndexNotFound (27) without one."""

    def need_geo(self, path: str, kinds: tuple[str, ...]) -> None:
        """NoQueryExecutionPlans (291) without an index of one of the kinds on the path."""


@dataclass(frozen=True)
class Scope:
    """What an expression may refer to: `values` known from the start (`let`, NOW), and `names` bound while it runs."""

    values: Mapping[str, Any] = field(default_factory=dict)
    names: frozenset[str] = field(default_factory=frozenset)
    meta: Meta = field(default_factory=Meta)
    # The collection that a filter is about, for what only its indexes can answer; None where there is none.
    searched: Searched | None = None

    def start(self, document: Document) -> Variables:
        return {**self.values, "ROOT": document}

    def with_names(self, *names: str) -> Scope:
        return replace(self, names=self.names | set(names))

    def with_values(self, values: Mapping[str, Any]) -> Scope:
        return replace(self, values={**self.values, **values})

    def knows(self, name: str) -> bool:
        return name in self.values or name in self.names


Compiler = Callable[[Any, Scope], Expression]
OPERATORS: dict[str, Compiler] = {}


def compile_expression(spec: Any, scope: Scope) -> Expression:
    """Raises CommandError for what MongoDB would refuse, or this server does not know."""
    if isinstance(spec, str):
        return _compile_text(spec, scope)
    if isinstance(spec, dict):
        return _compile_object(spec, scope)
    if isinstance(spec, list):
        items = [compile_expression(item, scope) for item in spec]
        return lambda document, variables: [_or_null(item(document, variables)) for item in items]
    return lambda document, variables: spec


def _or_null(value: Any) -> Any:
    return None if value is MISSING else value


def _compile_text(spec: str, scope: Scope) -> Expression:
    if spec.startswith("$$"):
        return _compile_variable(spec[2:], scope)
    if not spec.startswith("$"):
        checked_text(spec)
        return lambda document, variables: spec
    parts = field_path(spec)
    if scope.knows("CURRENT"):
        return lambda document, variables: get(variables["CURRENT"], parts)
    if len(parts) == 1:
        part = parts[0]
        return lambda document, variables: document.get(part, MISSING)
    return lambda document, variables: get(document, parts)


def field_path(spec: Any) -> tuple[str, ...]:
    """`$a.b` as its parts; a bare `$`, and anything that is not a field path, is refused (16872, 16873)."""
    if not isinstance(spec, str) or not spec.startswith("$") or spec.startswith("$$"):
        raise CommandError(16873, f"FieldPath {spec!r} doesn't start with $")
    if spec == "$":
        raise CommandError(16872, "'$' by itself is not a valid FieldPath")
    return field_names(spec[1:])


def _compile_variable(path: str, scope: Scope) -> Expression:
    name, dot, rest = path.partition(".")
    check_name(name, system=True)
    if dot and not rest:
        raise CommandError(40353, f"FieldPath must not end with a '.': '{path}'")
    parts = field_names(rest) if dot else ()
    if name == "CURRENT" and not scope.knows("CURRENT"):
        return lambda document, variables: get(document, parts)
    if name == "REMOVE":
        return lambda document, variables: MISSING
    if name in ("CLUSTER_TIME", "USER_ROLES", "SEARCH_META", "JS_SCOPE", "IS_MR") and not scope.knows(name):
        raise not_supported(f"the variable $${name}")
    if name != "ROOT" and not scope.knows(name):
        raise CommandError(17276, f"Use of undefined variable: {name}")
    return lambda document, variables: get(variables[name], parts)


def check_name(name: str, *, system: bool = False) -> None:
    """FailedToParse (9) for what cannot name a variable: a letter, then letters, digits and underscores.

    Those that users bind begin with a lower-case letter (the manual's "Variables in Aggregation Expressions").
    """
    if not name:
        raise CommandError(9, "empty variable names are not allowed")
    first = name[0]
    if not (("a" <= first <= "z") or ord(first) > 127 or (system and "A" <= first <= "Z")):
        raise CommandError(9, f"'{name}' starts with an invalid character for a user variable name")
    for letter in name[1:]:
        if not (letter.isascii() and (letter.isalnum() or letter == "_")) and ord(letter) <= 127:
            raise CommandError(9, f"'{name}' contains an invalid character for a variable name: '{letter}'")


MAX_TEXT = 16 * 1024 * 1024


def checked_text(text: str) -> str:
    """The text; 16493 where it is 16 MB or more as UTF-8, which no value of the server can be."""
    if len(text) * 4 >= MAX_TEXT and len(text.encode()) >= MAX_TEXT:
        raise CommandError(16493, f"Tried to create string longer than {MAX_TEXT // 2**20}MB")
    return text


def is_literal(spec: Any) -> bool:
    """Whether an operand is a plain value: no path, no variable, no operator, and no array of such."""
    if isinstance(spec, str):
        return not spec.startswith("$")
    return not isinstance(spec, dict | list)


def _compile_object(spec: Document, scope: Scope) -> Expression:
    operators = [name for name in spec if name.startswith("$")]
    if operators:
        if len(spec) != 1:
            raise CommandError(15983, f"an object representing an expression must have exactly one field: {list(spec)}")
        return _compile_operator(operators[0], spec[operators[0]], scope)
    for name in spec:
        if not name:
            raise CommandError(40352, "FieldPath cannot be constructed with empty string")
        if "." in name:
            raise CommandError(16412, f"FieldPath field names may not contain '.': '{name}'")
    fields = [(name, compile_expression(value, scope)) for name, value in spec.items()]

    def build(document: Document, variables: Variables) -> Document:
        found = ((name, expression(document, variables)) for name, expression in fields)
        return {name: value for name, value in found if value is not MISSING}

    return build


def _compile_operator(name: str, argument: Any, scope: Scope) -> Expression:
    compiler = OPERATORS.get(name)
    if compiler is not None:
        return compiler(argument, scope)
    if name in REFUSED:
        raise not_supported(f"the expression {name}")
    raise CommandError(168, f"Unrecognized expression '{name}'")


def special(name: str) -> Callable[[Compiler], Compiler]:
    """Registers an operator that compiles its own argument."""

    def register(compiler: Compiler) -> Compiler:
        OPERATORS[name] = compiler
        return compiler

    return register


def simple(
    name: str, least: int, most: int | None = None, *, nulls: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers an operator over its evaluated arguments; `nulls` makes any null or missing argument answer null.

    `most` is the largest number of arguments: `least` unless given, -1 for no limit.
    """
    limit = least if most is None else most

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        def compiler(argument: Any, scope: Scope) -> Expression:
            items = arguments(name, argument, scope, least, limit)
            return _null_first(function, items) if nulls else _plain(function, items)

        OPERATORS[name] = compiler
        return function

    return register


def arguments(name: str, argument: Any, scope: Scope, least: int, most: int) -> list[Expression]:
    """The operator's operands, compiled; a lone one needs no array. The operator's code for too few or many."""
    given = argument if isinstance(argument, list) else [argument]
    if len(given) < least or (most != -1 and len(given) > most):
        wanted = (
            f"exactly {least}"
            if least == most
            else f"at least {least}" + ("" if most == -1 else f" and at most {most}")
        )
        raise CommandError(
            ARITY.get(name, WRONG_ARITY), f"Expression {name} takes {wanted} arguments. {len(given)} were passed in."
        )
    return [compile_expression(item, scope) for item in given]


def _plain(function: Callable[..., Any], items: list[Expression]) -> Expression:
    if len(items) == 2:
        first, second = items
        return lambda document, variables: function(first(document, variables), second(document, variables))
    return lambda document, variables: function(*[item(document, variables) for item in items])


def _null_first(function: Callable[..., Any], items: list[Expression]) -> Expression:
    def run(document: Document, variables: Variables) -> Any:
        values = [item(document, variables) for item in items]
        return None if any(value is None or value is MISSING for value in values) else function(*values)

    return run


def named(name: str, required: str, optional: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers an operator whose argument is an object; the function gets its fields by keyword, or LEFT_OUT."""
    needed, allowed = required.split(), required.split() + optional.split()

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        def compiler(argument: Any, scope: Scope) -> Expression:
            fields = named_fields(name, argument, needed, allowed)
            compiled = [(item, compile_expression(value, scope)) for item, value in fields.items()]
            absent = {item: LEFT_OUT for item in allowed if item not in fields}
            return lambda document, variables: function(
                **{item: expression(document, variables) for item, expression in compiled}, **absent
            )

        OPERATORS[name] = compiler
        return function

    return register


def optional_field(fields: Document, name: str, scope: Scope) -> Expression:
    """One field of an operator's argument, compiled; an expression that yields LEFT_OUT where it is not given."""
    if name not in fields:
        return lambda document, variables: LEFT_OUT
    return compile_expression(fields[name], scope)


def named_fields(name: str, argument: Any, needed: list[str], allowed: list[str]) -> Document:
    """The argument of an operator that takes an object; what is wrong with it has the operator's own code."""
    codes = ARGUMENT.get(name, _COMMON)
    if not isinstance(argument, dict):
        raise CommandError(codes.shape, f"{name} only supports an object as its argument")
    for item in argument:
        if item not in allowed:
            raise CommandError(codes.unknown, f"Unrecognized argument to {name}: {item}")
    for item in needed:
        if item not in argument:
            raise CommandError(codes.of_missing(item), f"Missing '{item}' parameter to {name}")
    return argument


_COMMON = Codes()


def nothing(value: Any) -> bool:
    """Null or missing: what most operators answer null to."""
    return value is None or value is MISSING


@special("$meta")
def _meta(argument: Any, scope: Scope) -> Expression:
    name = scope.meta.check(argument)
    if name not in scope.meta.offered:
        raise not_supported(f"$meta: '{name}'")
    return lambda document, variables: scope.meta.get(variables["ROOT"], name)
