"""What the apim module renders, served by the local gateway to scripted servers: slots, retry and tools by tier."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from emulators.apim.failures import BROKEN_OFF, NOT_CONNECTED, UpstreamError
from emulators.apim.load import Loaded, load
from emulators.apim.tests import tokens
from emulators.apim.tests.harness import Call, GatewayHarness, Reply, ok, streaming
from emulators.base.state import State
from tests.plan.bench import Bench
from tests.plan.served import JSON
from tests.plan.served import root as served_root

REFUSED = UpstreamError("BackendConnectionFailure", f"{NOT_CONNECTED} (slot)")
BROKEN = UpstreamError("BackendConnectionFailure", f"{BROKEN_OFF} (slot)")
LATE = UpstreamError("Timeout", "no answer in time")


@pytest.fixture(scope="module")
def state(own_bench: Bench) -> State:
    root = served_root(own_bench, "policies")
    own_bench.apply(root)
    return State.from_show_json(own_bench.show(root))


@pytest.fixture(scope="module")
def loaded(state: State) -> Loaded:
    """Compiled once: it takes most of a second."""
    return load(state)


@pytest.fixture
def gateway(loaded: Loaded) -> GatewayHarness:
    gateway = GatewayHarness(loaded)
    tokens.publish(gateway)
    signed_in = {"access_token": "gateway", "expires_on": str(int(gateway.clock() + 3600))}
    gateway.backends.answers["http://identity.test"] = ok(json.dumps(signed_in).encode())
    for server in ("mongodb-admin", "mongodb-reader"):
        for slot in ("a", "b"):
            gateway.backends.answers[f"http://{server}-{slot}.test/healthz"] = ok(b"")
            gateway.backends.answers[f"http://{server}-{slot}.test"] = ok(b'{"result": {}}', headers=JSON)
    for slot in ("plain-reader-a", "payroll-clerk-a", "payroll-auditor-a"):
        gateway.backends.answers[f"http://{slot}.test"] = ok(b'{"result": {}}', headers=JSON)
    return gateway


def message(method: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    params = {"params": {"name": name, "arguments": {}}} if name is not None else {}
    return {"jsonrpc": "2.0", "id": 7, "method": method, **params, **more}


async def post(
    gateway: GatewayHarness,
    body: Any,
    *,
    role: str | Sequence[str] = "Mcp.Read",
    server: str = "mongodb",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    roles = [role] if isinstance(role, str) else role
    token = tokens.sign(tokens.claims(roles=roles, oid="caller", scp="Mcp.Access"))
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await gateway.send("POST", f"/{server}/mcp", {**tokens.bearer(token), **JSON, **(headers or {})}, data)


def slots(gateway: GatewayHarness) -> Counter[str]:
    """How often each slot was called, but for the question whether it lives."""
    urls = (call.url for call in gateway.backends.calls if not call.url.endswith("/healthz"))
    hosts = (url.removeprefix("http://").partition(".")[0] for url in urls)
    return Counter(host for host in hosts if host.startswith(("mongodb-", "plain-", "payroll-")))


def failing(gateway: GatewayHarness, tier: str, *failures: Any) -> None:
    """The tier's slots, whichever is called, give these answers first."""
    left = list(failures)

    def answer(call: Call) -> Any:
        return left.pop(0) if left else ok(b'{"result": {}}', headers=JSON)

    for slot in ("a", "b"):
        gateway.backends.answers[f"http://mongodb-{tier}-{slot}.test"] = answer


async def test_calls_are_spread_over_the_slots(gateway: GatewayHarness) -> None:
    """Each slot of the caller's tier gets its part, and no other tier gets any."""
    for _ in range(40):
        assert (await post(gateway, message("tools/call", "find"))).status == 200
    assert set(slots(gateway)) == {"mongodb-reader-a", "mongodb-reader-b"}
    assert min(slots(gateway).values()) > 5


