"""A gateway without sockets: applied state in, scripted backends behind, a stopped clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulators.apim.app import Gateway
from emulators.apim.csharp.compile import compile_expression
from emulators.apim.failures import UpstreamError
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
from emulators.apim.tests.wire import Line, Reply
from emulators.base.state import Resource, State

IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/gw"
CLIENT_ID = "00000000-0000-4000-8000-00000000c11e"
PRINCIPAL_ID = "00000000-0000-4000-8000-0000000000aa"
NOW = 1_800_000_000.0


@dataclass
class Call:
    """What the gateway sent upstream."""

    method: str
    url: str
    headers: ManyValues
    body: bytes | None


class Pieces:
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

    def take(self) -> tuple[bytes, bool]:
        return b"", False

    def close(self) -> None:
        self.closed = True


Answer = Callable[[Call], Any]


@dataclass
class Backends:
    """Answers by URL prefix: a Response, an exception to raise, or a function of the call."""

    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    async def send(self, method: str, url: Url, headers: Any, body: bytes | None, wait: float) -> Response:
        call = Call(method, str(url), ManyValues(headers), body)
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


class Clock:
    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class World:
    """One applied gateway with one API `a` at path `a`, unless told otherwise."""

    def __init__(self, applied: State | Loaded) -> None:
        self.backends = Backends({"http://backend.test": ok()})
        self.clock = Clock()
        loaded = applied if isinstance(applied, Loaded) else load(applied)
        self.services = make_services(
            self.backends,
            loaded.backends,
            identity_endpoint="http://identity.test/msi/token",
            identity_header="secret",
            clock=self.clock,
            sleep=self.clock.sleep,
        )
        self.app = Gateway(loaded, self.services)

    def connect(self, client: str = "203.0.113.7") -> Line:
        """A caller's connection, on paper."""
        return Line(self.app, client)

    async def send(
        self,
        method: str = "GET",
        target: str = "/a/op",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        client: str = "203.0.113.7",
    ) -> Reply:
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        if body and "content-length" not in {name.lower() for name, _ in pairs}:
            pairs.append(("content-length", str(len(body))))
        line = self.connect(client)
        line.feed(head(method, target, [("Host", "gw.test"), *pairs]) + body)
        return await line.reply(bodiless=method == "HEAD")


def head(method: str, target: str, pairs: Sequence[tuple[str, str]]) -> bytes:
    """A request's head on the wire; names in lower case, so that tests need not know who spells them."""
    lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in pairs)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


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


def make_world(**given: Any) -> World:
    """`make_world(inbound=…, backend=…, outbound=…, on_error=…)` with the other arguments of `applied`."""
    sections = {name: given.pop(name) for name in ("inbound", "backend", "outbound", "on_error") if name in given}
    return World(applied(policies(**sections), **given))


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
    clock = Clock()
    services = make_services(Backends(), {}, clock=clock, sleep=clock.sleep)
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
    return Response(200, "", ManyValues((headers or {}).items()), None, Pieces(parts))
