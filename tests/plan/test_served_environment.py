"""The local environment's rendered policies at work: who gets in, where calls go, what the façade lets through."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from emulators.apim.load import Loaded, load
from emulators.apim.tests import tokens
from emulators.apim.tests.harness import NOW, ok, streaming
from emulators.base.state import State
from tests.plan.bench import Bench
from tests.plan.served import CALLBACK, JSON, Environment, header
from tests.plan.served import state as served_state

TENANT = "99999999-9999-4999-8999-999999999999"


Applied = tuple[State, Loaded]


@pytest.fixture(scope="module")
def local(own_bench: Bench) -> Applied:
    state = served_state(own_bench, "local")
    return state, load(state)


@pytest.fixture(scope="module")
def by_groups(own_bench: Bench) -> Applied:
    """Two servers, and `authorization = "groups"`."""
    state = served_state(own_bench, "two-servers")
    return state, load(state)


@pytest.fixture
def served(local: Applied) -> Environment:
    return Environment(*local)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-app"},
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
        {"tid": TENANT},
        {"tid": None},
        {"exp": NOW - 120},
        {"exp": None},
        {"nbf": NOW + 3600},
    ],
    ids=str,
)
async def test_tokens_of_others_are_refused(served: Environment, claims: dict[str, Any]) -> None:
    """Made for another app, by another issuer, for another tenant or time: 401, and no server hears of it."""
    reply = await served.call(served.token(**claims))
    assert (reply.status, served.servers_called) == (401, [])
    assert 'error="invalid_token"' in header(reply, "WWW-Authenticate")


async def test_clocks_may_differ_by_a_minute(served: Environment) -> None:
    assert (await served.call(served.token(exp=NOW - 50))).status == 200
    assert (await served.call(served.token(exp=NOW - 70))).status == 401


@pytest.mark.parametrize(
    ("key", "header"), [(tokens.OTHER, {}), (tokens.KEY, {"alg": "none"}), (tokens.OTHER, {"kid": "one"})]
)
async def test_signatures_of_others_are_refused(served: Environment, key: Any, header: dict[str, Any]) -> None:
    """Signed with a key that the issuer does not publish, or not signed."""
    reply = await served.call(tokens.bearer(tokens.sign(served.claims(), key, **header)))
    assert (reply.status, served.servers_called) == (401, [])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}], ids=str)
async def test_no_token_is_challenged(served: Environment, headers: dict[str, str]) -> None:
    """The challenge names the metadata, on the gateway's own address, and the scope."""
    reply = await served.call(headers)
    metadata = f"{served.values['public-base-url']}/.well-known/oauth-protected-resource/mongodb/mcp"
    challenge = header(reply, "WWW-Authenticate")
    assert (reply.status, reply.json["id"], served.servers_called) == (401, 7, [])
    assert challenge.endswith(f'resource_metadata="{metadata}", scope="{served.values["api-scope"]}"')


@pytest.mark.parametrize(
    ("claims", "tier"),
    [
        ({"roles": ["Mcp.Admin"]}, "admin"),
        ({"roles": ["Mcp.Read"]}, "reader"),
        ({"roles": ["Mcp.Read", "Mcp.Admin"]}, "admin"),
        ({"roles": ["Mcp.Admin"], "scp": None, "idtyp": "app", "oid": "service"}, "admin"),
        ({"roles": ["Mcp.Read"], "scp": "openid Mcp.Access"}, "reader"),
    ],
)
async def test_the_role_decides_the_tier(served: Environment, claims: dict[str, Any], tier: str) -> None:
    """Every call of a role goes to that role's servers, and says which tier, caller and client it is for."""
    assert (await served.call(served.token(**claims))).status == 200
    (called,) = served.servers_called
    assert called.url.startswith(f"http://mongodb-{tier}-")
    sent = {name: header(called, f"X-Mcp-{name}") for name in ("Tier", "Caller", "Client")}
    assert sent == {"Tier": tier, "Caller": claims.get("oid", "caller"), "Client": served.client}


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": None},
        {"roles": ["Mcp.Write"]},
        {"roles": ["mcp.read"]},
        {"scp": None},
        {"scp": "Mcp.AccessAll"},
        {"scp": "User.Read"},
    ],
    ids=str,
)
async def test_without_role_or_scope_there_is_no_server(served: Environment, claims: dict[str, Any]) -> None:
    reply = await served.call(served.token(**claims))
    assert (reply.status, reply.json["id"], served.servers_called) == (403, 7, [])


