"""How an emulator serves HTTP: one socket, taken before anything else, and `ready NAME PORT` on stdout after."""

from __future__ import annotations

import errno
import socket
import sys
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from emulators.base.config import LAST_PORT
from emulators.base.errors import ListenError


class Announced(uvicorn.Server):
    """Says `ready NAME PORT` on stdout once it accepts connections: no address, which may hold a key."""

    def __init__(self, config: uvicorn.Config, name: str) -> None:
        super().__init__(config)
        self._name = name

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            sys.stdout.write(f"ready {self._name} {sockets[0].getsockname()[1]}\n")
            sys.stdout.flush()


def listen(host: str, port: int, remedy: str) -> socket.socket:
    """A socket of that port, or of a free one for 0. ListenError where it is taken; `remedy` says what to do."""
    if not 0 <= port <= LAST_PORT:
        raise ListenError(f"port {port} does not exist: it must be from 0 to {LAST_PORT}; {remedy}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small writes at once (TCP_NODELAY) only where a socket says that it speaks TCP. Without that, head
    # and body of an answer arrive 40 ms apart.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        what = "is taken" if error.errno == errno.EADDRINUSE else "cannot be listened on"
        raise ListenError(f"port {port} on {host} {what} ({error.strerror}); {remedy}") from error
    return listener


def config(app: ASGIApp, **more: Any) -> uvicorn.Config:
    """Uvicorn's settings: paths may hold keys, nobody may say that he is somebody else, and the parser is the strict
    one, so that nothing here is read in two ways."""
    return uvicorn.Config(
        app,
        **{
            "access_log": False,
            "log_config": None,
            "log_level": "warning",
            "server_header": False,
            "proxy_headers": False,
            "http": "h11",
            "lifespan": "off",
            "timeout_graceful_shutdown": 3,
            **more,
        },
    )
