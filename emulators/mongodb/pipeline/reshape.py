"""`$replaceRoot`, `$replaceWith` and `$redact`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import Expression, Scope, compile_expression
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.values import MISSING, Document, type_name

_DECISIONS = ("DESCEND", "PRUNE", "KEEP")


def replace_root(name: str, argument: Any, scope: Scope) -> Callable[[Document], Document]:
    """The document that an expression makes of each document; 40228 when it makes something else."""
    if name == "$replaceRoot":
        if not isinstance(argument, dict):
            raise CommandError(40229, f"expected an object as specification for $replaceRoot stage, got {argument!r}")
        for field in argument:
            if field != "newRoot":
                raise CommandError(40415, f"BSON field '$replaceRoot.{field}' is an unknown field.")
        if "newRoot" not in argument:
            raise CommandError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field")
        argument = argument["newRoot"]
    expression = compile_expression(argument, scope)

    def replace(document: Document) -> Document:
        value = expression(document, scope.start(document))
        if type(value) is not dict:
            raise CommandError(
                40228,
                f"the expression of {name} must evaluate to an object, but its value was of type: {type_name(value)}",
            )
        return value

    return replace


def _register(name: str) -> None:
    @stage(name)
    def compiler(argument: Any, context: Context) -> Stage:
        replace = replace_root(name, argument, context.scope)
        follow = context.scope.meta.following(replace)
        return lambda stream: map(follow, stream)


_register("$replaceRoot")
_register("$replaceWith")


@stage("$redact")
def _redact(argument: Any, context: Context) -> Stage:
    scope = context.scope.with_values({name: name for name in _DECISIONS})
    expression = compile_expression(argument, scope)

    def run(stream: Stream) -> Iterator[Document]:
        for document in stream:
            kept = _redacted(document, document, expression, scope)
            if kept is not MISSING:
                yield kept

    return run


def _redacted(level: Document, root: Document, expression: Expression, scope: Scope) -> Any:
    decision = expression(level, scope.start(root))
    if decision == "KEEP":
        return level
    if decision == "PRUNE":
        return MISSING
    if decision != "DESCEND":
        raise CommandError(
            17053, "$redact's expression should not return anything aside from $$KEEP, $$DESCEND and $$PRUNE"
        )
    below = ((name, _descend(value, root, expression, scope)) for name, value in level.items())
    return {name: value for name, value in below if value is not MISSING}


def _descend(value: Any, root: Document, expression: Expression, scope: Scope) -> Any:
    if type(value) is dict:
        return _redacted(value, root, expression, scope)
    if type(value) is list:
        kept = (_descend(item, root, expression, scope) for item in value)
        return [item for item in kept if item is not MISSING]
    return value