async def test_nothing_of_the_caller_but_the_call_reaches_a_server(served: Environment) -> None:
    """The gateway signs in as itself; forged headers, cookies and keys stay behind."""
    forged = {f"X-Mcp-{name}": "forged" for name in ("Tier", "Caller", "Client")}
    given = {**served.token(), **forged, "Cookie": "a=b", "Ocp-Apim-Subscription-Key": "key"}
    assert (await served.call(given)).status == 200
    (called,) = served.servers_called
    assert header(called, "Authorization") == "Bearer gateway"
    assert not [name for name in ("Cookie", "Origin", "Ocp-Apim-Subscription-Key") if name in called.headers]
    assert "forged" not in str([header(called, name) for name in forged])
    asked = [call.url for call in served.gateway.backends.calls if call.url.startswith("http://identity.test")]
    assert parse_qs(urlsplit(asked[0]).query)["resource"] == [served.values["backend-app-id"]]


async def test_a_page_of_another_origin_is_refused(served: Environment) -> None:
    reply = await served.call({**served.token(), "Origin": "https://evil.example"})
    assert (reply.status, served.servers_called) == (403, [])
    assert "Access-Control-Allow-Origin" not in reply.headers


async def test_each_caller_has_300_calls_a_minute(served: Environment) -> None:
    """Over it: 429 with the time to wait, for this caller only."""
    mine, other = served.token(), served.token(oid="other")
    statuses = Counter([(await served.call(mine)).status for _ in range(302)])
    assert statuses == {200: 300, 429: 2}
    refused = await served.call(mine)
    assert 0 < int(header(refused, "Retry-After")) <= 60
    assert (await served.call(other)).status == 200


