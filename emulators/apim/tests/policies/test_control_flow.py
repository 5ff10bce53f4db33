"""Control flow: choose, fragments, base, retry, errors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from emulators.apim.errors import PolicyProblems
from emulators.apim.failures import BROKEN_OFF, NOT_CONNECTED, UpstreamError
from emulators.apim.tests.harness import GatewayHarness, applied, make_gateway, ok
from emulators.apim.tests.policies.test_message_policies import show


def mark(letter: str) -> str:
    return f"""<set-variable name='t' value='@(context.Variables.GetValueOrDefault("t", "") + "{letter}")'/>"""


SHOW = show('(string)context.Variables["t"]')


@pytest.mark.parametrize(("method", "expected"), [("GET", "g"), ("POST", "p"), ("PUT", "o")])
async def test_choose(method: str, expected: str) -> None:
    """ "Control flow": the first true `when`, else `otherwise`."""
    when = "<when condition='@(context.Request.Method == \"{}\")'>{}</when>"
    whens = when.format("GET", mark("g")) + when.format("POST", mark("p"))
    inbound = f"<choose>{whens}<otherwise>{mark('o')}</otherwise></choose>"
    gateway = make_gateway(inbound=inbound + SHOW, operations=[("*", "/op")])
    assert (await gateway.send(method)).text == expected


async def test_base_places_the_parent_scope() -> None:
    """ "Set or edit policies": `base` runs the enclosing scope there: operation → API → global."""
    gateway = GatewayHarness(
        applied(
            f"<policies><inbound>{mark('a')}<base/>{mark('A')}</inbound></policies>",
            global_policy=f"<policies><inbound>{mark('g')}</inbound><backend><forward-request/></backend></policies>",
            operation_policy=f"<policies><inbound>{mark('o')}<base/>{SHOW}</inbound></policies>",
        )
    )
    assert (await gateway.send()).text == "oagA"


async def test_without_base_the_parent_does_not_run() -> None:
    """A section without `base` replaces the parent's; a section that is left out inherits it."""
    gateway = GatewayHarness(
        applied(
            f"<policies><inbound>{mark('a')}</inbound></policies>",
            operation_policy=f"<policies><inbound>{mark('o')}{SHOW}</inbound></policies>",
        )
    )
    assert (await gateway.send()).text == "o"
    assert (await GatewayHarness(applied("<policies><inbound/></policies>")).send()).body == b"fine"


async def test_no_backend_policy_means_no_call() -> None:
    """ "Forward request", example 4: an empty backend section forwards nothing."""
    gateway = make_gateway(backend="", outbound="<set-status code='204'/>")
    assert ((await gateway.send()).status, gateway.backends.calls) == (204, [])


async def test_include_fragment() -> None:
    """ "Include fragment": its statements run where it stands."""
    fragments = {"one": f"<fragment>{mark('1')}{mark('2')}</fragment>"}
    gateway = make_gateway(inbound=f"<include-fragment fragment-id='one'/>{mark('x')}{SHOW}", fragments=fragments)
    assert (await gateway.send()).text == "12x"


@pytest.mark.parametrize(
    ("attributes", "slept"),
    [
        ("interval='2'", [2, 2, 2]),
        ("interval='2' delta='3'", [2, 5, 8]),
        ("interval='1' delta='1' max-interval='3'", [1, 2, 3]),
        ("interval='5' first-fast-retry='true'", [0, 5, 5]),
    ],
)
async def test_retry(attributes: str, slept: list[float]) -> None:
    """ "Retry": while the condition holds, `count` times more, with the documented pauses."""
    condition = "condition='@(context.Response.StatusCode == 503)'"
    gateway = make_gateway(backend=f"<retry {condition} count='3' {attributes}><forward-request/></retry>")
    gateway.backends.answers["http://backend.test"] = ok(status=503)
    assert ((await gateway.send()).status, len(gateway.backends.calls), gateway.clock.slept) == (503, 4, slept)


async def test_retry_sees_a_failed_connection_as_a_response() -> None:
    """A backend that cannot be reached is status 500 to the condition, so another one can be tried."""
    condition = "condition='@(context.Response.StatusCode == 500)'"
    gateway = make_gateway(
        inbound="<set-backend-service backend-id='o'/>",
        backend=f"<retry {condition} count='2' interval='0'><forward-request/></retry>",
        backends={"o": "http://other.test"},
    )
    answers: list[Any] = [UpstreamError("BackendConnectionFailure", "no"), ok(b"second")]
    gateway.backends.answers["http://other.test"] = lambda call: answers.pop(0)
    assert (await gateway.send()).body == b"second"
    answers += [UpstreamError("BackendConnectionFailure", "no")] * 3
    assert (await gateway.send()).status == 500


