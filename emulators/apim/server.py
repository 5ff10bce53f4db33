"""Listening, and the connections there are: deadlines, and an end that lets answers finish."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from emulators.apim.connection import CallerConnection

if TYPE_CHECKING:
    from emulators.apim.app import Gateway

#: Seconds between looks at the connections' deadlines, and for answers under way when the gateway stops.
SWEEP, GRACE = 1.0, 5.0


class Server:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.connections: set[CallerConnection] = set()
        self._empty = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> int:
        """The port that it listens on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: CallerConnection(self), host, port, backlog=2048)
        self._sweep()
        return int(self._server.sockets[0].getsockname()[1])

    def forget(self, connection: CallerConnection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    def _sweep(self) -> None:
        """One timer for all connections: a timer each would cost every request one."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [one for one in self.connections if not one.busy and one.deadline < now]:
            connection.close()
        self._sweeper = loop.call_later(SWEEP, self._sweep)

    async def stop(self) -> None:
        """No new connections; answers under way have GRACE seconds."""
        if self._server is not None:
            self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self.connections):
            connection.stop()
        with suppress(TimeoutError):
            if self.connections:
                self._empty.clear()
                await asyncio.wait_for(self._empty.wait(), GRACE)
        for connection in list(self.connections):
            connection.abort()