async def test_streams_are_passed_on_as_they_come(served: Environment) -> None:
    held = asyncio.Event()
    held.set()
    for host in ("mongodb-reader-a", "mongodb-reader-b"):
        pieces = streaming(b"data: 1\n\n", held, b"data: 2\n\n", headers={"Content-Type": "text/event-stream"})
        served.gateway.backends.answers = {
            f"http://{host}.mcp.internal": lambda _, found=pieces: found,
            **served.gateway.backends.answers,
        }
    assert (await served.call(served.token())).chunks[:2] == [b"data: 1\n\n", b"data: 2\n\n"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_refuses_the_gateway_is_not_the_callers_fault(served: Environment, status: int) -> None:
    for url in [url for url in served.gateway.backends.answers if ".mcp.internal" in url]:
        served.gateway.backends.answers[url] = ok(b"no", status)
    reply = await served.call(served.token())
    assert (reply.status, reply.json["error"]["code"]) == (502, -32603)
    assert "WWW-Authenticate" not in reply.headers


@pytest.mark.parametrize(
    ("status", "kind", "body", "is_its_own"),
    [
        (503, "text/plain", b"no healthy upstream", False),  # an ingress of Container Apps without a replica
        (502, "text/html", b"<h1>Bad Gateway</h1>", False),
        (504, "", b"stream timeout", False),
        (421, "text/plain", b"Misdirected Request", False),  # another server has the address of the one that was meant
        (503, "application/json", b'{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Busy."}}', True),
        (500, "text/plain", b"Internal Server Error", True),
    ],
)
async def test_what_stands_before_a_server_does_not_speak_for_it(
    served: Environment, status: int, kind: str, body: bytes, *, is_its_own: bool
) -> None:
    """An ingress without a server behind it is told in the protocol's form, and as something that passes."""
    for url in [url for url in served.gateway.backends.answers if ".mcp.internal" in url]:
        served.gateway.backends.answers[url] = ok(body, status, {"Content-Type": kind} if kind else {})
    reply = await served.call(served.token())
    if is_its_own:
        assert (reply.status, reply.body) == (status, body)
        return
    assert (reply.status, reply.json["error"]["code"]) == (503, -32603)
    assert "try again in a moment" in reply.json["error"]["message"]


async def test_answers_say_who_to_ask_and_not_what_runs(served: Environment) -> None:
    """Each answer has its own correlation id, and none says which software made it."""
    replies = [await served.call(served.token()), await served.call({})]
    assert len({header(reply, "X-Correlation-Id") for reply in replies} - {""}) == 2
    assert not [reply for reply in replies if "Server" in reply.headers or "X-Powered-By" in reply.headers]
    assert header(replies[1], "Cache-Control") == "no-store"


async def test_metadata_points_to_the_facade_and_promises_what_it_keeps(served: Environment) -> None:
    base = served.values["public-base-url"]
    paths = ["oauth-protected-resource/mongodb/mcp", *(["oauth-protected-resource"] if served.is_alone else [])]
    for path in paths:  # the root document is there where there is one server
        found = await served.gateway.send("GET", f"/.well-known/{path}", {"Origin": "https://any.example"})
        assert header(found, "Access-Control-Allow-Origin") == "*"
        assert "Access-Control-Allow-Credentials" not in found.headers
        assert (found.json["resource"], found.json["authorization_servers"]) == (served.endpoint, [base])
        assert found.json["scopes_supported"] == [served.values["api-scope"]]
    server = (await served.gateway.send("GET", "/.well-known/oauth-authorization-server")).json
    assert server["issuer"] == base
    assert {server[f"{name}_endpoint"] for name in ("authorization", "token", "registration")} == {
        f"{base}/oauth/{name}" for name in ("authorize", "token", "register")
    }
    assert (server["code_challenge_methods_supported"], server["response_types_supported"]) == (["S256"], ["code"])
    assert server["token_endpoint_auth_methods_supported"] == ["none"]
    # SEP-2207: clients ask for it where the authorization server lists it, and nowhere else.
    assert server["scopes_supported"] == [served.values["api-scope"], "offline_access"]


async def test_authorize_sends_on_only_what_it_knows(served: Environment) -> None:
    """To the tenant's own authority, with the API's scope and a choice of account, and no other parameter."""
    reply = await served.authorize(claims="{}", domain_hint="evil", prompt="none", scope="openid offline_access")
    assert reply.status == 302
    sent = urlsplit(header(reply, "Location"))
    assert f"{sent.scheme}://{sent.netloc}{sent.path}" == f"{served.values['entra-authority']}/oauth2/v2.0/authorize"
    query = parse_qs(sent.query)
    assert query["scope"] == [f"{served.values['api-scope']} openid offline_access"]
    assert (query["prompt"], query["state"], query["redirect_uri"]) == (["select_account"], ["s t&a=te"], [CALLBACK])
    assert query["code_challenge"] == ["c" * 43]
    assert not {"resource", "claims", "domain_hint"} & query.keys()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": TENANT}, "invalid_client"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_redirect_uri"),
        ({"redirect_uri": "https://claude.ai/api/mcp/auth_callback"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://localhost:1@evil.example/callback"}, "invalid_redirect_uri"),
        ({"redirect_uri": [CALLBACK, "https://evil.example/"]}, "invalid_request"),
        ({"resource": ["http://a/", "http://b/"]}, "invalid_target"),
    ],
)
async def test_authorize_redirects_nowhere_unregistered(
    served: Environment, changes: dict[str, Any], error: str
) -> None:
    reply = await served.authorize(**changes)
    assert (reply.status, reply.json["error"], "Location" in reply.headers) == (400, error, False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"resource": None}, "invalid_target"),
        ({"resource": "https://evil.example/mcp"}, "invalid_target"),
        # `$` of .NET admits a line feed at the end ("Anchors in regular expressions").
        ({"code_challenge": "c" * 43 + "\n"}, "invalid_request"),
        ({"resource": "/mongodb/mcp\n"}, "invalid_target"),
        ({"scope": "https://graph.microsoft.com/User.Read"}, "invalid_scope"),
        ({"scope": "openid https://graph.microsoft.com/User.Read"}, "invalid_scope"),
    ],
)
async def test_authorize_tells_a_registered_client(served: Environment, changes: dict[str, Any], error: str) -> None:
    if str(changes.get("resource")).startswith("/"):
        changes = {"resource": served.values["public-base-url"] + changes["resource"]}
    reply = await served.authorize(**changes)
    assert (reply.status, header(reply, "Cache-Control")) == (302, "no-store")
    location = header(reply, "Location")
    assert location.startswith(f"{CALLBACK}?error={error}&")
    assert parse_qs(urlsplit(location).query)["state"] == ["s t&a=te"]