MATRIX = [
    (["Mcp.Read"], {"mongodb": "reader", "plain": "reader"}),
    (["Mcp.Admin"], {"mongodb": "admin"}),
    (["Payroll.Read"], {"payroll": "auditor"}),
    (["Payroll.Write"], {"payroll": "clerk"}),
    (["Payroll.Read", "Payroll.Write"], {"payroll": "clerk"}),
    (["Payroll.Read", "Mcp.Read", "Mcp.Admin"], {"mongodb": "admin", "plain": "reader", "payroll": "auditor"}),
    ([], {}),
    # What is nearly a role: one that another begins or ends with, in another case, several in one text, quoted.
    (["Mcp.ReadAll", "XMcp.Read", "Mcp.Rea", "Mcp", "Payroll.Read.All", "Payroll.Writer"], {}),
    (["mcp.read", "MCP.ADMIN", "payroll.Read", "Mcp.Read ", "Mcp.Read\x00"], {}),
    (["Mcp.Admin Mcp.Read", "Mcp.Admin,Mcp.Read", '["Mcp.Admin"]', '") || true || ("', "*", ""], {}),
]


@pytest.mark.parametrize("server", ["mongodb", "plain", "payroll"])
@pytest.mark.parametrize(("roles", "tiers"), MATRIX, ids=str)
async def test_a_role_opens_the_servers_that_have_a_tier_for_it(
    gateway: GatewayHarness, roles: list[str], tiers: dict[str, str], server: str
) -> None:
    """Of several roles the first in the order counts; of none that fits the sentence says which would."""
    reply = await post(gateway, message("tools/list"), role=roles, server=server)
    called = {host.rpartition("-")[0] for host in slots(gateway)}
    assert (reply.status, called) == ((200, {f"{server}-{tiers[server]}"}) if server in tiers else (403, set()))
    if server not in tiers:
        wanted = {"mongodb": "Mcp.Admin or Mcp.Read", "plain": "Mcp.Read", "payroll": "Payroll.Write or Payroll.Read"}
        assert reply.json["error"]["message"] == (
            f"Your account is signed in but holds no role on this server: ask its owner for {wanted[server]}."
        )
        assert "WWW-Authenticate" not in reply.headers  # a client would sign in again, and get the same roles


async def test_one_slot_without_lists_costs_nothing(state: State) -> None:
    """A server with one slot and no lists gets the policy without retry, choice of slot and look at the body."""
    text = next(
        r["xml_content"] for r in state.of_type("azurerm_api_management_api_policy") if "plain" in r["api_name"]
    )
    assert not [word for word in ("<retry", "slot", "mcp-tools", "Request.Body", "<set-body") if word in text]


@pytest.mark.parametrize("failure", [REFUSED, BROKEN])
@pytest.mark.parametrize(
    ("role", "body"),
    [
        ("Mcp.Read", message("tools/call", "find")),
        ("Mcp.Admin", message("tools/call", "find")),
        ("Mcp.Admin", message("tools/call", "list-databases")),
        ("Mcp.Admin", message("initialize")),
    ],
)
async def test_what_may_be_repeated_goes_to_another_slot(
    gateway: GatewayHarness, role: str, body: dict[str, Any], failure: UpstreamError
) -> None:
    """Any failure without an answer: the other slot answers, and the caller sees nothing of it."""
    tier = "reader" if role == "Mcp.Read" else "admin"
    failing(gateway, tier, failure)
    assert (await post(gateway, body, role=role)).status == 200
    assert slots(gateway) == {f"mongodb-{tier}-a": 1, f"mongodb-{tier}-b": 1}


@pytest.mark.parametrize("name", ["insert-many", "finder", "x-find"])
async def test_a_write_that_may_have_arrived_is_not_sent_again(gateway: GatewayHarness, name: str) -> None:
    """A connection that broke, or no answer in time: the server may have done it. The caller is told, once."""
    for failure in (BROKEN, LATE):
        gateway.backends.calls.clear()
        failing(gateway, "admin", failure)
        reply = await post(gateway, message("tools/call", name), role="Mcp.Admin")
        assert (reply.status, reply.json["id"], slots(gateway).total()) == (502, 7, 1)


