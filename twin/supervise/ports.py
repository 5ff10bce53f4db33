"""Local ports: which are free, and which a process had before, so that a reload does not move it."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import tempfile
import time
from pathlib import Path

from emulators.base.files import read_object, write_json
from twin.errors import RuntimeFailure

# Below every system's ephemeral range: no outgoing connection takes the port while its server restarts.
_RANGE = range(20_000, 30_000)
#: Seconds for which a chosen port is left to whoever chose it: between the choice and the server lies a deployment.
_RESERVED = 600.0


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now. Connections that are closing do not count."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def require_free(port: int, setting: str) -> None:
    if not is_free(port):
        raise RuntimeFailure(
            f"port {port} is taken by another program (or not allowed); set {setting} to a free one, or to 0 for any"
        )


def reserve(port: int) -> bool:
    """False where another platform of this user chose the port in the last ten minutes and may not listen yet.

    One empty file for each port, so that several processes agree without a server; where files cannot be had, nobody
    reserves anything.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    mark = Path(tempfile.gettempdir()) / f"mcp-ports-{user}" / str(port)
    with contextlib.suppress(OSError):
        mark.parent.mkdir(mode=0o700)
    try:
        if mark.exists() and time.time() - mark.stat().st_mtime > _RESERVED:
            mark.unlink(missing_ok=True)
        mark.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


class PortBook:
    """The port of each process by name, kept in a file. A remembered port that someone else took is replaced.

    `keep=False`: what is chosen is not written down, for a rehearsal.
    """

    def __init__(self, path: Path, running: frozenset[int] = frozenset(), *, keep: bool = True) -> None:
        self._path, self._keep = path, keep
        self._running = running
        stored = read_object(path)
        self._ports = {name: port for name, port in stored.items() if type(port) is int and 0 < port < 65_536}

    def port_for(self, name: str) -> int:
        port = self._ports.get(name)
        if port is None or not (port in self._running or is_free(port)):
            port = self._choose()
            self._ports[name] = port
            if self._keep:
                write_json(self._path, self._ports)
        return port

    def _choose(self) -> int:
        taken = set(self._ports.values())
        for _ in range(200):
            port = random.choice(_RANGE)  # noqa: S311  # not a secret: only spreads platforms of one machine apart
            if port not in taken and is_free(port) and (not self._keep or reserve(port)):
                return port
        raise RuntimeFailure(
            f"no free port found between {_RANGE.start} and {_RANGE.stop - 1}; end programs that hold them"
        )
