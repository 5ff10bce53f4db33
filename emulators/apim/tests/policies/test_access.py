"""Elements that let callers in, keep them out, or count them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulators.apim.tests.harness import CLIENT_ID, NOW, GatewayHarness, applied, make_gateway, ok, policies, resource
from emulators.apim.tests.policies.test_control_flow import LAST_ERROR
from emulators.apim.tests.policies.test_message_policies import show
from emulators.apim.tests.test_products import product
from emulators.apim.tests.tokens import sign
from emulators.base.state import Resource, State

LIMIT = "<rate-limit-by-key calls='2' renewal-period='60' counter-key='@(context.Request.IpAddress)' {}/>"


async def test_rate_limit_by_key() -> None:
    """ "Limit call rate by key": a sliding window per key; more is 429 with Retry-After."""
    gateway = make_gateway(inbound=LIMIT.format(""))
    assert [(await gateway.send()).status for _ in range(2)] == [200, 200]
    gateway.clock.now += 20
    refused = await gateway.send()
    assert (refused.status, refused.headers["Retry-After"]) == (429, ["40"])
    assert refused.json == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 40 seconds."}
    assert (await gateway.send(client="203.0.113.8")).status == 200
    gateway.clock.now += 41
    assert (await gateway.send()).status == 200


BY_KEY = "<{}-by-key calls='1' renewal-period='300' counter-key='k' {}/>"


@pytest.mark.parametrize(("tag", "refused"), [("rate-limit", 429), ("quota", 403)])
async def test_an_increment_count_may_read_the_response(tag: str, refused: int) -> None:
    """ "Limit call rate by key": condition and count are evaluated at the end of outbound, so one call late."""
    count = "increment-count='@(context.Response.StatusCode == 200 ? 10 : 0)'"
    gateway = make_gateway(inbound=BY_KEY.format(tag, count))
    gateway.backends.answers["http://backend.test"] = ok(status=503)
    assert [(await gateway.send()).status for _ in range(2)] == [503, 503]
    gateway.backends.answers["http://backend.test"] = ok()
    assert [(await gateway.send()).status for _ in range(2)] == [200, refused]


async def test_an_increment_count_may_read_the_response_s_body() -> None:
    """ "Limit call rate by key": tokens that a model counted, as a gateway for models limits them."""
    count = "(int)context.Response.Body.As&lt;JObject&gt;(preserveContent: true)[&quot;n&quot;]"
    gateway = make_gateway(
        inbound=BY_KEY.format("rate-limit", f'increment-count="@({count})"').replace("calls='1'", "calls='5'"),
        outbound="<set-body>@(context.Response.Body.As&lt;string&gt;())</set-body>",
    )
    gateway.backends.answers["http://backend.test"] = ok(b'{"n": 5}')
    assert [(await gateway.send()).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("tag", ["rate-limit", "quota"])
@pytest.mark.parametrize(("condition", "statuses"), [("false", 0), ("true", 1), ("@(false)", 0), ("@(true)", 1)])
async def test_a_condition_is_the_same_as_literal_and_as_expression(tag: str, condition: str, statuses: int) -> None:
    """ "Set usage quota by key", "Limit call rate by key": false counts nothing."""
    gateway = make_gateway(inbound=BY_KEY.format(tag, f"increment-condition='{condition}'"))
    assert [(await gateway.send()).status == 200 for _ in range(3)] == [True, not statuses, not statuses]


async def test_two_quotas_of_one_key_count_a_request_once() -> None:
    """ "Set usage quota by key": if several policies would increment a key, it is incremented once per request."""
    quota = BY_KEY.format("quota", "").replace("calls='1'", "calls='2'")
    gateway = make_gateway(inbound=quota * 2)
    assert [(await gateway.send()).status for _ in range(3)] == [200, 200, 403]


async def test_a_429_tells_what_remains_too() -> None:
    """ "Limit call rate by key": the header is set after each execution of the policy."""
    names = "remaining-calls-header-name='X-Left' total-calls-header-name='X-All'"
    gateway = make_gateway(inbound=BY_KEY.format("rate-limit", names))
    replies = [await gateway.send() for _ in range(2)]
    assert [(r.status, r.headers["X-Left"], r.headers["X-All"]) for r in replies] == [
        (200, ["0"], ["1"]),
        (429, ["0"], ["1"]),
    ]


async def test_rate_limit_tells_what_remains() -> None:
    """Remaining and total calls as headers and variable; the retry interval as a variable for on-error."""
    outputs = (
        "remaining-calls-header-name='X-Left' total-calls-header-name='X-All' remaining-calls-variable-name='left'"
        " retry-after-variable-name='wait' retry-after-header-name='X-Wait'"
    )
    gateway = make_gateway(inbound=LIMIT.format(outputs), on_error=show('(int)context.Variables["wait"]'))
    first = await gateway.send()
    assert (first.headers["X-Left"], first.headers["X-All"]) == (["1"], ["2"])
    await gateway.send()
    assert (await gateway.send()).text == "60"


async def test_rate_limit_counts_what_the_condition_says() -> None:
    """`increment-condition` may read the response, `increment-count` weighs."""
    condition = "increment-condition='@(context.Response.StatusCode == 401)' increment-count='2'"
    gateway = make_gateway(inbound=LIMIT.format(condition))
    assert [(await gateway.send()).status for _ in range(5)] == [200] * 5
    gateway.backends.answers["http://backend.test"] = ok(status=401)
    assert [(await gateway.send()).status for _ in range(2)] == [401, 429]


async def test_quota_by_key() -> None:
    """ "Set usage quota by key": 403 until the period renews."""
    gateway = make_gateway(
        inbound="<quota-by-key calls='1' renewal-period='3600' counter-key='k'/>", on_error=LAST_ERROR
    )
    assert (await gateway.send()).status == 200
    assert (await gateway.send()).text.startswith("quota-by-key|QuotaExceeded|Out of call volume quota.")
    gateway.clock.now += 3600
    assert (await gateway.send()).status == 200


async def test_quota_by_key_counts_what_the_condition_says_and_kilobytes() -> None:
    """`increment-condition` reads the response; `bandwidth` counts the bodies of both, in kilobytes."""
    limits = "renewal-period='0' counter-key='k'"
    gateway = make_gateway(
        inbound=f"<quota-by-key calls='1' {limits} increment-condition='@(context.Response.StatusCode == 401)'/>"
    )
    assert [(await gateway.send()).status for _ in range(3)] == [200] * 3
    gateway.backends.answers["http://backend.test"] = ok(status=401)
    assert [(await gateway.send()).status for _ in range(2)] == [401, 403]
    sized = make_gateway(inbound=f"<quota-by-key bandwidth='1' {limits}/>")
    assert [(await sized.send("POST", body=b"x" * 600)).status for _ in range(3)] == [200, 200, 403]


@pytest.mark.parametrize(
    "element",
    [
        "<rate-limit calls='1' renewal-period='60'><api name='a' calls='1' renewal-period='9'/></rate-limit>",
        "<quota calls='1' bandwidth='9' renewal-period='60'/>",
    ],
    ids=["Limit call rate by subscription", "Set usage quota by subscription"],
)
async def test_limits_by_subscription_pass_calls_without_a_key(element: str) -> None:
    """ "Limit call rate by subscription" and "Set usage quota by subscription" count only calls with a key."""
    gateway = GatewayHarness(applied(policies(), extra=product(xml=policies(inbound=element))))
    assert [(await gateway.send()).status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({}, "HeaderNotFound"), ({"X-A": "three"}, "HeaderValueNotAllowed"), ({"X-A": "TWO"}, "HeaderValueNotAllowed")],
)
async def test_check_header(headers: dict[str, str], reason: str) -> None:
    """ "Check HTTP header": a missing or unlisted value is refused with the status and message given."""
    check = (
        "<check-header name='X-A' failed-check-httpcode='403' failed-check-error-message='no' ignore-case='{}'>"
        "<value>one</value><value>two</value></check-header>"
    )
    reply = await make_gateway(inbound=check.format("false")).send(headers=headers)
    assert (reply.status, reply.json["message"]) == (403, "no")
    why = await make_gateway(inbound=check.format("false"), on_error=LAST_ERROR).send(headers=headers)
    assert why.text.split("|")[:2] == ["check-header", reason]
    assert (await make_gateway(inbound=check.format("true")).send(headers={"X-A": "TWO"})).status == 200


@pytest.mark.parametrize(
    ("action", "client", "status"),
    [
        ("allow", "10.0.0.5", 200),
        ("allow", "10.0.1.200", 200),
        ("allow", "10.0.2.1", 403),
        ("forbid", "10.0.0.5", 403),
        ("forbid", "::1", 200),
        ("allow", "unix", 403),
    ],
)
async def test_ip_filter(action: str, client: str, status: int) -> None:
    """ "Restrict caller IPs": single addresses and ranges."""
    listed = "<address>10.0.0.5</address><address-range from='10.0.1.0' to='10.0.1.255'/>"
    gateway = make_gateway(inbound=f"<ip-filter action='{action}'>{listed}</ip-filter>")
    assert (await gateway.send(client=client)).status == status


IDENTITY = f"<authentication-managed-identity resource='app' client-id='{CLIENT_ID}' {{}}/>"


def issue(gateway: GatewayHarness, token: str = "tok", lifetime: int = 3600) -> None:
    answer = {"access_token": token, "expires_on": str(int(NOW + lifetime))}
    gateway.backends.answers["http://identity.test"] = ok(json.dumps(answer).encode())


async def test_authentication_managed_identity() -> None:
    """ "Authenticate with managed identity": a bearer token, asked for once and kept until it expires."""
    gateway = make_gateway(inbound=IDENTITY.format(""))
    issue(gateway)
    await gateway.send(headers={"Authorization": "Bearer caller"})
    assert gateway.backends.last.headers["Authorization"] == ["Bearer tok"]
    asked = gateway.backends.calls[0]
    assert asked.url == f"http://identity.test/msi/token?resource=app&client_id={CLIENT_ID}&api-version=2019-08-01"
    assert asked.headers["X-IDENTITY-HEADER"] == ["secret"]
    await gateway.send()
    assert [call.url.startswith("http://identity") for call in gateway.backends.calls] == [True, False, False]
    gateway.clock.now += 3400
    issue(gateway, "newer", 9999)
    await gateway.send()
    assert gateway.backends.last.headers["Authorization"] == ["Bearer newer"]


async def test_a_managed_identity_token_in_a_variable() -> None:
    """`output-token-variable-name` leaves the header alone."""
    gateway = make_gateway(
        inbound=IDENTITY.format("output-token-variable-name='t'") + show('(string)context.Variables["t"]')
    )
    issue(gateway)
    assert (await gateway.send()).text == "tok"


@pytest.mark.parametrize(("ignore", "status"), [("true", 200), ("false", 500)])
async def test_no_managed_identity_token(ignore: str, status: int) -> None:
    """A refusal of the identity endpoint is 500, unless it is ignored; nothing was forwarded with a caller's token."""
    gateway = make_gateway(inbound=IDENTITY.format(f"ignore-error='{ignore}'"))
    gateway.backends.answers["http://identity.test"] = ok(b'{"error": "AADSTS501051"}', 400)
    assert (await gateway.send()).status == status


