"""Servers that act as their caller, as Terraform makes them. No socket.

People sign in at the emulator of Entra ID; the policies exchange its tokens and give them to a FastMCP server behind
its gate, and the API that this server reads judges them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastmcp import FastMCP
from gateway_auth import CALLER, Gate
from gateway_auth.keys import KeyStore
from gateway_auth.tokens import Expected, TokenVerifier
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.testclient import TestClient

from emulators.apim.failures import UpstreamError
from emulators.apim.load import Loaded, load
from emulators.apim.tests.harness import Call, GatewayHarness, Reply, ok
from emulators.base.state import Resource, State
from emulators.entra import applied as entra
from emulators.entra.app import create_app
from emulators.entra.directory import Directory
from emulators.entra.issuer import Issuer
from emulators.entra.tests.driver import BASE, KEYS, Clock, Driver, claims
from tests.plan.bench import Bench
from tests.plan.served import JSON, header
from tests.plan.served import root as served_root

ADA, RAE = (user.object_id for user in entra.LOCAL_USERS[:2])
FILES = {ADA: "ada's plan", RAE: "rae's diary"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def applied(own_bench: Bench) -> State:
    root = served_root(own_bench, "on_behalf")
    own_bench.apply(root)
    return State.from_show_json(own_bench.show(root))


@pytest.fixture(scope="module")
def loaded(applied: State) -> Loaded:
    """Compiled once: it takes seconds."""
    return load(applied)


@dataclass
class World:
    """The gateway, the issuer, a server of ours, and the API of files that tells whose token it was given."""

    state: State
    gateway: GatewayHarness
    entra: Driver
    #: The server of ours, whose tool reads as whoever calls it, and what its gate goes by.
    server: FastMCP[Any]
    verifier: TokenVerifier
    #: Tokens that the API of files was shown, and what went to the token endpoint for an exchange.
    shown: list[str] = field(default_factory=list)
    #: Those that it takes no more, before they expire.
    revoked: set[str] = field(default_factory=set)
    exchanges: list[dict[str, str]] = field(default_factory=list)
    #: Seconds that the issuer says an exchanged token lasts, where that is not its own figure.
    lasts: int | None = None

    def application(self, name: str) -> Resource:
        (found,) = (a for a in self.state.of_type("azuread_application") if a["display_name"] == name)
        return found

    def client_id(self, name: str) -> str:
        return str(self.application(name)["client_id"])

    def principal_of(self, application: Resource) -> str:
        every = self.state.of_type("azuread_service_principal")
        return next(str(p["object_id"]) for p in every if p["client_id"] == application["client_id"])

    def sign_in(self, user: str = "admin") -> str:
        """A person's token for the gateway's API, as their client gets it."""
        client = self.client_id("desktop")
        scope = f"api://{self.client_id('gateway')}/Mcp.Access"
        answer = self.entra.redeem(self.entra.code(user, client_id=client, scope=scope), client_id=client)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def files(self, authorization: str) -> str:
        """What the API of files answers: it believes the issuer's tokens for itself, with its permission."""
        token = authorization.removeprefix("Bearer ")
        self.shown.append(token)
        found = jwt.decode(token, KeySet.import_key_set({"keys": KEYS.public()}), algorithms=["RS256"]).claims
        assert found["aud"] in (self.client_id("files"), f"api://{self.client_id('files')}"), found
        assert found["scp"] == "Files.Read"
        return FILES[str(found["oid"])]

    async def call(self, server: str, token: str, headers: Mapping[str, str] | None = None) -> Reply:
        message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "read", "arguments": {}}}
        sent = {"Authorization": f"Bearer {token}", **JSON, **ACCEPT, **(headers or {})}
        return await self.gateway.send("POST", f"/{server}/mcp", sent, json.dumps(message).encode())

    async def read(self, server: str, token: str, headers: Mapping[str, str] | None = None) -> str:
        reply = await self.call(server, token, headers)
        assert reply.status == 200, reply.text
        return str(reply.json["result"]["content"][0]["text"])

    def went_to(self, host: str) -> list[Call]:
        return [call for call in self.gateway.backends.calls if urlsplit(call.url).hostname == host]

    def change(self, **changes: Any) -> None:
        """Each person of the directory with these values."""
        directory: Directory = self.entra.issuer.directory
        users = tuple(replace(user, **changes) for user in directory.users)
        self.entra.issuer.adopt(replace(directory, users=users))


