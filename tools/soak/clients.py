"""One client of the soak: it writes, reads, counts and increments, and remembers what it was observed."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2

VERSION = "2026-07-28"
DATABASE = "soak"
#: What an answer must say for a client to know that it may try again.
FULL = "OutOfDiskSpace"
RETRYABLE = (FULL, "may be tried again", "The time limit passed", "throttling", "try again in a moment")
_META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "soak", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_PAUSE_SECONDS = 0.2  # after an error, as a client would
_ANSWER_SECONDS = 60.0
_IMPATIENT_MS = 3_000


@dataclass
class Observed:
    """Acknowledged inserts and increments by client, texts of errors that may be tried again, and other failures."""

    calls: int = 0
    failed: int = 0
    inserted: dict[int, list[int]] = field(default_factory=dict)
    raised: list[int] = field(default_factory=lambda: [0] * 64)
    refused: list[int] = field(default_factory=list)  # inserts that a full disk has refused
    unknown: list[int] = field(default_factory=lambda: [0] * 64)  # increments of which nobody knows
    errors: Counter[str] = field(default_factory=Counter)
    unclear: list[str] = field(default_factory=list)

    @property
    def written(self) -> int:
        return sum(map(len, self.inserted.values()))


class Client:
    def __init__(self, number: int, url: str, headers: dict[str, str], observed: Observed) -> None:
        self._number, self._url, self._observed = number, url, observed
        self._headers = {
            **headers,
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": "tools/call",
        }
        observed.inserted[number] = []
        self._full = False  # whether the disk was full at the last call

    async def run(self, until: float) -> None:
        """Calls one after the other until the time has come (`time.monotonic`)."""
        step = 0
        async with httpx2.AsyncClient(timeout=_ANSWER_SECONDS, trust_env=False) as http:
            await self._call(http, "update-many", self._counter(upsert=True))
            while time.monotonic() < until:
                step += 1
                await self._round(http, step)

    async def _round(self, http: httpx2.AsyncClient, step: int) -> None:
        where = {"database": DATABASE, "collection": "written"}
        identity = self._number * 10_000_000 + step
        document = {"_id": identity, "client": self._number, "step": step}
        if await self._call(http, "insert-many", {**where, "documents": [document]}):
            self._observed.inserted[self._number].append(identity)
        elif self._full:
            self._observed.refused.append(identity)
        if await self._call(http, "update-many", self._counter()):
            self._observed.raised[self._number] += 1
        elif not self._full:  # what the disk did not take has not happened
            self._observed.unknown[self._number] += 1
        await self._call(http, "find", {**where, "filter": {"_id": identity}, "max_time_ms": _IMPATIENT_MS})
        counters = {"database": DATABASE, "collection": "counters"}
        await self._call(http, "aggregate", {**counters, "pipeline": [{"$group": {"_id": None, "n": {"$sum": "$n"}}}]})

    def _counter(self, *, upsert: bool = False) -> dict[str, Any]:
        change = {"$setOnInsert": {"n": 0}} if upsert else {"$inc": {"n": 1}}
        where = {"database": DATABASE, "collection": "counters", "filter": {"_id": self._number}}
        return {**where, "update": change, "upsert": upsert}

    async def _call(self, http: httpx2.AsyncClient, tool: str, arguments: dict[str, Any]) -> bool:
        """Whether the call was acknowledged. Everything else is an error that says to try again, or a finding."""
        self._observed.calls += 1
        self._full = False
        params = {"name": tool, "arguments": arguments, "_meta": _META}
        message = {"jsonrpc": "2.0", "id": self._observed.calls, "method": "tools/call", "params": params}
        try:
            answer = await http.post(self._url, json=message, headers={**self._headers, "Mcp-Name": tool})
            result = answer.json()["result"]
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            self._observed.unclear.append(f"{tool}: {error!r}")
            return False
        if not result["isError"]:
            return True
        text = result["content"][0]["text"]
        self._observed.failed += 1
        self._observed.errors[text] += 1
        self._full = FULL in text
        if answer.status_code != 200 or not any(words in text for words in RETRYABLE):
            self._observed.unclear.append(f"{tool}: {answer.status_code} {json.dumps(text)}")
        await asyncio.sleep(_PAUSE_SECONDS)
        return False