async def test_a_refused_token_is_fetched_anew_once() -> None:
    """After a backend's 401 the next call has another token; a backend that refuses that one too costs no more."""
    gateway = make_gateway(inbound=IDENTITY.format(""))
    issue(gateway)
    gateway.backends.answers["http://backend.test"] = ok(status=401)
    await gateway.send()
    gateway.clock.now += 60
    await gateway.send()  # refused: its token is a minute old
    issue(gateway, "anew")
    for _ in range(3):
        await gateway.send()
    assert gateway.backends.last.headers["Authorization"] == ["Bearer anew"]
    assert sum(call.url.startswith("http://identity") for call in gateway.backends.calls) == 2


async def test_a_token_that_does_not_count_yet_is_dropped() -> None:
    """A clock that was ahead and is put right: what was fetched meanwhile begins in the future (`nbf`)."""
    gateway = make_gateway(inbound=IDENTITY.format(""))
    gateway.clock.now += 25 * 3600
    issue(gateway, sign({"nbf": gateway.clock.now}), 50 * 3600)
    await gateway.send()
    gateway.clock.now = NOW
    issue(gateway, sign({"nbf": NOW}))
    await gateway.send()
    assert gateway.backends.last.headers["Authorization"] == [f"Bearer {sign({'nbf': NOW})}"]
    await gateway.send()
    assert sum(call.url.startswith("http://identity") for call in gateway.backends.calls) == 2


