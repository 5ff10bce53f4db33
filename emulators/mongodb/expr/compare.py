"""Comparison, boolean and conditional expressions. Comparison uses the whole BSON order; missing is below null."""

from __future__ import annotations

from typing import Any

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import (
    Expression,
    Scope,
    Variables,
    arguments,
    check_name,
    compile_expression,
    named_fields,
    nothing,
    simple,
    special,
)
from emulators.mongodb.values import MISSING, Document, compare, key, truthy


@simple("$cmp", 2)
def _cmp(left: Any, right: Any) -> int:
    return compare(left, right)


@simple("$eq", 2)
def _eq(left: Any, right: Any) -> bool:
    return key(left) == key(right)


@simple("$ne", 2)
def _ne(left: Any, right: Any) -> bool:
    return key(left) != key(right)


@simple("$gt", 2)
def _gt(left: Any, right: Any) -> bool:
    return key(left) > key(right)


@simple("$gte", 2)
def _gte(left: Any, right: Any) -> bool:
    return key(left) >= key(right)


@simple("$lt", 2)
def _lt(left: Any, right: Any) -> bool:
    return key(left) < key(right)


@simple("$lte", 2)
def _lte(left: Any, right: Any) -> bool:
    return key(left) <= key(right)


@simple("$not", 1)
def _not(value: Any) -> bool:
    return not truthy(value)


@special("$and")
def _and(argument: Any, scope: Scope) -> Expression:
    items = arguments("$and", argument, scope, 0, -1)
    return lambda document, variables: all(truthy(item(document, variables)) for item in items)


@special("$or")
def _or(argument: Any, scope: Scope) -> Expression:
    items = arguments("$or", argument, scope, 0, -1)
    return lambda document, variables: any(truthy(item(document, variables)) for item in items)


@special("$cond")
def _cond(argument: Any, scope: Scope) -> Expression:
    if isinstance(argument, dict):
        fields = named_fields("$cond", argument, ["if", "then", "else"], ["if", "then", "else"])
        argument = [fields["if"], fields["then"], fields["else"]]
    test, yes, no = arguments("$cond", argument, scope, 3, 3)
    return lambda document, variables: (yes if truthy(test(document, variables)) else no)(document, variables)


@special("$ifNull")
def _if_null(argument: Any, scope: Scope) -> Expression:
    items = arguments("$ifNull", argument, scope, 2, -1)

    def run(document: Document, variables: Variables) -> Any:
        value: Any = MISSING
        for item in items:
            value = item(document, variables)
            if not nothing(value):
                return value
        return value

    return run


@special("$switch")
def _switch(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$switch", argument, [], ["branches", "default"])
    if not isinstance(fields.get("branches", []), list):
        raise CommandError(40061, "$switch expected an array for 'branches'")
    branches = []
    for branch in fields.get("branches", []):
        named_fields("$switch branch", branch, ["case", "then"], ["case", "then"])
        branches.append((compile_expression(branch["case"], scope), compile_expression(branch["then"], scope)))
    if not branches:
        raise CommandError(40068, "$switch requires at least one branch")
    default = compile_expression(fields["default"], scope) if "default" in fields else None

    def run(document: Document, variables: Variables) -> Any:
        for test, then in branches:
            if truthy(test(document, variables)):
                return then(document, variables)
        if default is None:
            raise CommandError(
                40069, "$switch could not find a matching branch for an input, and no default was specified"
            )
        return default(document, variables)

    return run


@special("$literal")
def _literal(argument: Any, _: Scope) -> Expression:
    return lambda document, variables: argument


@special("$const")
def _const(argument: Any, _: Scope) -> Expression:
    return lambda document, variables: argument


@special("$expr")
def _expr(argument: Any, scope: Scope) -> Expression:
    return compile_expression(argument, scope)


@special("$let")
def _let(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$let", argument, ["vars", "in"], ["vars", "in"])
    if not isinstance(fields["vars"], dict):
        code = 9 if isinstance(fields["vars"], list) else 10065
        raise CommandError(code, "invalid parameter: expected an object (vars)")
    for name in fields["vars"]:
        if name != "CURRENT":
            check_name(name)
    bound = [(name, compile_expression(value, scope)) for name, value in fields["vars"].items()]
    body = compile_expression(fields["in"], scope.with_names(*fields["vars"]))
    return lambda document, variables: body(
        document, {**variables, **{name: value(document, variables) for name, value in bound}}
    )
