"""How the façade learns which client it has before it: registration by rule, and client ID metadata documents.

What clients send is `ops/clients/registrations.py`, each with its source.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from emulators.apim.failures import UpstreamError
from emulators.apim.load import Loaded, load
from emulators.apim.messages import Response
from emulators.apim.tests.harness import Call, Reply, ok
from emulators.base.state import State
from ops.clients.registrations import REGISTRATIONS, SCOPE, Registration
from tests.plan.bench import Bench
from tests.plan.served import CALLBACK, JSON, Environment, header
from tests.plan.served import state as served_state

Applied = tuple[State, Loaded]
VSCODE = "https://vscode.dev/oauth/client-metadata.json"
# Without them whoever intercepts a code redeems it, or a token is used elsewhere (MCP 2026-07-28, "Authorization").
MUST = {"code_challenge", "code_challenge_method", "resource"}
CHATGPT = "https://chatgpt.com/oauth/some-connector/client.json"


@pytest.fixture(scope="module")
def local(own_bench: Bench) -> Applied:
    state = served_state(own_bench, "local")
    return state, load(state)


@pytest.fixture
def served(local: Applied) -> Environment:
    return Environment(*local)


def entry_of(served: Environment, client_id: str) -> str:
    """The name of the entry that an Entra client belongs to."""
    named = [name for name, value in served.values.items() if name.startswith("client-") and value == client_id]
    return named[0].removeprefix("client-") if named else ""


@pytest.mark.parametrize("name", REGISTRATIONS)
async def test_each_known_client_registers(served: Environment, name: str) -> None:
    """Its whole set of addresses at once gives the entry that is meant, and all of the addresses back."""
    client = REGISTRATIONS[name].at(served.endpoint)
    reply = await served.register(*client.redirect_uris, **client.body)
    if not client.entry:
        assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")
        assert client.redirect_uris[0] in reply.json["error_description"]
        return
    assert reply.status == 201, reply.text
    assert entry_of(served, reply.json["client_id"]) == client.entry
    assert reply.json["redirect_uris"] == list(client.redirect_uris)


@pytest.mark.parametrize("name", [name for name, client in REGISTRATIONS.items() if client.entry])
async def test_each_known_client_signs_in_where_it_registered(served: Environment, name: str) -> None:
    """Any of its addresses is taken at `authorize`, with all that it sends there, and goes on as Entra ID has it.

    What it must not decide, it does not: which account, and what for.
    """
    client = REGISTRATIONS[name].at(served.endpoint)
    client_id = (await served.register(*client.redirect_uris)).json["client_id"]
    for uri in client.redirect_uris:
        reply = await served.authorize(client_id=client_id, redirect_uri=uri, **client.authorize)
        wanted = sent(served, reply)
        assert wanted["redirect_uri"] == [uri if urlsplit(uri).path else f"{uri}/"]
        assert wanted["state"] == [client.authorize.get("state", "s t&a=te")]
        assert wanted["prompt"] == ["select_account"]
        assert "resource" not in wanted


@pytest.mark.parametrize("name", [name for name, client in REGISTRATIONS.items() if client.entry])
async def test_each_known_client_redeems_and_refreshes(served: Environment, name: str) -> None:
    """The code, and a refresh token; with a metadata document where it has one."""
    client = REGISTRATIONS[name].at(served.endpoint)
    client_id = client.document or (await served.register(*client.redirect_uris)).json["client_id"]
    scope = served.values["api-scope"]
    more = {key: value and value.replace(SCOPE, scope) for key, value in client.refresh.items()}
    uri = client.redirect_uris[-1]
    for form in (
        {"redirect_uri": uri},
        {"grant_type": "refresh_token", "refresh_token": "r", "code": None, "redirect_uri": None, **more},
    ):
        reply = await served.exchange(client_id=client_id, **form)
        assert (reply.status, reply.json["access_token"]) == (200, "t"), reply.text
        form_sent = parse_qs((served.gateway.backends.last.body or b"").decode())
        assert entry_of(served, form_sent["client_id"][0]) == client.entry
        assert set(form_sent["scope"][0].split()) <= {scope, "offline_access", "openid", "profile"}


@pytest.mark.parametrize("name", [name for name, client in REGISTRATIONS.items() if client.authorize.keys() & MUST])
async def test_a_client_that_leaves_out_what_protects_it_stays_outside(served: Environment, name: str) -> None:
    """Its address in an entry does not help: neither PKCE nor `resource` is waived for a vendor."""
    client = REGISTRATIONS[name]
    reply = await served.authorize(redirect_uri=CALLBACK, **client.authorize)
    assert header(reply, "Location").startswith(f"{CALLBACK}?")
    (error,) = parse_qs(urlsplit(header(reply, "Location")).query)["error"]
    assert error in {"invalid_request", "invalid_target"}
    assert client.remedy


def sent(served: Environment, reply: Reply) -> dict[str, list[str]]:
    """The parameters that went to Entra ID."""
    assert reply.status == 302, reply.text
    location = urlsplit(header(reply, "Location"))
    assert f"{location.scheme}://{location.netloc}" == "{0.scheme}://{0.netloc}".format(
        urlsplit(served.values["entra-authority"])
    )
    return parse_qs(location.query)


LOOPBACKS = [
    "http://localhost/callback",
    "http://127.0.0.1/callback",
    "http://localhost:1/callback",
    "http://127.0.0.1:65535/callback",
    "http://localhost:9999/callback",
    "http://localhost:10000/callback",
    "http://localhost:59999/callback",
    "http://localhost:64999/callback",
    "http://localhost:65499/callback",
    "http://localhost:65529/callback",
    "http://localhost:65530/callback",
    "http://127.0.0.1",
    "http://localhost:8080",
]


@pytest.mark.parametrize("uri", LOOPBACKS)
async def test_this_machine_is_one_however_it_is_written(served: Environment, uri: str) -> None:
    """RFC 8252, sections 7.3 and 8.3: any port, the name or the address."""
    assert entry_of(served, (await served.register(uri)).json["client_id"]) == "desktop"


NOT_LOOPBACK = [
    "http://[::1]:8080/callback",
    "http://127.0.0.2/callback",
    "http://localhost.:80/callback",
    # Nobody can listen there: no such port, no host, somebody's name.
    "http://localhost:99999999/callback",
    "http://localhost:99999/callback",
    "http://localhost:65536/callback",
    "http://127.0.0.1:70000",
    "http://localhost:0/callback",
    "http://localhost:00080/callback",
    "http://localhost:-1/callback",
    "http://localhost:80:80/callback",
    "http://localhost:\u0663\u0663/callback",
    "http://localhost:/callback",
    "http:///callback",
    "http://:8080/callback",
    "https:///redirect",
    "https://vscode.dev:99999/redirect",
    "https://vscode.dev:0/redirect",
    "https://user@vscode.dev/redirect",
    "https://vscode.dev:443/redirect",
    "http://user@localhost/callback",
    "http://localhost:80@evil.example/callback",
    "http://localhost.evil.example/callback",
    "http://127.0.0.1.nip.io/callback",
    "http://localhost\\@evil.example/callback",
    "http://localhost/callback/",
    "http://localhost/callback?next=https://evil.example",
    "http://localhost/Callback",
    "http://localhost/callback\n",
    "http://localhost\n/callback",
    " http://localhost/callback",
    "https://localhost/callback",
    "https://vscode.dev/redirect/",
    "https://VSCODE.dev/redirect",
    "desktop",
    "",
]


@pytest.mark.parametrize("uri", NOT_LOOPBACK)
async def test_what_only_looks_like_it_is_refused(served: Environment, uri: str) -> None:
    """Entra ID has no [::1] ("Redirect URI best practices and limitations"), and a path is compared as text."""
    reply = await served.register(uri)
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")
    assert (await served.authorize(redirect_uri=uri)).status == 400


async def test_the_name_of_an_entry_or_its_id_is_no_address(served: Environment) -> None:
    for text in ("cursor", served.client, served.values["client-cursor"]):
        assert (await served.register(text)).status == 400
        assert (await served.authorize(redirect_uri=text)).status == 400


@pytest.mark.parametrize(
    ("uris", "entry"),
    [
        (["http://localhost:8787/callback"], "cursor"),
        (["http://127.0.0.1:8787/callback"], "cursor"),
        (["http://localhost:3118/callback"], "desktop"),
        (["http://localhost/callback"], "desktop"),
        (["http://localhost:8787/callback", "http://localhost:3118/callback"], "cursor"),
        (["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost:3118/callback"], "cursor"),
    ],
)
async def test_the_most_exact_entry_answers(served: Environment, uris: list[str], entry: str) -> None:
    """The same port first, then the entry that names none; never the order of names."""
    assert entry_of(served, (await served.register(*uris)).json["client_id"]) == entry
    assert entry_of(served, (await served.register(*reversed(uris))).json["client_id"]) == entry


async def test_entries_of_one_kind_answer_together(served: Environment) -> None:
    """The entry that holds the most, and of the addresses those that it holds (RFC 7591, section 3.2.1)."""
    held = ["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost:8787/callback"]
    reply = await served.register(*held, "http://localhost/oauth_callback")
    assert entry_of(served, reply.json["client_id"]) == "cursor"
    assert reply.json["redirect_uris"] == held
    left_out = await served.authorize(
        client_id=reply.json["client_id"], redirect_uri="http://localhost:5/oauth_callback"
    )
    assert (left_out.status, left_out.json["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "uris",
    [
        ["https://claude.ai/api/mcp/auth_callback", "http://localhost/callback"],
        ["https://claude.ai/api/mcp/auth_callback", "https://www.cursor.com/agents/mcp/oauth/callback"],
        ["https://chatgpt.com/connector_platform_oauth_redirect", "https://claude.ai/api/mcp/auth_callback"],
    ],
)
async def test_entries_of_different_kinds_never_mix(served: Environment, uris: list[str]) -> None:
    reply = await served.register(*uris)
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")
    assert "different clients" in reply.json["error_description"]


async def test_a_refusal_names_the_address_that_is_missing(served: Environment) -> None:
    """A bar in it, or its length, does not spoil the answer."""
    missing = "https://new.example/call|back" + "k" * 300
    reply = await served.register("http://localhost/callback", missing)
    assert missing[:200] in reply.json["error_description"]
    assert len(reply.json["error_description"]) < 400


@pytest.mark.parametrize("count", [0, 21])
async def test_too_many_addresses_are_not_looked_at(served: Environment, count: int) -> None:
    assert (await served.register(*["http://localhost/callback"] * count)).status == 400


@pytest.mark.parametrize("claimed", [{"client_id": "chosen"}, {"client_name": {"a": 1}}, {"scope": "admin"}])
async def test_registration_keeps_its_own_answer(served: Environment, claimed: dict[str, Any]) -> None:
    reply = await served.register("http://localhost/callback", **claimed)
    assert (reply.json["client_id"], reply.json["scope"]) == (served.client, served.values["api-scope"])


# Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document-02; MCP 2026-07-28, "Client Registration").


def document(url: str, *uris: str, **more: Any) -> dict[str, Any]:
    return {"client_id": url, "client_name": "A client", "redirect_uris": list(uris), **more}


def publish(served: Environment, url: str, content: Any, status: int = 200, **headers: str) -> None:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    served.gateway.backends.answers[url] = ok(data, status, {**JSON, **headers})


def fetched(served: Environment) -> list[Call]:
    known = (served.values["entra-authority"], "http://identity.test")
    return [call for call in served.gateway.backends.calls if not call.url.startswith(known)]


async def test_the_metadata_says_so(served: Environment) -> None:
    document = (await served.gateway.send("GET", "/.well-known/oauth-authorization-server")).json
    assert document["client_id_metadata_document_supported"] is True
    assert "none" in document["token_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("name", [name for name, client in REGISTRATIONS.items() if client.document])
async def test_each_known_document_signs_in(served: Environment, name: str) -> None:
    """Its address is the client id; Entra ID gets the id of the entry."""
    client = REGISTRATIONS[name].at(served.endpoint)
    publish(served, client.document, document(client.document, *client.documented))
    reply = await served.authorize(client_id=client.document, redirect_uri=client.redirect_uris[-1])
    wanted = sent(served, reply)
    assert entry_of(served, wanted["client_id"][0]) == client.entry
    assert wanted["redirect_uri"] == [client.redirect_uris[-1]]
    assert [call.url for call in fetched(served)] == [client.document]


async def test_code_and_refresh_are_exchanged_for_the_entry(served: Environment) -> None:
    """The document's address means the same client at the token endpoint, where nothing is fetched."""
    for grant in ({}, {"grant_type": "refresh_token", "refresh_token": "r", "code": None}):
        assert (await served.exchange(client_id=VSCODE, **grant)).status == 200
        form = parse_qs((served.gateway.backends.last.body or b"").decode())
        assert form["client_id"] == [served.client]
    assert fetched(served) == []