CORS = (
    "<cors allow-credentials='{credentials}' terminate-unmatched-request='{terminate}'><allowed-origins>"
    "<origin>{origin}</origin></allowed-origins><allowed-methods preflight-result-max-age='300'><method>POST</method>"
    "</allowed-methods><allowed-headers><header>content-type</header></allowed-headers>"
    "<expose-headers><header>X-E</header></expose-headers></cors>"
)


def cors(
    origin: str = "https://a.test", credentials: str = "false", terminate: str = "false", **sections: Any
) -> GatewayHarness:
    policy = CORS.format(origin=origin, credentials=credentials, terminate=terminate)
    return make_gateway(inbound=policy + sections.pop("then", ""), **sections)


def preflight(origin: str = "https://a.test", method: str = "POST", headers: str = "") -> dict[str, str]:
    asked = {"Access-Control-Request-Headers": headers} if headers else {}
    return {"Origin": origin, "Access-Control-Request-Method": method, **asked}


async def test_cors_preflight() -> None:
    """ "CORS": only the cors policy sees a preflight; it answers for the operation asked about."""
    gateway = cors(then="<set-status code='500'/>")
    reply = await gateway.send("OPTIONS", headers=preflight(headers="Content-Type"))
    assert (reply.status, reply.body, gateway.backends.calls) == (200, b"", [])
    assert reply.headers.joined("Access-Control-Allow-Origin") == "https://a.test"
    assert reply.headers.joined("Access-Control-Allow-Methods") == "POST"
    assert reply.headers.joined("Access-Control-Allow-Headers") == "Content-Type"
    assert reply.headers.joined("Access-Control-Max-Age") == "300"


