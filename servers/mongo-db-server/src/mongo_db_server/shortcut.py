"""A fast path for ordinary tool calls and lists of tools: recognised and answered without the SDK's dispatch.

Only the plainest requests take it; everything else goes to the SDK untouched, every error of the protocol included but
for a version that nobody speaks (protocol_version.py). Envelope and arguments are checked by the SDK's own functions,
so both ways accept and refuse the same. The list of tools does not change while the process lives: the SDK writes it
once for each protocol version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway_auth.asgi import replay
from mcp.shared.inbound import InboundModernRoute, classify_inbound_request
from mcp_types.methods import validate_client_request
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from mongo_db_server import protocol_version
from mongo_db_server.call import PROGRESS
from mongo_db_server.delivery import Response, cancel_on_disconnect
from mongo_db_server.wire import Envelope

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mongo_db_server.dispatcher import Dispatcher
    from mongo_db_server.hosts import Hosts

_CALL, _LIST = "tools/call", "tools/list"
_JSON = "application/json"
_READ = {b"accept", b"content-type", b"mcp-protocol-version", b"mcp-method", b"mcp-name"}
_REMEMBERED_CHARS = 2_048  # of an envelope and a name, so that invented ones cannot fill the memory
_REQUEST = {"jsonrpc", "id", "method", "params"}
# `inputResponses` and `requestState` continue an earlier call, which the SDK unseals; a `cursor` is the SDK's too.
_PARAMS = {_CALL: {"name", "arguments", "_meta"}, _LIST: {"_meta"}}


@dataclass(frozen=True, slots=True)
class Call:
    version: str
    request_id: int | str
    name: str
    arguments: dict[str, Any]
    progress_token: int | str | None = None  # of a caller who wants to hear how far it is, and takes a stream


@dataclass(frozen=True, slots=True)
class Listing:
    version: str
    request_id: int | str


class Shortcut:
    """Stands before `app`, which must be the SDK's application for the same tools. `path` is the only one it serves;
    `hosts` None leaves `Host` and `Origin` to whatever stands before."""

    def __init__(
        self, app: ASGIApp, *, path: str, dispatcher: Dispatcher, server_info: Any, hosts: Hosts | None = None
    ) -> None:
        self._app = app
        self._path = path
        self._dispatcher = dispatcher
        self._hosts = hosts
        versions = (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS)
        self._envelopes = {version: Envelope(version, server_info) for version in versions}
        self._lists: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "POST"
            or scope["path"] != self._path
            or not (self._hosts is None or await self._hosts.admits(scope))
        ):
            await self._app(scope, receive, send)
            return
        scope = _with_plain_media_type(scope)
        message = await receive()
        body = message.get("body", b"")
        asked = None if message.get("more_body") else recognise(scope["headers"], body)
        if asked is None:
            refused = None if message.get("more_body") else protocol_version.refusal(scope["headers"], body)
            await (refused(scope, receive, send) if refused else self._app(scope, replay(message, receive), send))
        elif isinstance(asked, Call):
            await self._call(asked, receive, send)
        elif (listed := self._lists.get(asked.version)) is not None:
            identity = json.dumps(asked.request_id)
            await Response(send, None).end(f'{{"jsonrpc":"2.0","id":{identity},"result":{listed}}}'.encode())
        else:
            await self._learn(asked, scope, replay(message, receive), send)

    async def _call(self, call: Call, receive: Receive, send: Send) -> None:
        response = Response(send, call.progress_token)
        reset = PROGRESS.set(response.progress if call.progress_token is not None else None)
        try:
            answer = await cancel_on_disconnect(self._dispatcher.perform(call.name, call.arguments), receive)
        finally:
            PROGRESS.reset(reset)
        if answer is not None:
            await response.end(self._envelopes[call.version].write(call.request_id, answer))

    async def _learn(self, listing: Listing, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the SDK answer, and remembers the answer of this protocol version."""
        kept = bytearray()

        async def keep(message: Message) -> None:
            kept.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, keep)
        try:
            result = json.loads(kept.decode())["result"]
        except (ValueError, KeyError, TypeError):
            return  # an error: the next one asks again
        self._lists[listing.version] = json.dumps(result, separators=(",", ":"))


