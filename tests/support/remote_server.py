"""An MCP server of somebody else, on this machine: it keeps sessions, wants a credential, and says what it was sent."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from fastmcp import Context, FastMCP


class RemoteServer:
    """A context manager. `seen`: the headers of every request that came, in lower case, with whatever they carry."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.seen: list[dict[str, str]] = []
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        app = self._guarded(_server().http_app(path="/v1/mcp"))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1/mcp"

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def _guarded(self, app: Any) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                headers = {name.decode(): value.decode() for name, value in scope["headers"]}
                self.seen.append(headers)
                if headers.get("authorization") != f"Bearer {self.key}":
                    challenge = [(b"www-authenticate", b'Bearer resource_metadata="http://elsewhere.test/"')]
                    await send({"type": "http.response.start", "status": 401, "headers": challenge})
                    await send({"type": "http.response.body", "body": b""})
                    return
            await app(scope, receive, send)

        return answer

    def __enter__(self) -> RemoteServer:
        self._socket.listen()  # from here on connections wait until it serves
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()


def _server() -> FastMCP:
    server: FastMCP = FastMCP("elsewhere")

    @server.tool(annotations={"readOnlyHint": True})
    async def recall(context: Context) -> str:
        """What this session was told."""
        return str(await context.get_state("told") or "nothing")

    @server.tool
    async def tell(text: str, context: Context) -> str:
        """Keep something for this session."""
        await context.set_state("told", text)
        return "kept"

    return server
