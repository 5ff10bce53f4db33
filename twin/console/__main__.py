"""`python -m twin.console --config FILE`: serves the local platform's page until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
from pathlib import Path

import uvicorn

from twin.console.app import create_app
from twin.console.config import Config
from twin.errors import RuntimeFailure, TwinError


class Server(uvicorn.Server):
    """Says `ready console PORT` on stdout once it accepts connections, and not the address, which holds the key."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            sys.stdout.write(f"ready console {sockets[0].getsockname()[1]}\n")
            sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.console")
    parser.add_argument("--config", type=Path, required=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_serve(Config.load(parser.parse_args().config)))
    except TwinError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(config: Config) -> None:
    listener = _listen(config)
    settings = uvicorn.Config(
        create_app(config, listener.getsockname()[1]),
        access_log=False,  # paths hold the key
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        http="h11",
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
    await Server(settings).serve(sockets=[listener])


def _listen(config: Config) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise RuntimeFailure(
            f"port {config.port} on {config.host} is taken ({error.strerror}); set CONSOLE_PORT to another one, or 0"
        ) from error
    return listener


if __name__ == "__main__":
    raise SystemExit(main())