async def test_a_token_is_asked_for_with_what_is_known_only(served: Environment) -> None:
    """To Entra go the parameters of the grant and the API's scope; no resource, cookie, or credential."""
    reply = await served.exchange(
        {"Origin": "https://any.example", "Cookie": "a=b", "Authorization": "Basic YTpi"}, scope="openid x", claims="{}"
    )
    assert (reply.status, header(reply, "Cache-Control"), "Set-Cookie" in reply.headers) == (
        200,
        "no-store",
        False,
    )
    called = served.gateway.backends.last
    assert called.url == f"{served.values['entra-authority']}/oauth2/v2.0/token"
    form = parse_qs((called.body or b"").decode())
    assert form["scope"] == [f"{served.values['api-scope']} openid"]
    assert set(form) == {"scope", "grant_type", "client_id", "code", "code_verifier", "redirect_uri"}
    assert not [name for name in ("Authorization", "Cookie", "Origin") if name in called.headers]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"client_secret": "s"}, "invalid_client"),
        ({"client_assertion": "a"}, "invalid_client"),
        ({"client_id": TENANT}, "invalid_client"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code": ["a", "b"]}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"resource": ""}, "invalid_target"),
        ({"resource": "https://evil.example/mcp"}, "invalid_target"),
        ({"resource": ["http://a/", "http://b/"]}, "invalid_target"),
    ],
)
async def test_the_token_endpoint_refuses(served: Environment, changes: dict[str, Any], error: str) -> None:
    reply = await served.exchange(**changes)
    assert (reply.status, reply.json["error"], served.gateway.backends.calls) == (400, error, [])


async def test_a_line_feed_after_the_resource_makes_it_another(served: Environment) -> None:
    """`$` of .NET admits one ("Anchors in regular expressions"); `\\z` does not."""
    reply = await served.exchange(resource=served.endpoint + "\n")
    assert (reply.status, reply.json["error"], served.gateway.backends.calls) == (400, "invalid_target", [])


@pytest.mark.parametrize(
    "body",
    [None, b"&".join(b"a%d=b" % number for number in range(300_000)), b"client_id=" + b"c" * 32_768],
    ids=["no body", "parameters", "a long one"],
)
async def test_the_token_endpoint_measures_before_it_reads(served: Environment, body: bytes | None) -> None:
    """Callers without a token are told what is wrong at once: no failure of the policy, no second of work."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = await served.gateway.send("POST", "/oauth/token", sent, body)
    assert (reply.status, reply.json["error"], served.gateway.backends.calls) == (400, "invalid_request", [])
    assert "32 KiB" in reply.json["error_description"]


@pytest.mark.parametrize(
    "uris", [[CALLBACK] * 100_000, ["http://localhost/" + "a" * 1_000_000], [CALLBACK] * 21], ids=["many", "long", "21"]
)
async def test_registration_measures_before_it_reads(served: Environment, uris: list[str]) -> None:
    """RFC 7591, section 3.2.2: refused as a client's mistake, before anything is compared."""
    reply = await served.register(*uris)
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")
    assert "64 KiB" in reply.json["error_description"]


@pytest.mark.parametrize(
    "uris",
    [
        ["https://evil.example/callback"],
        [CALLBACK, "https://evil.example/"],
        [CALLBACK, "https://claude.ai/api/mcp/auth_callback"],
        [],
    ],
    ids=str,
)
async def test_registration_invents_no_client(served: Environment, uris: list[str]) -> None:
    reply = await served.register(*uris)
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")