async def test_a_document_is_fetched_once_in_its_time(served: Environment) -> None:
    """As its `max-age` says, from 5 minutes to a day; without one, for an hour."""
    for age, kept in (("", 3600), ("max-age=600", 600), ("public, max-age=1", 300), ("max-age=9999999", 86400)):
        served.gateway.backends.calls.clear()
        publish(served, VSCODE, document(VSCODE, "http://127.0.0.1:33418/"), **({"Cache-Control": age} if age else {}))
        for wait in (0, kept - 1, 2):
            served.gateway.clock.now += wait
            await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1:1/")
        assert len(fetched(served)) == 2, age
        served.gateway.clock.now += 86401


async def test_the_gateway_asks_for_json_and_shows_nothing_of_the_person(served: Environment) -> None:
    publish(served, VSCODE, document(VSCODE, "http://127.0.0.1/"))
    await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1/")
    (call,) = fetched(served)
    assert (call.method, header(call, "Accept"), call.body) == ("GET", "application/json", None)
    assert not [name for name in ("Authorization", "Cookie", "User-Agent", "Origin") if name in call.headers]


UNTRUSTED = [
    "https://evil.example/client.json",
    "https://vscode.dev.evil.example/oauth/client-metadata.json",
    "https://vscode.dev@evil.example/oauth/client-metadata.json",
    "https://vscode.dev/oauth/client-metadata.json?x=1",
    "https://vscode.dev/oauth/client-metadata.json#x",
    "https://vscode.dev/oauth/../oauth/client-metadata.json",
    "https://vscode.dev/oauth/other.json",
    "https://VSCODE.dev/oauth/client-metadata.json",
    "http://vscode.dev/oauth/client-metadata.json",
    "https://vscode.dev:443/oauth/client-metadata.json",
    "https://vscode.dev/oauth/client-metadata.json\n",
    # A host is trusted, and these are not addresses of it.
    "https://chatgpt.com",
    "https://chatgpt.com/",
    "https://chatgpt.com:8443/client.json",
    "https://chatgpt.com@10.0.0.4/client.json",
    "https://chatgpt.com\\@10.0.0.4/client.json",
    "https://x.chatgpt.com/client.json",
    "https://chatgpt.com.evil.example/client.json",
    "https://chatgpt.com/%2e%2e/client.json",
    "https://chatgpt.com/a/../../client.json",
    "https://chatgpt.com/./client.json",
    "https://chatgpt.com/client.json?u=http://10.0.0.4",
    "https://chatgpt.com/" + "a" * 600,
    # Server-side request forgery.
    "https://10.0.0.4/client.json",
    "https://169.254.169.254/metadata/identity/oauth2/token",
    "http://169.254.169.254/metadata/instance",
    "https://127.0.0.1/client.json",
    "https://[::1]/client.json",
    "https://localhost/client.json",
    "https://mongodb-admin-a.mcp.internal/mcp",
    "file:///etc/passwd",
    "ftp://chatgpt.com/client.json",
]


