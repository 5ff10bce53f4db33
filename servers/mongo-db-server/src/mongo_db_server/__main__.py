"""`python -m mongo_db_server`: reads the environment, serves until SIGTERM, lets running calls finish.

Prints `ready mcp <port>` on standard output when it accepts connections; everything else goes to standard error as one
JSON object per line. Exit code 2: a setting is wrong, and the line says which.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mongo_db_server.settings import Settings

# Longer than gateways keep an idle connection, so that they close it and never send into a closing one.
KEEP_ALIVE_SECONDS = 300
DRAIN_SECONDS = 25  # less than the 30 s that container platforms give before they kill


def main() -> int:
    # Importing makes half a million objects that stay: looking through them while they are made finds no garbage.
    gc.disable()
    from mongo_db_server.audit import JsonLogHandler, write_line
    from mongo_db_server.errors import SettingsError

    # FastMCP would write coloured, wrapped text to a log that other programs read.
    os.environ.setdefault("FASTMCP_LOG_ENABLED", "false")
    logging.basicConfig(level=logging.WARNING, handlers=[JsonLogHandler()])
    try:
        from mongo_db_server.settings import load

        serve(load())
    except SettingsError as error:
        write_line({"level": "error", "message": str(error)})
        return 2
    finally:
        gc.enable()
    return 0


def serve(settings: Settings) -> None:
    import uvicorn

    from mongo_db_server.server import http_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                port = self.servers[0].sockets[0].getsockname()[1]
                sys.stdout.write(f"ready mcp {port}\n")
                sys.stdout.flush()

    app = http_app(settings)
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)  # a page of documents is thousands of objects, and none of them garbage in a ring
    gc.enable()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nobody may say that he is somebody else
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    # uvicorn handles these while it serves and raises them again once it has stopped, to whoever handled them before:
    # nobody, because a stop that was asked for is not a failure.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server(config).run()


if __name__ == "__main__":
    sys.exit(main())
