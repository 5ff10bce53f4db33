"""Who may use the console: a browser of this machine that was given the address, from the console's own pages.

No cookie, so there is nothing that another page, or another program on another port of this address, could make use of.
The key is in the path; `Host` is checked against DNS rebinding, `Origin` against forms of other pages.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 256 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send `Origin: null`, and forms would be refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_CLOSED = "This console opens at the address that `invoke status` prints."


class Guard:
    """Answers what may not go on; `inner` sees paths without the key, which is its root path."""

    def __init__(self, inner: App, key: str, port: int) -> None:
        self._inner = inner
        self._key = key.encode()
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self.refusal(scope)
        if refused is None:
            key = self._key.decode()
            await self._inner({**scope, "root_path": f"/{key}"}, receive, _with_headers(send))
            return
        status, text = refused
        headers = {**HEADERS, "Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text.encode()))}
        start = {"type": "http.response.start", "status": status, "headers": _encoded(headers)}
        await send(start)
        await send({"type": "http.response.body", "body": text.encode()})

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and text; None for a request that may go on."""
        headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
        host, path, method = headers.get(b"host", ""), str(scope["path"]), scope["method"]
        if host not in self._hosts:
            return 421, "The console answers to 127.0.0.1 and localhost only."
        if path == "/healthz":
            return 200, "ok"
        if not hmac.compare_digest(path.removeprefix("/").partition("/")[0].encode(), self._key):
            return 403, _CLOSED
        if method not in ("GET", "HEAD", "POST"):
            return 405, "GET and POST only."
        if method == "POST" and headers.get(b"origin") != f"http://{host}":
            return 403, "Forms of other pages are not taken."
        if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "Open the console from its own address, not from another page."
        length = headers.get(b"content-length", "0")
        if method == "POST" and (not length.isdecimal() or int(length) > MAX_BODY or b"transfer-encoding" in headers):
            return 413, f"Send at most {MAX_BODY} bytes."
        return None


def _with_headers(send: Send) -> Send:
    async def decorated(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_encoded(HEADERS)]
        await send(message)

    return decorated


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
