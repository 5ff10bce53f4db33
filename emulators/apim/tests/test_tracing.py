"""Policy traces: everything that ran, in order, and nothing that is secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from emulators.apim.errors import PolicyError
from emulators.apim.failures import UpstreamError
from emulators.apim.load import load
from emulators.apim.messages import ManyValues, Response
from emulators.apim.named_values import secret_named_values
from emulators.apim.tests.harness import CutOff, FakeStream, GatewayHarness, applied, ok, policies, resource
from emulators.apim.tests.tokens import CONFIGURATION, claims, publish, sign
from emulators.apim.tracing import MAX_ENTRIES, Tracer
from emulators.apim.tracing_mask import MASK, MAX_VALUE, Mask
from emulators.apim.tracing_ring import PROBE_AGENT, Ring, TracedGateway
from emulators.apim.tracing_server import TraceServer

KEY = "a-key-of-this-home-only"
SECRET = "S3cret-of-the-vault"
MASK_OF_NONE = Mask()


class Traced(GatewayHarness):
    """A gateway whose gateway traces."""

    def __init__(self, **given: Any) -> None:
        sections = {name: given.pop(name) for name in ("inbound", "backend", "outbound", "on_error") if name in given}
        state = applied(policies(**sections), **given)
        mask = Mask(secret_named_values(state))
        super().__init__(load(state, Tracer(mask)))
        self.ring = Ring()
        loaded = load(state, Tracer(mask))
        self.app = TracedGateway(loaded, self.services, self.ring, mask)

    async def trace(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Sends a request; its trace."""
        await self.send(*arguments, **options)
        found = self.ring.find(self.ring.recent()[0]["id"])
        assert found is not None
        return found


def steps(trace: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(entry["section"], entry["scope"], entry["element"]) for entry in trace["entries"]]


def entry(trace: Mapping[str, Any], element: str, position: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = [one for one in trace["entries"] if one["element"] == element][position]
    return found


REFUSED = '<return-response><set-status code="400" reason=""/></return-response>'


@pytest.mark.parametrize(
    ("inbound", "answer", "reason"),
    [
        (f'<set-variable name="refusal" value="invalid_client|Register first."/>{REFUSED}', 200, "Register first."),
        (f'<set-variable name="refusal" value=""/>{REFUSED}', 200, "the policy refused it"),
        (REFUSED, 200, "the policy refused it"),
        ("", 403, "the backend refused it"),
        ("", 200, ""),
        (
            '<set-variable name="error" value="invalid_scope|Not that scope."/><return-response>'
            '<set-status code="302" reason=""/></return-response>',
            200,
            "Not that scope.",
        ),
    ],
)
async def test_the_reason_is_the_one_that_is_known(inbound: str, answer: int, reason: str) -> None:
    """The policy's own words, where it has some; a backend is blamed only where one was asked."""
    gateway = Traced(inbound=inbound)
    gateway.backends.answers["http://backend.test"] = ok(b"", answer)
    trace = await gateway.trace("GET", "/a/op")
    assert trace["summary"]["refusal"] == reason


def rpc(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, **members}).encode()


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln"
FAILED = {"content": [{"type": "text", "text": "no such\n file"}], "isError": True}


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (rpc(error={"code": -32602, "message": "Not open to you."}), "application/json", "Not open to you."),
        (rpc(error={"code": -32000}), "application/json; charset=utf-8", "-32000"),
        (rpc(result=FAILED), "application/json", "no such file"),
        (rpc(result={"content": "none", "isError": True}), "application/json", "the tool failed"),
        (rpc(result={"content": [], "isError": False}), "application/json", ""),
        (rpc(error={"code": 1, "message": "x" * 1000}), "application/json", "x" * 300),
        (rpc(error={"code": 1, "message": f"not with {JWT}"}), "application/json", "not with •••"),
        (rpc(error={"code": 1, "message": "streamed"}), "text/event-stream", ""),
        (b"{", "application/json", ""),
        (b"[1]", "application/json", ""),
        (b"", "application/json", ""),
    ],
)  # fmt: skip
async def test_a_server_s_own_reason_is_told(body: bytes, kind: str, reason: str) -> None:
    """With status 200 it is in the body; the answer itself stays as it was."""
    gateway = Traced()
    parts = FakeStream([body[:9], body[9:]])
    headers = ManyValues([("Content-Type", kind), ("Content-Length", str(len(body)))])
    gateway.backends.answers["http://backend.test"] = Response(200, "OK", headers, None, parts)
    reply = await gateway.send("GET", "/a/op")
    assert (b"".join(reply.chunks), gateway.ring.recent()[0]["refusal"]) == (body, reason)