@pytest.mark.parametrize("url", UNTRUSTED)
async def test_no_other_address_is_ever_called(served: Environment, url: str) -> None:
    """What a stranger names is refused at both endpoints, and the gateway sends nothing anywhere."""
    reply = await served.authorize(client_id=url, redirect_uri="http://127.0.0.1:33418/")
    assert (reply.status, reply.json["error"]) == (400, "invalid_client")
    assert (await served.exchange(client_id=url)).json["error"] == "invalid_client"
    assert served.gateway.backends.calls == []


BROKEN: dict[str, Any] = {
    "another client id": document("https://evil.example/client.json", "http://127.0.0.1:33418/"),
    "another spelling of it": document(VSCODE + "/", "http://127.0.0.1:33418/"),
    "no client id": {"redirect_uris": ["http://127.0.0.1:33418/"]},
    "no redirect URIs": {"client_id": VSCODE},
    "redirect URIs as text": {"client_id": VSCODE, "redirect_uris": "http://127.0.0.1:33418/"},
    "a secret": document(VSCODE, "http://127.0.0.1:33418/", client_secret="s"),
    "a list": [document(VSCODE, "http://127.0.0.1:33418/")],
    "no JSON": b"<html>",
    "nothing": b"",
    "too large": document(VSCODE, "http://127.0.0.1:33418/", policy="x" * 20_000),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_document_is_refused(served: Environment, kind: str) -> None:
    publish(served, VSCODE, BROKEN[kind])
    reply = await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1:33418/")
    assert (reply.status, reply.json["error"], "Location" in reply.headers) == (400, "invalid_client", False)
    assert "metadata document cannot be used" in reply.json["error_description"]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (404, {}),
        (410, {}),
        (301, {"Location": "https://evil.example/"}),
        (302, {"Location": "http://169.254.169.254/"}),
        (200, {"Content-Type": "text/html"}),
        (200, {"Content-Type": "text/plain; x=application/json"}),
        (200, {"Content-Length": "99999999"}),
        (204, {}),
    ],
)
async def test_an_answer_that_is_no_document_is_refused(
    served: Environment, status: int, headers: dict[str, str]
) -> None:
    """Nothing is followed; another type or an announced size is not read."""
    publish(served, VSCODE, document(VSCODE, "http://127.0.0.1:33418/"), status, **headers)
    reply = await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1:33418/")
    assert (reply.status, reply.json["error"]) == (400, "invalid_client")
    assert [call.url for call in fetched(served)] == [VSCODE]