async def test_a_write_that_was_not_sent_goes_to_another_slot(gateway: GatewayHarness) -> None:
    """A refused connection carried nothing."""
    failing(gateway, "admin", REFUSED)
    assert (await post(gateway, message("tools/call", "insert-many"), role="Mcp.Admin")).status == 200
    assert slots(gateway) == {"mongodb-admin-a": 1, "mongodb-admin-b": 1}


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_s_own_error_to_a_write_is_its_answer(gateway: GatewayHarness, status: int) -> None:
    """503 from the server is not 503 from a breaker: it was called."""
    failing(gateway, "admin", ok(b'{"error": {}}', status, JSON))
    assert (await post(gateway, message("tools/call", "insert-many"), role="Mcp.Admin")).status == status
    assert slots(gateway).total() == 1


@pytest.mark.parametrize("name", ["insert-many", "find"])
async def test_a_call_that_came_to_another_server_goes_to_the_other_slot(gateway: GatewayHarness, name: str) -> None:
    """421: who answers has that slot's earlier address, and did nothing (RFC 9110, section 15.5.20)."""
    failing(gateway, "admin", ok(b"Misdirected Request", 421, {"Content-Type": "text/plain"}))
    assert (await post(gateway, message("tools/call", name), role="Mcp.Admin")).status == 200
    assert slots(gateway) == {"mongodb-admin-a": 1, "mongodb-admin-b": 1}


async def test_an_open_breaker_sends_writes_to_the_other_slot(gateway: GatewayHarness) -> None:
    """Once a slot's breaker is open no call reaches it, and none fails."""
    gateway.backends.answers["http://mongodb-admin-a.test"] = REFUSED
    replies = [await post(gateway, message("tools/call", "insert-many"), role="Mcp.Admin") for _ in range(40)]
    assert {reply.status for reply in replies} == {200}
    assert slots(gateway) == {"mongodb-admin-a": 5, "mongodb-admin-b": 40}


async def test_where_no_slot_answers_the_caller_is_told(gateway: GatewayHarness) -> None:
    """Each slot is tried once; then a JSON-RPC error with the request's id."""
    failing(gateway, "reader", REFUSED, REFUSED)
    reply = await post(gateway, message("tools/call", "find"))
    assert (reply.status, reply.json["id"], slots(gateway).total()) == (502, 7, 2)


async def test_nothing_is_repeated_after_a_long_wait(gateway: GatewayHarness) -> None:
    """A query that took too long once would do so again, and load a second server."""

    def late(call: Call) -> Any:
        gateway.clock.now += 31
        return LATE

    for slot in ("a", "b"):
        gateway.backends.answers[f"http://mongodb-reader-{slot}.test"] = late
    assert (await post(gateway, message("tools/call", "find"))).status == 502
    assert slots(gateway).total() == 1


def hang(gateway: GatewayHarness, slot: str) -> None:
    """The slot takes connections and answers nothing: each call waits as long as the gateway lets it."""

    def silent(call: Call) -> Any:
        gateway.clock.now += call.wait
        return LATE

    gateway.backends.answers[f"http://mongodb-{slot}.test/healthz"] = silent
    gateway.backends.answers[f"http://mongodb-{slot}.test"] = silent


def waited(gateway: GatewayHarness, path: str) -> list[float]:
    """How long the gateway was ready to wait for each answer."""
    return [call.wait for call in gateway.backends.calls if "//mongodb-" in call.url and call.url.endswith(path)]


@pytest.mark.parametrize("name", ["find", "insert-many"])
async def test_a_slot_that_hangs_is_asked_once_and_gets_no_calls(gateway: GatewayHarness, name: str) -> None:
    """Not even those that cannot be repeated; for ten seconds nobody waits for it."""
    hang(gateway, "admin-a")
    begun = gateway.clock()
    for _ in range(20):
        assert (await post(gateway, message("tools/call", name), role="Mcp.Admin")).status == 200
    assert slots(gateway) == {"mongodb-admin-b": 20}
    assert gateway.clock() - begun == 2
    gateway.clock.now += 11
    gateway.backends.answers["http://mongodb-admin-a.test/healthz"] = ok(b"", 404)  # any answer shows that it lives
    gateway.backends.answers["http://mongodb-admin-a.test"] = ok(b"{}", headers=JSON)
    for _ in range(20):
        assert (await post(gateway, message("tools/call", name), role="Mcp.Admin")).status == 200
    assert slots(gateway)["mongodb-admin-a"] > 0