@pytest.mark.parametrize("length", [None, "", "40 ", "-1"])
async def test_what_is_long_or_of_no_length_is_not_read_for_it(length: str | None) -> None:
    """Its reason is not worth making the caller wait."""
    gateway = Traced()
    body = rpc(error={"code": 1, "message": "said"}).ljust(2**20 if length is None else 0)
    length = str(len(body)) if length is None else length
    headers = ManyValues([("Content-Type", "application/json"), *([("Content-Length", length)] if length else [])])
    gateway.backends.answers["http://backend.test"] = Response(200, "OK", headers, None, FakeStream([body]))
    reply = await gateway.send("GET", "/a/op")
    assert (reply.json["error"]["message"], gateway.ring.recent()[0]["refusal"]) == ("said", "")


async def test_an_answer_that_breaks_off_does_so_for_the_caller() -> None:
    """As without traces: the connection is cut."""
    gateway = Traced()
    headers = ManyValues([("Content-Type", "application/json"), ("Content-Length", "100")])
    stream = FakeStream([b'{"jsonrpc"', UpstreamError("BackendConnectionFailure", "gone")])
    gateway.backends.answers["http://backend.test"] = Response(200, "OK", headers, None, stream)
    with pytest.raises(CutOff):
        await gateway.send("GET", "/a/op")


async def test_every_element_is_there_in_the_order_in_which_it_ran() -> None:
    """With its section, scope, path, fragment and line; those of fragments and branches one level deeper."""
    gateway = Traced(
        inbound='<set-variable name="x" value="1"/><include-fragment fragment-id="more"/>',
        outbound='<set-status code="202"/>',
        fragments={"more": '<fragment>\n<set-variable name="y" value="2"/></fragment>'},
        global_policy=(
            '<policies><inbound><set-variable name="g" value="0"/></inbound>'
            "<backend><forward-request/></backend><outbound/><on-error/></policies>"
        ),
    )
    trace = await gateway.trace()
    assert steps(trace) == [
        ("inbound", "global", "set-variable"),
        ("inbound", "api", "set-variable"),
        ("inbound", "api", "include-fragment"),
        ("inbound", "api", "set-variable"),
        ("backend", "global", "forward-request"),
        ("outbound", "api", "set-status"),
    ]
    inner = entry(trace, "set-variable", 2)
    assert (inner["fragment"], inner["depth"], inner["line"], inner["path"]) == (
        "more",
        1,
        2,
        "include-fragment[1]/set-variable[1]",
    )


async def test_variables_are_shown_before_and_after_where_they_changed() -> None:
    """A difference, told by the element that made it and not again by those around it."""
    gateway = Traced(
        inbound=(
            '<set-variable name="x" value="1"/>'
            '<choose><when condition="@(true)"><set-variable name="x" value="@(2)"/></when></choose>'
        )
    )
    trace = await gateway.trace()
    assert [one["changes"] for one in trace["entries"] if one["element"] == "set-variable"] == [
        [["x", "", "1"]],
        [["x", "1", "2"]],
    ]
    assert entry(trace, "choose")["changes"] == []


async def test_an_empty_text_is_a_value() -> None:
    """Not the same as a variable that is gone."""
    trace = await Traced(inbound='<set-variable name="x" value=""/>').trace()
    assert entry(trace, "set-variable")["changes"] == [["x", "", '""']]


