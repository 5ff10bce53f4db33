"""The cheapest backend that answers a tool call: one fixed JSON-RPC result over kept connections. Prints its port.

What a gateway costs is measured in front of it, so that no server's own work hides the difference.
"""

from __future__ import annotations

import asyncio
import json

import uvloop

_RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "42"}], "isError": False}}
_BODY = json.dumps(_RESULT).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


class Canned(asyncio.Protocol):
    """Looks for the end of head and body only: every caller here is our own."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while (end := self.pending.find(b"\r\n\r\n")) >= 0:
            head = self.pending[:end].lower()
            _, _, rest = head.partition(b"\r\ncontent-length:")
            whole = end + 4 + int(rest.partition(b"\r\n")[0] or 0)
            if len(self.pending) < whole:
                return
            self.pending = self.pending[whole:]
            self.transport.write(ANSWER)  # type: ignore[attr-defined]


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
