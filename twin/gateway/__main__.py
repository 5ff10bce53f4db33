"""`python -m twin.gateway --config FILE`: serves until SIGTERM, then finishes what it is answering."""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
import sys
from pathlib import Path

import uvicorn

from twin.errors import TwinError
from twin.gateway.app import Gateway
from twin.gateway.config import Config
from twin.gateway.load import load
from twin.gateway.services import make_services
from twin.gateway.upstream import Upstream
from twin.state import State


def make_gateway(config: Config) -> Gateway:
    """Raises PolicyProblems where the applied policies cannot be run."""
    loaded = load(State.load(config.state))
    upstream = Upstream(config.resolve)
    services = make_services(
        upstream,
        loaded.backends,
        identity_endpoint=config.identity_endpoint,
        identity_header=config.identity_header,
    )
    return Gateway(loaded, services, on_start=upstream.start, on_stop=upstream.close)


class _Server(uvicorn.Server):
    """Says so on stdout once connections are accepted."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            print(f"ready gateway {port}", flush=True)  # noqa: T201 - the supervisor waits for this line


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.gateway", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    try:
        config = Config.load(parser.parse_args().config)
        gateway = make_gateway(config)
    except TwinError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the reason belongs in the process's log
        return 2
    gc.collect()
    gc.freeze()  # what was loaded lives as long as the process: the collector need not look at it again
    settings = uvicorn.Config(
        gateway,
        host=config.host,
        port=config.port,
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # every caller is local here: none may say that it is somebody else
        date_header=True,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
    )
    with asyncio.Runner(loop_factory=settings.get_loop_factory()) as runner:
        runner.run(_Server(settings).serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
