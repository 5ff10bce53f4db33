"""What was asked: method, host, path template and api-version of each request, and what was refused as unknown.

No header, query value or body is kept: nothing secret gets into a record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_OWN_HOSTS = (".blob.core.windows.net", ".vault.azure.net", ".azurecr.io")


@dataclass(frozen=True)
class Record:
    method: str
    host: str
    path: str
    version: str | None
    status: int
    known: bool = True


class Recorder:
    def __init__(self) -> None:
        self._records: list[Record] = []
        self.tunnels_refused: list[str] = []

    def add(self, method: str, host: str, template: str, version: str | None, status: int, known: bool = True) -> None:
        self._records.append(Record(method, host_template(host), template, version, status, known))

    def rows(self) -> list[dict[str, Any]]:
        return [asdict(record) for record in self._records]

    def refused(self) -> list[str]:
        """Every request and host name that nothing here answers for; a test fails on any."""
        unknown = [
            f"{r.method} https://{r.host}{r.path} {r.version or ''}".strip() for r in self._records if not r.known
        ]
        return [*unknown, *(f"CONNECT {name}" for name in self.tunnels_refused)]

    def clear(self) -> None:
        self._records.clear()
        self.tunnels_refused.clear()


def host_template(host: str) -> str:
    """`acct.blob.core.windows.net` is `{name}.blob.core.windows.net`."""
    for ending in _OWN_HOSTS:
        if host.endswith(ending):
            return "{name}" + ending
    return host


def masked(path: str) -> str:
    """A path without template, GUIDs left out."""
    return _GUID.sub("{id}", path)


def blob_template(path: str, query: Mapping[str, str]) -> str:
    """Containers and blobs by position, with the operation that `restype` and `comp` name."""
    parts = [part for part in path.split("/") if part]
    shape = "/" + "/".join(("{container}", "{blob}")[: min(len(parts), 2)])
    operation = "&".join(f"{key}={query[key]}" for key in ("restype", "comp") if key in query)
    return f"{shape}?{operation}" if operation else shape