@pytest.fixture
def issuer(applied: State) -> Iterator[Driver]:
    found, clock = entra.directory(applied), Clock()
    (identity,) = applied.of_type("azurerm_user_assigned_identity")
    made = Issuer(BASE, found, KEYS, {"secret": frozenset({str(identity["client_id"]).lower()})}, {}, clock)
    with TestClient(create_app(made), base_url=BASE, follow_redirects=False) as http:
        yield Driver(made, http, clock, found.tenant_id)


@pytest.fixture
def world(applied: State, loaded: Loaded, issuer: Driver) -> World:
    gateway = GatewayHarness(loaded)
    issuer.clock.now = gateway.clock.now
    (identity,) = applied.of_type("azurerm_user_assigned_identity")
    server: FastMCP[Any] = FastMCP("files")

    @server.tool
    def read() -> str:
        """The caller's file, read from another API as the caller."""
        caller = CALLER.get()
        if caller.downstream_token in made.revoked:
            caller.refusal.said = True
            return "refused"
        return made.files(f"Bearer {CALLER.get().downstream_token}")

    async def fetch() -> Mapping[str, Any]:
        return {"keys": KEYS.public()}

    (backend,) = (a for a in applied.of_type("azuread_application") if a["display_name"] == "backend")
    expected = Expected(
        f"{BASE}/{issuer.tenant}/v2.0", issuer.tenant, str(backend["client_id"]), str(identity["principal_id"])
    )
    verifier = TokenVerifier(expected, KeyStore(fetch), lambda: gateway.clock.now)
    made = World(applied, gateway, issuer, server, verifier)
    gateway.backends.answers.update(
        {
            BASE: lambda call: _issuer(made, call),
            "http://identity.test": lambda call: _issuer(made, call),
            "http://own-admin-a.mcp.internal:8000": lambda call: _own(made, call),
            "http://plain-admin-a.mcp.internal:8000": ok(b'{"jsonrpc": "2.0", "id": 7, "result": {}}', headers=JSON),
            "https://profile.example.com": ok(b'{"jsonrpc": "2.0", "id": 7, "result": {}}', headers=JSON),
            "https://files.example.com": lambda call: _elsewhere(made, call),
        }
    )
    return made


def _issuer(world: World, call: Call) -> Any:
    parts = urlsplit(call.url)
    body = (call.body or b"").decode()
    if "on_behalf_of" in body:
        world.exchanges.append({name: values[0] for name, values in parse_qs(body).items()})
    answer = world.entra.http.request(
        call.method, f"{parts.path}?{parts.query}", content=call.body, headers=_plain(call.headers)
    )
    content = answer.content
    if "on_behalf_of" in body and world.lasts is not None:
        content = json.dumps({**answer.json(), "expires_in": world.lasts}).encode()
    return ok(content, answer.status_code, {"Content-Type": answer.headers["content-type"]})


async def _own(world: World, call: Call) -> Any:
    app = world.server.http_app(path="/mcp", stateless_http=True, json_response=True)
    gate = Gate(app, verifier=world.verifier, tier="admin", max_body=4096, health={})
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://127.0.0.1") as client,
    ):
        path = urlsplit(call.url).path
        answer = await client.request(call.method, path, content=call.body, headers=_plain(call.headers))
    kept = ("content-type", "x-mcp-downstream-refused")
    headers = {name: value for name, value in answer.headers.items() if name in kept}
    return ok(answer.content, answer.status_code, headers)


def _elsewhere(world: World, call: Call) -> Any:
    text = world.files(header(call, "Authorization"))
    result = {"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": text}]}}
    return ok(json.dumps(result).encode(), headers=JSON)


def _plain(headers: Any) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in headers.items() if name.lower() != "host"}


