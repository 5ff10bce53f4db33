"""Elements that change requests and responses, one documentation page each."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest

from emulators.apim.errors import PolicyProblems
from emulators.apim.services import Events
from emulators.apim.tests.harness import make_gateway, ok

RETURN = "<return-response><set-body>{}</set-body></return-response>"


def show(expression: str) -> str:
    """A policy that answers with an expression's value."""
    return RETURN.format(escape(f"@({expression})", quote=False))


@pytest.mark.parametrize(
    ("action", "before", "expected"),
    [
        ("override", "old", ["new,newer"]),
        ("append", "old", ["old,new,newer"]),
        ("append", None, ["new,newer"]),
        ("skip", "old", ["old"]),
        ("skip", None, ["new,newer"]),
        ("delete", "old", None),
    ],
)
async def test_set_header(action: str, before: str | None, expected: list[str] | None) -> None:
    """ "Set header": exists-action decides what becomes of a header that is there."""
    values = "" if action == "delete" else "<value>new</value><value>@('n' + \"ewer\")</value>"
    gateway = make_gateway(inbound=f"<set-header name='X-Test' exists-action='{action}'>{values}</set-header>")
    await gateway.send(headers={"x-test": before} if before else {})
    assert (gateway.backends.last.headers.get("X-Test")) == expected


@pytest.mark.parametrize(("name", "expected"), [("X-A", ["a,b"]), ("Warning", ["a", "b"]), ("Set-Cookie", ["a", "b"])])
async def test_several_values_are_one_line_but_where_they_may_hold_commas(name: str, expected: list[str]) -> None:
    """ "Set header", usage notes: cookies, dates and headers that may hold commas stay apart."""
    gateway = make_gateway(outbound=f"<set-header name='{name}'><value>a</value><value>b</value></set-header>")
    assert (await gateway.send()).headers[name] == expected


@pytest.mark.parametrize(("action", "status"), [("skip", 200), ("SKIP", 200), ("replace", 500)])
async def test_an_expression_chooses_the_action(action: str, status: int) -> None:
    """ "Set header": exists-action takes expressions; what is none of the four values is an error of the policy."""
    gateway = make_gateway(
        inbound=f"<set-header name='X-A' exists-action='@(\"{action}\")'><value>b</value></set-header>"
    )
    assert (await gateway.send(headers={"X-A": "a"})).status == status
    assert [call.headers["X-A"] for call in gateway.backends.calls] == [["a"]] * (status == 200)


async def test_an_expression_s_header_name_is_a_token() -> None:
    """RFC 9110, section 5.1: an empty name, or one with a colon, would be a line that nobody reads alike."""
    for name in ("", "a:b", "a b"):
        gateway = make_gateway(inbound=f"<set-header name='@(\"{name}\")'><value>b</value></set-header>")
        assert (await gateway.send()).status == 500


async def test_set_header_acts_on_the_response_in_outbound() -> None:
    """ "Set header": in outbound the response is what changes."""
    gateway = make_gateway(
        outbound="<set-header name='Server' exists-action='delete'/><set-header name='A'><value>b</value></set-header>"
    )
    gateway.backends.answers["http://backend.test"] = ok(headers={"Server": "x", "Keep": "y"})
    reply = await gateway.send()
    assert ("Server" in reply.headers, reply.headers["a"], reply.headers["keep"]) == (False, ["b"], ["y"])


async def test_a_header_value_cannot_split_the_message() -> None:
    """Line breaks that an expression built do not begin a new header."""
    gateway = make_gateway(outbound='<set-header name="A"><value>@("x\\r\\nSet-Cookie: y")</value></set-header>')
    reply = await gateway.send()
    assert ("Set-Cookie" in reply.headers, reply.headers["A"]) == (False, ["x  Set-Cookie: y"])


