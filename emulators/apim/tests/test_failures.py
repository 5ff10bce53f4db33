"""Whatever fails inside a policy is API Management's 500 with the request's id, after on-error ran: never a cut
connection, and no word about the inside ("Error handling in API Management policies")."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from emulators.apim import http_server
from emulators.apim.csharp.compile import Expression
from emulators.apim.elements import ELEMENTS, ElementSpec
from emulators.apim.failures import UpstreamError
from emulators.apim.messages import Context, Response, Run
from emulators.apim.schema import Policy
from emulators.apim.tests.harness import CutOff, FakeStream, Reply, make_gateway, streaming
from emulators.apim.tests.test_tracing import Traced

FAULTS = [
    RuntimeError,
    AssertionError,
    KeyError,
    NotImplementedError,
    RecursionError,
    OSError,
    StopAsyncIteration,
    TimeoutError,
]
ON_ERROR = (
    '<set-header name="X-Error"><value>'
    '@(context.LastError.Section + "|" + context.LastError.Source + "|" + context.LastError.Reason)'
    "</value></set-header>"
)


def at_once(error: Exception) -> Run:
    def run(context: Context) -> None:
        raise error

    return run


def after_a_wait(error: Exception) -> Run:
    async def run(context: Context) -> None:
        await context.services.sleep(0)
        raise error

    return run


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Gives the gateway an element `<broken/>`, which does what it is told."""

    def register(run: Run) -> None:
        spec = ElementSpec(Policy("broken"), lambda element: run)
        monkeypatch.setitem(ELEMENTS, "broken", spec)

    return register


def assert_internal_error(reply: Reply) -> None:
    said = dict(reply.json)
    UUID(said.pop("activityId"))
    assert (reply.status, said) == (500, {"statusCode": 500, "message": "Internal server error"})


