"""One gateway as a process: from its configuration to an answer on a port, until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from emulators.apim.backend_client import BackendClient
from emulators.apim.gateway import Gateway
from emulators.apim.http_server import server_config
from emulators.apim.load import load
from emulators.apim.messages import parse_url
from emulators.apim.named_values import secret_named_values
from emulators.apim.services import make_services
from emulators.apim.tracing import Tracer
from emulators.apim.tracing_mask import Mask
from emulators.apim.tracing_ring import Ring, TracedGateway
from emulators.apim.tracing_server import TraceServer
from emulators.base import live, serving
from emulators.base.config import check_object, read_object
from emulators.base.state import State

_log = logging.getLogger(__name__)
WHAT = "the gateway's configuration"


@dataclass(frozen=True)
class Config:
    """`authority` is where Entra ID's tenants are; empty: where the identity endpoint is.

    `trace` holds the `key` with which traces of requests can be asked for, and the `file` in which the gateway says
    where; empty: none are kept.
    `resolve` maps "<host>:<port>" of backend URLs to local "<address>:<port>": the platform's private DNS. In
    `resolve_file` the same stands as a JSON object, which is read again on SIGHUP (emulators/base/live.py).
    `allowed_hosts` ("<host>:<port>") may be called as they are named; other hosts that are not this machine may not.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8080
    resolve: Mapping[str, str] = field(default_factory=dict)
    resolve_file: str = ""
    allowed_hosts: Sequence[str] = ()
    identity_endpoint: str = ""
    identity_header: str = ""
    authority: str = ""
    trace: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Config:
        """ConfigError for a file that cannot be read or says something else than a configuration."""
        values = read_object(path, WHAT)
        check_object(values, WHAT, cls, ["state"])
        return cls(**{**values, "state": Path(values["state"])})


def make_gateway(state: State, config: Config, client: BackendClient, ring: Ring | None = None) -> Gateway:
    """Raises PolicyProblems where the applied policies cannot be run. With a ring, requests are traced into it."""
    mask = Mask([*secret_named_values(state), config.identity_header]) if ring is not None else None
    loaded = load(state, Tracer(mask) if mask is not None else None)
    services = make_services(
        client,
        loaded.backends,
        identity_endpoint=config.identity_endpoint,
        identity_header=config.identity_header,
        authority=config.authority or _origin(config.identity_endpoint),
    )
    if ring is None or mask is None:
        return Gateway(loaded, services)
    return TracedGateway(loaded, services, ring, mask)


def take_names(client: BackendClient, config: Config) -> None:
    """Resolve as the file says now. What is wrong with the file is logged, and changes nothing."""
    path = Path(config.resolve_file)
    try:
        text = path.read_text(encoding="utf-8")
        names = json.loads(text)
        if not (isinstance(names, dict) and all(isinstance(address, str) for address in names.values())):
            raise ValueError("it must be a JSON object of names and addresses")
    except (OSError, ValueError) as error:
        _log.error("names resolve as they did: %s cannot be read (%s)", path, error)
        return
    client.resolve_by({**config.resolve, **names})
    live.confirm(path, text)


def _origin(endpoint: str) -> str:
    """The local issuer serves the identity endpoint too."""
    url = parse_url(endpoint) if endpoint else None
    return f"{url.scheme}://{url.authority}" if url is not None else ""


def run(config: Config) -> None:
    """Serve what a configuration file asks for; says `ready gateway PORT` on stdout once it accepts connections."""
    ring = Ring() if config.trace else None
    client = BackendClient(config.resolve, config.allowed_hosts)
    gateway = make_gateway(State.load(config.state), config, client, ring)
    traces = TraceServer(ring, config.trace) if ring is not None else None
    listener = serving.listen(config.host, config.port, "set GATEWAY_PORT to another one, or 0")
    follow = partial(take_names, client, config) if config.resolve_file else None
    serve(serving.Announced(server_config(gateway), "gateway"), listener, client, traces, follow)


class Server(uvicorn.Server):
    """Calls `started` with the port once it accepts connections."""

    def __init__(self, config: uvicorn.Config, started: Callable[[int], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            self._tell(sockets[0].getsockname()[1])


def serve(
    server: uvicorn.Server,
    listener: socket.socket,
    client: BackendClient,
    traces: TraceServer | None = None,
    follow: Callable[[], None] | None = None,
) -> None:
    """Until SIGTERM or SIGINT; answers under way are finished first. `follow` is called at the start and on SIGHUP.

    Policies run in the main thread, where a runaway expression can be interrupted (csharp/time_limit.py).
    """
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_serve(server, listener, client, traces, follow))


async def _serve(
    server: uvicorn.Server,
    listener: socket.socket,
    client: BackendClient,
    traces: TraceServer | None,
    follow: Callable[[], None] | None,
) -> None:
    if follow is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, follow)
        follow()
    if traces is not None:
        await traces.start()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)  # uvicorn raises the one that stopped it again when it has stopped
    try:
        await server.serve(sockets=[listener])
    finally:
        if traces is not None:
            traces.stop()
        await client.close()
