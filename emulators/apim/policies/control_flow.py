"""Control flow, and answers that end it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from emulators.apim.csharp.clr import ClrError, JToken
from emulators.apim.csharp.clr_types import BOOL, BYTE, OBJECT, STRING, T, array
from emulators.apim.csharp.conversions import clr_name
from emulators.apim.elements import Element, element
from emulators.apim.errors import MalformedPolicy, MissingReference, missing
from emulators.apim.failures import Answer, Failure, last_error
from emulators.apim.messages import Context, ManyValues, Response, Run
from emulators.apim.policies.transformation import nested_edits


@element("choose")
def choose(element: Element) -> Run:
    """The first `when` whose condition is true, else `otherwise`."""
    branches: list[tuple[Callable[[Context], Any], Callable[[Context], Any]]] = []
    otherwise: Callable[[Context], Any] | None = None
    for position, child in enumerate(element.children(), start=1):
        with element.builder.at(path=f"{element.builder.place.path}/{child.tag}[{position}]"):
            block = element.builder.block(child.node.children)
            if child.tag == "when":
                branches.append((condition_of(child), block))
            else:
                otherwise = block

    def run(context: Context) -> Any:
        for condition, block in branches:
            if condition(context):
                return block(context)
        return otherwise(context) if otherwise is not None else None

    return run


def condition_of(element: Element) -> Callable[[Context], Any]:
    """A Boolean expression or literal; one that is not Boolean is refused at load where its type is known."""
    value, tracer = element.value("condition"), element.builder.references.tracer
    found: Callable[[Context], Any] = value.run if value.expression is not None else element.flag("condition")
    if value.expression is not None and value.expression.type not in (BOOL, OBJECT):
        element.invalid(f"the condition of <{element.tag}> is {value.expression.type}, not bool", "condition")
    return tracer.condition(element, found) if tracer is not None else found


@element("include-fragment")
def include_fragment(element: Element) -> Run:
    """The fragment's statements stand where it is included, with the section's rules.

    A fragment includes none ("Reuse policy configurations", 2026-02-10: a fragment cannot nest another one).
    """
    name = element.literal("fragment-id")
    builder = element.builder
    if builder.place.fragments:
        message = f"a fragment cannot include another one ({name!r}): write its elements where they are wanted"
        element.report(MalformedPolicy(message, where=element.where, name=name))
        return _nothing
    root = builder.references.fragments.get(name)
    if root is None:
        message = missing("fragment", repr(name), builder.references.given_by)
        element.report(MissingReference(message, where=element.where, name=name))
        return _nothing
    with builder.at(label=f"fragment {name!r}", fragments=(*builder.place.fragments, name)):
        return builder.block(root.children)


def _nothing(context: Context) -> None:
    return None


@element("retry")
def retry(element: Element) -> Run:
    """Runs the children, then again while the condition holds, `count` times at most.

    A failed connection counts as a response with the status the caller would get, so that a condition can see it; what
    went wrong is in context.LastError, which a later success clears.
    """
    condition, count = condition_of(element), element.number("count")
    interval, fast = element.number("interval"), element.flag("first-fast-retry")
    delta, most = element.number("delta"), element.number("max-interval")
    block = element.builder.block(element.node.children)

    def pause(context: Context, attempt: int) -> float:
        """Linear with `delta`, exponential with `max-interval` too."""
        if attempt == 1 and fast(context):
            return 0.0
        start, step, limit = interval(context), delta(context), most(context)
        if step and limit:
            return float(min(start + (2 ** (attempt - 1) - 1) * step, limit))
        return start + (attempt - 1) * step

    async def run(context: Context) -> None:
        for attempt in range(1, int(count(context)) + 2):
            failure = await _attempt(context)
            if attempt > int(count(context)) or not _again(context, failure):
                break
            context.response.discard()
            await context.services.sleep(pause(context, attempt))
        if failure is not None:
            raise failure

    async def _attempt(context: Context) -> Failure | None:
        context.last_error = None
        try:
            waiting = block(context)
            if waiting is not None:
                await waiting
        except Failure as failure:
            context.response = Response(failure.status)
            context.last_error = last_error(failure)
            return failure
        return None

    def _again(context: Context, failure: Failure | None) -> bool:
        try:
            return bool(condition(context))
        except ClrError:
            if failure is not None:
                return False
            raise

    return run


@element("set-variable")
def set_variable(element: Element) -> Run:
    """An expression's value keeps its type; text is a string."""
    name, value = element.literal("name"), element.value("value")
    type_ = value.expression.type if value.expression is not None else STRING
    if not _storable(type_):
        element.invalid(f"the value of <set-variable> is {type_}, which a variable cannot hold: {_REMEDY}", "value")
    checked = type_ == OBJECT

    def run(context: Context) -> None:
        found = value.run(context)
        if checked and found is not None and not isinstance(found, _STORABLE):
            raise ClrError("InvalidOperationException", f"A variable cannot hold {clr_name(found)}.")
        context.variables[name] = found

    return run


#: What a variable may hold ("Set variable", allowed types, 2024-07-23); JSON types were tried on Azure by others
#: (MicrosoftDocs/azure-docs, pull request 128688).
_SCALARS = frozenset(
    ["bool", "byte", "int", "long", "decimal", "double", "Guid", "string", "char", "DateTime", "TimeSpan"]
)
_JSON = frozenset(["JToken", "JObject", "JArray", "JValue", "JProperty", "JContainer"])
_STORABLE = (str, bool, int, float, Decimal, UUID, datetime, timedelta, bytes, JToken)
_REMEDY = "store a text, a number, a time, bytes or JSON (JArray.FromObject, string.Join)"


def _storable(type_: T) -> bool:
    bare = type_.args[0] if type_.name == "Nullable" else type_
    return bare.name in _SCALARS | _JSON | {"object", "null"} or type_ == array(BYTE)


@element("return-response")
def return_response(element: Element) -> Run:
    """Without children an empty 200; `response-variable-name` names a response that `send-request` stored."""
    variable = element.literal("response-variable-name")
    edits = nested_edits(element)

    def run(context: Context) -> None:
        response = _stored(context, variable) if variable else Response(200, "OK")
        for edit in edits:
            edit(context, response)
        raise Answer(response)

    return run


def _stored(context: Context, variable: str) -> Response:
    found = context.variables.get(variable)
    if not isinstance(found, Response):
        return Response(200, "OK")
    return Response(found.status, found.reason, found.headers.copy(), found.body)


@element("mock-response", partial="an empty body: examples of the operation are not read")
def mock_response(element: Element) -> Run:
    status, content_type = element.number("status-code"), element.literal("content-type")

    def run(context: Context) -> None:
        headers = ManyValues([("Content-Type", content_type)] if content_type else [])
        raise Answer(Response(int(status(context)), "", headers))

    return run