@pytest.mark.parametrize(
    ("role", "body", "limit"),
    [
        ("Mcp.Admin", message("tools/list"), 5),
        ("Mcp.Read", message("initialize"), 5),
        ("Mcp.Admin", message("tools/call", "find"), 10),
        ("Mcp.Read", message("tools/call", "find"), 10),
        ("Mcp.Admin", message("tools/call", "insert-many"), 20),
    ],
)
async def test_how_long_the_gateway_waits_for_the_first_byte(
    gateway: GatewayHarness, role: str, body: dict[str, Any], limit: float
) -> None:
    """By kind of call, while another slot lives; the rest of `timeout` belongs to the last one."""
    tier = "reader" if role == "Mcp.Read" else "admin"
    failing(gateway, tier, LATE)
    await post(gateway, body, role=role)
    gateway.clock.now += 1
    assert waited(gateway, "/mcp") == ([limit] if limit == 20 else [limit, 20])
    assert waited(gateway, "/healthz") == [2, 2]


async def test_a_call_that_hangs_is_repeated_where_it_may_be(gateway: GatewayHarness) -> None:
    """The slot lived when it was asked, and hung afterwards: the call waits for its first byte, not for `timeout`."""
    for _ in range(8):
        assert (await post(gateway, message("tools/call", "find"))).status == 200
    gateway.backends.calls.clear()
    hang(gateway, "reader-a")
    begun = gateway.clock()
    while not slots(gateway)["mongodb-reader-a"]:
        assert (await post(gateway, message("tools/call", "find"))).status == 200
    assert gateway.clock() - begun == 10


async def test_a_slot_that_somebody_asks_just_now_is_a_way_out(gateway: GatewayHarness) -> None:
    """Not asked again meanwhile, called after those that live, and enough of a hope to leave a silent slot for it."""
    gateway.services.cache.put("slot|mongodb|reader|b", "asked", 5)
    gateway.services.cache.put("slot|mongodb|reader|a", "alive", 5)
    hang(gateway, "reader-a")
    assert (await post(gateway, message("tools/call", "find"))).status == 200
    assert slots(gateway) == {"mongodb-reader-a": 1, "mongodb-reader-b": 1}
    assert (waited(gateway, "/healthz"), waited(gateway, "/mcp")) == ([], [10, 10])


async def test_a_slow_read_is_not_cut_where_no_other_slot_lives(gateway: GatewayHarness) -> None:
    """With the other slot silent, the one that lives may take its whole time, and nothing goes to the silent one."""
    hang(gateway, "reader-a")
    for _ in range(10):
        assert (await post(gateway, message("tools/call", "find"))).status == 200
    assert set(waited(gateway, "/mcp")) == {18, 20}  # of `timeout`, with and without the question
    assert slots(gateway) == {"mongodb-reader-b": 10}


async def test_where_every_slot_is_silent_one_is_called_all_the_same(gateway: GatewayHarness) -> None:
    """What is taken for silent may be busy: a wrong guess must not refuse everybody."""
    for slot in ("a", "b"):
        gateway.backends.answers[f"http://mongodb-reader-{slot}.test/healthz"] = LATE
    assert (await post(gateway, message("tools/call", "find"))).status == 200
    assert waited(gateway, "/mcp") == [20]


async def test_a_slot_that_lives_is_asked_now_and_then(gateway: GatewayHarness) -> None:
    """Every five seconds, and not with every call."""
    for _ in range(10):
        await post(gateway, message("tools/call", "find"))
        gateway.clock.now += 1
    assert len(waited(gateway, "/healthz")) == 4


