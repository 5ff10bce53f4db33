"""`python -m emulators.apim --config FILE`: serves until SIGTERM, then finishes what it is answering."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import sys
from pathlib import Path

import uvloop

from emulators.apim.app import Gateway
from emulators.apim.config import Config
from emulators.apim.load import load
from emulators.apim.named_values import secret_named_values
from emulators.apim.server import Server
from emulators.apim.services import make_services
from emulators.apim.tracing import Tracer
from emulators.apim.tracing_mask import Mask
from emulators.apim.tracing_ring import Ring, TracedGateway
from emulators.apim.tracing_server import TraceServer
from emulators.apim.upstream import Upstream
from emulators.apim.urls import parse_url
from emulators.base.errors import EmulatorError
from emulators.base.state import State


def make_gateway(config: Config, upstream: Upstream) -> Gateway:
    """Raises PolicyProblems where the applied policies cannot be run."""
    state = State.load(config.state)
    mask = Mask([*secret_named_values(state), config.identity_header]) if config.trace else None
    loaded = load(state, Tracer(mask) if mask is not None else None)
    services = make_services(
        upstream,
        loaded.backends,
        identity_endpoint=config.identity_endpoint,
        identity_header=config.identity_header,
        authority=config.authority or _origin(config.identity_endpoint),
    )
    return Gateway(loaded, services) if mask is None else TracedGateway(loaded, services, Ring(), mask)


def _origin(endpoint: str) -> str:
    """The local issuer serves the identity endpoint too."""
    url = parse_url(endpoint) if endpoint else None
    return f"{url.scheme}://{url.authority}" if url is not None else ""


async def serve(gateway: Gateway, upstream: Upstream, config: Config) -> None:
    """Until SIGTERM or SIGINT."""
    stopping, loop, server = asyncio.Event(), asyncio.get_running_loop(), Server(gateway)
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    traces = TraceServer(gateway.ring, config.trace) if isinstance(gateway, TracedGateway) else None
    if traces is not None:
        await traces.start()
    bound = await server.start(config.host, config.port)
    print(f"ready gateway {bound}", flush=True)  # noqa: T201 - the supervisor waits for this line
    await stopping.wait()
    await server.stop()
    if traces is not None:
        traces.stop()
    upstream.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulators.apim", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    try:
        config = Config.load(parser.parse_args().config)
        upstream = Upstream(config.resolve)
        gateway = make_gateway(config, upstream)
    except EmulatorError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the reason belongs in the process's log
        return 2
    gc.collect()
    gc.set_threshold(20_000, 20, 50)  # requests leave little that only the collector could find
    gc.freeze()  # what was loaded lives as long as the process: the collector need not look at it again
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(gateway, upstream, config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