async def test_retry_sees_why_an_attempt_failed() -> None:
    """context.LastError is there while the condition is judged, and gone after an attempt that succeeded."""
    refused = (
        'condition=\'@(context.LastError != null &amp;&amp; context.LastError.Source == "forward-request" &amp;&amp; '
        'context.LastError.Message.Contains("Unable to connect"))\''
    )
    gateway = make_gateway(
        backend=f"<retry {refused} count='1' interval='0'><forward-request/></retry>",
        outbound="<set-header name='x-error'><value>@((context.LastError == null).ToString())</value></set-header>",
    )
    answers: list[Any] = [UpstreamError("BackendConnectionFailure", f"{NOT_CONNECTED} (backend.test)"), ok()]
    gateway.backends.answers["http://backend.test"] = lambda call: answers.pop(0)
    reply = await gateway.send()
    assert (reply.status, reply.headers["x-error"]) == (200, ["True"])
    answers += [UpstreamError("BackendConnectionFailure", f"{BROKEN_OFF} (backend.test)"), ok()]
    assert (await gateway.send()).status == 500


async def test_limit_concurrency() -> None:
    """ "Limit concurrency": more than `max-count` at once is 429; the place is given back."""
    block = "<limit-concurrency key='k' max-count='1'><forward-request/></limit-concurrency>"
    gateway = make_gateway(backend=block)
    inner: list[int] = []

    async def nested(call: Any) -> Any:
        if not inner:
            inner.append(0)
            inner[0] = (await gateway.send()).status
        return ok()

    gateway.backends.answers["http://backend.test"] = nested
    assert ((await gateway.send()).status, inner, (await gateway.send()).status) == (200, [429], 200)


LAST_ERROR = (
    "<return-response><set-body>@{ var e = context.LastError; "
    'return string.Join("|", new[] { e.Source, e.Reason, e.Message, e.Scope, '
    'e.Section, e.Path, e.PolicyId ?? "-", context.Response.StatusCode.ToString() }); }</set-body></return-response>'
)


async def test_last_error_names_the_place() -> None:
    """ "Error handling": source, reason, message, scope, section, path and id of the statement that failed."""
    failing = (
        "<choose><when condition='true'><set-variable id='mine' name='x' value='@(int.Parse(\"x\"))'/></when></choose>"
    )
    reply = await make_gateway(inbound=failing, on_error=LAST_ERROR).send()
    assert reply.text == (
        "set-variable|ExpressionValueEvaluationFailure|"
        "Expression evaluation failed. Input string 'x' was not in a correct format."
        "|api|inbound|choose[1]/when[1]/set-variable[1]|mine|500"
    )


@pytest.mark.parametrize(
    ("failure", "reason"), [("BackendConnectionFailure", "BackendConnectionFailure"), ("Timeout", "Timeout")]
)
async def test_a_backend_failure_is_forward_request_s(failure: str, reason: str) -> None:
    """ "Error handling": a backend that does not answer is an error of forward-request, status 500."""
    gateway = make_gateway(on_error=LAST_ERROR)
    gateway.backends.answers["http://backend.test"] = UpstreamError(failure, "why")
    assert (await gateway.send()).text == f"forward-request|{reason}|why|global|backend|forward-request[1]|-|500"


async def test_without_on_error_the_caller_gets_the_default_body() -> None:
    """A failure inside the gateway is 500 and does not say why."""
    gateway = make_gateway(inbound="<set-variable name='x' value='@(int.Parse(\"secret\"))'/>")
    reply = await gateway.send()
    said = dict(reply.json)
    UUID(said.pop("activityId"))
    assert (reply.status, said) == (500, {"statusCode": 500, "message": "Internal server error"})


async def test_on_error_without_return_response_edits_the_error() -> None:
    """Headers and status that on-error sets reach the caller with the default body."""
    on_error = (
        "<set-header name='X-Reason'><value>@(context.LastError.Reason)</value></set-header><set-status code='502'/>"
    )
    gateway = make_gateway(inbound="<set-variable name='x' value='@(int.Parse(\"x\"))'/>", on_error=on_error)
    reply = await gateway.send()
    assert (reply.status, reply.headers["x-reason"], reply.json["statusCode"]) == (
        502,
        ["ExpressionValueEvaluationFailure"],
        502,
    )


