"""A gateway without sockets: applied state in, scripted backends behind, a stopped clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulators.apim.csharp.compile import compile_expression
from emulators.apim.failures import UpstreamError
from emulators.apim.gateway import Gateway
from emulators.apim.http_server import Application
from emulators.apim.load import Loaded, load
from emulators.apim.messages import (
    ApiInfo,
    Body,
    Context,
    DeploymentInfo,
    ManyValues,
    OperationInfo,
    Request,
    Response,
    Url,
)
from emulators.apim.services import make_services
from emulators.base.state import Resource, State

IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/gw"
CLIENT_ID = "00000000-0000-4000-8000-00000000c11e"
PRINCIPAL_ID = "00000000-0000-4000-8000-0000000000aa"
NOW = 1_800_000_000.0


@dataclass
class Call:
    """What the gateway sent upstream, and how many seconds it was ready to wait for the answer."""

    method: str
    url: str
    headers: ManyValues
    body: bytes | None
    wait: float = 0.0


class FakeStream:
    """A response body that arrives in parts; a part that is an exception breaks it off."""

    def __init__(self, parts: Sequence[bytes | Exception | asyncio.Event]) -> None:
        self.parts = list(parts)
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, asyncio.Event):
                await part.wait()
                continue
            yield part

    async def read(self) -> bytes:
        return b"".join([part async for part in self.chunks()])

    def close(self) -> None:
        self.closed = True


Answer = Callable[[Call], Any]


@dataclass
class FakeBackends:
    """Answers by URL prefix: a Response, an exception to raise, or a function of the call."""

    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    async def send(self, method: str, url: Url, headers: Any, body: bytes | None, wait: float) -> Response:
        call = Call(method, str(url), ManyValues(headers), body, wait)
        self.calls.append(call)
        for prefix, answer in self.answers.items():
            if call.url.startswith(prefix):
                found = answer(call) if callable(answer) else answer
                if asyncio.iscoroutine(found):
                    found = await found
                if isinstance(found, Exception):
                    raise found
                assert isinstance(found, Response)
                body_copy = Body(found.body.data) if found.body is not None else None
                return Response(found.status, found.reason, found.headers.copy(), body_copy, found.stream)
        raise UpstreamError("BackendConnectionFailure", f"no answer is scripted for {call.url}")

    @property
    def last(self) -> Call:
        return self.calls[-1]


class FakeClock:
    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Reply:
    """What the caller got; names of headers in lower case. `chunks` as they were sent."""

    status: int
    headers: ManyValues
    chunks: list[bytes]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class CutOff(Exception):
    """The gateway ended its answer before it was whole."""


class FakeCaller:
    """One request as an ASGI server hands it over, and what comes back. `slow()` makes it take nothing for a while."""

    def __init__(
        self, application: Application, scope: dict[str, Any], body: Sequence[bytes], *, unfinished: bool = False
    ) -> None:
        self.status = 0
        self.headers = ManyValues()
        self.chunks: list[bytes] = []
        self.complete = False
        self._parts = list(body)
        self._unfinished = unfinished
        self._left, self._news, self._takes = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._takes.set()
        self.task = asyncio.create_task(application(scope, self._receive, self._send))
        self.task.add_done_callback(lambda task: self._news.set())

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    async def _receive(self) -> dict[str, Any]:
        if self._parts:
            part = self._parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._parts) or self._unfinished}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self._takes.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = ManyValues((name.decode().lower(), value.decode()) for name, value in message["headers"])
        else:
            self.chunks += [message["body"]] if message["body"] else []
            self.complete = not message["more_body"]
            if self.complete:
                self._left.set()  # as uvicorn has it: after the answer there is nobody to wait for
        self._news.set()

    def leave(self) -> None:
        self._left.set()

    def slow(self) -> None:
        self._takes.clear()

    def take(self) -> None:
        self._takes.set()

    async def until_sent(self, data: bytes) -> None:
        """Wait until these bytes have been sent."""
        while data not in self.body:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)

    async def reply(self) -> Reply:
        """The whole answer. Raises CutOff where it ends before it is whole."""
        await asyncio.wait_for(self.task, 10)
        if not self.complete:
            raise CutOff(f"{self.status} {self.body!r}")
        return Reply(self.status, self.headers, self.chunks)


class GatewayHarness:
    """One applied gateway with one API `a` at path `a`, unless told otherwise."""

    def __init__(self, applied: State | Loaded, uptime: FakeClock | None = None) -> None:
        """`uptime`: a clock of its own for how long things take; else both are one."""
        self.backends = FakeBackends({"http://backend.test": ok()})
        self.clock = FakeClock()
        loaded = applied if isinstance(applied, Loaded) else load(applied)
        self.services = make_services(
            self.backends,
            loaded.backends,
            identity_endpoint="http://identity.test/msi/token",
            identity_header="secret",
            clock=self.clock,
            uptime=uptime,
            sleep=self.clock.sleep,
        )
        self.app = Gateway(loaded, self.services)

    def call(
        self,
        method: str = "GET",
        target: str = "/a/op",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        client: str = "203.0.113.7",
        parts: Sequence[bytes] = (),
        unfinished: bool = False,
    ) -> FakeCaller:
        """Begin a request; `parts` is a body that arrives piece by piece, without a length, and perhaps never whole."""
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        if body and "content-length" not in {name.lower() for name, _ in pairs}:
            pairs.append(("content-length", str(len(body))))
        if parts:
            pairs.append(("transfer-encoding", "chunked"))
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in [("Host", "gw.test"), *pairs]],
            "client": (client, 40000),
        }
        return FakeCaller(Application(self.app), scope, list(parts) or [body], unfinished=unfinished)

    async def send(self, *arguments: Any, **options: Any) -> Reply:
        """A whole request and its whole answer."""
        return await self.call(*arguments, **options).reply()


def ok(body: bytes = b"fine", status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, "", ManyValues((headers or {}).items()), Body(body))


def policies(inbound: str = "", backend: str = "<base/>", outbound: str = "", on_error: str = "") -> str:
    return (
        f"<policies><inbound><base/>{inbound}</inbound><backend>{backend}</backend>"
        f"<outbound><base/>{outbound}</outbound><on-error><base/>{on_error}</on-error></policies>"
    )


def resource(type_: str, name: str, **values: Any) -> Resource:
    return Resource(f"azurerm_{type_}.{name}", f"azurerm_{type_}", {"name": name, **values})


def applied(
    api_policy: str | None = None,
    *,
    operation_policy: str | None = None,
    global_policy: str | None = None,
    operations: Sequence[tuple[str, str]] = (("GET", "/op"), ("POST", "/op")),
    path: str = "a",
    fragments: Mapping[str, str] | None = None,
    named_values: Mapping[str, str] | None = None,
    backends: Mapping[str, str] | None = None,
    extra: Sequence[Resource] = (),
    **api: Any,
) -> State:
    """The applied state of a gateway; the API's service URL is http://backend.test/base."""
    defaults = {"service_url": "http://backend.test/base", "subscription_required": False, "revision": "1"}
    found = [
        resource(
            "api_management",
            "gw",
            location="local",
            identity=[{"type": "UserAssigned", "identity_ids": [IDENTITY]}],
        ),
        resource("user_assigned_identity", "gw", id=IDENTITY, client_id=CLIENT_ID, principal_id=PRINCIPAL_ID),
        resource("api_management_api", "a", path=path, display_name="A", **{**defaults, **api}),
    ]
    for position, (method, template) in enumerate(operations):
        operation = {"operation_id": f"op{position}", "method": method, "url_template": template}
        found.append(
            resource("api_management_api_operation", f"op{position}", api_name="a", display_name="", **operation)
        )
    if global_policy is not None:
        found.append(resource("api_management_policy", "global", xml_content=global_policy))
    if api_policy is not None:
        found.append(resource("api_management_api_policy", "a", api_name="a", xml_content=api_policy))
    if operation_policy is not None:
        values = {"api_name": "a", "operation_id": "op0", "xml_content": operation_policy}
        found.append(resource("api_management_api_operation_policy", "op0", **values))
    for name, value in (fragments or {}).items():
        found.append(resource("api_management_policy_fragment", name, value=value, format="xml"))
    for name, value in (named_values or {}).items():
        found.append(resource("api_management_named_value", name, display_name=name, value=value))
    for name, url in (backends or {}).items():
        found.append(resource("api_management_backend", name, url=url, protocol="http"))
    return State((*found, *extra))


