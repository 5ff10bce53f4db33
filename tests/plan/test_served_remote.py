"""Servers elsewhere as the apim module renders them, served by the local gateway to scripted answers: no socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from emulators.apim.failures import NOT_CONNECTED, UpstreamError
from emulators.apim.load import Loaded, load
from emulators.apim.tests import tokens
from emulators.apim.tests.harness import NOW, Call, GatewayHarness, Reply, ok, streaming
from emulators.base.state import State
from tests.plan.bench import Bench
from tests.plan.served import JSON, header
from tests.plan.served import root as served_root

KEY = "what the vendor gave"
URL = "https://mcp.example.com/v1/mcp/"
RESULT = b'{"jsonrpc": "2.0", "id": 7, "result": {}}'
LARGEST = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def applied(own_bench: Bench) -> State:
    root = served_root(own_bench, "remote")
    own_bench.apply(root)
    return State.from_show_json(own_bench.show(root))


@pytest.fixture(scope="module")
def loaded(applied: State) -> Loaded:
    """Compiled once: it takes most of a second."""
    return load(applied)


@pytest.fixture
def gateway(loaded: Loaded) -> GatewayHarness:
    gateway = GatewayHarness(loaded)
    tokens.publish(gateway)
    for origin in ("https://mcp.example.com", "https://keyed.example.com:8443", "https://open.example.com"):
        gateway.backends.answers[origin] = ok(RESULT, headers=JSON)
    return gateway


def called(gateway: GatewayHarness) -> list[Call]:
    """What went to servers elsewhere."""
    return [call for call in gateway.backends.calls if ".example.com" in call.url]


def bearer(oid: str = "caller", role: str = "Mcp.Admin") -> dict[str, str]:
    claims = tokens.claims(roles=[role], oid=oid, scp="Mcp.Access", azp="desktop-client-id", exp=NOW + 86_400)
    return tokens.bearer(tokens.sign(claims))


async def post(
    gateway: GatewayHarness,
    method: str = "tools/list",
    *,
    server: str = "elsewhere",
    oid: str = "caller",
    role: str = "Mcp.Admin",
    headers: Mapping[str, str] | None = None,
    query: str = "",
    **params: Any,
) -> Reply:
    message = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
    sent = {**bearer(oid, role), **JSON, **(headers or {})}
    return await gateway.send("POST", f"/{server}/mcp{query}", sent, message)


@pytest.mark.parametrize(
    ("server", "url", "name", "value"),
    [
        ("elsewhere", URL, "Authorization", f"Bearer {KEY}"),
        ("keyed", "https://keyed.example.com:8443/", "X-Api-Key", KEY),
        ("open", "https://open.example.com/mcp", "Authorization", ""),
    ],
)
async def test_a_call_goes_to_its_address_with_the_vault_s_credential(
    gateway: GatewayHarness, server: str, url: str, name: str, value: str
) -> None:
    """And with nothing else that could open something: neither the caller's token nor one of the gateway's."""
    reply = await post(gateway, server=server)
    (call,) = called(gateway)
    assert (reply.status, call.url, header(call, name)) == (200, url, value)
    assert all("eyJ" not in given for _, given in call.headers.items())
    assert not [other for other in gateway.backends.calls if "identity" in other.url]


async def test_nothing_of_the_caller_goes_along(gateway: GatewayHarness) -> None:
    """Whatever they send under names of ours, of proxies or of the credential, and whatever their address says."""
    spoofed = {
        "X-Mcp-Caller": "somebody",
        "X-Mcp-Client": "x",
        "X-Mcp-Tier": "admin",
        "Cookie": "a=b",
        "Origin": "",
        "Referer": "https://app.test/",
        "Ocp-Apim-Subscription-Key": "k",
        "Forwarded": "for=192.0.2.1",
        "X-Forwarded-Host": "evil.test",
        "X-Real-Ip": "192.0.2.1",
        "Via": "1.1 proxy",
        "Baggage": "user=me",
        "X-Api-Key": "the caller's own",
    }
    await post(gateway, server="keyed", headers=spoofed, query="?access_token=t&path=../admin")
    (call,) = called(gateway)
    left = {name for name in spoofed if header(call, name)}
    assert (left, header(call, "X-Api-Key"), call.url) == ({"X-Api-Key"}, KEY, "https://keyed.example.com:8443/")


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("Mcp.Other", 403)])
async def test_the_gate_is_that_of_every_server(gateway: GatewayHarness, role: str | None, status: int) -> None:
    """No token, no role: nothing goes out."""
    reply = await (gateway.send("POST", "/open/mcp", JSON, b"{}") if role is None else post(gateway, role=role))
    assert (reply.status, called(gateway)) == (status, [])


async def test_a_list_of_tools_is_a_boundary(gateway: GatewayHarness) -> None:
    """What readers see and call is what the list names; other methods are closed to them."""
    listed = {"jsonrpc": "2.0", "id": 7, "result": {"tools": [{"name": "find"}, {"name": "drop"}, {"name": "list-a"}]}}
    gateway.backends.answers["https://mcp.example.com"] = ok(json.dumps(listed).encode(), headers=JSON)
    seen = await post(gateway, role="Mcp.Read")
    assert [tool["name"] for tool in seen.json["result"]["tools"]] == ["find", "list-a"]
    assert [tool["name"] for tool in (await post(gateway)).json["result"]["tools"]] == ["find", "drop", "list-a"]
    gateway.backends.calls.clear()
    assert (await post(gateway, "tools/call", role="Mcp.Read", name="drop")).json["error"]["code"] == -32602
    assert (await post(gateway, "resources/read", role="Mcp.Read")).json["error"]["code"] == -32601
    assert called(gateway) == []


async def test_a_session_belongs_to_who_began_it(gateway: GatewayHarness) -> None:
    """Another person's id, a made-up one and one that is over are all answered 404, and their calls go nowhere."""
    gateway.backends.answers["https://open.example.com"] = ok(RESULT, headers={**JSON, "Mcp-Session-Id": "s-1"})
    begun = await post(gateway, "initialize", server="open", oid="ada")
    assert begun.headers["mcp-session-id"] == ["s-1"]
    session = {"Mcp-Session-Id": "s-1"}
    assert (await post(gateway, server="open", oid="ada", headers=session)).status == 200
    assert header(called(gateway)[-1], "Mcp-Session-Id") == "s-1"
    before = len(called(gateway))
    for oid, given, server in (("eve", "s-1", "open"), ("ada", "s-2", "open"), ("ada", "s-1", "elsewhere")):
        reply = await post(gateway, server=server, oid=oid, headers={"Mcp-Session-Id": given})
        assert (reply.status, reply.json["error"]["code"]) == (404, -32001)
    gateway.clock.now += 3599
    for method in ("GET", "DELETE"):
        assert (await gateway.send(method, "/open/mcp", {**bearer("eve"), **session})).status == 404
    assert len(called(gateway)) == before
    assert (await gateway.send("GET", "/open/mcp", {**bearer("ada"), **session})).status == 200
    gateway.clock.now += 3601
    assert (await post(gateway, server="open", oid="ada", headers=session)).status == 404


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ok(b"{}", 401, {"WWW-Authenticate": 'Bearer x="https://evil.test/"'}), "server elsewhere does not accept"),
        (ok(b"{}", 403), "server elsewhere does not accept"),
        (ok(b"", 307, {"Location": "https://evil.test/mcp"}), "has moved"),
        (ok(b"x" * (LARGEST + 1), headers=JSON), "is larger than"),
        (ok(b"x", headers={"Content-Type": "text/event-stream", "Content-Length": str(LARGEST + 1)}), "is larger than"),
        (UpstreamError("BackendConnectionFailure", f"{NOT_CONNECTED} (mcp)"), "could not complete"),
        (UpstreamError("Timeout", "no answer in time"), "could not complete"),
    ],
)
async def test_what_goes_wrong_there_is_502_here(gateway: GatewayHarness, answer: Any, said: str) -> None:
    """Clients are neither sent to another sign-in nor to another address, and get no answer without a bound."""
    gateway.backends.answers["https://mcp.example.com"] = answer
    reply = await post(gateway, "tools/call", name="find")
    assert (reply.status, said in reply.json["error"]["message"]) == (502, True)
    assert {"www-authenticate", "location"} & set(reply.headers) == set()
    assert [call.wait for call in called(gateway)] == [20]


