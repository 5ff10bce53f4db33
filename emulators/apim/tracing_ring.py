"""The last requests of a gateway that traces, with their traces: bounded in number and in size."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from time import perf_counter, time
from typing import Any
from uuid import uuid4

from emulators.apim.failures import UpstreamError, log_bug
from emulators.apim.gateway import Gateway, Responded
from emulators.apim.load import Loaded
from emulators.apim.messages import Context, Request, Response
from emulators.apim.services import Services
from emulators.apim.tracing import CURRENT, Entry, Trace
from emulators.apim.tracing_mask import Mask

MAX_TRACES, MAX_BYTES = 200, 8 * 1024 * 1024
#: Who asks in this name asks the gateway what it is like; such requests would push people's own out of the ring.
PROBE_AGENT = "platform-probe"
#: Bytes of a body that is looked at for the tool's name; larger ones have none.
_MAX_READ = 256 * 1024
#: Characters of a server's own reason that are kept.
_MAX_SAID = 300

Document = dict[str, Any]


class Ring:
    """Documents by request id, oldest first. `number` counts up with each, so that a reader can ask what is new."""

    def __init__(self, most: int = MAX_TRACES, most_bytes: int = MAX_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: OrderedDict[str, tuple[int, Document, int]] = OrderedDict()
        self._bytes = 0
        self._number = 0

    def add(self, document: Document, size: int) -> None:
        """`size` in bytes, about."""
        self._number += 1
        document["summary"]["number"] = self._number
        self._held[document["summary"]["id"]] = (self._number, document, size)
        self._bytes += size
        while len(self._held) > self._most or self._bytes > self._most_bytes:
            _, (_, _, freed) = self._held.popitem(last=False)
            self._bytes -= freed

    @property
    def latest(self) -> int:
        """The number of the newest request; smaller than one that a reader knows where the gateway was restarted."""
        return self._number

    def recent(self, after: int = 0, most: int = MAX_TRACES) -> list[Document]:
        """Summaries, newest first."""
        newer = [document["summary"] for number, document, _ in reversed(self._held.values()) if number > after]
        return newer[:most]

    def find(self, request_id: str) -> Document | None:
        held = self._held.get(request_id.lower())
        return held[1] if held is not None else None


class TracedGateway(Gateway):
    """A gateway that keeps a trace of every request. `loaded` must have been loaded with a Tracer."""

    def __init__(
        self,
        loaded: Loaded,
        services: Services,
        ring: Ring,
        mask: Mask,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(loaded, services, variables)
        self.ring = ring
        self._mask = mask

    async def respond(self, request: Request) -> Responded:
        trace = Trace(self._mask)
        seen = _seen(request)
        CURRENT.set(trace)
        context: Context | None = None
        response: Response | None = None
        try:
            context, response = await super().respond(request)
            await _look(response)
        finally:
            CURRENT.set(None)
            if not seen["target"].startswith("/status-") and not _is_probe(seen, response):
                self._keep(trace, seen, context or trace.context, response)
        return context, response

    def _keep(self, trace: Trace, seen: Document, context: Context | None, response: Response | None) -> None:
        """A trace that cannot be written costs nobody the answer."""
        try:
            self.ring.add(_document(trace, seen, context, response), _size(trace, seen))
        except Exception as error:  # noqa: BLE001
            log_bug("the trace of a request", error)


class _Looked:
    """A body that was read to its end, or to where it broke off, for whoever reads it next."""

    def __init__(self, data: bytes, broken: UpstreamError | None) -> None:
        self.data = data
        self._broken = broken

    async def read(self) -> bytes:
        if self._broken is not None:
            raise self._broken
        return self.data

    async def chunks(self) -> AsyncIterator[bytes]:
        if self.data:
            yield self.data
        if self._broken is not None:
            raise self._broken

    def close(self) -> None:
        """The connection has gone already."""


async def _look(response: Response) -> None:
    """Read a short JSON answer of a backend, which has no policy's reason where the server behind refused the call.

    One whose length is not known, or a stream of events, goes on as it arrives.
    """
    if response.stream is None or response.status != 200:
        return
    length = response.headers.joined("Content-Length", "") or ""
    kind = (response.headers.joined("Content-Type", "") or "").partition(";")[0].strip().lower()
    if kind != "application/json" or not length.isdecimal() or int(length) > _MAX_READ:
        return
    data, broken = bytearray(), None
    try:
        async for chunk in response.stream.chunks():
            data += chunk
    except UpstreamError as error:
        broken = error
    response.stream = _Looked(bytes(data), broken)


def _said(response: Response) -> str:
    """What the server behind says in JSON-RPC: why it refused the call, or why a tool failed."""
    looked = response.stream
    data = looked.data if isinstance(looked, _Looked) else response.body.data if response.body is not None else b""
    try:
        message = json.loads(data) if data.startswith(b"{") and len(data) <= _MAX_READ else {}
    except (ValueError, RecursionError):
        return ""
    error, result = message.get("error"), message.get("result")
    if isinstance(error, dict):
        return str(error.get("message") or error.get("code") or "")[:_MAX_SAID]
    if not isinstance(result, dict) or result.get("isError") is not True:
        return ""
    content = result.get("content")
    blocks = content if isinstance(content, list) else []
    texts = [str(block["text"]) for block in blocks if isinstance(block, dict) and "text" in block]
    return " ".join(" ".join(texts).split())[:_MAX_SAID] or "the tool failed"


def _is_probe(seen: Document, response: Response | None) -> bool:
    """A probe that the gateway could not answer is worth looking at."""
    agents = [value for name, value in seen["headers"] if name.lower() == "user-agent"]
    return agents == [PROBE_AGENT] and response is not None and response.status < 500


def _seen(request: Request) -> Document:
    """What the request was before any policy."""
    original = request.original
    return {
        "time": time(),
        "method": request.method,
        "target": original.path,
        "query": original.query,
        "headers": list(request.headers.pairs()),
        "message": _message(request),
        "client": request.ip,
    }


def _message(request: Request) -> tuple[str, str]:
    """JSON-RPC method and tool."""
    body = request.body.data if request.body is not None else b""
    if not body.startswith(b"{") or len(body) > _MAX_READ:
        return "", ""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):  # thousands of brackets: the policies say what they think of them
        return "", ""
    parameters = message.get("params")
    tool = parameters.get("name") if isinstance(parameters, dict) and message.get("method") == "tools/call" else ""
    return str(message.get("method") or "")[:80], str(tool or "")[:80]


def _document(trace: Trace, seen: Document, context: Context | None, response: Response | None) -> Document:
    mask = trace.mask
    variables = context.variables if context is not None else {}
    method, tool = seen["message"]
    token = variables.get("caller-token")
    summary = {
        "id": str(context.request_id) if context is not None else str(uuid4()),
        "time": datetime.fromtimestamp(seen["time"], UTC).isoformat(timespec="milliseconds"),
        "method": seen["method"],
        "path": seen["target"],
        "api": context.api.id if context is not None else "",
        "operation": context.operation.id if context is not None and context.operation is not None else "",
        "rpc": method,
        "tool": tool,
        "caller": str(variables.get("caller") or ""),
        "client": str(getattr(token, "payload", {}).get("azp") or ""),
        "tier": str(variables.get("tier") or ""),
        "backend": (context.request.backend_id or "") if context is not None else "",
        "status": response.status if response is not None else 0,
        "milliseconds": round((perf_counter() - trace.started) * 1000, 3),
        "refusal": mask.text(_refusal(trace, variables, context, response)),
        "traceparent": trace.traceparent,
    }
    return {
        "summary": summary,
        "request": {
            "query": mask.text(seen["query"]),
            "client": seen["client"],
            "headers": [[name, mask.value(name, value)] for name, value in seen["headers"]],
        },
        "entries": [_entry(entry, trace) for entry in trace.entries],
        "dropped": trace.dropped,
    }


def _refusal(trace: Trace, variables: Document, context: Context | None, response: Response | None) -> str:
    """Why it was refused, in the policy's words or the gateway's.

    The policy's are in a variable: `error-message`, or `refusal` and `error` as "<OAuth error>|<sentence>".
    """
    if response is None:
        return "the caller left before the answer"
    if variables.get("error-message"):
        return str(variables["error-message"])
    if context is not None and context.last_error is not None:
        return context.last_error.message
    if response.status >= 300:
        for name in ("refusal", "error"):
            if sentence := str(variables.get(name) or "").partition("|")[2]:
                return sentence
    if response.status < 400:
        return _said(response)
    if context is None:
        return "no API or operation has this path"
    asked = any(entry.site.shown["element"] == "forward-request" for entry in trace.entries)
    return "the backend refused it" if asked else "the policy refused it"


def _size(trace: Trace, seen: Document) -> int:
    """Of what is kept: an entry's frame, and the texts in it."""
    texts = sum(len(text) for entry in trace.entries for change in entry.changes for text in change)
    texts += sum(len(text) for entry in trace.entries for condition in entry.conditions for text in condition)
    return (
        2048
        + 1024 * len(trace.entries)
        + 2 * texts
        + 2 * sum(len(name) + len(value) for name, value in seen["headers"])
    )


def _entry(entry: Entry, trace: Trace) -> Document:
    return {
        **entry.site.shown,
        "depth": entry.depth,
        "at": round((entry.started - trace.started) * 1000, 3),
        "milliseconds": round(entry.took * 1000, 3),
        "changes": [list(change) for change in entry.changes],
        "conditions": [list(condition) for condition in entry.conditions],
        "notes": entry.notes,
        "error": entry.error,
    }