@pytest.mark.parametrize("server", ["own", "elsewhere"])
async def test_each_person_reads_their_own_file(world: World, server: str) -> None:
    """In turns: what comes back is theirs, whoever asked before, and nobody's token is passed through."""
    ada, rae = world.sign_in("admin"), world.sign_in("reader")
    for _ in range(2):
        assert await world.read(server, ada) == "ada's plan"
        assert await world.read(server, rae) == "rae's diary"
    assert [claims(token)["oid"] for token in world.shown] == [ADA, RAE, ADA, RAE]
    assert {ada, rae}.isdisjoint(world.shown)
    host = "files.example.com" if server == "elsewhere" else "own-admin-a.mcp.internal"
    went = " ".join(" ".join(_plain(call.headers).values()) for call in world.went_to(host))
    assert ada not in went
    assert rae not in went
    assert len(world.exchanges) == 2


async def test_microsoft_graph_is_an_api_like_others(world: World) -> None:
    """Its permission is known by its name alone; the token says so, and whose it is."""
    reply = await world.call("profile", world.sign_in("reader"))
    (call,) = world.went_to("profile.example.com")
    found = claims(header(call, "Authorization").removeprefix("Bearer "))
    assert (reply.status, found["oid"], found["scp"]) == (200, RAE, "User.Read")
    assert found["aud"] == "https://graph.microsoft.com"


async def test_the_exchange_is_proved_by_the_gateway_s_identity(world: World) -> None:
    """No secret is sent: the proof is the identity's token for the exchange; the caller's goes to the issuer alone."""
    token = world.sign_in()
    await world.read("own", token)
    (form,) = world.exchanges
    (identity,) = world.state.of_type("azurerm_user_assigned_identity")
    assert "client_secret" not in form
    assert (form["client_id"], form["assertion"]) == (world.client_id("gateway"), token)
    assert form["scope"] == f"api://{world.client_id('files')}/Files.Read"
    assert claims(form["client_assertion"])["sub"] == identity["principal_id"]
    holders = [call.url for call in world.gateway.backends.calls if token in (call.body or b"").decode()]
    assert holders == [f"{BASE}/{world.entra.tenant}/oauth2/v2.0/token"]


def test_the_caller_s_token_is_read_before_the_proof_is_asked_for(applied: State) -> None:
    """API Management may put the identity's token into the same header; nothing reads that header afterwards."""
    (fragment,) = (f for f in applied.of_type("azurerm_api_management_policy_fragment") if f["name"] == "mcp-on-behalf")
    before, proof, after = str(fragment["value"]).partition("<authentication-managed-identity")
    assert (bool(proof), 'set-variable name="presented-token"' in before) == (True, True)
    assert "Authorization" not in after
    assert '(string)context.Variables["presented-token"]' in after


async def test_what_was_exchanged_is_kept_for_one_server_and_sign_in(world: World) -> None:
    """Neither another server nor another sign-in of the same person gets it, and it is gone before it expires."""
    first = world.sign_in()
    await world.read("own", first)
    await world.read("own", first)
    assert len(world.exchanges) == 1
    await world.read("elsewhere", first)
    assert len(world.exchanges) == 2
    world.entra.clock.now = world.gateway.clock.now = world.gateway.clock.now + 2
    second = world.sign_in()
    await world.read("own", second)
    assert len(world.exchanges) == 3
    world.entra.clock.now = world.gateway.clock.now = world.gateway.clock.now + 3290
    await world.read("own", second)
    assert len(world.exchanges) == 3
    world.entra.clock.now = world.gateway.clock.now = world.gateway.clock.now + 20
    third = world.sign_in()
    await world.read("own", third)
    assert claims(world.shown[-1])["exp"] > world.gateway.clock.now + 3000


async def test_what_was_exchanged_is_used_until_five_minutes_before_its_end(world: World) -> None:
    """Whatever the API's tokens last: a call that takes its time does not outlive the token that it was given."""
    world.lasts = 600
    token = world.sign_in()
    await world.read("own", token)
    world.entra.clock.now = world.gateway.clock.now = world.gateway.clock.now + 299
    await world.read("own", token)
    assert len(world.exchanges) == 1
    world.entra.clock.now = world.gateway.clock.now = world.gateway.clock.now + 2
    await world.read("own", token)
    assert len(world.exchanges) == 2


