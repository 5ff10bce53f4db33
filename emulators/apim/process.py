"""One gateway as a process: from its configuration to an answer on a port, until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from emulators.apim.backend_client import BackendClient
from emulators.apim.errors import GivenBy, PolicyError, unreadable
from emulators.apim.gateway import Gateway
from emulators.apim.http_server import Application, server_config
from emulators.apim.identity import authorizations
from emulators.apim.load import load
from emulators.apim.messages import parse_url
from emulators.apim.named_values import secret_named_values
from emulators.apim.services import Events, make_services
from emulators.apim.tracing import Tracer
from emulators.apim.tracing_mask import Mask
from emulators.apim.tracing_ring import Ring, TracedGateway
from emulators.apim.tracing_server import TraceServer
from emulators.base import live, serving
from emulators.base.config import check_object, read_object
from emulators.base.errors import EmulatorError
from emulators.base.state import State

WHAT = "the gateway's configuration"

log = logging.getLogger("emulators.apim")


@dataclass(frozen=True)
class Config:
    """`authority` is where Entra ID's tenants are; empty: where the identity endpoint is.

    `trace` holds the `key` with which traces of requests can be asked for, and the `file` in which the gateway says
    where; empty: none are kept.
    `authorizations` is a file of tokens for `get-authorization-context`, `events` one in which metrics and events of
    policies are written.
    `resolve` maps "<host>:<port>" of backend URLs to local "<address>:<port>": the platform's private DNS.
    `allowed_hosts` ("<host>:<port>") may be called as they are named; other hosts that are not this machine may not.
    `trusted_authority` is a file of certificates from which backends' may come, beside the system's.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8080
    resolve: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: Sequence[str] = ()
    identity_endpoint: str = ""
    identity_header: str = ""
    authority: str = ""
    authorizations: str = ""
    trusted_authority: str = ""
    events: str = ""
    trace: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Config:
        """ConfigError for a file that cannot be read or says something else than a configuration."""
        values = read_object(path, WHAT)
        check_object(values, WHAT, cls, ["state"])
        return cls(**{**values, "state": Path(values["state"])})


def make_gateway(
    state: State,
    config: Config,
    client: BackendClient,
    ring: Ring | None = None,
    before: Gateway | None = None,
    given_by: GivenBy = "state",
    clock: Callable[[], float] = time.time,
    uptime: Callable[[], float] | None = None,
) -> Gateway:
    """Raises PolicyProblems where the applied policies cannot be run. With a ring, requests are traced into it.

    `before`: the gateway whose counters, cache and keys it goes on with. `clock`, `uptime`: see `make_services`.
    """
    mask = Mask([*secret_named_values(state), config.identity_header]) if ring is not None else None
    loaded = load(state, Tracer(mask) if mask is not None else None, given_by)
    services = make_services(
        client,
        loaded.backends,
        identity_endpoint=config.identity_endpoint,
        identity_header=config.identity_header,
        authority=config.authority or _origin(config.identity_endpoint),
        authorizations=authorizations(_json(config.authorizations), config.authorizations)
        if config.authorizations
        else {},
        events=Events(Path(config.events) if config.events else None),
        clock=clock,
        uptime=uptime,
    )
    if before is not None:
        services.take_over(before.services)
    if ring is None or mask is None:
        return Gateway(loaded, services)
    return TracedGateway(loaded, services, ring, mask)


def _json(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} {unreadable(error)}") from error
    except ValueError as error:
        raise PolicyError(f"{path} cannot be read as JSON ({type(error).__name__})") from error


def _origin(endpoint: str) -> str:
    """The local issuer serves the identity endpoint too."""
    url = parse_url(endpoint) if endpoint else None
    return f"{url.scheme}://{url.authority}" if url is not None else ""


class Applied:
    """The gateway of a configuration file and of the state that it names, and what replaces it when they change.

    Ports, traces and the identity endpoint are read at the start only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._texts: dict[Path, str] = {}
        self.failure: EmulatorError | None = None
        self.config = self._read()
        self.ring = Ring() if self.config.trace else None
        self.client = BackendClient(self.config.resolve, self.config.allowed_hosts, self.config.trusted_authority)
        self.application = Application(make_gateway(State.load(self.config.state), self.config, self.client, self.ring))

    def confirm(self) -> None:
        """Say which files are in force (emulators/base/live.py)."""
        for path, text in self._texts.items():
            live.confirm(path, text)

    async def reload(self) -> None:
        """Answer by the files as they are now; requests under way end as they began. EmulatorError for what is wrong.

        API Management takes a changed policy over without a pause, so a restart would be a failure of ours.
        """
        config = self._read()
        # In a thread: compiling takes a good part of a second, in which others are answered.
        before = self.application.gateway
        made = await asyncio.to_thread(
            lambda: make_gateway(State.load(config.state), config, self.client, self.ring, before)
        )
        self.client.use_names(config.resolve, config.allowed_hosts)
        self.application.gateway = made
        self.confirm()

    def _read(self) -> Config:
        # Read before they are used: what is written in between is announced by another signal.
        text = _text(self._path)
        config = Config.load(self._path)
        self._texts = {self._path: text, config.state: _text(config.state)}
        return config


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # whoever reads it next says what is wrong


def run(path: Path) -> None:
    """Serve what a configuration file asks for; says `ready gateway PORT` on stdout once it accepts connections.

    SIGHUP reads the file and the state again.
    """
    applied = Applied(path)
    config = applied.config
    traces = TraceServer(applied.ring, config.trace) if applied.ring is not None else None
    listener = serving.listen(config.host, config.port, "set GATEWAY_PORT to another one, or 0")
    server = serving.Announced(server_config(applied.application), "gateway")
    serve(server, listener, applied.client, traces, applied)
    if applied.failure is not None:
        raise applied.failure


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
    applied: Applied | None = None,
) -> None:
    """Until SIGTERM or SIGINT; answers under way are finished first.

    Policies run in the main thread, where a runaway expression can be interrupted (csharp/time_limit.py).
    """
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_serve(server, listener, client, traces, applied))


async def _serve(
    server: uvicorn.Server,
    listener: socket.socket,
    client: BackendClient,
    traces: TraceServer | None,
    applied: Applied | None,
) -> None:
    if applied is not None:
        _follow(applied, server)
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


def _follow(applied: Applied, server: uvicorn.Server) -> None:
    """Reload at SIGHUP. What cannot be loaded ends the process: Azure would have refused it when it was applied."""
    turn = asyncio.Lock()
    tasks = set()

    async def reload() -> None:
        async with turn:
            try:
                await applied.reload()
            except EmulatorError as error:
                applied.failure, server.should_exit = error, True
            else:
                log.info("the applied state was read again")

    def hang_up() -> None:
        task = asyncio.ensure_future(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)
    applied.confirm()
