"""Requests that nobody waits for, events, and tokens of connections."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from emulators.apim import identity
from emulators.apim.errors import PolicyError, PolicyProblems
from emulators.apim.failures import UpstreamError
from emulators.apim.services import Events
from emulators.apim.tests.harness import GatewayHarness, make_gateway, ok
from emulators.apim.tests.policies.test_message_policies import show
from emulators.apim.tests.tokens import claims, sign

ONE_WAY = (
    '<send-one-way-request {}><set-url>@("http://hook.test/" + context.Request.Method)</set-url>'
    "<set-method>PUT</set-method><set-header name='X'><value>1</value></set-header><set-body>b</set-body>"
    "</send-one-way-request>"
)


async def finished(gateway: GatewayHarness) -> None:
    await asyncio.gather(*gateway.services.unawaited)


async def test_a_one_way_request_is_sent_and_not_waited_for() -> None:
    """ "Send one way request": the answer comes before the hook has taken it."""
    gateway, held = make_gateway(inbound=ONE_WAY.format("timeout='20'")), asyncio.Event()

    async def late(call: Any) -> Any:
        await held.wait()
        return ok()

    gateway.backends.answers["http://hook.test"] = late
    assert (await gateway.send()).status == 200
    held.set()
    await finished(gateway)
    call = next(call for call in gateway.backends.calls if "hook" in call.url)
    assert (call.method, call.url, call.body, call.headers["X"], call.wait) == (
        "PUT",
        "http://hook.test/GET",
        b"b",
        ["1"],
        20,
    )
    assert gateway.services.unawaited == set()


async def test_a_one_way_request_that_fails_changes_nothing() -> None:
    """Unreachable, or too late: only the log has it."""
    gateway = make_gateway(inbound=ONE_WAY.format(""))
    gateway.backends.answers["http://hook.test"] = UpstreamError("Timeout", "late")
    assert (await gateway.send()).status == 200
    await finished(gateway)


async def test_a_one_way_copy_goes_where_the_request_goes() -> None:
    """`mode="copy"`: method, headers and body of the request at hand."""
    gateway = make_gateway(
        inbound="<send-one-way-request mode='copy'><set-url>http://hook.test/</set-url></send-one-way-request>"
    )
    gateway.backends.answers["http://hook.test"] = ok()
    await gateway.send("POST", headers={"A": "b"}, body=b"body")
    await finished(gateway)
    call = next(call for call in gateway.backends.calls if "hook" in call.url)
    assert (call.method, call.body, call.headers["A"]) == ("POST", b"body", ["b"])


@pytest.mark.parametrize("parts", ["", "<set-url>http://x</set-url>", "<set-method>GET</set-method>"])
def test_a_new_one_way_request_needs_url_and_method(parts: str) -> None:
    """ "No if mode=copy; otherwise yes", of both."""
    with pytest.raises(PolicyProblems, match="needs <set-url> and <set-method>"):
        make_gateway(inbound=f"<send-one-way-request>{parts}</send-one-way-request>")


async def test_events_are_written_down(tmp_path: Path) -> None:
    """ "Log to event hub": in every section, a line of JSON each; longer ones are cut at 200 KB."""
    log = (
        "<log-to-eventhub logger-id='hub' partition-key='@(context.Request.Method)'>"
        "@(new string('x', {}))</log-to-eventhub>"
    )
    gateway = make_gateway(inbound=log.format(3), outbound=log.format(300_000))
    gateway.services.events = Events(tmp_path / "events.jsonl")
    assert (await gateway.send()).status == 200
    first, second = map(json.loads, (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines())
    assert first == {"kind": "event", "logger": "hub", "partition_id": "", "partition_key": "GET", "message": "xxx"}
    assert len(second["message"]) == 200 * 1024


def test_an_event_has_one_partition() -> None:
    """ "Do not use if partition-key is used"."""
    with pytest.raises(PolicyProblems, match="partition-id or partition-key"):
        make_gateway(inbound="<log-to-eventhub logger-id='h' partition-id='1' partition-key='k'>x</log-to-eventhub>")


# connections

CONTEXT = (
    "<get-authorization-context provider-id='@(\"git\" + \"hub\")' authorization-id='own'"
    " context-variable-name='auth' {}/>"
)
READ = show('((Authorization)context.Variables.GetValueOrDefault("auth"))?.AccessToken ?? "none"')
CONNECTIONS = {"github": {"own": {"access_token": "secret-token", "scope": "repo", "expires_in": 3600}}}


def connected(attributes: str = "", read: str = READ) -> GatewayHarness:
    gateway = make_gateway(inbound=CONTEXT.format(attributes) + read)
    gateway.services.authorizations = identity.authorizations(CONNECTIONS, "x")
    return gateway


async def test_a_connection_s_token_and_claims() -> None:
    """ "Get authorization context": AccessToken, and Claims of the provider's token response."""
    assert (await connected().send()).text == "secret-token"
    read = show('((Authorization)context.Variables["auth"]).Claims["scope"].ToString()')
    assert (await connected(read=read).send()).text == "repo"


@pytest.mark.parametrize(("ignore", "status", "text"), [("false", 500, ""), ("true", 200, "none")])
async def test_a_connection_that_is_not_there(ignore: str, status: int, text: str) -> None:
    """`ignore-error`: 500, or null in the variable."""
    gateway = connected(f"ignore-error='{ignore}'")
    gateway.services.authorizations = {}
    reply = await gateway.send()
    assert reply.status == status
    assert status == 500 or reply.text == text


MANAGER = "https://azure-api.net/authorization-manager"


@pytest.mark.parametrize(
    ("identity_token", "status"),
    [
        (sign(claims(aud=MANAGER, oid="o")), 200),
        (sign(claims(oid="o")), 500),
        (sign(claims(aud=MANAGER)), 500),
        ("nonsense", 500),
    ],
)
async def test_a_jwt_must_be_for_the_manager_of_connections(identity_token: str, status: int) -> None:
    """ "Expected claims": audience, oid and tid."""
    gateway = connected("identity-type='jwt' identity='@(context.Request.Headers[\"Id\"][0])'")
    assert (await gateway.send(headers={"Id": identity_token})).status == status


@pytest.mark.parametrize("values", [[], {}, {"a": 1}, {"a": {"b": {}}}, {"a": {"b": {"access_token": 1}}}])
def test_a_file_of_connections_that_is_none(values: Any) -> None:
    """One sentence that names the shape, and shows nothing; an empty one holds nothing."""
    if values == {}:
        assert identity.authorizations(values, "f") == {}
        return
    with pytest.raises(PolicyError, match="f must hold providers"):
        identity.authorizations(values, "f")