@pytest.mark.parametrize("server", ["own", "elsewhere", "plain"])
async def test_a_caller_cannot_say_whose_token_it_is(world: World, server: str) -> None:
    """A header of that name, in any case, is thrown away: here a real token of somebody else's for that API."""
    await world.read("own", world.sign_in("reader"))
    stolen = world.shown[-1]
    spoofed = {"x-mcp-downstream-token": stolen, "X-MCP-Caller": RAE}
    reply = await world.call(server, world.sign_in("admin"), spoofed)
    assert reply.status == 200
    assert "rae" not in reply.text
    (*_, last) = [
        call for call in world.gateway.backends.calls if "8081" not in call.url and "identity" not in call.url
    ]
    assert stolen not in " ".join(_plain(last.headers).values())
    assert bool(header(last, "X-Mcp-Downstream-Token")) == (server == "own")


async def test_a_token_for_another_api_is_not_exchanged(world: World) -> None:
    """Not the exchanged one itself, not the gateway's own: the gate answers as to any stranger, and nobody is asked."""
    await world.read("own", world.sign_in())
    for other in (world.shown[-1], world.exchanges[-1]["client_assertion"]):
        reply = await world.call("own", other)
        assert reply.status == 401
    assert len(world.exchanges) == 1


async def test_an_application_has_nobody_to_act_for(world: World) -> None:
    """403, before anything is exchanged."""
    desktop, api = world.application("desktop"), world.application("gateway")
    secret = {"application_id": desktop["id"], "value": "of-a-daemon"}
    role = {
        "app_role_id": api["app_role_ids"]["Mcp.Admin"],
        "principal_object_id": world.principal_of(desktop),
        "resource_object_id": world.principal_of(api),
    }
    more = (
        Resource("azuread_application_password.x", "azuread_application_password", secret),
        Resource("azuread_app_role_assignment.x", "azuread_app_role_assignment", role),
    )
    world.entra.issuer.adopt(entra.directory(State((*world.state.resources, *more))))
    answer = world.entra.token(
        grant_type="client_credentials",
        client_id=world.client_id("desktop"),
        client_secret="of-a-daemon",
        scope=f"api://{world.client_id('gateway')}/.default",
    )
    reply = await world.call("own", answer.json()["access_token"])
    assert (reply.status, reply.json["error"]["code"]) == (403, -32003)
    assert "sign in as a person" in reply.json["error"]["message"]
    assert (world.exchanges, world.shown) == ([], [])


async def test_conditional_access_reaches_the_client_as_claims(world: World) -> None:
    """401 with what Entra's clients read ("Claims challenges, claims requests and client capabilities", 2026)."""
    token = world.sign_in()
    world.change(needs_mfa=True)
    reply = await world.call("own", token)
    (challenge,) = reply.headers["www-authenticate"]
    parts = dict(part.split("=", 1) for part in challenge.removeprefix("Bearer ").split(", "))
    assert (reply.status, parts["error"]) == (401, '"insufficient_claims"')
    assert parts["authorization_uri"] == f'"{BASE}/{world.entra.tenant}/oauth2/v2.0/authorize"'
    assert parts["resource_metadata"].endswith('/.well-known/oauth-protected-resource/own/mcp"')
    asked = json.loads(base64.b64decode(parts["claims"].strip('"')))
    assert asked["access_token"]["polids"]["essential"] is True
    assert (reply.json["id"], reply.json["error"]["code"], world.shown) == (7, -32001, [])
    world.change(needs_mfa=False)
    assert await world.read("own", token) == "ada's plan"


async def test_a_revoked_sign_in_is_begun_again(world: World) -> None:
    """401 as for any token that counts no more, without claims."""
    token = world.sign_in()
    world.change(sessions_valid_from=world.gateway.clock.now + 60)
    reply = await world.call("own", token)
    (challenge,) = reply.headers["www-authenticate"]
    assert (reply.status, 'error="invalid_token"' in challenge, "claims=" in challenge) == (401, True, False)


async def test_missing_consent_is_said_to_whom_it_can_help(world: World) -> None:
    """403 and no challenge: signing in again would not change it, and no scope that the client can ask for would."""
    reply = await world.call("unasked", world.sign_in())
    assert (reply.status, reply.json["error"]["code"], "www-authenticate" in reply.headers) == (403, -32003, False)
    message = reply.json["error"]["message"]
    assert f"api://{world.client_id('unasked')}/Mail.Read" in message
    assert "administrator" in message
    assert world.went_to("mail.example.com") == []