@pytest.mark.parametrize(
    "name",
    ["Set-Cookie", "WWW-Authenticate", "Alt-Svc", "Clear-Site-Data", "Refresh", "Strict-Transport-Security"],
)
async def test_what_would_bind_clients_to_it_stays_there(gateway: GatewayHarness, name: str) -> None:
    """Its cookies, its own sign-in and its rules for browsers, on whatever answer."""
    for status in (200, 400):
        gateway.backends.answers["https://open.example.com"] = ok(RESULT, status, {**JSON, name: "x"})
        reply = await post(gateway, server="open")
        assert (reply.status, name.lower() in reply.headers) == (status, False)


async def test_callers_without_an_id_share_no_session(gateway: GatewayHarness) -> None:
    """Entra ID names everybody; whoever is not named owns nothing, so that two such callers are not one."""
    gateway.backends.answers["https://open.example.com"] = ok(RESULT, headers={**JSON, "Mcp-Session-Id": "s-1"})
    nobody = tokens.bearer(tokens.sign(tokens.claims(roles=["Mcp.Admin"], scp="Mcp.Access")))
    message = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}).encode()
    assert (await gateway.send("POST", "/open/mcp", {**nobody, **JSON}, message)).status == 200
    again = await gateway.send("POST", "/open/mcp", {**nobody, **JSON, "Mcp-Session-Id": "s-1"}, message)
    assert (again.status, len(called(gateway))) == (404, 1)