async def test_set_query_parameter() -> None:
    """ "Set query string parameter": values are encoded, names compared without case."""
    gateway = make_gateway(
        inbound=(
            "<set-query-parameter name='a' exists-action='override'><value>1 &amp; 2</value></set-query-parameter>"
            "<set-query-parameter name='b' exists-action='delete'/>"
            "<set-query-parameter name='c' exists-action='append'><value>x</value></set-query-parameter>"
            "<set-query-parameter name='d' exists-action='skip'><value>x</value></set-query-parameter>"
        )
    )
    await gateway.send(target="/a/op?A=0&b=1&c=2&d=3")
    assert gateway.backends.last.url == "http://backend.test/base/op?c=2&d=3&a=1%20%26%202&c=x"


async def test_set_method_and_body() -> None:
    """ "Set request method", "Set body": the backend gets both, with the new length."""
    gateway = make_gateway(
        inbound='<set-method>put</set-method><set-body>@(context.Request.Body.As&lt;string&gt;() + "!")</set-body>'
    )
    await gateway.send("POST", body=b"text")
    assert (gateway.backends.last.method, gateway.backends.last.body) == ("PUT", b"text!")


async def test_set_body_in_outbound_reads_the_response() -> None:
    """ "Set body": `context.Response.Body` is the backend's answer, whole."""
    gateway = make_gateway(outbound="<set-body>@(context.Response.Body.As&lt;string&gt;().ToUpper())</set-body>")
    gateway.backends.answers["http://backend.test"] = ok(b"shout", headers={"Content-Length": "5"})
    reply = await gateway.send()
    assert (reply.body, reply.headers["content-length"]) == (b"SHOUT", ["5"])


async def test_set_status() -> None:
    """ "Set status code": the caller sees it, the body stays."""
    reply = await make_gateway(outbound="<set-status code='202' reason='Accepted'/>").send()
    assert (reply.status, reply.body) == (202, b"fine")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("template='/new'", "http://backend.test/base/new?k=v"),
        ("template='/new?a=b'", "http://backend.test/base/new?a=b&k=v"),
        ("template='/new?k=w' copy-unmatched-params='true'", "http://backend.test/base/new?k=w"),
        ("template='/new' copy-unmatched-params='false'", "http://backend.test/base/new"),
        ("template='/u/{id}/x'", "http://backend.test/base/u/4%202/x?k=v"),
        (
            """template='@("/e/" + context.Request.MatchedParameters["id"].Length)'""",
            "http://backend.test/base/e/3?k=v",
        ),
    ],
)
async def test_rewrite_uri(attributes: str, expected: str) -> None:
    """ "Rewrite URL": parameters are filled in, other query parameters kept unless told otherwise."""
    gateway = make_gateway(inbound=f"<rewrite-uri {attributes}/>", operations=[("GET", "/op/{id}")])
    await gateway.send(target="/a/op/4%202?k=v")
    assert gateway.backends.last.url == expected


@pytest.mark.parametrize(
    ("attributes", "status", "path"),
    [
        ("template='/u/{id}/{other}'", 500, ""),
        ("""template='@("/u/{other}/{id}")'""", 200, "/u/{other}/4?k=v"),
        ("""template='/new' copy-unmatched-params='@(context.Request.Method == "PUT")'""", 200, "/new"),
        ("""template='/new' copy-unmatched-params='@(context.Request.Method == "GET")'""", 200, "/new?k=v"),
    ],
)
async def test_rewrite_uri_adds_no_path_parameters(attributes: str, status: int, path: str) -> None:
    """ "Rewrite URL", usage notes: query parameters only. What an expression wrote stays."""
    gateway = make_gateway(inbound=f"<rewrite-uri {attributes}/>", operations=[("GET", "/op/{id}")])
    assert (await gateway.send(target="/a/op/4?k=v")).status == status
    assert [call.url.removeprefix("http://backend.test/base") for call in gateway.backends.calls] == [path] * bool(path)


