"""A gateway that uvicorn serves on a port of this machine, a backend that says what a test tells it, and raw bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import uvicorn

from emulators.apim import process
from emulators.apim.backend_client import BackendClient
from emulators.apim.http_server import Application, server_config
from emulators.apim.process import Config
from emulators.apim.tests.harness import applied, policies
from emulators.base import serving

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Backend:
    """Reads each request's head and body, then runs `script` with the connection. `requests` are what it was sent."""

    port: int = 0
    script: Script | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head + await reader.readexactly(_length(head)))
                self.asked.set()
                assert self.script is not None
                await self.script(reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed.set()
            writer.close()

    def says(self, *answers: str) -> None:
        """Each answer in turn, the last one for ever; `\n` is a line's end. An answer that ends in `!` is the last."""
        left = list(answers)

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            text = left.pop(0) if len(left) > 1 else left[0]
            writer.write(text.removesuffix("!").replace("\n", "\r\n").encode("latin-1"))
            if text.endswith("!"):
                await writer.drain()
                writer.close()
                raise ConnectionError

        self.script = script

    @property
    def head(self) -> list[str]:
        """The lines of the last request's head."""
        return self.requests[-1].partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    made = Backend()
    made.says("HTTP/1.1 200 OK\nContent-Length: 4\n\nfine")
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[BackendClient]:
    """Dials the backend as `backend.test`."""
    made = BackendClient({"backend.test:80": f"127.0.0.1:{backend.port}"})
    yield made
    await made.close()


@dataclass
class Served:
    """The gateway's port; `server` stops it."""

    port: int
    server: uvicorn.Server
    task: asyncio.Task[None]

    async def exchange(self, sent: bytes, *, seconds: float = 5) -> bytes:
        """Everything that comes back until the gateway closes, or is silent for a while."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        received = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while piece := await reader.read(65536):
                    received += piece
        writer.close()
        return received


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve(client: BackendClient) -> AsyncIterator[Serve]:
    """Serves the policies given by section, in front of the backend."""
    running: list[Served] = []

    async def start(**sections: str) -> Served:
        state = applied(policies(**sections))
        gateway = process.make_gateway(state, Config(state=None), client)  # type: ignore[arg-type]  # the state is here already
        listener = serving.listen("127.0.0.1", 0, "")
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        server = process.Server(server_config(Application(gateway)), started.set_result)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait_for(started, 5)
        running.append(Served(listener.getsockname()[1], server, task))
        return running[-1]

    yield start
    for one in running:
        one.server.should_exit = True
        one.server.force_exit = True
        await asyncio.wait_for(one.task, 10)