VERSIONS: list[Callable[[str, str], dict[str, str]]] = [
    lambda method, name: {"MCP-Protocol-Version": "2025-06-18"},
    lambda method, name: {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Mcp-Name": name},
]


@pytest.mark.parametrize("version", VERSIONS, ids=["2025-06-18", "2026-07-28"])
@pytest.mark.parametrize("name", ["find", "list-databases", "list-", "v1.count"])
async def test_allowed_tools_are_called(
    gateway: GatewayHarness, name: str, version: Callable[[str, str], dict[str, str]]
) -> None:
    """Names that a pattern of the tier allows, in old and new versions of the protocol."""
    body = message("tools/call", name)
    assert (await post(gateway, body, headers=version("tools/call", name))).json == {"result": {}}


@pytest.mark.parametrize("version", VERSIONS, ids=["2025-06-18", "2026-07-28"])
@pytest.mark.parametrize("name", ["insert-many", "list-secrets", "Find", "find ", "xfind", "v1xcount", "find\n", ""])
async def test_other_tools_are_refused(
    gateway: GatewayHarness, name: str, version: Callable[[str, str], dict[str, str]]
) -> None:
    """A JSON-RPC error with the request's id; the server hears nothing of it."""
    reply = await post(gateway, message("tools/call", name), headers=version("tools/call", name))
    assert (reply.json["id"], reply.json["error"]["code"] in (-32602, -32020)) == (7, True)
    assert slots(gateway).total() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Mcp-Method": "tools/call", "Mcp-Name": "find"},
        {"Mcp-Method": "tools/list"},
        {"Mcp-Method": "tools/call, tools/list", "Mcp-Name": "insert-many"},
    ],
)
async def test_headers_that_differ_from_the_body_are_refused(gateway: GatewayHarness, headers: dict[str, str]) -> None:
    """The gateway does not believe the header, and the server would not either."""
    reply = await post(gateway, message("tools/call", "insert-many"), headers=headers)
    assert (reply.status, reply.json["id"], reply.json["error"]["code"]) == (400, 7, -32020)
    assert slots(gateway).total() == 0


@pytest.mark.parametrize(
    "body",
    [
        [message("tools/call", "insert-many")],
        [message("tools/call", "find"), message("tools/call", "insert-many")],
        [],
        b"",
        b"{",
        b"null",
        b'"tools/call"',
    ],
)
async def test_batches_and_what_is_no_message_are_refused(gateway: GatewayHarness, body: Any) -> None:
    """What cannot be checked as one message is not passed on."""
    reply = await post(gateway, body)
    assert (reply.status, reply.json["error"]["code"]) == (400, -32600)
    assert slots(gateway).total() == 0


async def test_of_two_equal_keys_the_last_one_counts(gateway: GatewayHarness) -> None:
    """As for JSON readers everywhere, our server's included; the name that would be run is the one that is judged."""
    params = b'{"name": "find", "name": "insert-many"}'
    twice = b'{"jsonrpc": "2.0", "id": 7, "method": "ping", "method": "tools/call", "params": ' + params + b"}"
    assert (await post(gateway, twice)).json["error"]["code"] == -32602
    assert slots(gateway).total() == 0


# What clients ask of servers, from the schemas of 2024-11-05 to 2026-07-28, and a method that nobody knows.
BESIDE_A_LIST = [
    *("resources/list", "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe"),
    *("prompts/list", "prompts/get", "completion/complete", "subscriptions/listen"),
    *(
        "tasks/get",
        "tasks/list",
        "tasks/result",
        "tasks/cancel",
        "tools/calls",
        "x/read",
        "Resources/read",
        "resources/read ",
    ),
]


@pytest.mark.parametrize("version", VERSIONS, ids=["2025-06-18", "2026-07-28"])
@pytest.mark.parametrize("method", BESIDE_A_LIST)
async def test_nothing_goes_round_a_list(
    gateway: GatewayHarness, method: str, version: Callable[[str, str], dict[str, str]]
) -> None:
    """What could give by another way what the list forbids is refused, and the server hears nothing of it."""
    reply = await post(gateway, message(method, "find"), headers=version(method, "find"))
    assert (reply.status, reply.json["id"], reply.json["error"]["code"] in (-32601, -32020)) == (
        200 if method.strip() == method else reply.status,
        7,
        True,
    )
    assert slots(gateway).total() == 0


@pytest.mark.parametrize(
    "method", ["initialize", "ping", "server/discover", "logging/setLevel", "notifications/cancelled"]
)
async def test_the_protocol_goes_on_beside_a_list(gateway: GatewayHarness, method: str) -> None:
    """A list is of tools: whoever may call one must be able to begin."""
    assert (await post(gateway, message(method, ""))).status == 200
    assert slots(gateway).total() == 1