async def test_cors_in_a_fragment_answers_preflights() -> None:
    """Microsoft's pages do not say it: the platform's own policies rely on it, and the live check `preflight` looks."""
    policy = CORS.format(origin="https://a.test", credentials="false", terminate="false")
    fragment = resource("api_management_policy_fragment", "f", value=f"<fragment>{policy}</fragment>", format="rawxml")
    gateway = make_gateway(inbound='<include-fragment fragment-id="f"/>', extra=[fragment])
    reply = await gateway.send("OPTIONS", headers=preflight())
    assert (reply.status, reply.headers.joined("Access-Control-Allow-Origin")) == (200, "https://a.test")
    assert gateway.backends.calls == []


@pytest.mark.parametrize(
    "headers", [preflight("https://evil.test"), preflight(method="GET"), preflight(headers="X-Other")]
)
async def test_cors_preflight_that_does_not_match(headers: dict[str, str]) -> None:
    """An empty 200 without permission."""
    reply = await cors().send("OPTIONS", headers=headers)
    assert (reply.status, "Access-Control-Allow-Origin" in reply.headers) == (200, False)


async def test_cors_preflight_without_policy_or_operation() -> None:
    """Without a cors policy, or for a path that has no operation, OPTIONS is an unknown operation."""
    assert (await make_gateway().send("OPTIONS", headers=preflight())).status == 404
    assert (await cors().send("OPTIONS", "/a/none", headers=preflight())).status == 404
    assert (await cors().send("OPTIONS")).status == 404


async def test_cors_on_the_request_itself() -> None:
    """Every response of a request that the policy ran for carries the headers, errors included."""
    gateway = cors(then="<set-variable name='x' value='@(int.Parse(\"x\"))'/>")
    reply = await gateway.send(headers={"Origin": "https://A.test:443"})
    assert (reply.status, reply.headers.joined("Access-Control-Allow-Origin")) == (500, "https://A.test:443")
    assert reply.headers.joined("Access-Control-Expose-Headers") == "x-e".upper()
    assert "Access-Control-Allow-Origin" not in (await cors().send(headers={"Origin": "https://evil.test"})).headers


