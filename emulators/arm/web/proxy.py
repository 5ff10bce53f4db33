"""The CONNECT proxy: production names lead to the one local HTTPS port, everything else is refused and written down."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from collections.abc import Callable
from ipaddress import ip_address

log = logging.getLogger("emulators.arm")

_LIMIT = 16 * 1024
_CREDENTIALS = re.compile(r"^proxy-authorization:\s*basic\s+(\S+)", re.IGNORECASE | re.MULTILINE)
_SECONDS = 10


class Proxy:
    """`serves`: is it a production name; `exists`: is there such an account; `refused` is told of all others.

    A caller's address is the user name of its proxy credentials (`http://203.0.113.7:x@127.0.0.1:PORT`): everybody here
    is on this machine. `addresses` gets it by the port from which the tunnel is passed on.
    """

    def __init__(
        self, port: int, serves: Callable[[str], bool], exists: Callable[[str], bool], refused: Callable[[str], None],
        addresses: dict[int, str],
    ) -> None:  # fmt: skip
        self._port, self._serves, self._exists, self._refused = port, serves, exists, refused
        self._addresses = addresses

    async def serve(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._client, host, port, limit=_LIMIT)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target, address = await asyncio.wait_for(_target(reader), _SECONDS)
            status = self._status(target)
            if status != "200 Connection established":
                log.error("refused: CONNECT %s (%s)", target, status)
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
            inner_port = inner_writer.get_extra_info("sockname")[1]
            if address:
                self._addresses[inner_port] = address
            writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
            await writer.drain()
            try:
                await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
            finally:
                self._addresses.pop(inner_port, None)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            log.debug("a tunnel broke off")
        finally:
            writer.close()

    def _status(self, target: str) -> str:
        host, _, port = target.rpartition(":")
        if port != "443" or not self._serves(host.lower()):
            self._refused(target)
            return "403 Forbidden"
        if not self._exists(host.lower()):  # in Azure, its name would not resolve
            return "502 No such host"
        return "200 Connection established"


async def _target(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Whereto, and the caller's address; ValueError where that is none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
    found = _CREDENTIALS.search(head)
    address = base64.b64decode(found[1]).decode("latin-1").partition(":")[0] if found else ""
    return target if method == "CONNECT" else f"{method} {target}", str(ip_address(address)) if address else ""


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        log.debug("one side of a tunnel closed")
    finally:
        writer.close()
