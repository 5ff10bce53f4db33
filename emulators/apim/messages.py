"""The request and response that policies read and change, and the context around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import unquote_plus, urlsplit
from uuid import UUID, uuid4

from emulators.apim.jwt import Jwt


def header_text(value: bytes) -> str:
    """A header's value as text: UTF-8 where it is that, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class ManyValues(Mapping[str, list[str]]):
    """Names to lists of values, names without case: headers and query parameters. The first spelling is kept."""

    __slots__ = ("_entries",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._entries: dict[str, tuple[str, list[str]]] = {}
        for name, value in pairs:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        entry = self._entries.get(name.lower())
        if entry is None:
            self._entries[name.lower()] = (name, [value])
        else:
            entry[1].append(value)

    def set(self, name: str, values: Iterable[str]) -> None:
        self._entries[name.lower()] = (name, list(values))

    def remove(self, name: str) -> None:
        self._entries.pop(name.lower(), None)

    def __getitem__(self, name: str) -> list[str]:
        return self._entries[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._entries

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def joined(self, name: str, default: Any = None) -> Any:
        """The values separated by commas, as `GetValueOrDefault` answers."""
        entry = self._entries.get(name.lower())
        return default if entry is None else ",".join(entry[1])

    def pairs(self) -> Iterator[tuple[str, str]]:
        for name, values in self._entries.values():
            for value in values:
                yield name, value

    def without(self, names: Container[str]) -> list[tuple[str, str]]:
        """All pairs but those of these names, which are given in lower case."""
        entries = self._entries.items()
        return [(name, value) for key, (name, values) in entries if key not in names for value in values]

    def copy(self) -> ManyValues:
        return ManyValues(self.pairs())


def parse_query(query: str) -> list[tuple[str, str]]:
    """Decoded pairs of a query string without `?`."""
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in parts]


_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Url:
    """IUrl. `path` and `query` stay percent-encoded; `query` has no `?`."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @cached_property
    def parameters(self) -> ManyValues:
        return ManyValues(parse_query(self.query))

    @property
    def authority(self) -> str:
        return self.host if self.port == _DEFAULT_PORTS.get(self.scheme) else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}" + (f"?{self.query}" if self.query else "")


def parse_url(text: str) -> Url | None:
    """None where the text is not an absolute http or https URL. Path and query stay as they are written."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    scheme = parts.scheme.lower()
    return Url(scheme, host, port or _DEFAULT_PORTS[scheme], parts.path, parts.query)


def parse_base(text: str) -> Url | None:
    """A backend's URL: its path loses a trailing slash, because operation paths begin with one."""
    url = parse_url(text)
    return None if url is None or url.query else Url(url.scheme, url.host, url.port, url.path.rstrip("/"))


class Body:
    """A message body. Reading it without `preserveContent` leaves nothing for whoever comes after."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, *, preserve: bool) -> bytes:
        data = self.data
        if not preserve:
            self.data = b""
        return data


class Stream(Protocol):
    """A backend response whose body has not been read yet."""

    async def read(self) -> bytes:
        """All of it. Raises UpstreamError where the backend breaks off, or sends too much."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The parts as they arrive. Raises UpstreamError where the backend breaks off."""
        ...

    def close(self) -> None:
        """Cuts the connection to the backend, unless the body has been read to its end."""
        ...


#: What a final response may have (RFC 9110, section 15).
STATUSES = range(200, 600)


@dataclass(slots=True)
class Response:
    status: int = 200
    reason: str = ""
    headers: ManyValues = field(default_factory=ManyValues)
    body: Body | None = None
    stream: Stream | None = None
    #: False: every chunk goes on as it arrives; True: chunks are gathered to 8 KB first.
    buffered: bool = False

    async def materialise(self) -> None:
        """Reads a backend response to its end, so that policies can read or change its body."""
        if self.stream is not None:
            self.body, self.stream = Body(await self.stream.read()), None

    def discard(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None


@dataclass(slots=True)
class Request:
    """`path` is relative to the API and percent-encoded; `base` is where the backend begins, once that is known."""

    method: str
    original: Url
    path: str
    query: str
    headers: ManyValues
    body: Body | None
    ip: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    base: Url | None = None
    backend_id: str | None = None
    #: The Host that a policy set; else the backend's own is sent.
    host: str | None = None

    @property
    def url(self) -> Url:
        base = self.base
        if base is None:
            return Url(self.original.scheme, self.original.host, self.original.port, self.path, self.query)
        return Url(base.scheme, base.host, base.port, base.path.rstrip("/") + self.path, self.query)


@dataclass(frozen=True)
class LastError:
    """context.LastError ("Error handling in API Management policies")."""

    source: str
    reason: str | None
    message: str
    scope: str | None = None
    section: str | None = None
    path: str | None = None
    policy_id: str | None = None


@dataclass(frozen=True)
class ProductInfo:
    id: str
    name: str
    approval_required: bool = False


@dataclass(frozen=True)
class ApiInfo:
    id: str
    name: str
    path: str
    revision: str
    service_url: Url | None
    version: str | None = None
    #: The open product in whose context calls are handled.
    product: ProductInfo | None = None


@dataclass(frozen=True)
class OperationInfo:
    id: str
    name: str
    method: str
    url_template: str


@dataclass(frozen=True)
class DeploymentInfo:
    service_name: str
    region: str
    gateway_id: str = "managed"


class Context:
    """One request's `context`. `services` is what policies share: clock, upstream, caches, counters, tokens."""

    __slots__ = (
        "_since",
        "after",
        "api",
        "cors_headers",
        "counted",
        "deployment",
        "last_error",
        "operation",
        "received",
        "request",
        "request_id",
        "response",
        "response_headers",
        "services",
        "started",
        "traces",
        "variables",
    )

    def __init__(
        self, request: Request, services: Any, api: ApiInfo, operation: OperationInfo | None, deployment: DeploymentInfo
    ) -> None:
        self.request = request
        self.response: Response = Response()
        self.services = services
        self.api, self.operation, self.deployment = api, operation, deployment
        self.variables: dict[str, Any] = {}
        self.request_id: UUID = uuid4()
        self.started: float = services.clock()
        self._since: float = services.uptime()
        self.last_error: LastError | None = None
        self.cors_headers: list[tuple[str, str]] = []
        self.response_headers: list[tuple[str, str]] = []
        #: Counters that this request has incremented, and by how much.
        self.counted: dict[str, float] = {}
        #: What is done with the backend's answer before outbound runs, and when the request has been answered.
        self.received: list[Callable[[], Awaitable[None]]] = []
        self.after: list[Callable[[], None]] = []
        self.traces: list[str] = []

    def note(self, text: str) -> None:
        """Keeps a line with the request, up to 100 of them."""
        if len(self.traces) < 100:
            self.traces.append(text)

    @property
    def timestamp(self) -> datetime:
        return datetime.fromtimestamp(self.started, UTC)

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=self.services.uptime() - self._since)


#: A compiled policy statement: a plain function, or one whose result is awaited.
Run = Callable[[Context], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One policy statement, with the place that context.LastError reports."""

    run: Run
    source: str
    scope: str
    section: str
    path: str
    policy_id: str | None = None


__all__ = [
    "STATUSES",
    "ApiInfo",
    "Body",
    "Context",
    "DeploymentInfo",
    "Jwt",
    "LastError",
    "ManyValues",
    "OperationInfo",
    "ProductInfo",
    "Request",
    "Response",
    "Run",
    "Step",
    "Url",
    "header_text",
    "parse_base",
    "parse_query",
    "parse_url",
]