async def test_a_large_request_is_refused(gateway: GatewayHarness) -> None:
    """Before anything of it goes out, with a length and without one."""
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"x": "' + b"x" * LARGEST + b'"}}'
    sent = {**bearer(), **JSON}
    assert (await gateway.send("POST", "/open/mcp", sent, body)).status == 413
    assert (await gateway.send("POST", "/open/mcp", sent, parts=[body[:9], body[9:]])).status == 413
    assert called(gateway) == []


async def test_a_stream_is_passed_on_as_it_arrives(gateway: GatewayHarness) -> None:
    """Events are not gathered; headers that are between the gateway and that server stay there."""
    headers = {"Content-Type": "text/event-stream", "Set-Cookie": "a=b", "Alt-Svc": "h3", "Mcp-Session-Id": "s"}
    events = [b"data: 1\n\n", b"data: 2\n\n"]
    gateway.backends.answers["https://open.example.com"] = streaming(*events, headers=headers)
    reply = await post(gateway, "tools/call", server="open", name="find")
    assert (reply.status, reply.chunks) == (200, events)
    assert {"set-cookie", "alt-svc"} & set(reply.headers) == set()


async def test_a_limit_is_per_person(gateway: GatewayHarness) -> None:
    """The server's, whatever tier."""
    for _ in range(40):
        assert (await post(gateway)).status == 200
    assert (await post(gateway)).status == 429
    assert (await post(gateway, oid="another")).status == 200


def test_the_secret_is_in_no_resource_but_the_vault_s(applied: State) -> None:
    """Neither in a policy nor in a named value, and so in no plan; logs hide the headers that carry it."""
    holders = [r.type for r in applied.resources if KEY in json.dumps(dict(r.values))]
    assert holders == ["azurerm_key_vault_secret"]
    masked = {
        header["value"]
        for diagnostic in applied.of_type("azurerm_api_management_diagnostic")
        for header in diagnostic.block("backend_request")["data_masking"][0]["headers"]
    }
    assert {"Authorization", "X-Api-Key"} <= masked