async def test_cors_any_origin_and_credentials() -> None:
    """`*` is answered as `*`; with credentials the origin is named."""
    anyone = await cors("*").send(headers={"Origin": "https://x.test"})
    assert anyone.headers.joined("Access-Control-Allow-Origin") == "*"
    named = await cors("*", credentials="true").send(headers={"Origin": "https://x.test"})
    assert named.headers.joined("Access-Control-Allow-Origin") == "https://x.test"
    assert named.headers.joined("Access-Control-Allow-Credentials") == "true"


async def test_cors_terminates_unmatched_simple_requests() -> None:
    """`terminate-unmatched-request`: a GET from another origin is an empty 200."""
    gateway = cors(terminate="true")
    reply = await gateway.send(headers={"Origin": "https://evil.test"})
    assert (reply.status, reply.body, gateway.backends.calls) == (200, b"", [])


async def test_subscription_keys_come_before_policies() -> None:
    """An API that requires a subscription answers 401 before any policy runs."""
    gateway = make_gateway(inbound=show('"policy"'), subscription_required=True)
    reply = await gateway.send()
    assert (reply.status, reply.json["message"].startswith("Access denied due to missing subscription key")) == (
        401,
        True,
    )


async def test_without_a_client_id_the_system_assigned_identity_asks() -> None:
    """ "Authenticate with managed identity": "If client-id is not provided, system-assigned identity is assumed"."""
    state = applied(policies("<authentication-managed-identity resource='app'/>"))
    service = {**state.resources[0].values, "identity": [{"type": "SystemAssigned", "principal_id": "p"}]}
    first = Resource(state.resources[0].address, state.resources[0].type, service)
    gateway = GatewayHarness(State((first, *state.resources[1:])))
    token = {"access_token": "mine", "expires_on": str(int(NOW + 3600))}
    gateway.backends.answers["http://identity.test"] = ok(json.dumps(token).encode())
    assert (await gateway.send()).status == 200
    assert "client_id=&" in gateway.backends.calls[0].url
    assert gateway.backends.last.headers["Authorization"] == ["Bearer mine"]


async def test_cors_of_a_parent_scope_answers_where_base_stands() -> None:
    """ "CORS", usage notes: "Ensure that the base element is configured … to inherit needed policies"."""
    parent = policies(CORS.format(origin="https://a.test", credentials="false", terminate="true")).replace(
        "<base/>", ""
    )
    for inbound, allowed in (("<base/>", True), ("", False)):
        document = f"<policies><inbound>{inbound}</inbound></policies>"
        gateway = GatewayHarness(applied(document, global_policy=parent))
        reply = await gateway.send("OPTIONS", headers=preflight())
        assert ("Access-Control-Allow-Origin" in reply.headers) is allowed


async def test_an_operation_for_options_takes_preflights() -> None:
    """ "CORS": the policy's own processing of preflights is not executed there."""
    gateway = cors(operations=[("OPTIONS", "/op"), ("POST", "/op")])
    reply = await gateway.send("OPTIONS", headers=preflight())
    assert (reply.status, reply.text, len(gateway.backends.calls)) == (200, "fine", 1)


async def test_ip_filters_of_two_scopes() -> None:
    """ "Restrict caller IPs", usage notes: in the order of evaluation; both must let the caller through."""
    listed = "<ip-filter action='{}'><address>203.0.113.7</address></ip-filter>"
    for outer, inner, status in (("allow", "allow", 200), ("allow", "forbid", 403), ("forbid", "allow", 403)):
        parent = policies(listed.format(outer), backend="<forward-request/>").replace("<base/>", "")
        gateway = GatewayHarness(applied(policies(listed.format(inner)), global_policy=parent))
        assert (await gateway.send()).status == status


async def test_one_key_is_one_counter_at_two_scopes() -> None:
    """ "Limit call rate by key": "a single counter is used for all scopes at which the policy is configured"."""
    limit = "<rate-limit-by-key calls='3' renewal-period='60' counter-key='k'/>"
    parent = policies(limit, backend="<forward-request/>").replace("<base/>", "")
    gateway = GatewayHarness(applied(policies(limit), global_policy=parent))
    assert [(await gateway.send()).status for _ in range(3)] == [200, 429, 429]
