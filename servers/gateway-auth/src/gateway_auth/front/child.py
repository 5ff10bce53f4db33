"""A child process that speaks MCP over standard input and output, with bounds on what it writes.

MCP 2025-11-25, "Transports", stdio: one JSON-RPC message per line on standard output; standard error is for logging.
The SDK's own stdio transport reads a line of any length into memory, hence this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types
from fastmcp.client.transports import ClientTransport
from mcp import ClientSession
from mcp.shared.message import SessionMessage

from gateway_auth.errors import GatewayAuthError

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from fastmcp.client.transports.base import TransportOptions

GRACE_SECONDS = 2.0  # between the end of its input, SIGTERM and SIGKILL
LOG_LINE_BYTES = 8 * 1024
LOG_LINES_PER_SECOND = 50
_CHUNK = 64 * 1024
_ENDS = 256  # bytes of an oversized line that are kept at either end, where its id stands
_HOME = "{HOME}"
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
# <linux/prctl.h> and <linux/capability.h>.
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
# The SDKs for Python and TypeScript write the id first and last.
_ID = (re.compile(rb'^\{"jsonrpc":\s?"2\.0",\s?"id":\s?(\d+),'), re.compile(rb'"id":\s?(\d+)\}\s*$'))


class ChildFailedError(GatewayAuthError):
    """The child cannot be started."""


class Relay(ClientSession):
    """A session that passes results on: whether they fit the tool's output schema is the caller's business."""

    async def validate_tool_result(self, name: str, result: mcp_types.CallToolResult) -> None:
        return None


class ChildTransport(ClientTransport):
    """One process. `command` is looked up in `path`; `environment` is all that it is given beside PATH, HOME and LANG.
    {HOME} in either stands for the folder that is its own, the only one where it may write, and gone with it.

    `answer_bytes`: a longer answer becomes an error of that call; where the line does not say of which, the process is
    ended.
    """

    legacy_only = True

    def __init__(
        self, command: Sequence[str], *, path: str = "", environment: Mapping[str, str] | None = None, answer_bytes: int
    ) -> None:
        self._command = tuple(command)
        self._path = f"{path}:{_SYSTEM_PATH}" if path else _SYSTEM_PATH
        self._environment = dict(environment or {})
        self._answer_bytes = answer_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._answers = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def runs(self) -> bool:
        """Whether calls can be answered: the end of its output is seen before the end of the process is reaped."""
        return self._answers and self._process is not None and self._process.returncode is None

    @contextlib.asynccontextmanager
    async def connect_session(
        self, *, transport_options: TransportOptions | None = None, **session_kwargs: Any
    ) -> AsyncIterator[ClientSession]:
        """Start the process and a session with it; both end with the context."""
        with tempfile.TemporaryDirectory(prefix="mcp-") as home:
            self._process = process = await self._start(home)
            self._answers = True
            incoming, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            to_send, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
            tasks = [
                asyncio.create_task(work)
                for work in (self._read(process, incoming), _write(process, outgoing), _log(process))
            ]
            try:
                async with Relay(received, to_send, **session_kwargs) as session:
                    yield session
            finally:
                with anyio.CancelScope(shield=True):
                    await _stop(process)
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
                    for stream in (incoming, received, to_send, outgoing):
                        await stream.aclose()

    async def _start(self, home: str) -> asyncio.subprocess.Process:
        program = shutil.which(self._command[0], path=self._path)
        if program is None:
            raise ChildFailedError(f"{self._command[0]} is no program in {self._path}")
        try:
            return await asyncio.create_subprocess_exec(
                program,
                *(word.replace(_HOME, home) for word in self._command[1:]),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={
                    **{"PATH": self._path, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"},
                    **{name: value.replace(_HOME, home) for name, value in self._environment.items()},
                },
                cwd=home,
                preexec_fn=_heed_modes(),
                start_new_session=True,  # so that what it starts itself ends with it
            )
        except OSError as error:
            raise ChildFailedError(f"{program} cannot be started ({error.strerror})") from error

    async def _read(
        self, process: asyncio.subprocess.Process, incoming: MemoryObjectSendStream[SessionMessage | Exception]
    ) -> None:
        lines = Lines(self._answer_bytes)
        assert process.stdout is not None
        async with incoming:  # left last: its end fails the calls that wait, whose callers may ask again at once
            try:
                while chunk := await process.stdout.read(_CHUNK):
                    for line in lines.feed(chunk):
                        message = _message(line, self._answer_bytes)
                        if message is None:
                            write_log(f"process {process.pid} wrote more than {self._answer_bytes} bytes: ended")
                            _kill(process)
                            return
                        if isinstance(message, SessionMessage):
                            await incoming.send(message)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass  # the session has ended
            finally:
                self._answers = False


def _heed_modes() -> Callable[[], None] | None:
    """A `preexec_fn`: what root starts may not write where a file's mode forbids it, such as among its own packages.

    A right that is out of the bounding set is not given at exec, to root neither (capabilities(7)). In an image the
    user is not root, and has none to lose.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork: nothing may be imported after it

    def drop() -> None:
        libc.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)

    return drop