async def test_a_failure_in_on_error_is_a_plain_500() -> None:
    """on-error is not run again for its own errors."""
    bad = "<set-variable name='x' value='@(int.Parse(\"x\"))'/>"
    reply = await make_gateway(inbound=bad, on_error=bad).send()
    assert (reply.status, reply.json["message"]) == (500, "Internal server error")


async def test_an_outbound_failure_drops_the_backend_s_answer() -> None:
    """An error after the backend answered closes its response and goes to on-error."""
    gateway = make_gateway(outbound="<set-variable name='x' value='@(int.Parse(\"x\"))'/>")
    reply = await gateway.send()
    assert (reply.status, b"fine" in reply.body) == (500, False)


async def test_send_request_new() -> None:
    """ "Send request": a request of its own; the response is a variable."""
    send = (
        "<send-request mode='new' response-variable-name='r' timeout='5'>"
        '<set-url>@("http://side.test/x?" + 1)</set-url><set-method>POST</set-method>'
        "<set-header name='A' exists-action='override'><value>b</value></set-header>"
        "<set-body>body</set-body></send-request>"
    )
    gateway = make_gateway(
        inbound=send
        + show('((IResponse)context.Variables["r"]).StatusCode + ((IResponse)context.Variables["r"]).Body.As<string>()')
    )
    gateway.backends.answers["http://side.test"] = ok(b"side", 201)
    assert (await gateway.send("POST", headers={"X-Secret": "s"}, body=b"caller")).text == "201side"
    call = gateway.backends.last
    assert (call.method, call.url, call.body, dict(call.headers)) == (
        "POST",
        "http://side.test/x?1",
        b"body",
        {"A": ["b"]},
    )


async def test_send_request_copy_and_errors() -> None:
    """ "Send request": `copy` begins with the caller's request; `ignore-error` stores null."""
    send = "<send-request mode='copy' response-variable-name='r' ignore-error='{}'><set-url>http://side.test/</set-url></send-request>"
    gateway = make_gateway(inbound=send.format("true") + show('context.Variables["r"] == null'))
    assert (await gateway.send("POST", headers={"X-A": "1"}, body=b"caller")).text == "True"
    assert (gateway.backends.last.method, gateway.backends.last.headers["x-a"], gateway.backends.last.body) == (
        "POST",
        ["1"],
        b"caller",
    )
    strict = make_gateway(inbound=send.format("false"), on_error=LAST_ERROR)
    assert (await strict.send()).text.startswith("send-request|BackendConnectionFailure|")


async def test_return_response_ends_any_section() -> None:
    """A response may be returned from backend and outbound, too."""
    both = f"<choose><when condition='@(true)'>{mark('x')}{SHOW}</when></choose>"
    for section in ("backend", "outbound"):
        gateway = make_gateway(**{section: both})
        assert (await gateway.send()).text == "x"


UNSTORABLE = ["new[] {&quot;a&quot;}", "new List&lt;string&gt;()", "new { a = 1 }", "&quot;a.b.c&quot;.AsJwt()"]
STORABLE = [
    "(object)5",
    "new byte[2]",
    "(int?)null",
    "new JArray()",
    "DateTime.UtcNow",
    "TimeSpan.Zero",
    "Guid.Empty",
    "null",
]


@pytest.mark.parametrize("expression", UNSTORABLE)
def test_a_variable_holds_the_documented_types_only(expression: str) -> None:
    """ "Set variable", allowed types: known at load."""
    with pytest.raises(PolicyProblems, match="a variable cannot hold"):
        make_gateway(inbound=f'<set-variable name="x" value="@({expression})"/>')


@pytest.mark.parametrize("expression", STORABLE)
async def test_what_a_variable_may_hold(expression: str) -> None:
    """ "Set variable", allowed types: scalars, their nullables, bytes, times and JSON."""
    assert (await make_gateway(inbound=f'<set-variable name="x" value="@({expression})"/>').send()).status == 200


async def test_an_object_is_looked_at_when_it_is_stored() -> None:
    """ "Set variable", allowed types: what is only known as object."""
    gateway = make_gateway(inbound='<set-variable name="x" value="@((object)new List&lt;int&gt;())"/>')
    assert (await gateway.send()).status == 500


@pytest.mark.parametrize("parts", ["", "<otherwise/>"])
def test_choose_needs_a_when(parts: str) -> None:
    """ "Control flow": "must contain at least one when element"."""
    with pytest.raises(PolicyProblems, match="<choose> needs <when>"):
        make_gateway(inbound=f"<choose>{parts}</choose>")