@pytest.mark.parametrize(
    "attribute",
    [
        "base-url='http://other.test/x/'",
        """base-url='@("http://other.test" + "/x")'""",
        "backend-id='o'",
        """backend-id='@("o")'""",
    ],
)
async def test_set_backend_service(attribute: str) -> None:
    """ "Set backend service": by URL or by backend id, literal or expression; the operation's path is appended."""
    gateway = make_gateway(inbound=f"<set-backend-service {attribute}/>", backends={"o": "http://other.test/x"})
    gateway.backends.answers["http://other.test"] = ok(b"other")
    assert (await gateway.send(target="/a/op?q=1")).body == b"other"
    assert gateway.backends.last.url == "http://other.test/x/op?q=1"


async def test_an_unknown_backend_id_at_run_time_is_an_error() -> None:
    """A backend id that an expression made up is 500, not the API's own URL."""
    gateway = make_gateway(inbound="""<set-backend-service backend-id='@("nope")'/>""")
    assert ((await gateway.send()).status, gateway.backends.calls) == (500, [])


async def test_find_and_replace() -> None:
    """ "Find and replace string in body": in the response in outbound, in the request in inbound."""
    gateway = make_gateway(
        inbound="<find-and-replace from='a' to='b'/>", outbound="<find-and-replace from='fine' to='good'/>"
    )
    reply = await gateway.send("POST", body=b"banana")
    assert (gateway.backends.last.body, reply.body) == (b"bbnbnb", b"good")


async def test_set_variable_keeps_the_type() -> None:
    """ "Set variable": an expression's value keeps its type, text is a string."""
    inbound = "<set-variable name='n' value='@(40 + 2)'/><set-variable name='s' value='42'/>"
    gateway = make_gateway(inbound=inbound + show('context.Variables["n"] is int && context.Variables["s"] is string'))
    assert (await gateway.send()).text == "True"


async def test_cache_values() -> None:
    """ "Store value in cache", "Get value from cache", "Remove value from cache": until the duration ends."""
    gateway = make_gateway(
        inbound=(
            "<cache-lookup-value key='k' variable-name='v' default-value='@(0)'/>"
            """<set-variable name='v' value='@((int)context.Variables["v"] + 1)'/>"""
            """<cache-store-value key='k' value='@((int)context.Variables["v"])' duration='60'/>"""
            "<choose><when condition='@(context.Request.Method == \"POST\")'>"
            "<cache-remove-value key='k'/></when></choose>" + show('context.Variables["v"]')
        )
    )
    assert [(await gateway.send()).text for _ in range(3)] == ["1", "2", "3"]
    gateway.clock.now += 61
    assert [(await gateway.send(method)).text for method in ("GET", "POST", "GET")] == ["1", "2", "1"]


async def test_return_response() -> None:
    """ "Return response": the pipeline ends; neither the backend nor outbound runs."""
    gateway = make_gateway(
        inbound=(
            "<return-response><set-status code='@(400 + 18)' reason='x'/>"
            "<set-header name='A'><value>1</value><value>2</value>"
            '</set-header><set-body>{"a": 1}</set-body></return-response>'
        ),
        outbound="<set-status code='200'/>",
    )
    reply = await gateway.send()
    assert (reply.status, reply.headers["A"], reply.json, gateway.backends.calls) == (418, ["1,2"], {"a": 1}, [])


async def test_mock_response() -> None:
    """ "Mock response": the status and type asked for."""
    reply = await make_gateway(inbound="<mock-response status-code='201' content-type='text/plain'/>").send()
    assert (reply.status, reply.headers["content-type"], reply.body) == (201, ["text/plain"], b"")


async def test_emit_metric_is_written_down() -> None:
    """ "Emit custom metrics": name, value and up to ten dimensions, default ones by themselves; the request goes on."""
    metric = "<emit-metric name='calls' value='@(2)'><dimension name='API ID'/>{}</emit-metric>"
    own = "<dimension name='Tier' value='@(context.Request.Method)'/>"
    gateway, events = make_gateway(inbound=metric.format(own)), list[dict[str, Any]]()
    gateway.services.events = Events(kept=events)
    assert (await gateway.send()).status == 200
    assert events == [
        {"kind": "metric", "namespace": "API Management", "name": "calls", "value": 2.0,
         "dimensions": {"API ID": "a", "Tier": "GET"}}
    ]  # fmt: skip
    wrong_value = metric.replace("@(2)", '@("x")')
    assert (await make_gateway(inbound=wrong_value.format(own)).send()).status == 500
    for wrong in ("<dimension name='Tier'/>", own * 10):
        with pytest.raises(PolicyProblems, match="dimension"):
            make_gateway(inbound=metric.format(wrong))