@pytest.mark.parametrize("method", [["tools/call"], {"a": 1}, 7, None])
async def test_odd_methods_break_nothing(gateway: GatewayHarness, method: Any) -> None:
    """A method that is no string is no tool call: the server refuses it."""
    assert (await post(gateway, message(method, "insert-many"))).status == 200


TOOLS = [
    {"name": name, "inputSchema": {"maximum": 1.5}} for name in ("find", "insert-many", "list-secrets", "v1.count")
]
LISTED = {"jsonrpc": "2.0", "id": 7, "result": {"tools": TOOLS, "nextCursor": "2"}}


def answered(gateway: GatewayHarness, *answers: Any) -> None:
    for slot in ("a", "b"):
        gateway.backends.answers[f"http://mongodb-reader-{slot}.test"] = answers[0]


async def test_a_list_shows_what_may_be_called(gateway: GatewayHarness) -> None:
    """JSON: the same answer without the tools that a call would refuse, and never compressed on the way."""
    answered(gateway, ok(json.dumps(LISTED).encode(), headers=JSON))
    reply = await post(gateway, message("tools/list"), headers={"Accept-Encoding": "gzip"})
    kept = [tool for tool in TOOLS if tool["name"] in ("find", "v1.count")]
    assert reply.json == {**LISTED, "result": {"tools": kept, "nextCursor": "2"}}
    assert "Accept-Encoding" not in gateway.backends.last.headers


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_a_streamed_list_shows_what_may_be_called(gateway: GatewayHarness, newline: str) -> None:
    """Server-sent events: other events stay as they are."""
    lines = ["event: message", "id: 1", f"data: {json.dumps(LISTED)}", "", 'data: {"method": "x"}', "", ""]
    answered(gateway, ok(newline.join(lines).encode(), headers={"Content-Type": "text/event-stream"}))
    text = (await post(gateway, message("tools/list"))).text.splitlines()
    assert [text[0], text[1], *text[3:]] == ["event: message", "id: 1", "", 'data: {"method": "x"}', ""]
    assert [tool["name"] for tool in json.loads(text[2][6:])["result"]["tools"]] == ["find", "v1.count"]


async def test_a_list_that_cannot_be_read_is_not_shown(gateway: GatewayHarness) -> None:
    """Text that is no JSON might hold what is not to be seen."""
    answered(gateway, ok(b"\x1f\x8b", headers=JSON))
    reply = await post(gateway, message("tools/list"))
    assert (reply.status, reply.json["id"]) == (500, 7)


async def test_other_answers_of_such_a_tier_stream(gateway: GatewayHarness) -> None:
    """Only the answer to tools/list is read as a whole: a call's pieces reach the caller one by one."""
    events = {"Content-Type": "text/event-stream"}
    answered(gateway, lambda call: streaming(b"data: 1\n\n", b"data: 2\n\n", headers=events))
    assert (await post(gateway, message("tools/call", "find"))).chunks[:2] == [b"data: 1\n\n", b"data: 2\n\n"]


async def test_a_tier_without_lists_sees_and_calls_everything(gateway: GatewayHarness) -> None:
    """The admin's list comes unread, and batches are the server's to judge."""
    for slot in ("a", "b"):
        gateway.backends.answers[f"http://mongodb-admin-{slot}.test"] = ok(json.dumps(LISTED).encode(), headers=JSON)
    assert (await post(gateway, message("tools/list"), role="Mcp.Admin")).json == LISTED
    assert (await post(gateway, [message("tools/call", "insert-many")], role="Mcp.Admin")).status == 200


async def test_a_tier_s_own_limit_replaces_the_server_s(gateway: GatewayHarness) -> None:
    """40 calls for a reader, 300 for an admin."""
    read = [(await post(gateway, message("ping"))).status for _ in range(41)]
    admin = [(await post(gateway, message("ping"), role="Mcp.Admin")).status for _ in range(41)]
    assert (read[-2:], admin[-2:]) == ([200, 429], [200, 200])