@pytest.mark.parametrize(
    ("value", "branch", "values"),
    [("1", "when[1]", ["true"]), ("2", "when[2]", ["false", "true"]), ("3", "otherwise", ["false", "false"])],
)
async def test_the_branch_is_shown_with_the_conditions_that_led_to_it(
    value: str, branch: str, values: list[str]
) -> None:
    """Text as written, and what it was; conditions after the branch were not asked."""
    text = '@((string)context.Variables["x"] == "{}")'
    gateway = Traced(
        inbound=(
            f'<set-variable name="x" value="{value}"/><choose>'
            f"<when condition='{text.format(1)}'/><when condition='{text.format(2)}'/><otherwise/></choose>"
        )
    )
    choose = entry(await gateway.trace(), "choose")
    assert choose["notes"] == [f"branch: {branch}"]
    assert [value for _, _, value in choose["conditions"]] == values
    assert choose["conditions"][0][:2] == ["when[1]", text.format(1)]


async def test_the_backend_is_shown_where_it_is_chosen_and_where_it_is_called() -> None:
    gateway = Traced(
        inbound='<set-backend-service backend-id="slot-a"/>',
        backends={"slot-a": "http://backend.test/slot"},
    )
    trace = await gateway.trace()
    assert entry(trace, "set-backend-service")["changes"] == [["backend", "http://backend.test/base", "slot-a"]]
    assert entry(trace, "forward-request")["notes"] == ["to slot-a: GET http://backend.test/slot/op"]
    assert trace["summary"]["backend"] == "slot-a"


async def test_an_error_is_shown_with_the_element_that_raised_it_and_on_error_follows() -> None:
    gateway = Traced(on_error='<set-header name="X-Seen" exists-action="override"><value>yes</value></set-header>')
    gateway.backends.answers = {"http://backend.test": UpstreamError("Timeout", "too late")}
    trace = await gateway.trace()
    assert entry(trace, "forward-request")["error"] == "Timeout: too late (500)"
    assert steps(trace)[-1] == ("on-error", "api", "set-header")
    assert (trace["summary"]["status"], trace["summary"]["refusal"]) == (500, "too late")


async def test_an_answer_of_a_policy_ends_the_trace() -> None:
    gateway = Traced(inbound='<return-response><set-status code="403"/></return-response>')
    trace = await gateway.trace()
    assert entry(trace, "return-response")["error"] == "answered 403: no other policy runs"
    assert len(trace["entries"]) == 1


async def test_an_answer_or_error_is_told_once() -> None:
    """By the element that it came from, not again by those around it."""
    gateway = Traced(inbound='<choose><when condition="@(true)"><return-response/></when></choose>')
    trace = await gateway.trace()
    assert [one["error"] != "" for one in trace["entries"]] == [False, True]


async def test_waiting_counts_as_time_of_the_element_that_waited() -> None:
    """Milliseconds from the request's beginning, and of each element."""
    gateway = Traced()
    trace = await gateway.trace()
    forward = entry(trace, "forward-request")
    assert 0 <= forward["at"] <= trace["summary"]["milliseconds"]
    assert 0 < forward["milliseconds"] <= trace["summary"]["milliseconds"]


async def test_the_id_is_the_one_that_callers_are_told() -> None:
    header = '<set-header name="X-Correlation-Id"><value>@(context.RequestId.ToString())</value></set-header>'
    gateway = Traced(outbound=header)
    reply = await gateway.send()
    assert gateway.ring.find(reply.headers["X-Correlation-Id"][0].upper()) is not None


async def test_a_call_is_summed_up_by_caller_tier_and_tool() -> None:
    gateway = Traced(inbound='<set-variable name="caller" value="c-1"/><set-variable name="tier" value="reader"/>')
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "find"}}).encode()
    found = (await gateway.trace("POST", body=body))["summary"]
    assert (found["caller"], found["tier"], found["rpc"], found["tool"]) == ("c-1", "reader", "tools/call", "find")


async def test_requests_without_an_api_are_remembered_too() -> None:
    found = (await Traced().trace("GET", "/nowhere"))["summary"]
    assert (found["status"], found["api"]) == (404, "")
    assert found["refusal"] == "no API or operation has this path"


@pytest.mark.parametrize(
    ("agent", "status", "kept"), [(PROBE_AGENT, 400, 0), (PROBE_AGENT, 503, 1), ("curl/8", 400, 1)]
)
async def test_what_asks_how_the_gateway_is_pushes_nobody_out(agent: str, status: int, kept: int) -> None:
    """`invoke connect` asks once for each client that it knows; where that fails, it is worth a look."""
    traced = Traced(inbound=f'<return-response><set-status code="{status}" reason=""/></return-response>')
    await traced.send(headers={"User-Agent": agent})
    assert len(traced.ring.recent()) == kept


