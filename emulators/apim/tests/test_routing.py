"""Which operation a request is for."""

from __future__ import annotations

import pytest

from emulators.apim.tests.harness import GatewayHarness, applied, make_gateway, policies, resource

SHOW = (
    '<return-response><set-body>@(context.Operation.Id + "|" + string.Join(",", '
    'context.Request.MatchedParameters.Select(p =&gt; p.Key + "=" + p.Value)))</set-body></return-response>'
)
OPERATIONS = [
    ("GET", "/"),
    ("GET", "/op"),
    ("POST", "/op"),
    ("GET", "/things/{id}"),
    ("GET", "/things/mine"),
    ("GET", "/things/{id}/parts/{part}"),
    ("*", "/any"),
    ("GET", "/files/*"),
    ("GET", "/a b"),
]
MATCHES = [
    ("GET", "/a", "op0|"),
    ("GET", "/a/", "op0|"),
    ("GET", "/a/op", "op1|"),
    ("GET", "/A/OP", "op1|"),
    ("GET", "/a/o%70", "op1|"),
    ("GET", "/a/op?x=y", "op1|"),
    ("GET", "/a/op/", "op1|"),
    ("GET", "/a/things/7/", "op3|id=7"),
    ("GET", "/a/files/", "op7|*="),
    ("GET", "/a/files/x/", "op7|*=x/"),
    ("POST", "/a/op", "op2|"),
    ("GET", "/a/things/7", "op3|id=7"),
    ("GET", "/a/things/x%2Fy", "op3|id=x/y"),
    ("GET", "/a/things/mine", "op4|"),
    ("GET", "/a/things/1/parts/2", "op5|id=1,part=2"),
    ("PATCH", "/a/any", "op6|"),
    ("GET", "/a/files/x/y", "op7|*=x/y"),
    ("GET", "/a/a%20b", "op8|"),
]


@pytest.mark.parametrize(("method", "target", "expected"), MATCHES)
async def test_matches(method: str, target: str, expected: str) -> None:
    """Literals match without case and after decoding, before parameters, before the tail."""
    gateway = make_gateway(inbound=SHOW, operations=OPERATIONS)
    assert (await gateway.send(method, target)).text == expected


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/b/op"),
        ("GET", "/ab/op"),
        ("PUT", "/a/op"),
        ("GET", "/a/op//"),
        ("GET", "/a//op"),
        ("GET", "//a/op"),
        ("GET", "/a/x/../op"),
        ("GET", "/a/%2e%2e/a/op"),
        ("GET", "/a/./op"),
        ("GET", "/a%2Fop"),
        ("GET", "/a\\op"),
        ("GET", "/a/op%00"),
        ("GET", "/a/op%zz"),
        ("GET", "/a/op;x=y"),
        ("GET", "/a/things/"),
    ],
)
async def test_no_match_is_404_like_api_management(method: str, target: str) -> None:
    """No two readings of one path: whatever is not plainly an operation is 404, without a policy."""
    reply = await make_gateway(inbound=SHOW, operations=OPERATIONS).send(method, target)
    assert (reply.status, reply.json) == (404, {"statusCode": 404, "message": "Resource not found"})


async def test_the_longest_api_path_wins_and_the_empty_one_is_last() -> None:
    """APIs at `a`, `a/b` and the root share a gateway."""
    apis = []
    for name, path in (("b", "a/b"), ("root", "")):
        document = policies(inbound=f"<return-response><set-body>{name}</set-body></return-response>")
        apis += [
            resource("api_management_api", name, path=path, display_name=name, subscription_required=False),
            resource(
                "api_management_api_operation",
                name,
                api_name=name,
                operation_id="o",
                method="GET",
                url_template="/op",
                display_name="",
            ),
            resource("api_management_api_policy", name, api_name=name, xml_content=document),
        ]
    gateway = GatewayHarness(
        applied(policies(inbound="<return-response><set-body>a</set-body></return-response>"), extra=apis)
    )
    assert [(await gateway.send(target=target)).text for target in ("/a/op", "/a/b/op", "/op")] == ["a", "b", "root"]


async def test_the_path_reaches_the_backend_as_it_was_sent() -> None:
    """Percent-encoding and query are forwarded byte for byte, after the API's own path."""
    gateway = make_gateway(operations=[("GET", "/things/{id}")])
    await gateway.send(target="/a/things/x%2Fy%20z?q=%41&r=a+b")
    assert gateway.backends.last.url == "http://backend.test/base/things/x%2Fy%20z?q=%41&r=a+b"


async def test_the_status_endpoint_needs_no_policy() -> None:
    """ "Monitor API Management": the gateway's own health answers 200."""
    reply = await make_gateway().send(target="/status-0123456789abcdef")
    assert (reply.status, reply.body) == (200, b"")