class Lines:
    """Bytes → lines, of which no more than `limit` bytes are held: of a longer one both ends, as `Oversized`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._head = b""  # of a line that is too long; it has not ended yet

    def feed(self, chunk: bytes) -> Iterator[bytes | Oversized]:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            self._add(part)
            yield Oversized(self._head, bytes(self._held)) if self._head else bytes(self._held)
            self._head = b""
            self._held.clear()
        self._add(rest)

    def _add(self, part: bytes) -> None:
        self._held += part
        if not self._head and len(self._held) > self._limit:
            self._head = bytes(self._held[:_ENDS])
        if self._head:
            del self._held[:-_ENDS]


class Oversized:
    """A line that was longer than allowed: its first and its last bytes."""

    def __init__(self, head: bytes, tail: bytes) -> None:
        found = [match for match in (_ID[0].match(head), _ID[1].search(tail)) if match]
        #: The id of the request that it answers, where the line shows it.
        self.id = int(found[0][1]) if found else None


def _message(line: bytes | Oversized, limit: int) -> SessionMessage | Exception | None:
    """The message of a line; an exception for what is none, None for an oversized one that nobody can be told of."""
    if isinstance(line, Oversized):
        if line.id is None:
            return None
        error = mcp_types.ErrorData(
            code=mcp_types.INTERNAL_ERROR, message=f"The answer is larger than {limit} bytes; ask for less."
        )
        return SessionMessage(mcp_types.JSONRPCError(jsonrpc="2.0", id=line.id, error=error))
    try:
        return SessionMessage(mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        if line.strip():
            write_log(f"[server] {line[:LOG_LINE_BYTES].decode(errors='replace')}")
        return error


async def _write(process: asyncio.subprocess.Process, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        async with outgoing:
            async for message in outgoing:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(text.encode() + b"\n")
                await process.stdin.drain()


async def _log(process: asyncio.subprocess.Process) -> None:
    """Pass on what the process logs, as far as a log bears it."""
    assert process.stderr is not None
    lines, second, written = Lines(LOG_LINE_BYTES), 0, 0
    while chunk := await process.stderr.read(_CHUNK):
        for line in lines.feed(chunk):
            if (now := int(time.monotonic())) != second:
                second, written = now, 0
            written += 1
            if written <= LOG_LINES_PER_SECOND:
                text = "(a line too long to show)" if isinstance(line, Oversized) else line.decode(errors="replace")
                write_log(f"[server] {text}")
            elif written == LOG_LINES_PER_SECOND + 1:
                write_log(f"[server] (more than {LOG_LINES_PER_SECOND} lines in a second; the rest of it is dropped)")


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End of its input, SIGTERM, SIGKILL, as the protocol asks for ("Lifecycle", shutdown, stdio)."""
    if process.stdin is not None:
        process.stdin.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
            break
        _kill(process, number)
    await process.wait()
    _kill(process)  # what it left behind


def _kill(process: asyncio.subprocess.Process, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def write_log(text: str) -> None:
    """To standard error: standard output holds only the line that says the front is ready.

    A full disk below the log ends no server and fails no call.
    """
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def environment_of(names: frozenset[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the server behind may see."""
    return {name: value for name, value in given.items() if name in names}
