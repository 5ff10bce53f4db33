"""The compiled policies of one operation, and their execution."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from uuid import uuid4

from emulators.apim.csharp.clr import ClrError, EvaluationLimit
from emulators.apim.failures import Answer, Failure, UpstreamError, last_error, log_bug
from emulators.apim.messages import Body, Context, ManyValues, Response, Step

GENERIC_MESSAGE = "Internal server error"


class PreflightPolicy(Protocol):
    """A `cors` policy, which answers preflights before any other policy runs."""

    def preflight(self, context: Context) -> Response | None: ...


@dataclass(frozen=True)
class Pipeline:
    """`reads_response_body`: some outbound or on-error policy needs the whole body, so it cannot stream."""

    inbound: Sequence[Step] = ()
    backend: Sequence[Step] = ()
    outbound: Sequence[Step] = ()
    on_error: Sequence[Step] = ()
    reads_response_body: bool = False
    cors: Sequence[PreflightPolicy] = field(default=())

    def section(self, name: str) -> Sequence[Step]:
        steps: Sequence[Step] = getattr(self, name.replace("-", "_"))
        return steps


async def run_steps(steps: Sequence[Step], context: Context) -> None:
    """Run statements in order. Raises Answer where one answers, and Failure, with the innermost step, for all else."""
    for step in steps:
        try:
            waiting = step.run(context)
            if waiting is not None:
                await waiting
        except Answer:
            raise
        except Exception as error:
            raise failure_of(error, step) from error


def failure_of(error: Exception, step: Step | None = None) -> Failure:
    """What an exception of a statement means for the request; one that nobody foresaw is logged, and is a plain 500."""
    if isinstance(error, Failure):
        failure = error
    elif isinstance(error, ClrError | EvaluationLimit):
        failure = Failure(500, "ExpressionValueEvaluationFailure", f"Expression evaluation failed. {error}")
    else:
        log_bug(f"the policy <{step.source}>" if step is not None else "the gateway", error)
        failure = Failure(500, None, GENERIC_MESSAGE)
    if failure.step is None:
        failure.step = step
    return failure


async def execute(pipeline: Pipeline, context: Context) -> Response:
    """The response for the caller; policies' errors become responses here."""
    try:
        await run_steps(pipeline.inbound, context)
        await run_steps(pipeline.backend, context)
        for received in context.received:
            await received()
        if pipeline.reads_response_body:
            await _read_whole(context.response)
        await run_steps(pipeline.outbound, context)
    except Answer as answer:
        if answer.response is not context.response:
            context.response.discard()
        return answer.response
    except Failure as failure:
        return await fail(pipeline, context, failure)
    return context.response


async def _read_whole(response: Response) -> None:
    try:
        await response.materialise()
    except UpstreamError as error:
        raise Failure(500, error.reason, str(error), source="transfer-response") from error


async def fail(pipeline: Pipeline, context: Context, failure: Failure) -> Response:
    """Run the on-error section; the default error body stands where no policy set another.

    An error in on-error itself leaves nothing but the 500 ("Error handling in API Management policies").
    """
    context.response.discard()
    context.last_error = last_error(failure)
    context.response = Response(failure.status, _phrase(failure.status), ManyValues(failure.headers))
    try:
        await run_steps(pipeline.on_error, context)
    except Answer as answer:
        return answer.response
    except Failure:
        return internal_error(context)
    if context.response.body is None:
        status = context.response.status
        default = (
            error_response(status, failure.body or failure.message)
            if failure.body or failure.status < 500
            else internal_error(context, status)
        )
        context.response.body = default.body
        if "Content-Type" not in context.response.headers:
            context.response.headers.set("Content-Type", ["application/json"])
    return context.response


def internal_error(context: Context | None, status: int = 500) -> Response:
    """What callers get where the gateway itself failed: not why, but the id that finds the request in trace and log.

    The body is API Management's own: `{"statusCode": 500, "message": "Internal server error", "activityId": "…"}`, as
    shown in Azure-Samples/app-templates-microservices-integration, issue 10 (2022-09-27).
    """
    activity = context.request_id if context is not None else uuid4()
    return error_response(status, GENERIC_MESSAGE, activityId=str(activity))


def error_response(status: int, message: str, **more: str) -> Response:
    """The body API Management gives errors of its own."""
    body = json.dumps({"statusCode": status, "message": message, **more}).encode()
    return Response(status, _phrase(status), ManyValues([("Content-Type", "application/json")]), Body(body))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
