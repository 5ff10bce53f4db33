"""The compiled policies of one operation, and their execution."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from emulators.apim.csharp.clr import ClrError, EvaluationLimit
from emulators.apim.failures import Answer, Failure, UpstreamError, last_error
from emulators.apim.messages import Body, Context, ManyValues, Response, Run

if TYPE_CHECKING:
    from emulators.apim.policies.cors import Cors

SECTIONS = ("inbound", "backend", "outbound", "on-error")
GENERIC_MESSAGE = "Internal server error"


@dataclass(frozen=True, slots=True)
class Step:
    """One policy statement, with the place that context.LastError reports."""

    run: Run
    source: str
    scope: str
    section: str
    path: str
    policy_id: str | None = None


@dataclass(frozen=True)
class Pipeline:
    """`reads_response_body`: some outbound or on-error policy needs the whole body, so it cannot stream."""

    inbound: Sequence[Step] = ()
    backend: Sequence[Step] = ()
    outbound: Sequence[Step] = ()
    on_error: Sequence[Step] = ()
    reads_response_body: bool = False
    cors: Sequence[Cors] = field(default=())

    def section(self, name: str) -> Sequence[Step]:
        steps: Sequence[Step] = getattr(self, name.replace("-", "_"))
        return steps


def run_steps(steps: Sequence[Step], context: Context) -> Awaitable[None] | None:
    """Runs them in order; what is returned must be awaited. None: nothing had to wait, and all of them have run.

    What goes wrong leaves as a Failure that names the innermost step.
    """
    remaining = iter(steps)
    for step in remaining:
        try:
            waiting = step.run(context)
        except Failure as failure:
            raise _named(failure, step) from failure.__cause__
        except (ClrError, EvaluationLimit) as error:
            raise _evaluation_failure(step, error) from error
        if waiting is not None:
            return _go_on(step, waiting, remaining, context)
    return None


async def _go_on(step: Step, waiting: Awaitable[None], remaining: Iterator[Step], context: Context) -> None:
    """From the first step that waits to the end."""
    try:
        await waiting
        for step in remaining:
            found = step.run(context)
            if found is not None:
                await found
    except Failure as failure:
        raise _named(failure, step) from failure.__cause__
    except (ClrError, EvaluationLimit) as error:
        raise _evaluation_failure(step, error) from error


def _named(failure: Failure, step: Step) -> Failure:
    if failure.step is None:
        failure.step = step
    return failure


def _evaluation_failure(step: Step, error: ClrError | EvaluationLimit) -> Failure:
    failure = Failure(500, "ExpressionValueEvaluationFailure", f"Expression evaluation failed. {error}")
    failure.step = step
    return failure


async def execute(pipeline: Pipeline, context: Context) -> Response:
    """The response for the caller; policies' errors become responses here."""
    try:
        waiting = run_steps(pipeline.inbound, context)
        if waiting is not None:
            await waiting
        waiting = run_steps(pipeline.backend, context)
        if waiting is not None:
            await waiting
        if pipeline.reads_response_body:
            await _read_whole(context.response)
        waiting = run_steps(pipeline.outbound, context)
        if waiting is not None:
            await waiting
        return context.response
    except Answer as answer:
        if answer.response is not context.response:
            context.response.discard()
        return answer.response
    except Failure as failure:
        return await fail(pipeline, context, failure)


async def _read_whole(response: Response) -> None:
    try:
        await response.materialise()
    except UpstreamError as error:
        raise Failure(500, error.reason, str(error), source="transfer-response") from error


async def fail(pipeline: Pipeline, context: Context, failure: Failure) -> Response:
    """The on-error section, then the default error body where no policy set another."""
    context.response.discard()
    context.last_error = last_error(failure)
    context.response = Response(failure.status, _phrase(failure.status), ManyValues(failure.headers))
    try:
        waiting = run_steps(pipeline.on_error, context)
        if waiting is not None:
            await waiting
    except Answer as answer:
        return answer.response
    except Failure:
        return error_response(500, GENERIC_MESSAGE)
    if context.response.body is None:
        default = error_response(context.response.status, failure.body or _public_message(failure))
        context.response.body = default.body
        if "Content-Type" not in context.response.headers:
            context.response.headers.set("Content-Type", ["application/json"])
    return context.response


def _public_message(failure: Failure) -> str:
    """Callers are not told why the gateway itself failed."""
    return GENERIC_MESSAGE if failure.status >= 500 else failure.message


def error_response(status: int, message: str) -> Response:
    """The body API Management gives errors of its own."""
    body = json.dumps({"statusCode": status, "message": message}).encode()
    return Response(status, _phrase(status), ManyValues([("Content-Type", "application/json")]), Body(body))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
