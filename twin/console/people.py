"""Signing in as one of the twin's people, and calling tools through the gateway as that person's client would."""

from __future__ import annotations

import base64
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from twin.errors import RuntimeFailure
from twin.offer import Offer
from twin.sign_in import sign_in

_TIMEOUT = 65.0  # seconds; a little more than the gateway gives a server
_EARLY = 60.0  # seconds before its end that a token is not used any more
_PROTOCOL = "2025-11-25"


@dataclass(frozen=True)
class Answer:
    """What the gateway answered. `message` is the JSON-RPC message in it, `request_id` the gateway's name for it."""

    status: int
    request_id: str
    text: str
    message: dict[str, Any] | None
    seconds: float


class People:
    """Keeps each person's token until shortly before it ends, as a client does."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str, str], str] = {}

    def token(self, offer: Offer, user: str) -> str:
        key = (offer.authority, offer.scope, user)
        held = self._tokens.get(key)
        if held is None or _ends(held) - _EARLY < time.time():
            held = self._tokens[key] = sign_in(offer.authority, offer.client_id, offer.scope, user)
        return held

    def forget(self) -> None:
        """Everybody signs in anew: roles may have changed."""
        self._tokens.clear()

    def tools(self, offer: Offer, server: str, user: str) -> Answer:
        return self.ask(offer, server, user, "tools/list", {})

    def call(self, offer: Offer, server: str, user: str, tool: str, arguments: dict[str, Any]) -> Answer:
        return self.ask(offer, server, user, "tools/call", {"name": tool, "arguments": arguments})

    def ask(self, offer: Offer, server: str, user: str, method: str, params: dict[str, Any]) -> Answer:
        """One JSON-RPC request, without a session. RuntimeFailure where nothing answers."""
        if server not in offer.endpoints:
            raise RuntimeFailure(f"there is no server {server!r}; deployed: {', '.join(sorted(offer.endpoints))}")
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {
            "Authorization": f"Bearer {self.token(offer, user)}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": _PROTOCOL,
        }
        return _post(offer.endpoints[server], body, headers)


def claims(token: str) -> dict[str, Any]:
    """A token's payload, for showing."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def _ends(token: str) -> float:
    return float(claims(token).get("exp") or 0)


def _post(url: str, body: str, headers: dict[str, str]) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    started = time.monotonic()
    try:
        connection.request("POST", parts.path, body.encode(), headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise RuntimeFailure(f"the gateway at {parts.netloc} does not answer ({error}); run `invoke status`") from error
    finally:
        connection.close()
    seconds = time.monotonic() - started
    request_id = response.headers.get("X-Correlation-Id", "")
    return Answer(response.status, request_id, text, _message(text), seconds)


def _message(text: str) -> dict[str, Any] | None:
    """The answer itself, from JSON or from the events of a stream."""
    for line in [text, *(line[5:] for line in reversed(text.splitlines()) if line.startswith("data:"))]:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and ("result" in found or "error" in found):
            return found
    return None
