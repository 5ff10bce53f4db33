"""An API of somebody else's that judges the tokens it is shown as Microsoft Graph would: over REST, and as MCP server.

It believes tokens of the local issuer for Graph with `User.Read`, of version 1.0 as Graph's are ("Access tokens in the
Microsoft identity platform", Token formats), and answers with the record of the person whose token it is.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_headers
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from twin import control

SCOPE = "https://graph.microsoft.com/User.Read"
_OBJECT = {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "an object"}


@dataclass(frozen=True)
class Shown:
    """One request: `path`, and what was in `Authorization`; `why` it was refused, empty where it was not."""

    path: str
    token: str
    headers: dict[str, str]
    why: str


class ProtectedApi:
    """A context manager. `home`: that of the platform whose issuer it believes. `records`: what each person may read.

    `revoked`: tokens that it takes no more, before they expire (Continuous access evaluation).
    """

    def __init__(self, home: Path, records: dict[str, str]) -> None:
        self._home = home
        self._records = records
        self.revoked: set[str] = set()
        self.shown: list[Shown] = []
        self.document = home.with_name("graph.json")
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = self._guarded(_mcp(self._record_of).http_app(path="/mcp", stateless_http=True, json_response=True))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._socket])), daemon=True)

    def __enter__(self) -> ProtectedApi:
        me = {"get": {"operationId": "GetMe", "responses": {"200": _OBJECT}}}
        described = {"openapi": "3.0.3", "info": {"title": "Me", "version": "1"}, "servers": [{"url": self.url}]}
        self.document.write_text(json.dumps({**described, "paths": {"/me": me}}), encoding="utf-8")
        self._socket.listen()  # from here on connections wait until it serves
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    def tokens(self, person: str) -> list[str]:
        """Those of one person that were believed, in the order in which they were shown."""
        return [one.token for one in self.shown if not one.why and _unchecked(one.token)["oid"] == person]

    def _guarded(self, app: Any) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            token = headers.get("authorization", "").removeprefix("Bearer ")
            why = await asyncio.to_thread(self._refuses, token)
            self.shown.append(Shown(scope["path"], token, headers, why))
            if why:
                challenge = f'Bearer realm="", error="invalid_token", error_description="{why}"'
                await _send(send, 401, {"error": why}, [(b"www-authenticate", challenge.encode())])
            elif scope["path"] == "/me":
                cookie = (b"set-cookie", f"session={self._record_of(token)}; Path=/".encode())
                await _send(send, 200, {"record": self._record_of(token)}, [cookie])
            else:
                await app(scope, receive, send)

        return answer

    def _refuses(self, token: str) -> str:
        """Return why a token is not believed; empty where it is."""
        if not token:
            return "no token"
        status = control.status(self._home)
        if status is None:
            return "no issuer"
        issuer = f"http://127.0.0.1:{status.parts['entra'].port}"
        try:
            tenant = str(_unchecked(token)["tid"])
            keys = httpx2.get(f"{issuer}/{tenant}/discovery/v2.0/keys", trust_env=False).raise_for_status().json()
            claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims
        except (JoseError, ValueError, KeyError, TypeError, httpx2.HTTPError) as error:
            return f"not signed by the issuer ({type(error).__name__})"
        checks = {
            "issuer": claims.get("iss") == f"https://sts.windows.net/{tenant}/",
            "audience": claims.get("aud") == "https://graph.microsoft.com",
            "scope": "User.Read" in str(claims.get("scp", "")).split(),
            "time": float(claims.get("nbf", "inf")) <= time.time() < float(claims.get("exp", 0)),
            "revoked": token not in self.revoked,
            "person": claims.get("oid") in self._records,
        }
        return ", ".join(name for name, is_right in checks.items() if not is_right)

    def _record_of(self, token: str) -> str:
        return self._records[_unchecked(token)["oid"]]


def _unchecked(token: str) -> dict[str, Any]:
    """The claims of a token; ValueError or IndexError where it is none."""
    import base64

    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _mcp(record_of: Callable[[str], str]) -> FastMCP[Any]:
    server: FastMCP[Any] = FastMCP("me")

    @server.tool(annotations={"readOnlyHint": True})
    def me() -> dict[str, str]:
        """The record of who calls."""
        shown = get_http_headers(include_all=True)["authorization"]
        return {"record": record_of(shown.removeprefix("Bearer "))}

    return server


async def _send(send: Any, status: int, document: Any, headers: list[tuple[bytes, bytes]]) -> None:
    body = json.dumps(document).encode()
    given = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})