def make_gateway(**given: Any) -> GatewayHarness:
    """`make_gateway(inbound=…, backend=…, outbound=…, on_error=…)` with the other arguments of `applied`."""
    sections = {name: given.pop(name) for name in ("inbound", "backend", "outbound", "on_error") if name in given}
    return GatewayHarness(applied(policies(**sections), **given))


def make_context(
    method: str = "POST",
    target: str = "http://gw.test:8080/a/op?x=1&x=2&y=z",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes | None = None,
) -> Context:
    scheme, _, rest = target.partition("://")
    authority, _, tail = rest.partition("/")
    path, _, query = tail.partition("?")
    host, _, port = authority.partition(":")
    original = Url(scheme, host, int(port or 80), f"/{path}", query)
    message = Body(body) if body is not None else None
    request = Request(method, original, "/op", query, ManyValues(headers), message, "203.0.113.7", {"id": "7"})
    clock = FakeClock()
    services = make_services(FakeBackends(), {}, clock=clock, sleep=clock.sleep)
    api = ApiInfo("a", "A", "a", "1", None)
    operation = OperationInfo("op0", "Op", "POST", "/op")
    return Context(request, services, api, operation, DeploymentInfo("gw", "local"))


def evaluate(source: str, *, variables: Mapping[str, Any] | None = None, **request: Any) -> Any:
    """Compiles an expression and evaluates it, with the arguments of `make_context` by keyword."""
    context = make_context(**request)
    context.variables.update(variables or {})
    return compile_expression(source)(context)


def streaming(*parts: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A backend's response whose body arrives in these parts."""
    return Response(200, "", ManyValues((headers or {}).items()), None, FakeStream(parts))
