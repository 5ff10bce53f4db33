"""The gateway's libraries without the gateway: uvicorn in front, aiohttp behind, and nothing decided in between.

What it costs is the floor under every figure of the gateway. `python -m tools.benchmarks.bare_proxy PORT` prints its
port.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import uvicorn
from yarl import URL

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_NOT_FORWARDED = {b"host", b"content-length", b"connection"}


class Proxy:
    """Sends every request to one path of a port of this machine, and its whole answer back."""

    def __init__(self, backend: int) -> None:
        self._target = URL(f"http://127.0.0.1:{backend}/mcp")
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"] if name not in _NOT_FORWARDED]
        async with self._session.request(scope["method"], self._target, headers=headers, data=body) as answer:
            data = await answer.read()
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.raw_headers)})
        await send({"type": "http.response.body", "body": data, "more_body": False})


async def serve(backend: int) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    quiet: dict[str, Any] = {"access_log": False, "log_config": None, "log_level": "error"}
    config = uvicorn.Config(Proxy(backend), http="httptools", lifespan="off", ws="none", **quiet)
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.bare_proxy", description=__doc__)
    parser.add_argument("backend", type=int)
    backend: int = parser.parse_args().backend
    with asyncio.Runner(loop_factory=uvicorn.Config(Proxy(backend)).get_loop_factory()) as runner:
        runner.run(serve(backend))


if __name__ == "__main__":
    main()