@pytest.mark.parametrize("wait", [at_once, after_a_wait])
@pytest.mark.parametrize("error", FAULTS, ids=lambda error: error.__name__)
async def test_an_element_that_fails(
    broken: Callable[[Run], None],
    wait: Callable[[Exception], Run],
    error: type[Exception],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """on-error runs and knows where it was; the process's log has type and place, and no value."""
    broken(wait(error("s3cret")))
    gateway = make_gateway(inbound="<broken/>", on_error=ON_ERROR)
    with caplog.at_level(logging.ERROR):
        reply = await gateway.send()
    assert_internal_error(reply)
    assert reply.headers["x-error"] == ["inbound|broken|"]
    assert error.__name__ in caplog.text
    assert "s3cret" not in caplog.text + reply.text


@pytest.mark.parametrize("section", ["inbound", "backend", "outbound", "on_error"])
async def test_an_element_that_fails_in_any_section(broken: Callable[[Run], None], section: str) -> None:
    """Also in on-error itself, after which nothing of the policies is left."""
    broken(at_once(RuntimeError("s3cret")))
    failing = '<set-variable name="x" value="@(int.Parse(&quot;x&quot;))"/>'
    backend = "<base/>" if section != "backend" else "<broken/>"
    sections = {"inbound": failing if section == "on_error" else "", "backend": backend, section: "<broken/>"}
    assert_internal_error(await make_gateway(**sections).send())


@pytest.mark.parametrize(
    "around",
    [
        "<choose><when condition='true'>{}</when></choose>",
        "<choose><when condition='false'/><otherwise>{}</otherwise></choose>",
        "<retry condition='@(false)' count='1' interval='0'>{}</retry>",
        "<limit-concurrency key='k' max-count='1'>{}</limit-concurrency>",
    ],
    ids=["when", "otherwise", "retry", "limit-concurrency"],
)
async def test_an_element_that_fails_inside_another(broken: Callable[[Run], None], around: str) -> None:
    """on-error is told of the inner one; what the outer one holds is given back."""
    broken(at_once(RuntimeError("s3cret")))
    gateway = make_gateway(inbound=around.format("<broken/>"), on_error=ON_ERROR)
    for _ in range(2):
        reply = await gateway.send()
        assert_internal_error(reply)
        assert reply.headers["x-error"] == ["inbound|broken|"]


async def test_on_error_may_answer_for_a_failing_element(broken: Callable[[Run], None]) -> None:
    """Its answer is the caller's."""
    broken(at_once(RuntimeError("s3cret")))
    own = "<return-response><set-status code='418'/><set-body>own</set-body></return-response>"
    reply = await make_gateway(inbound="<broken/>", on_error=own).send()
    assert (reply.status, reply.text) == (418, "own")


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: error.__name__)
async def test_an_expression_that_fails(error: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    """A fault of the expression engine is an expression that failed, with the documented reason."""
    inbound = '<set-variable name="x" value="@(context.RequestId.ToString())"/>'
    gateway = make_gateway(inbound=inbound, on_error=ON_ERROR)

    def fail(*arguments: Any) -> Any:
        raise error("s3cret")

    step = gateway.app._loaded.apis[0].routes["GET"][0].pipeline.inbound[-1]
    _expression_of(step.run)._run = fail
    reply = await gateway.send()
    assert_internal_error(reply)
    assert reply.headers["x-error"] == ["inbound|set-variable|ExpressionValueEvaluationFailure"]
    assert "s3cret" not in caplog.text + reply.text


def _expression_of(run: Any) -> Expression:
    held = [cell.cell_contents for cell in run.__closure__]
    return next(value.expression for value in held if getattr(value, "expression", None) is not None)


async def test_a_condition_that_fails_after_the_answer_costs_nobody_the_answer() -> None:
    """`increment-condition` is evaluated when the response is known."""
    condition = "@(((string)null).Length == 1)"
    limit = f"<rate-limit-by-key calls='5' renewal-period='60' counter-key='k' increment-condition='{condition}'/>"
    assert (await make_gateway(inbound=limit).send()).status == 200


async def test_a_preflight_whose_policy_fails() -> None:
    """`cors` is evaluated before other policies: its failure is one of theirs."""
    failing = "@(((string)null).Trim())"
    cors = (
        "<cors><allowed-origins><origin>*</origin></allowed-origins>"
        f"<allowed-methods><method>{failing}</method></allowed-methods>"
        "<allowed-headers><header>*</header></allowed-headers></cors>"
    )
    gateway = make_gateway(inbound=cors, on_error=ON_ERROR)
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    reply = await gateway.send("OPTIONS", headers=headers)
    assert_internal_error(reply)
    assert reply.headers["x-error"] == ["|cors|ExpressionValueEvaluationFailure"]


@pytest.mark.parametrize("reason", ["BackendConnectionFailure", "Timeout"])
async def test_a_backend_that_gives_no_answer(reason: str) -> None:
    """Before its headers: 500 ("Troubleshooting 4xx and 5xx errors with Azure APIM services", 2021)."""
    gateway = make_gateway(on_error=ON_ERROR)
    gateway.backends.answers["http://backend.test"] = UpstreamError(reason, "gone")
    reply = await gateway.send()
    assert_internal_error(reply)
    assert reply.headers["x-error"] == [f"backend|forward-request|{reason}"]


async def test_a_client_that_fails_in_a_way_of_its_own() -> None:
    """A fault of the HTTP client is no better than one of the backend."""
    gateway = make_gateway(on_error=ON_ERROR)
    gateway.backends.answers["http://backend.test"] = ZeroDivisionError("s3cret")
    assert_internal_error(await gateway.send())
    inbound = "<send-request response-variable-name='r'><set-url>http://backend.test/x</set-url></send-request>"
    gateway = make_gateway(inbound=inbound, on_error=ON_ERROR)
    gateway.backends.answers["http://backend.test"] = ZeroDivisionError("s3cret")
    reply = await gateway.send()
    assert_internal_error(reply)
    assert reply.headers["x-error"] == ["inbound|send-request|"]


async def test_a_backend_whose_body_fails_while_policies_read_it() -> None:
    """`set-body` needs all of it: half is an error, which on-error learns of."""
    gateway = make_gateway(outbound="<set-body>@(context.Response.Body.As<string>())</set-body>", on_error=ON_ERROR)
    broken_off = UpstreamError("BackendConnectionFailure", "gone")
    gateway.backends.answers["http://backend.test"] = answer = streaming(b"half", broken_off)
    reply = await gateway.send()
    assert_internal_error(reply)
    assert reply.headers["x-error"] == ["|transfer-response|BackendConnectionFailure"]
    assert isinstance(answer.stream, FakeStream)
    assert answer.stream.closed


async def test_a_fault_of_the_gateway_itself_is_500_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside any policy there is no on-error, but there is an answer."""
    gateway = make_gateway()
    monkeypatch.setattr(gateway.app, "_router", None)
    assert_internal_error(await gateway.send())


async def test_a_trace_that_cannot_be_written_costs_nobody_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing looks on; it does not answer."""
    gateway = Traced()
    monkeypatch.setattr(gateway.ring, "add", None)
    assert (await gateway.send()).status == 200


async def test_the_activity_id_is_the_request_s_own(broken: Callable[[Run], None]) -> None:
    """`context.RequestId`, by which the trace is found."""
    broken(at_once(RuntimeError("s3cret")))
    gateway = Traced(inbound="<broken/>")
    reply = await gateway.send()
    assert gateway.ring.find(reply.json["activityId"]) is not None


@pytest.mark.parametrize("code", ["99", "0", "700", "-1", "nonsense", "1e400"])
async def test_a_status_that_is_none(code: str) -> None:
    """An expression may yield what no response can have."""
    check = (
        f"""<check-header name="X-A" failed-check-httpcode="@(&quot;{code}&quot;)" ignore-case="true" """
        """failed-check-error-message="m"/>"""
    )
    assert_internal_error(await make_gateway(inbound=check).send())


async def test_a_status_that_a_backend_may_not_give() -> None:
    """RFC 9110, section 15: it is treated as an error of the backend's."""
    gateway = make_gateway()
    gateway.backends.answers["http://backend.test"] = Response(999, "")
    assert_internal_error(await gateway.send())


async def test_an_answer_that_cannot_be_sent(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A fault while it is written leaves no value in the log; uvicorn answers 500, or cuts what has begun."""

    def fail(*arguments: Any) -> Any:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(http_server, "for_caller", fail)
    with pytest.raises(CutOff):
        await make_gateway().send()
    assert "RuntimeError" in caplog.text
    assert "s3cret" not in caplog.text
