"""Settings and what is behind → HTTP application: the gate, the lists, and the server behind them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import httpx2
from fastmcp import Client, FastMCP
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.server.providers.proxy import FastMCPProxy, ProxyProvider

from gateway_auth import CALLER, Gate, Readiness, SettingsError, guard, live
from gateway_auth.asgi import ASGIApp, Receive, Scope, Send
from gateway_auth.front import openapi
from gateway_auth.front.as_caller import AsCaller, token_of
from gateway_auth.front.boundary import Audit, Boundary
from gateway_auth.front.bounded import Bounded
from gateway_auth.front.child import ChildTransport, environment_of
from gateway_auth.front.egress import Hosts, Proxy
from gateway_auth.front.pool import Pool
from gateway_auth.front.settings import FrontSettings
from gateway_auth.keys import Fetch

START_SECONDS = 60.0  # Node on half a core takes its time
_SWEEP_SECONDS = 30.0
_EVERYBODY = ""


def of_command(
    settings: FrontSettings, command: Sequence[str], fetch: Fetch | None = None, reached: Proxy | None = None
) -> Gate:
    """The front of a server that speaks MCP over standard input and output. `reached`: by what it calls out.

    Raises SettingsError where it shall act as its callers: a process has no place for the token of a call.
    """
    if settings.mcp_front_identity == "caller":
        raise SettingsError(
            "MCP_FRONT_IDENTITY is caller, and the server behind speaks over standard input and output, where a call "
            'carries no token: leave `identity = "caller"` out of its entry, or host it as an image that speaks HTTP.'
        )
    reached = reached or Proxy(Hosts(settings.mcp_front_egress))

    def make() -> Client[ChildTransport]:
        transport = ChildTransport(
            command,
            path=settings.mcp_front_path,
            environment={**reached.environment, **environment_of(settings.names, os.environ)},
            answer_bytes=settings.mcp_front_answer_bytes,
        )
        # No handlers: what the server sends beside answers would reach whoever else shares the process.
        return Client(transport, mode="legacy", timeout=settings.mcp_front_seconds, init_timeout=START_SECONDS)

    # With a process for each caller one more belongs to nobody, so that /readyz asks without a caller.
    most = settings.mcp_front_processes + 1
    pool = Pool(make, most=most, idle=settings.mcp_front_idle_seconds)

    async def client() -> Client[ChildTransport]:
        subject = CALLER.get().subject if settings.mcp_front_sessions == "caller" else None
        return await pool.get(subject or _EVERYBODY)

    async def ready() -> bool:
        return await pool.is_ready(_EVERYBODY)

    @contextlib.asynccontextmanager
    async def lifespan(_server: FastMCP[Any]) -> AsyncIterator[None]:
        async with reached.serving():
            started = asyncio.create_task(pool.is_ready(_EVERYBODY))
            sweeper = asyncio.create_task(_sweep(pool))
            try:
                yield
            finally:
                for task in (started, sweeper):
                    task.cancel()
                await asyncio.gather(started, sweeper, return_exceptions=True)
                await pool.close()

    proxy = FastMCPProxy(
        client_factory=client, name=settings.mcp_server_name, provider_error_strategy="raise", lifespan=lifespan,
    )  # fmt: skip
    return behind_gate(settings, proxy, Readiness(ready, otherwise="the server behind does not answer"), fetch)


def of_address(
    settings: FrontSettings,
    url: str,
    fetch: Fetch | None = None,
    transport: Callable[[], httpx2.AsyncBaseTransport] = httpx2.AsyncHTTPTransport,
) -> Gate:
    """The front of a server that speaks MCP over HTTP beside it: another container of the same group.

    Each call has a session of its own, and none of the caller's headers goes along. With MCP_FRONT_IDENTITY=caller the
    token goes along that the gateway exchanged for who calls, as Authorization.
    """
    if settings.mcp_front_egress:
        raise SettingsError(
            "MCP_FRONT_EGRESS is set, and the front starts no process here whose calls out it could see: leave "
            "`egress` out of the entry, and name what may be called in network.containers_egress."
        )
    as_caller = settings.mcp_front_identity == "caller"

    def http(
        headers: dict[str, str] | None = None, timeout: Any = None, auth: httpx2.Auth | None = None, **_: Any
    ) -> httpx2.AsyncClient:
        bounded = Bounded(transport(), settings.mcp_front_answer_bytes, strips=False)
        limit = settings.mcp_front_seconds if timeout is None else timeout
        return httpx2.AsyncClient(headers=headers, timeout=limit, auth=auth, transport=bounded, follow_redirects=False)

    def make() -> Client[StreamableHttpTransport]:
        auth: httpx2.Auth | None = None
        if as_caller:
            token_of(CALLER.get())  # none: said here rather than while it connects
            auth = AsCaller(CALLER.get())
        to = StreamableHttpTransport(url, httpx_client_factory=http, auth=auth)
        return Client(to, timeout=settings.mcp_front_seconds, init_timeout=START_SECONDS)

    async def ready() -> bool:
        try:
            async with asyncio.timeout(4):
                if as_caller:  # nobody calls here, so that its refusal is an answer as good as any
                    async with http() as asked:
                        return (await asked.get(url)).status_code < httpx2.codes.INTERNAL_SERVER_ERROR
                async with make() as client:
                    return bool(client.is_connected())
        except Exception:  # noqa: BLE001 - whatever fails there, it is not ready
            return False

    if as_caller:  # what it shows one caller is not remembered for another
        proxy: FastMCP[Any] = FastMCP(settings.mcp_server_name)
        proxy.provider_error_strategy = "raise"
        proxy.add_provider(ProxyProvider(make, cache_ttl=0))
    else:
        proxy = FastMCPProxy(client_factory=make, name=settings.mcp_server_name, provider_error_strategy="raise")
    return behind_gate(settings, proxy, Readiness(ready, otherwise="the server behind does not answer"), fetch)


def of_openapi(
    settings: FrontSettings,
    package: str,
    operations: Sequence[str],
    base_url: str,
    headers: Mapping[str, str],
    *,
    fetch: Fetch | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Gate:
    """The front of a REST API. It is ready when it runs: what the API answers, each call says."""
    server = openapi.server(settings, package, operations, base_url, headers, transport)

    async def ready() -> bool:
        return True

    return behind_gate(settings, server, Readiness(ready), fetch)


def behind_gate(settings: FrontSettings, server: FastMCP[Any], ready: Readiness, fetch: Fetch | None = None) -> Gate:
    """Put the lists, the audit line and the gate before a server; each HTTP request stands for itself."""
    server.add_middleware(Audit(settings.mcp_server_name, settings.mcp_tier))
    server.add_middleware(Boundary(settings))
    app = server.http_app(
        path="/mcp",
        stateless_http=True,
        json_response=True,
        host_origin_protection=True,
        allowed_hosts=[host for host in settings.mcp_allowed_hosts.split(",") if host],
    )
    return guard(protocol_only(app), settings, health={"/healthz": live(), "/readyz": ready}, fetch=fetch)


# "Transports" of the protocol's versions up to 2026-07-28, and what HTTP needs to read a body.
_PROTOCOL = frozenset(
    (b"host", b"origin", b"accept", b"content-type", b"content-length", b"last-event-id", b"mcp-protocol-version",
     b"mcp-session-id", b"mcp-method", b"mcp-name")
)  # fmt: skip


def protocol_only(app: ASGIApp) -> ASGIApp:
    """Take away every header that is not the protocol's: the gateway's token, who calls, and what a caller sent."""

    async def filtered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kept = [(n, v) for n, v in scope["headers"] if n in _PROTOCOL or n.startswith(b"mcp-param-")]
            scope = {**scope, "headers": kept}
        await app(scope, receive, send)

    return filtered


async def _sweep(pool: Pool) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        await pool.sweep(keep=_EVERYBODY)
