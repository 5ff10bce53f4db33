"""`python -m gateway_auth.front`: serves until SIGTERM.

Prints `ready mcp <port>` when it accepts connections.

Exit code 2: a setting or an argument is wrong, and standard error says which.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

import uvicorn

from gateway_auth import Gate, SettingsError, read_settings
from gateway_auth.front import app
from gateway_auth.front.settings import FrontSettings


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"ready mcp {self.servers[0].sockets[0].getsockname()[1]}\n")
            sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("python -m gateway_auth.front", description=__doc__)
    made.add_argument("--url", help="a server beside this one that speaks MCP over HTTP, http://127.0.0.1:PORT/mcp")
    made.add_argument("--openapi", metavar="PACKAGE", help="a package with openapi.json in it: a REST API as tools")
    made.add_argument("--operation", action="append", default=[], help="with --openapi: an operationId; repeated")
    made.add_argument("--base-url", default="", help="with --openapi: where the API is")
    made.add_argument(
        "--header", action="append", default=[], metavar="NAME=VARIABLE",
        help="with --openapi: a header of each request, and the variable that holds it; repeated",
    )  # fmt: skip
    made.add_argument("command", nargs="*", help="after --: a server that speaks MCP over standard input and output")
    return made


def application(arguments: Sequence[str], settings: FrontSettings) -> Gate:
    """Return what the arguments ask for, or MCP_FRONT_URL; SystemExit(2) where they ask for nothing or for two."""
    given = parser().parse_args(arguments)
    if not (given.openapi or given.command):
        given.url = given.url or settings.mcp_front_url
    if [bool(given.url), bool(given.openapi), bool(given.command)].count(True) != 1:
        parser().error("give one of --url (or MCP_FRONT_URL), --openapi and, after --, the command of a server")
    if given.url:
        require_beside(given.url)
    if given.openapi:
        headers = dict(pair.partition("=")[::2] for pair in given.header)
        return app.of_openapi(settings, given.openapi, given.operation, given.base_url, headers)
    return app.of_address(settings, given.url) if given.url else app.of_command(settings, given.command)


def require_beside(url: str) -> None:
    """Raise SettingsError for an address that is not on this machine: calls would cross a network in the clear."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise SettingsError("MCP_FRONT_URL, or --url, must be http on loopback: a server in the same container group.")


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        settings = read_settings(FrontSettings)
        served = application(sys.argv[1:] if arguments is None else arguments, settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # The audit line says how a call ended; tracebacks hold values.
    logging.getLogger("fastmcp").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        served,
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody may say that he is somebody else
        timeout_keep_alive=300,  # longer than the gateway's
        timeout_graceful_shutdown=20,  # and the processes' end: less than a container's 30 s
    )
    # uvicorn raises these again once it has stopped; a stop that was asked for is not a failure.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
