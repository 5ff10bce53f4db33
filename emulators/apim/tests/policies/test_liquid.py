""" "Set body": Using Liquid templates. Names are API Management's, rendering is python-liquid's."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.apim.errors import PolicyProblems
from emulators.apim.tests.harness import GatewayHarness, make_gateway, ok

JSON = {"Content-Type": "application/json; charset=utf-8"}
BODY = b"""{"name": "ada", "amount": 1.0, "big": 12345678901, "yes": true, "none": null, "list": [3, 1, 2],
 "when": "2012-03-21T05:40:12Z", "old": "/Date(1198908717056)/", "items": [{"id": 1}, {"id": 2}], "a-b": {"c": "d"}}"""


def template(text: str, attributes: str = "") -> str:
    return f"<set-body template='liquid' {attributes}>{text}</set-body>"


async def rendered(text: str, attributes: str = "", headers: dict[str, str] = JSON, **given: Any) -> str:
    """What the backend gets for BODY."""
    gateway = make_gateway(inbound=template(text, attributes), **given)
    await gateway.send("POST", "/a/op?q=1", headers=headers, body=BODY)
    return (gateway.backends.last.body or b"").decode()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"n": "{{body.name}}"}', '{"n": "ada"}'),
        ("{{body.amount}} {{ body.big }} {{body.yes}}{{body.none}}{{body.gone.too}}", "1 12345678901 true"),
        ("{% for one in body.items %}{{one.id}}{% unless forloop.last %}-{% endunless %}{% endfor %}", "1-2"),
        ("[{% JSONArrayFor one in body.items %}{{one.id}}{% endJSONArrayFor %}]", "[1,2]"),
        ('{{body.name | Upcase | Append: "!"}} {{body.list | Sort | Join: ","}}', "ADA! 1,2,3"),
        ("{{body.when}} {{body.old}}", "03/21/2012 05:40:12 12/29/2007 06:11:57"),
        ('{{body.when | Date: "yyyyMMddTHH:mm:ssZ"}}', "20120321T05:40:12Z"),
        ("{{body['a-b'].c}}", "d"),
        ("{% if body.yes %}{% assign x = body.list | Size %}{{ x | Plus: 1 }}{% endif %}", "4"),
        ("{{context.Request.Method}} {{context.Request.Url.Path}} {{context.Request.OriginalUrl.QueryString}}",
         "POST /base/op ?q=1"),
        ("{{context.Request.Headers.X}}{{context.Request.HasBody}}{{context.Request.IpAddress}}", "true203.0.113.7"),
        ("<a xmlns='urn:x'><b>{{body.name}}</b><!-- c --></a> tail", '<a xmlns="urn:x"><b>ada</b></a> tail'),
    ],
)  # fmt: skip
async def test_a_template_binds_body_and_context(text: str, wanted: str) -> None:
    """Numbers and dates print as .NET prints them; what is not there prints nothing."""
    assert await rendered(text) == wanted


async def test_parse_date_leaves_dates_as_they_came() -> None:
    """ "When set to false, date values are simply copied"."""
    assert await rendered("{{body.when}} {{body.old}}", "parse-date='false'") == (
        "2012-03-21T05:40:12Z /Date(1198908717056)/"
    )


async def test_only_what_says_that_it_is_json_is_bound() -> None:
    """Content-Type must be application/json, text/json or +json."""
    assert await rendered("{{body.name}}", headers={"Content-Type": "application/x+json"}) == "ada"
    assert await rendered("-{{body.name}}-", headers={"Content-Type": "text/plain"}) == "--"


async def test_named_values_that_there_are_go_first() -> None:
    """`{{body.name}}` looks like one, and is none."""
    assert await rendered("{{who}} {{body.name}}", named_values={"who": "me"}) == "me ada"


async def test_variables_are_bound() -> None:
    """The page does not list them; published policies read them."""
    gateway = make_gateway(
        inbound="<set-variable name='a' value='@(\"x\")'/>"
        "<set-variable name='j' value='@(new JObject(new JProperty(\"k\", 1)))'/>"
        + template("{{context.Variables['a']}} {{context.Variables.j.k}}")
    )
    await gateway.send("POST", headers=JSON, body=BODY)
    assert gateway.backends.last.body == b"x 1"


async def test_the_response_s_body_is_read_in_outbound() -> None:
    """Streams too: they are read to their end first."""
    gateway = make_gateway(outbound=template("{{body.a}} {{context.Response.StatusCode}}"))
    gateway.backends.answers = {"http://": ok(b'{"a": 2}', 201, JSON)}
    assert (await gateway.send("POST", headers=JSON, body=BODY)).text == "2 201"


async def test_return_response_has_an_empty_body_to_read() -> None:
    """ "any liquid template used inside the return-response will receive an empty string as its input"."""
    gateway = make_gateway(inbound=f"<return-response>{template('-{{body.name}}-')}</return-response>")
    assert (await gateway.send("POST", headers=JSON, body=BODY)).text == "--"


async def test_it_runs_in_on_error() -> None:
    """As Microsoft's toolkit compiles it (`IOnErrorContext.SetBody`)."""
    gateway = make_gateway(
        inbound="<set-variable name='x' value='@(int.Parse(\"x\"))'/>",
        on_error=template("{{context.Response.StatusCode}}"),
    )
    reply = await gateway.send()
    assert (reply.status, reply.text) == (500, "500")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n{{ body.name | upcase }}", "line 2: the Liquid filter 'upcase' is written Upcase"),
        ("{{ body.name | Currency }}", "'Currency' is not supported"),
        ("{{ body.name | Base64Encode }}", "is no Liquid filter"),
        ("{% include 'x' %}", "unexpected tag 'include'"),
        ("{% if %}", "not a Liquid template"),
        ("{{ body", "not a Liquid template"),
    ],
)
def test_what_is_no_template_does_not_load(text: str, why: str) -> None:
    """By line and name."""
    with pytest.raises(PolicyProblems, match=why):
        make_gateway(inbound=template(text))


@pytest.mark.parametrize(
    ("text", "headers", "body"),
    [
        ("{{body}}", JSON, BODY),
        ("{{body.a}}", JSON, b"{"),
        ("{{body.a}}", JSON, b"[" * 100_000),
        ("{{body.a}}", {"Content-Type": "text/xml"}, b"<a/>"),
        ("{% for a in (1..300) %}{% for b in (1..1000) %}{% endfor %}{% endfor %}", JSON, BODY),
        ("{% for a in (1..100000000) %}x{% endfor %}", JSON, BODY),
    ],
)
async def test_what_cannot_be_rendered_is_500(text: str, headers: dict[str, str], body: bytes) -> None:
    """An error of the expression, which on-error sees; never half a body, and never for long."""
    gateway: GatewayHarness = make_gateway(inbound=template(text))
    assert (await gateway.send("POST", headers=headers, body=body)).status == 500