@pytest.mark.parametrize("content_type", ["Application/JSON; charset=utf-8", "application/cimd+json"])
async def test_json_may_be_called_by_other_names(served: Environment, content_type: str) -> None:
    publish(served, VSCODE, document(VSCODE, "http://127.0.0.1/"), **{"Content-Type": content_type})
    assert (await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1/")).status == 302


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        (["http://127.0.0.1:33418/"], "http://127.0.0.1/callback"),
        (["http://127.0.0.1:33418/"], "https://insiders.vscode.dev/redirect"),
        (["https://evil.example/callback"], "https://evil.example/callback"),
        (["https://claude.ai/api/mcp/auth_callback"], "https://claude.ai/api/mcp/auth_callback"),
        (["http://127.0.0.1/ https://vscode.dev/redirect"], "https://vscode.dev/redirect"),
        ([], "http://127.0.0.1/"),
    ],
)
async def test_an_address_must_stand_in_the_document_and_in_the_entry(
    served: Environment, listed: list[str], asked: str
) -> None:
    """Neither a document that names its own callback nor one entry's callback with another's document gets a code."""
    publish(served, VSCODE, document(VSCODE, *listed))
    reply = await served.authorize(client_id=VSCODE, redirect_uri=asked)
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")


UNREACHABLE: list[Response | UpstreamError] = [
    UpstreamError("BackendConnectionFailure", "no route"),
    UpstreamError("Timeout", "no answer in 5 s"),
    ok(b"blocked", 403),
    ok(b"later", 429),
    ok(b"", 503),
]