async def test_registration_finds_the_client_of_a_loopback_uri(served: Environment) -> None:
    """The port of a loopback URI is the client's choice; the answer holds no secret."""
    reply = await served.register(CALLBACK)
    assert (reply.status, reply.json["client_id"]) == (201, served.client)
    assert (reply.json["token_endpoint_auth_method"], header(reply, "Cache-Control")) == ("none", "no-store")
    assert "client_secret" not in reply.json


@pytest.mark.parametrize(
    ("path", "calls"), [("/.well-known/oauth-authorization-server", 600), ("/oauth/authorize", 120)]
)
async def test_what_is_anonymous_is_limited_by_address(served: Environment, path: str, calls: int) -> None:
    statuses = [(await served.gateway.send("GET", path)).status for _ in range(calls + 1)]
    assert (429 in statuses[:calls], statuses[calls]) == (False, 429)
    assert (await served.gateway.send("GET", path, client="198.51.100.9")).status != 429


async def test_only_the_declared_operations_answer(served: Environment) -> None:
    """No other path or method leads anywhere, with a valid token or without."""
    for method, path in (("PUT", "/mongodb/mcp"), ("POST", "/mongodb/healthz"), ("GET", "/oauth/token"), ("GET", "/")):
        assert (await served.gateway.send(method, path, {**JSON, **served.token()})).status == 404
    assert served.servers_called == []


@pytest.mark.parametrize(
    ("groups", "claims", "tier"),
    [
        (["reader"], {}, "reader"),
        (["admin", "reader"], {}, "admin"),
        (["reader"], {"roles": ["Mcp.Admin"]}, "reader"),
        ([], {"roles": ["Mcp.Admin"]}, None),
        ([], {"roles": ["Mcp.Admin"], "scp": None, "idtyp": "app"}, "admin"),
        ([], {"_claim_names": '{"groups": "src1"}'}, None),
    ],
)
async def test_by_groups_a_person_s_group_decides(
    by_groups: Applied, groups: list[str], claims: dict[str, Any], tier: str | None
) -> None:
    """Roles count for services only; who is in too many groups for a token is told so, not let in."""
    served = Environment(*by_groups)
    ids = [served.values[f"group-{name}"] for name in groups] or None
    reply = await served.call(served.token(**{"roles": None, "groups": ids, **claims}))
    assert reply.status == (403 if tier is None else 200)
    called = {re.sub(r"-[a-z]\.mcp\.internal.*", "", call.url) for call in served.servers_called}
    assert called == ({f"http://mongodb-{tier}"} if tier else set())


@pytest.mark.parametrize("resource", [None, "endpoint"])
async def test_a_refresh_asks_for_the_next_refresh_token(served: Environment, resource: str | None) -> None:
    """Whatever scope the client repeats or forgets, and without `resource` as several clients do: the API's scope."""
    for scope in (None, "", "openid", "https://graph.microsoft.com/.default"):
        changes = {"resource": resource and served.endpoint, "scope": scope, "code": None}
        reply = await served.exchange(grant_type="refresh_token", refresh_token="r", **changes)
        assert reply.status == 200, reply.text
        form = parse_qs((served.gateway.backends.last.body or b"").decode())
        words = form["scope"][0].split()
        assert words[0] == served.values["api-scope"]
        assert words[-1] == "offline_access"
        assert "https://graph.microsoft.com/.default" not in words


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, {"error": "invalid_grant", "error_codes": [50173], "suberror": "bad_token"}),
        (400, {"error": "interaction_required", "error_codes": [50076], "claims": "{}"}),
        (401, {"error": "invalid_client", "error_codes": [700025]}),
        (503, {"error": "temporarily_unavailable"}),
    ],
)
async def test_what_entra_id_answers_passes_through(served: Environment, status: int, answer: dict[str, Any]) -> None:
    """A client that sees the answer as it is begins a new sign-in; one that sees another error gives up."""
    url = f"{served.values['entra-authority']}/oauth2/v2.0/token"
    served.gateway.backends.answers[url] = ok(json.dumps(answer).encode(), status, JSON)
    reply = await served.exchange(grant_type="refresh_token", refresh_token="r")
    assert (reply.status, reply.json, header(reply, "Cache-Control")) == (status, answer, "no-store")


