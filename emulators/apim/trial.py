"""One request through one policy, in this process: what came back, what was sent on, and the trace.

Nothing leaves the machine. The backend and whatever policies call answer as they were told to; tokens made of given
claims are signed by an issuer of its own, for which every `openid-config` and tenant stands; managed identities get
tokens that say for whom they are.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from emulators.apim.backend_client import BackendClient
from emulators.apim.csharp.clr import to_text
from emulators.apim.errors import GivenBy, PolicyError
from emulators.apim.failures import UpstreamError
from emulators.apim.http_server import deliver
from emulators.apim.identity import Authorization
from emulators.apim.load import load
from emulators.apim.messages import Body, Context, LastError, ManyValues, Request, Response, Url, parse_url
from emulators.apim.services import SENDING, Events, make_services
from emulators.apim.single_policy import state_of
from emulators.apim.token_keys import Key, KeyUnusable, symmetric
from emulators.apim.tracing import CURRENT, Tracer
from emulators.apim.tracing_mask import Mask
from emulators.apim.tracing_ring import Document, Ring, TracedGateway
from emulators.apim.values import NamedValues
from emulators.base.policy_xml import MalformedPolicy, Node, parse
from emulators.base.state import State

#: The API's own backend, where the policy sets no other; `.example` names nobody (RFC 6761, section 6.5).
BACKEND = "http://backend.example"
#: `iss` of tokens for policies whose issuer cannot be told from their text.
ISSUER = "https://issuer.example"
_IDENTITY = "http://identity.example/msi/token"
_KEYS = "https://keys.example/jwks"
_DISCOVERY = "/.well-known/openid-configuration"
_SECONDS = 3600
_TOKEN_ELEMENTS = ("validate-jwt", "validate-azure-ad-token")


@dataclass(frozen=True)
class Reply:
    """An answer, or what the caller got; header names as they were written."""

    status: int = 200
    headers: ManyValues = field(default_factory=ManyValues)
    body: bytes = b""


@dataclass(frozen=True)
class Call:
    """A request that left the gateway; `element` sent it."""

    element: str
    method: str
    url: str
    headers: ManyValues
    body: bytes


@dataclass(frozen=True)
class Scripted:
    """The answer to calls of one URL; it ends in `*` for all that begin so. `method` "": any."""

    url: str
    reply: Reply
    method: str = ""

    def answers(self, method: str, url: str) -> bool:
        if self.method and self.method.upper() != method:
            return False
        if self.url.endswith("*"):
            return url.startswith(self.url[:-1])
        return url == self.url or url.partition("?")[0] == self.url


@dataclass(frozen=True)
class Sent:
    """A request of a caller; `target` is path and query."""

    method: str = "GET"
    target: str = "/"
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    ip: str = "203.0.113.7"
    times: int = 1


@dataclass(frozen=True)
class Setup:
    """What stands around the request. `policy` is a document or a fragment, which then stands in inbound.

    `backend`: the answers of the backend in turn, the last one for good; or the URL of a real one. `claims`: of the
    token that the caller sends as bearer. `hosts` ("host:port") are really called.
    `given_by`: where what is missing can be added. `sleep`: how `retry` waits.
    """

    policy: str
    name: str = "policy"
    fragments: Mapping[str, str] = field(default_factory=dict)
    named_values: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    backends: Mapping[str, str] = field(default_factory=dict)
    backend: Sequence[Reply] | str = (Reply(),)
    calls: Sequence[Scripted] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] | None = None
    hosts: Sequence[str] = ()
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    authorizations: Mapping[tuple[str, str], Authorization] = field(default_factory=dict)
    given_by: GivenBy = "options"
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class Outcome:
    """What happened to the last of the requests; `backend`, `calls` and `events` are those of all."""

    reply: Reply
    backend: Sequence[Call]
    calls: Sequence[Call]
    variables: Mapping[str, Any]
    error: LastError | None
    trace: Document
    mask: Mask
    events: Sequence[Mapping[str, Any]]

    def shown(self, name: str) -> Any:
        """A variable as JSON has it: numbers, booleans and texts as they are, JSON read, all else as its text."""
        return plain(self.variables[name])


def plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Response):
        return f"response with status {value.status}"
    text = to_text(value)
    try:
        return json.loads(text)
    except ValueError:
        return text


def run(setup: Setup, sent: Sent) -> Outcome:
    """Raises PolicyProblems where the policy would not run."""
    return asyncio.run(_run(setup, sent))


async def _run(setup: Setup, sent: Sent) -> Outcome:
    own = setup.backend if isinstance(setup.backend, str) else BACKEND
    state, issuer = applied(setup, own), Issuer()
    mask, ring = Mask(setup.secrets.values()), _Last()
    loaded = load(state, Tracer(mask), setup.given_by)
    client = (
        BackendClient({}, {*_authority(own), *setup.hosts}) if isinstance(setup.backend, str) or setup.hosts else None
    )
    outside = _Outside(setup, issuer, client)
    events: list[dict[str, Any]] = []
    services = make_services(
        outside,
        loaded.backends,
        identity_endpoint=_IDENTITY,
        identity_header="trial",
        authorizations=setup.authorizations,
        events=Events(kept=events),
        sleep=setup.sleep,
    )
    gateway = TracedGateway(loaded, services, ring, mask, setup.variables)
    try:
        reply, context = Reply(), None
        for _ in range(max(1, sent.times)):
            reply, context = await _ask(gateway, _request(sent, _authorization(setup, issuer)))
            await asyncio.gather(*services.unawaited)
    finally:
        if client is not None:
            await client.close()
    return Outcome(
        reply,
        [call for call in outside.seen if call.element == "forward-request"],
        [call for call in outside.seen if call.element != "forward-request"],
        context.variables if context is not None else {},
        context.last_error if context is not None else None,
        ring.last,
        mask,
        events,
    )


async def _ask(gateway: TracedGateway, request: Request) -> tuple[Reply, Context | None]:
    status, headers, body = 0, ManyValues(), bytearray()

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = ManyValues((name.decode(), value.decode()) for name, value in message["headers"])
        else:
            body.extend(message["body"])

    context, response = await gateway.respond(request)
    await deliver(response, context, send, head=request.method == "HEAD")
    return Reply(status, headers, bytes(body)), context


def _request(sent: Sent, authorization: Sequence[tuple[str, str]]) -> Request:
    path, _, query = sent.target.partition("?")
    headers = ManyValues([("Host", "gateway.example"), *authorization])
    for name, value in sent.headers:
        if name.lower() in ("host", "authorization"):
            headers.set(name, [value])
        else:
            headers.add(name, value)
    if sent.body is not None and "content-length" not in headers:
        headers.set("Content-Length", [str(len(sent.body))])
    host, _, port = headers.joined("Host", "").partition(":")
    url = Url("https", host, int(port or 443), path, query)
    return Request(sent.method, url, path, query, headers, Body(sent.body) if sent.body is not None else None, sent.ip)


class _Last(Ring):
    last: Document

    def add(self, document: Document, size: int) -> None:
        super().add(document, size)
        self.last = document


def applied(setup: Setup, own: str) -> State:
    """The state: the policy, what it names, and every managed identity that it asks for."""
    try:
        root = parse(setup.policy, setup.name)
    except MalformedPolicy:
        root = Node("policies", 1)  # the loader says what is wrong
    policy, fragments = setup.policy, dict(setup.fragments)
    if root.tag == "fragment":
        policy = (
            '<policies><inbound><base/><include-fragment fragment-id="policy"/></inbound><backend><base/></backend>'
            "<outbound><base/></outbound><on-error><base/></on-error></policies>"
        )
        fragments["policy"] = setup.policy
    found = ["", *_identities(root, setup)]
    for name, text in setup.fragments.items():
        try:
            found += _identities(parse(text, f"fragment {name!r}"), setup)
        except MalformedPolicy:
            continue
    backends = {"": own, **setup.backends}
    return state_of(
        policy,
        setup.name,
        backends,
        fragments,
        setup.named_values,
        setup.secrets,
        list(dict.fromkeys(found)),
        setup.certificates,
    )


def _identities(root: Node, setup: Setup) -> list[str]:
    known = NamedValues({**setup.named_values, **setup.secrets})
    given = [one.attributes.get("client-id") for one in _walk(root) if one.tag == "authentication-managed-identity"]
    return [known.known(id_) for id_ in given if id_]


def _walk(node: Node) -> list[Node]:
    return [node, *(inner for child in node.children for inner in _walk(child))]


def _authority(url: str) -> list[str]:
    parsed = parse_url(url)
    return [f"{parsed.host}:{parsed.port}"] if parsed is not None else []


# tokens


class Issuer:
    """Signs with a key of its own, and answers as the discovery document and key set of any issuer."""

    def __init__(self) -> None:
        from joserfc.jwk import ECKey

        self._key: Key = ECKey.generate_key("P-256", {"kid": "trial", "use": "sig", "alg": "ES256"})

    def token(self, claims: Mapping[str, Any], secret: str = "") -> str:
        """`secret`: Base64, with which the policy verifies; a secret that is none is what the loader refuses."""
        from joserfc import jws

        key, header = self._key, {"alg": "ES256", "kid": "trial", "typ": "JWT"}
        with suppress(KeyUnusable):
            key, header = (symmetric(secret), {"alg": "HS256", "typ": "JWT"}) if secret else (key, header)
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        return jws.serialize_compact(header, json.dumps(claims).encode(), key, registry=registry)

    def discovery(self, url: str) -> Reply:
        return _json({"issuer": issuer_of(url), "jwks_uri": _KEYS})

    def keys(self) -> Reply:
        return _json({"keys": [self._key.as_dict(private=False)]})


def issuer_of(url: str) -> str:
    """Whom the discovery document at this URL names (OpenID Connect Discovery 1.0, section 4; Entra ID's v1.0 endpoint
    names sts.windows.net: "Access tokens in the Microsoft identity platform")."""
    issuer = url.partition("?")[0].removesuffix(_DISCOVERY)
    parsed = parse_url(issuer)
    if parsed is not None and parsed.host == "login.microsoftonline.com" and parsed.path.count("/") == 1:
        return f"https://sts.windows.net{parsed.path}/"
    return issuer


def _authorization(setup: Setup, issuer: Issuer) -> list[tuple[str, str]]:
    if setup.claims is None:
        return []
    now, (iss, secret) = int(time.time()), _trusted_issuer(setup)
    claims = {"iss": iss, "iat": now, "nbf": now - 60, "exp": now + _SECONDS, **setup.claims}
    token = issuer.token({name: value for name, value in claims.items() if value is not None}, secret)
    return [("Authorization", f"Bearer {token}")]


def _trusted_issuer(setup: Setup) -> tuple[str, str]:
    """The first issuer that policy or fragments trust, and the secret with which it signs, "" for a published key."""
    secret, listed = "", ISSUER
    known = NamedValues({**setup.named_values, **setup.secrets})
    for text in (setup.policy, *setup.fragments.values()):
        try:
            nodes = _walk(parse(text, setup.name))
        except MalformedPolicy:
            continue
        for node in nodes:
            url, tenant = (known.known(node.attributes.get(name, "")) for name in ("url", "tenant-id"))
            own = known.known(node.text).strip()
            if node.tag == "openid-config" and "://" in url:
                return issuer_of(url), ""
            if node.tag == "validate-azure-ad-token" and tenant and not tenant.startswith("@"):
                return f"https://login.microsoftonline.com/{tenant}/v2.0", ""
            if own and not own.startswith("@"):
                listed = own if node.tag == "issuer" and listed == ISSUER else listed
                secret = own if node.tag == "key" and not secret else secret
    return listed, secret


# what policies call


class _Outside:
    """Everything beyond the gateway."""

    def __init__(self, setup: Setup, issuer: Issuer, client: BackendClient | None) -> None:
        self._setup, self._issuer, self._client = setup, issuer, client
        self.seen: list[Call] = []
        self._forwarded = 0

    async def send(
        self, method: str, url: Url, headers: Sequence[tuple[str, str]], body: bytes | None, wait: float
    ) -> Response:
        element = _element()
        target = str(url)
        found = next((one.reply for one in self._setup.calls if one.answers(method, target)), None)
        if found is None and (element in _TOKEN_ELEMENTS or target.startswith(_IDENTITY)):
            return _response(self._trusted(target))
        self.seen.append(Call(element, method, target, ManyValues(headers), body or b""))
        if found is None and self._is_real(url):
            assert self._client is not None
            return await self._client.send(method, url, headers, body, wait)
        if found is None and element == "forward-request" and not isinstance(self._setup.backend, str):
            found = self._setup.backend[min(self._forwarded, len(self._setup.backend) - 1)]
            self._forwarded += 1
        if found is None:
            raise UpstreamError("BackendConnectionFailure", f"no answer was given for {method} {target}")
        return _response(found)

    def _is_real(self, url: Url) -> bool:
        own = self._setup.backend if isinstance(self._setup.backend, str) else ""
        return self._client is not None and f"{url.host}:{url.port}" in {*_authority(own), *self._setup.hosts}

    def _trusted(self, target: str) -> Reply:
        if target.startswith(_IDENTITY):
            asked = {name: values[0] for name, values in parse_qs(target.partition("?")[2]).items()}
            claims = {"aud": asked.get("resource", ""), "appid": asked.get("client_id", "system-assigned")}
            token = self._issuer.token({"iss": ISSUER, "exp": int(time.time()) + _SECONDS, **claims})
            return _json({"access_token": token, "expires_on": str(int(time.time()) + _SECONDS)})
        return self._issuer.keys() if target == _KEYS else self._issuer.discovery(target)


def _element() -> str:
    """The policy that is at work."""
    trace, alone = CURRENT.get(), SENDING.get()
    if alone:
        return alone
    return trace.open[-1].site.element if trace is not None and trace.open else ""


def _json(value: Any) -> Reply:
    return Reply(200, ManyValues([("Content-Type", "application/json")]), json.dumps(value).encode())


def _response(reply: Reply) -> Response:
    headers = reply.headers.copy()
    return Response(reply.status, "", headers, Body(reply.body))


def claims_of(text: str, name: str) -> dict[str, Any]:
    """The claims of a file: a JSON object, or an encoded token whose claims are taken. Else PolicyError."""
    parts = text.strip().split(".")
    if len(parts) == 3 and " " not in text.strip():
        try:
            text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode()
        except ValueError as error:
            raise PolicyError(f"{name} is no token: its second part is not base64url") from error
    try:
        claims = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"{name} must hold the token's claims as one JSON object ({error})") from error
    if not isinstance(claims, dict):
        raise PolicyError(f"{name} must hold the token's claims as one JSON object, not {type(claims).__name__}")
    return claims


# what is printed


def text(outcome: Outcome) -> str:
    """For people: what the caller got, what was sent on, the variables, and what each element did."""
    reply = outcome.reply
    parts = [f"{reply.status} {_phrase(reply.status)}".rstrip()]
    parts += [f"{name}: {value}" for name, value in reply.headers.pairs()]
    parts += ["", _body(reply.body)] if reply.body else []
    for call in (*outcome.backend, *outcome.calls):
        parts += ["", f"{call.element}: {call.method} {call.url}"]
        parts += [f"  {name}: {outcome.mask.value(name, value)}" for name, value in call.headers.pairs()]
        parts += [f"  {line}" for line in _body(call.body).splitlines()] if call.body else []
    if outcome.events:
        parts += ["", "metrics and events", *(f"  {json.dumps(one, ensure_ascii=False)}" for one in outcome.events)]
    if outcome.variables:
        parts += ["", "variables"]
        parts += [f"  {name} = {outcome.mask.value(name, value)}" for name, value in sorted(outcome.variables.items())]
    return "\n".join([*parts, "", "trace", *trace_lines(outcome)])


def trace_lines(outcome: Outcome) -> list[str]:
    from emulators.apim.tracing_text import lines

    return list(lines(outcome.trace))


def document(outcome: Outcome) -> dict[str, Any]:
    """For programs. Values are as they were, and not masked: they are the trial's own."""
    error = outcome.error
    return {
        "reply": _as_json(outcome.reply),
        "backend": [_call(call) for call in outcome.backend],
        "calls": [_call(call) for call in outcome.calls],
        "variables": {name: outcome.shown(name) for name in outcome.variables},
        "error": {"source": error.source, "reason": error.reason, "message": error.message} if error else None,
        "events": list(outcome.events),
        "trace": outcome.trace,
    }


def _call(call: Call) -> dict[str, Any]:
    message = _as_json(Reply(0, call.headers, call.body))
    del message["status"]
    return {"element": call.element, "method": call.method, "url": call.url, **message}


def _as_json(reply: Reply) -> dict[str, Any]:
    return {
        "status": reply.status,
        "headers": [list(pair) for pair in reply.headers.pairs()],
        "body": reply.body.decode("utf-8", "replace"),
    }


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""


def _body(body: bytes) -> str:
    """JSON in its lines, all else as it is; control characters cannot move a terminal's cursor."""
    shown = body.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        shown = json.dumps(json.loads(shown), indent=2, ensure_ascii=False)
    return "".join(char if char in "\n\t" or char.isprintable() else "\ufffd" for char in shown)