@pytest.mark.parametrize("answer", UNREACHABLE, ids=["connection", "time-out", "403", "429", "503"])
async def test_a_document_that_cannot_be_fetched_leaves_its_entry_s_addresses(served: Environment, answer: Any) -> None:
    """Whoever listed the exact address vouches for it, and the entry decides; of a host's document nothing is known.

    Vendors refuse the addresses of clouds: anthropics/claude-code#84263, cloudflare/workers-oauth-provider#333.
    """
    served.gateway.backends.answers[VSCODE] = answer
    served.gateway.backends.answers[CHATGPT] = answer
    assert (await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1:33418/")).status == 302
    evil = await served.authorize(client_id=VSCODE, redirect_uri="https://evil.example/")
    assert (evil.status, evil.json["error"]) == (400, "invalid_redirect_uri")
    callback = REGISTRATIONS["chatgpt"].redirect_uris[0]
    by_host = await served.authorize(client_id=CHATGPT, redirect_uri=callback)
    assert (by_host.status, by_host.json["error"]) == (400, "invalid_client")
    assert "try again" in by_host.json["error_description"]


async def test_a_failure_is_forgotten_after_a_minute(served: Environment) -> None:
    """Callers cannot make the gateway hammer a vendor, and a vendor's bad minute is not an hour."""
    publish(served, VSCODE, b"<html>")
    for _ in range(5):
        assert (await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1/")).status == 400
    assert len(fetched(served)) == 1
    publish(served, VSCODE, document(VSCODE, "http://127.0.0.1/"))
    served.gateway.clock.now += 61
    assert (await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1/")).status == 302


async def test_one_document_s_content_is_never_another_s(served: Environment) -> None:
    """Cache poisoning: what is kept belongs to the whole address, and only what was checked is kept."""
    other = "https://chatgpt.com/oauth/other/client.json"
    callback = REGISTRATIONS["chatgpt"].redirect_uris[0]
    publish(served, CHATGPT, document(CHATGPT, callback))
    publish(served, other, document(CHATGPT, callback))
    assert (await served.authorize(client_id=CHATGPT, redirect_uri=callback)).status == 302
    assert (await served.authorize(client_id=other, redirect_uri=callback)).status == 400
    assert (await served.authorize(client_id=CHATGPT, redirect_uri=callback)).status == 302


async def test_an_address_that_a_document_withdraws_is_gone_after_its_time(served: Environment) -> None:
    """A day at most: until then the document that was read holds, and a site that fails meanwhile changes nothing."""
    publish(served, VSCODE, document(VSCODE, "https://vscode.dev/redirect"), **{"Cache-Control": "max-age=9999999"})
    ask = {"client_id": VSCODE, "redirect_uri": "https://vscode.dev/redirect"}
    assert (await served.authorize(**ask)).status == 302
    publish(served, VSCODE, document(VSCODE, "http://127.0.0.1/"))
    served.gateway.clock.now += 86399
    assert (await served.authorize(**ask)).status == 302
    served.gateway.clock.now += 2
    assert (await served.authorize(**ask)).status == 400


async def test_documents_differ_in_case(served: Environment) -> None:
    """Paths do: what one address was found to say is not kept for another spelling of it."""
    lower, upper = "https://chatgpt.com/oauth/a/client.json", "https://chatgpt.com/oauth/A/client.json"
    callback = "https://chatgpt.com/connector_platform_oauth_redirect"
    publish(served, lower, document(lower, callback))
    publish(served, upper, document(lower, callback))
    assert (await served.authorize(client_id=lower, redirect_uri=callback)).status == 302
    assert (await served.authorize(client_id=upper, redirect_uri=callback)).status == 400
    assert [call.url for call in fetched(served)] == [lower, upper]


@pytest.mark.parametrize(
    "uris",
    [
        [f"https://x.example/{number}" for number in range(50)] + ["http://127.0.0.1:33418/"],
        [{"uri": "http://127.0.0.1:33418/"}],
        [["http://127.0.0.1:33418/"]],
        [None, 1, True],
        ["http://127.0.0.1:33418/\n"],
        ["http://127.0.0.1:99999/"],
    ],
    ids=["the 51st", "objects", "lists", "no text", "a line break", "a port that is none"],
)
async def test_what_is_no_address_in_a_document_counts_for_none(served: Environment, uris: list[Any]) -> None:
    publish(served, VSCODE, {"client_id": VSCODE, "redirect_uris": uris})
    reply = await served.authorize(client_id=VSCODE, redirect_uri="http://127.0.0.1:33418/")
    assert (reply.status, "Location" in reply.headers) == (400, False)


async def test_two_client_ids_call_nobody(served: Environment) -> None:
    reply = await served.authorize(client_id=[VSCODE, "https://evil.example/client.json"])
    assert (reply.status, reply.json["error"], served.gateway.backends.calls) == (400, "invalid_request", [])


async def test_opencode_s_document_lacks_its_own_callback(served: Environment) -> None:
    """anomalyco/opencode#50510: refused in words that say why; docs/connect.md has the setting that helps."""
    url = "https://opencode.ai/oauth/opencode/client.json"
    publish(served, url, document(url, "http://127.0.0.1/callback", "http://localhost/callback"))
    reply = await served.authorize(client_id=url, redirect_uri=REGISTRATIONS["opencode"].redirect_uris[0])
    assert reply.json["error_description"] == "The client's metadata document does not list this redirect_uri."


def test_codex_computes_this_of_an_address() -> None:
    """The example of openai/codex#30460."""
    client = Registration("Codex", "", ("{endpoint-id}",), "").at("https://api.us.elevenlabs.io/v1/mcp")
    assert client.redirect_uris == ("6MFBM1In3Ey-",)


# What a refused person sees.

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_a_browser_gets_a_page(served: Environment) -> None:
    """The same sentence as a program gets, and a reference; nothing in it runs, and nobody frames it."""
    reply = await served.authorize(BROWSER, client_id="unknown")
    assert (reply.status, header(reply, "Content-Type")) == (400, "text/html; charset=utf-8")
    assert "This client_id is not registered: register first." in reply.text
    assert header(reply, "X-Correlation-Id") in reply.text
    policy = header(reply, "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert header(reply, "Cache-Control") == "no-store"


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"Accept": "*/*"}])
async def test_a_program_gets_json(served: Environment, headers: dict[str, str]) -> None:
    reply = await served.authorize(headers, client_id="unknown")
    assert (reply.status, reply.json["error"]) == (400, "invalid_client")


async def test_a_page_shows_no_markup_of_others(served: Environment) -> None:
    """A document's words, and a registration's addresses, are text."""
    body = json.dumps({"redirect_uris": ["https://x.example/<script>alert(1)</script>"]}).encode()
    reply = await served.gateway.send("POST", "/oauth/register", {**JSON, **BROWSER}, body)
    assert "<script>" not in reply.text
    assert "&lt;script&gt;" in reply.text