async def test_trace_changes_nothing() -> None:
    """ "Trace": the message is evaluated and kept; the request goes on."""
    inbound = "<trace source='s' severity='error'><message>@(\"m\")</message><metadata name='a' value='b'/></trace>"
    assert (await make_gateway(inbound=inbound).send()).status == 200


LONE = '@((string)context.Request.Body.As&lt;JObject&gt;(true)["a"])'


@pytest.mark.parametrize(
    "policy",
    [
        f"<return-response><set-body>{LONE}</set-body></return-response>",
        f"<set-query-parameter name='q'><value>{LONE}</value></set-query-parameter>",
    ],
)
async def test_a_surrogate_without_its_half_is_written_as_dot_net_does(policy: str) -> None:
    """Encoding.UTF8 writes U+FFFD for it; a caller may send one in JSON."""
    gateway = make_gateway(inbound=policy)
    reply = await gateway.send("POST", body=b'{"a": "\\ud800"}')
    assert reply.status == 200
    assert "\ufffd" in reply.text or gateway.backends.last.url.endswith("q=%EF%BF%BD")


async def test_find_and_replace_writes_a_lone_surrogate_too() -> None:
    """As set-body does."""
    gateway = make_gateway(inbound=f"<find-and-replace from='x' to='{LONE}'/>".replace('"', "&quot;"))
    await gateway.send("POST", body=b'{"a": "\\ud800", "b": "x"}')
    assert "\ufffd".encode() in (gateway.backends.last.body or b"")


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "Keep-Alive", "Transfer-Encoding"])
@pytest.mark.parametrize("action", ["override", "delete"])
async def test_headers_of_the_connection_stay(name: str, action: str) -> None:
    """ "Set header", usage notes: they "cannot be modified or deleted"."""
    edit = f"<set-header name='{name}' exists-action='{action}'><value>9</value></set-header>"
    gateway = make_gateway(inbound=edit + show('context.Request.Headers.GetValueOrDefault("Content-Length", "-")'))
    assert (await gateway.send("POST", body=b"abc")).text == "3"


async def test_find_and_replace_removes() -> None:
    """ "Find and replace string in body": "Specify a zero length replacement string to remove"."""
    gateway = make_gateway(inbound="<find-and-replace from='an' to=''/>")
    await gateway.send("POST", body=b"banana")
    assert gateway.backends.last.body == b"ba"


async def test_several_values_of_a_query_parameter() -> None:
    """ "Set query string parameter": with `override` all of them, and only them, listed several times."""
    values = "<value>1</value><value>2</value>"
    gateway = make_gateway(inbound=f"<set-query-parameter name='a'>{values}</set-query-parameter>")
    await gateway.send(target="/a/op?a=0&b=3")
    assert gateway.backends.last.url.endswith("?b=3&a=1&a=2")


async def test_return_response_s_default() -> None:
    """ "Return response": 200 OK with no body."""
    reply = await make_gateway(inbound="<return-response/>").send()
    assert (reply.status, reply.body) == (200, b"")


async def test_return_response_changes_a_variable_s() -> None:
    """ "Return response": the response of a variable, "modified by the policy statements"."""
    call = "<send-request response-variable-name='r'><set-url>http://x.test/</set-url></send-request>"
    gateway = make_gateway(
        inbound=call + "<return-response response-variable-name='r'><set-status code='203'/></return-response>"
    )
    gateway.backends.answers["http://x.test"] = ok(b"theirs", 201, {"A": "b"})
    reply = await gateway.send()
    assert (reply.status, reply.text, reply.headers["a"]) == (203, "theirs", ["b"])