def recognise(raw_headers: list[tuple[bytes, bytes]], body: bytes) -> Call | Listing | None:
    """What is asked, when the request is an ordinary one of a version both ways speak; else None."""
    headers = _headers(raw_headers)
    if headers is None:
        return None
    try:
        request = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    if not _is_plain(request):
        return None
    version, method = headers.get("mcp-protocol-version", ""), request["method"]
    params: Any = request.get("params")
    name = params["name"] if method == _CALL else ""
    try:
        envelope = json.dumps(params["_meta"]) if params and "_meta" in params else ""
    except RecursionError:
        return None
    short = len(envelope) + len(name) <= _REMEMBERED_CHARS
    admits = _admits if short else _admits.__wrapped__
    if not admits(version, method, name, envelope, headers.get("mcp-method"), headers.get("mcp-name")):
        return None
    if method == _LIST:
        return Listing(version, request["id"])
    token = (params.get("_meta") or {}).get("progressToken")
    streams = token is not None and "text/event-stream" in headers.get("accept", "")
    return Call(version, request["id"], params["name"], params.get("arguments") or {}, token if streams else None)


def _headers(raw: list[tuple[bytes, bytes]]) -> Mapping[str, str] | None:
    """The headers that matter, by name; None when one occurs twice or is one that only the SDK reads."""
    headers: dict[str, str] = {}
    for name, value in raw:
        if name in _READ:
            if name.decode() in headers:
                return None
            headers[name.decode()] = value.decode("latin-1")
        elif name.startswith(b"mcp-"):
            return None
    accepts = _accepts_json(headers.get("accept", ""))
    return headers if accepts and headers.get("content-type", "").split(";")[0].strip() == _JSON else None


@lru_cache(maxsize=256)
def _admits(
    version: str, method: str, name: str, envelope: str, method_header: str | None, name_header: str | None
) -> bool:
    """Whether the SDK takes such a request: asked once, because callers repeat all of this and change arguments only,
    of which the SDK asks that they are an object. `envelope` is `_meta` as JSON, empty when there is none."""
    params: dict[str, Any] = {"name": name, "arguments": {}} if method == _CALL else {}
    if envelope:
        params["_meta"] = json.loads(envelope)
    given = {"mcp-protocol-version": version, "mcp-method": method_header, "mcp-name": name_header}
    headers = {header: value for header, value in given.items() if value is not None}
    if version in MODERN_PROTOCOL_VERSIONS:
        request = {"method": method, "params": params}
        if not isinstance(classify_inbound_request(request, headers=headers), InboundModernRoute):
            return False
    elif version not in HANDSHAKE_PROTOCOL_VERSIONS:
        return False
    try:
        validate_client_request(method, version, params)
    except ValidationError:
        return False
    return True


def _with_plain_media_type(scope: Scope) -> Scope:
    """The request with its media type in lower case, in which both ways compare it: its case does not count (RFC 9110,
    section 8.3.1)."""
    headers = scope["headers"]
    if all(value == value.lower() for name, value in headers if name == b"content-type"):
        return scope
    return {
        **scope,
        "headers": [(name, _plain(value) if name == b"content-type" else value) for name, value in headers],
    }


def _plain(content_type: bytes) -> bytes:
    media_type, semicolon, parameters = content_type.partition(b";")
    return media_type.lower() + semicolon + parameters


@lru_cache(maxsize=64)
def _accepts_json(accept: str) -> bool:
    return _JSON in (item.split(";")[0].strip().lower() for item in accept.split(","))


def _is_plain(request: Any) -> bool:
    if not isinstance(request, dict) or not _REQUEST >= request.keys() >= _REQUEST - {"params"}:
        return False
    method: Any = request["method"]
    if request["jsonrpc"] != "2.0" or type(request["id"]) not in (int, str) or method not in (_CALL, _LIST):
        return False
    params: Any = request.get("params", {} if method == _LIST else None)
    if not isinstance(params, dict) or not params.keys() <= _PARAMS[method]:
        return False
    named = isinstance(params.get("name"), str) and isinstance(params.get("arguments", {}), dict)
    return named or method == _LIST