@pytest.mark.parametrize(
    ("method", "given", "wanted"),
    [
        ("POST", None, "application/json, text/event-stream"),
        ("POST", "", "application/json, text/event-stream"),
        ("POST", "*/*", "application/json, text/event-stream"),
        ("POST", "application/json, */*;q=0.5", "application/json, text/event-stream"),
        ("POST", "application/*, text/*", "application/json, text/event-stream"),
        ("POST", "Application/JSON, Text/Event-Stream", "application/json, text/event-stream"),
        ("POST", "application/json", "application/json"),
        ("GET", None, "text/event-stream"),
        ("GET", "*/*", "text/event-stream"),
    ],
)
async def test_servers_get_what_accept_means(served: Environment, method: str, given: str | None, wanted: str) -> None:
    """Missing, wildcard and capital media types mean what RFC 9110, section 12.5.1, says; servers compare texts."""
    headers = {**served.token(), **JSON, **({} if given is None else {"Accept": given})}
    body = b'{"jsonrpc": "2.0", "id": 7, "method": "tools/list"}' if method == "POST" else b""
    assert (await served.gateway.send(method, "/mongodb/mcp", headers, body)).status == 200
    assert header(served.servers_called[0], "Accept") == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("Application/JSON; charset=utf-8", "application/json; charset=utf-8"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
    ],
)
async def test_servers_get_json_under_one_name(served: Environment, given: str, wanted: str) -> None:
    assert (await served.call({**served.token(), "Content-Type": given})).status == 200
    assert header(served.servers_called[0], "Content-Type") == wanted


async def test_a_slash_at_the_end_changes_nothing(served: Environment) -> None:
    """Neither the answer nor what the server sees."""
    message = b'{"jsonrpc": "2.0", "id": 7, "method": "tools/list"}'
    assert (await served.gateway.send("POST", "/mongodb/mcp/", {**JSON, **served.token()}, message)).status == 200
    assert urlsplit(served.servers_called[0].url).path == "/mcp"
    refused = await served.gateway.send("POST", "/mongodb/mcp/", JSON, message)
    assert (refused.status, "resource_metadata" in header(refused, "WWW-Authenticate")) == (401, True)


async def test_head_says_what_get_would(served: Environment) -> None:
    for path in ("oauth-protected-resource/mongodb/mcp", "oauth-authorization-server"):
        reply = await served.gateway.send("HEAD", f"/.well-known/{path}")
        assert (reply.status, header(reply, "Content-Type")) == (200, "application/json")
    challenged = await served.gateway.send("HEAD", "/mongodb/mcp")
    assert (challenged.status, "resource_metadata" in header(challenged, "WWW-Authenticate")) == (401, True)


SPELLINGS = [
    "/.well-known/oauth-protected-resource/mongodb/mcp",
    "/.well-known/oauth-protected-resource/mongodb/mcp/",
    "/.well-known/OAuth-Protected-Resource/MongoDB/MCP",
    "/.well-known/oauth-protected-resource/%6dongodb/mcp",
    "/.Well-Known/oauth-protected-resource/mongodb/mcp?x=1",
    "/.well-known/oauth-authorization-server/",
    "/.WELL-KNOWN/oauth-authorization-server",
]


@pytest.mark.parametrize("path", SPELLINGS)
async def test_metadata_is_there_however_it_is_asked_for(served: Environment, path: str) -> None:
    """GET, HEAD and a browser's question: the wildcard beside it, which is 404, takes none of them."""
    origin = {"Origin": "https://any.example"}
    reply = await served.gateway.send("GET", path, origin)
    assert (reply.status, header(reply, "Access-Control-Allow-Origin")) == (200, "*")
    assert reply.json.get("resource", reply.json.get("issuer"))
    head = await served.gateway.send("HEAD", path, origin)
    assert (head.status, head.text, header(head, "Access-Control-Allow-Origin")) == (200, "", "*")
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "mcp-protocol-version"}
    preflight = await served.gateway.send("OPTIONS", path, {**origin, **asked})
    assert (preflight.status, header(preflight, "Access-Control-Allow-Origin")) == (200, "*")
    assert header(preflight, "Access-Control-Allow-Headers").lower() == "mcp-protocol-version"