@pytest.mark.parametrize(
    "said",
    [{"error_codes": [65001]}, {"error_codes": [50105]}, {"error_codes": [90094]}, {"suberror": "consent_required"}],
)
async def test_what_no_sign_in_mends_is_not_answered_with_one(world: World, said: dict[str, Any]) -> None:
    """By code or by suberror, as Entra ID gives not both of them always: 403, and no challenge to follow for ever."""
    token = world.sign_in()
    told = world.gateway.backends.answers
    real, refused = told[BASE], ok(json.dumps({"error": "invalid_grant", **said}).encode(), 400, JSON)
    told[BASE] = lambda call: refused if b"on_behalf_of" in (call.body or b"") else real(call)
    reply = await world.call("own", token)
    assert (reply.status, reply.json["error"]["code"], "www-authenticate" in reply.headers) == (403, -32003, False)


@pytest.mark.parametrize(
    "answer",
    [
        UpstreamError("Timeout", "no answer in time"),
        ok(b"<html>", 503),
        ok(b"[]", 200, JSON),
        ok(b'{"error": "invalid_client", "error_description": "AADSTS700213: subject private"}', 401, JSON),
    ],
)
async def test_what_the_issuer_gets_wrong_is_502_and_no_call(world: World, answer: Any) -> None:
    """Its words stay here: they name identities and credentials."""
    token = world.sign_in()
    told = world.gateway.backends.answers
    real = told[BASE]
    told[BASE] = lambda call: answer if b"on_behalf_of" in (call.body or b"") else real(call)
    reply = await world.call("own", token)
    assert (reply.status, "private" in reply.text) == (502, False)
    assert world.went_to("own-admin-a.mcp.internal") == []
    told[BASE] = real
    assert await world.read("own", token) == "ada's plan"


async def test_a_token_that_the_other_side_refuses_is_not_kept(world: World) -> None:
    """The next call gets a new one; the refusal itself is the gateway's to answer, not the client's."""
    token = world.sign_in()
    await world.read("elsewhere", token)
    told = world.gateway.backends.answers
    real = told["https://files.example.com"]
    told["https://files.example.com"] = ok(b"{}", 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    reply = await world.call("elsewhere", token)
    assert (reply.status, "www-authenticate" in reply.headers) == (502, False)
    told["https://files.example.com"] = real
    await world.read("elsewhere", token)
    assert len(world.exchanges) == 2


async def test_a_token_that_our_server_sees_refused_is_not_kept(world: World) -> None:
    """Its answer says so to the gateway, and to nobody else; the next call gets a new one, and others keep theirs."""
    ada, rae = world.sign_in("admin"), world.sign_in("reader")
    await world.read("own", ada)
    await world.read("own", rae)
    world.revoked = {world.shown[0]}
    world.entra.clock.now = world.gateway.clock.now = world.gateway.clock.now + 2
    reply = await world.call("own", ada)
    assert reply.json["result"]["content"][0]["text"] == "refused"
    assert "x-mcp-downstream-refused" not in reply.headers
    assert [await world.read("own", token) for token in (ada, rae)] == [FILES[ADA], FILES[RAE]]
    assert len(world.exchanges) == 3
    assert world.shown[-2] not in world.revoked


def test_no_secret_is_anywhere(applied: State) -> None:
    """The application has no password; logs hide the header that carries what was exchanged."""
    assert not [r for r in applied.resources if "password" in r.type or "certificate" in r.type]
    (credential,) = applied.of_type("azuread_application_federated_identity_credential")
    (identity,) = applied.of_type("azurerm_user_assigned_identity")
    assert (credential["subject"], credential["audiences"]) == (
        identity["principal_id"],
        ["api://AzureADTokenExchange"],
    )
    masked = {
        header["value"]
        for diagnostic in applied.of_type("azurerm_api_management_diagnostic")
        for header in diagnostic.block("backend_request")["data_masking"][0]["headers"]
    }
    assert {"Authorization", "X-Mcp-Downstream-Token"} <= masked