async def test_a_traceparent_goes_to_the_backend_and_continues_the_caller_s_trace() -> None:
    """W3C "Trace Context": the same trace, another span; a malformed one begins a new trace."""
    gateway = Traced()
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await gateway.send(headers={"traceparent": given})
    sent = gateway.backends.last.headers["traceparent"][0]
    assert sent.split("-")[1] == given.split("-")[1]
    assert sent.split("-")[2] != given.split("-")[2]
    await gateway.send(headers={"traceparent": "00-" + "0" * 32 + "-b7ad6b7169203331-01"})
    assert gateway.backends.last.headers["traceparent"][0].split("-")[1].strip("0") != ""


# secrets


@pytest.mark.parametrize(
    "text",
    [
        "Bearer abcdefgh12345678",
        "x eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl y",
        "grant_type=authorization_code&code=abcdefgh12345678&x=1",
        "client_secret=abcdefgh12345678",
        '{"refresh_token": "abcdefgh12345678"}',
        "client_assertion=abcdefgh12345678",
        "mongodb://user:abcdefgh12345678@host",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    shown = Mask().text(text)
    assert MASK in shown
    assert "abcdefgh" not in shown
    assert "c2lnbmF0dXJl" not in shown


@pytest.mark.parametrize("name", ["Authorization", "cookie", "client-secret", "refresh_token", "code", "set-cookie"])
def test_what_has_a_secret_s_name_is_masked(name: str) -> None:
    assert Mask().value(name, "anything") == MASK


@pytest.mark.parametrize("name", ["error-code", "tool", "caller", "tier"])
def test_what_only_sounds_like_one_is_shown(name: str) -> None:
    assert Mask().value(name, "anything") == "anything"


def test_secrets_are_masked_before_long_texts_are_cut() -> None:
    """Half a secret would be shown otherwise."""
    text = "x" * (MAX_VALUE - 4) + SECRET
    assert SECRET[:4] not in Mask([SECRET]).text(text)


@pytest.mark.parametrize("name", ["X-Mcp-Downstream-Token", "downstream-token", "presented_token", "token"])
def test_a_token_is_masked_by_its_name_where_it_has_no_form(name: str) -> None:
    """One that another API issues may be of any form; what a policy made of a caller's is shown by its claims."""
    assert (MASK_OF_NONE.value(name, "opaque-and-secret"), MASK_OF_NONE.value(name, "")) == (MASK, "")
    assert MASK_OF_NONE.value("token-kind", "opaque") == "opaque"


async def test_no_secret_of_request_policy_or_token_is_in_a_trace() -> None:
    """Named values, headers, bodies' fields, managed-identity tokens, and the caller's own."""
    token = sign(claims())
    gateway = Traced(
        inbound=(
            '<validate-jwt header-name="Authorization" output-token-variable-name="caller-token">'
            f'<openid-config url="{CONFIGURATION}"/></validate-jwt>'
            '<set-variable name="plain" value="{{vault}}"/>'
            '<set-variable name="joined" value=\'@("a" + "{{vault}}" + "b")\'/>'
            '<set-variable name="copy" value=\'@(context.Request.Headers["Authorization"][0])\'/>'
            '<set-header name="Authorization" exists-action="override"><value>opaque-and-secret</value></set-header>'
            '<choose><when condition=\'@("{{vault}}" == "")\'/></choose>'
        ),
        extra=[resource("api_management_named_value", "vault", display_name="vault", value=SECRET, secret=True)],
    )
    publish(gateway)
    headers = {"Authorization": f"Bearer {token}", "Cookie": "session=opaque-cookie"}
    trace = await gateway.trace("GET", "/a/op?code=opaque-code", headers)
    text = json.dumps(trace)
    assert trace["summary"]["status"] == 200
    for secret in (SECRET, token, token.rsplit(".", 1)[1], "opaque-and-secret", "opaque-cookie", "opaque-code"):
        assert secret not in text
    assert "{{vault}}" in text


# the ring


def document(number: int, size: int = 10) -> dict[str, Any]:
    return {"summary": {"id": str(number)}, "text": "x" * size}


def test_the_ring_keeps_the_latest() -> None:
    ring = Ring(most=2)
    for number in range(3):
        ring.add(document(number), 10)
    assert [one["id"] for one in ring.recent()] == ["2", "1"]
    assert ring.find("0") is None


def test_the_ring_is_bounded_in_bytes() -> None:
    ring = Ring(most_bytes=2000)
    for number in range(3):
        ring.add(document(number), 900)
    assert [one["id"] for one in ring.recent()] == ["2", "1"]


def test_a_reader_asks_for_what_is_new() -> None:
    ring = Ring()
    for number in range(3):
        ring.add(document(number), 10)
    assert [one["id"] for one in ring.recent(after=2)] == ["2"]


async def test_a_long_trace_is_cut_and_says_so() -> None:
    many = "".join(f'<set-variable name="v{number}" value="1"/>' for number in range(MAX_ENTRIES + 5))
    trace = await Traced(inbound=many).trace()
    assert (len(trace["entries"]), trace["dropped"]) == (MAX_ENTRIES, 6)


# who may read


def ask(question: Any) -> dict[str, Any]:
    ring = Ring()
    ring.add(document(7), 10)
    return TraceServer(ring, {"file": "unused", "key": KEY}).answer(json.dumps(question).encode())


@pytest.mark.parametrize("question", [{}, {"key": ""}, {"key": "wrong"}, {"key": 1}, [], "x"])
def test_who_does_not_hold_the_key_is_told_nothing(question: Any) -> None:
    assert ask(question) == {"error": "not allowed"}


def test_http_is_no_question() -> None:
    """Nothing that a browser can be made to send is answered."""
    assert TraceServer(Ring(), {"file": "unused", "key": KEY}).answer(b"GET / HTTP/1.1\r\n") == {
        "error": "not a question"
    }


def test_who_holds_it_may_list_and_find() -> None:
    assert [one["id"] for one in ask({"key": KEY})["requests"]] == ["7"]
    assert ask({"key": KEY, "id": "7"})["trace"]["text"] == "x" * 10
    assert ask({"key": KEY, "id": "8"}) == {"trace": None}


def test_a_short_key_is_refused() -> None:
    with pytest.raises(PolicyError, match="shorter than 16"):
        TraceServer(Ring(), {"file": "unused", "key": "short"})


# off


async def test_a_gateway_without_traces_runs_the_same_closures_as_before() -> None:
    """Off costs nothing: no step and no condition is wrapped."""
    gateway = GatewayHarness(applied(policies(inbound='<choose><when condition="@(true)"/></choose>')))
    gateway.backends.answers = {"http://backend.test": ok()}
    match = gateway.app._router.match("GET", "/a/op")
    assert match is not None
    assert match.route is not None
    step = match.route.pipeline.inbound[0]
    assert step.run.__module__ == "emulators.apim.policies.control_flow"
    assert (await gateway.send()).status == 200
    assert "traceparent" not in gateway.backends.last.headers


async def test_a_deeply_nested_body_is_left_to_the_policies() -> None:
    """Whoever sends thousands of brackets gets the policies' answer, not the gateway's 500."""
    gateway = Traced(inbound="<return-response><set-body>fine</set-body></return-response>")
    reply = await gateway.send("POST", body=b'{"method": ' + b"[" * 100_000)
    assert (reply.status, reply.text) == (200, "fine")


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJkaXIifQ..c2VjcmV0.c2VjcmV0.c2VjcmV0",
        "/x?access%5Ftoken=c2VjcmV0",
        "/x?q=refresh_token%3Dc2VjcmV0&y=1",
        "/x?code%3Dc2VjcmV0",
        '{"pass": "c2VjcmV0"}',
    ],
)
def test_secrets_in_other_forms_are_masked(text: str) -> None:
    """Encrypted tokens, escaped names, pairs inside a value, short names of passwords."""
    shown = Mask().text(text)
    assert ("c2VjcmV0" in shown, "•••" in shown) == (False, True)


def test_what_is_no_secret_is_shown() -> None:
    """Escapes alone mean nothing."""
    for text in ("/x?q=a%20b&r=%3D", "/oauth/authorize?redirect_uri=http%3A%2F%2Flocalhost%2F", "eyJ.x"):
        assert Mask().text(text) == text
