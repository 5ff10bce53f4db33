"""One cheap question to a process: do you serve? Answers "" for yes, else why not."""

from __future__ import annotations

import asyncio
import struct
from functools import cache
from pathlib import Path
from typing import Any

from twin.supervise.spec import Health


async def check(health: Health, port: int, timeout: float = 2.0) -> str:  # noqa: ASYNC109  # seconds; part of the answer
    if health.file and not Path(health.file).exists():  # noqa: ASYNC240  # a stat of a local file
        return "is being prepared"
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await (_http if health.protocol == "http" else _mongo)(health, port, reader, writer)
            finally:
                writer.close()
    except TimeoutError:
        return f"no answer on port {port} within {timeout:g} s"
    except ConnectionRefusedError:
        return f"nothing listens on port {port}"
    except (OSError, EOFError) as error:
        return f"port {port}: {error}"


async def _http(health: Health, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    host = health.host_header or f"127.0.0.1:{port}"
    writer.write(f"GET {health.path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    status = (await reader.readline()).decode("latin-1").split(" ", 2)
    low, high = health.statuses
    if len(status) < 2 or not status[1].isdecimal() or not low <= int(status[1]) <= high:
        return f"GET {health.path} answers {' '.join(status[1:]).strip() or 'nothing'}"
    return ""


async def _mongo(health: Health, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    writer.write(_hello())
    length = struct.unpack("<i", await reader.readexactly(4))[0]
    body = await reader.readexactly(min(length, 65_536) - 4)
    answer: dict[str, Any] = _decode(body[12 + 5 :])
    return "" if answer.get("ok") == 1 else f"hello answers {answer.get('errmsg', 'not ok')}"


@cache
def _hello() -> bytes:
    """An OP_MSG that every MongoDB answers before sign-in."""
    import bson

    section = b"\0" + bson.encode({"hello": 1, "$db": "admin"})
    return struct.pack("<iiiii", 20 + len(section), 1, 0, 2013, 0) + section


def _decode(document: bytes) -> dict[str, Any]:
    import bson

    return bson.decode(document)
