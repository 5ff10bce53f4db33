"""The ASGI application."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulators.entra.directory_file import DirectoryFile
from emulators.entra.issuer import Issuer
from emulators.entra.rules import is_loopback
from emulators.entra.web import discovery, sign_in, token_endpoint

log = logging.getLogger("emulators.entra")

HEALTH = "/healthz"  # asked once a second, so not logged

MISDIRECTED = PlainTextResponse("This Host is not served here.", 421)

ROUTES = (
    Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery.version_two),
    Route("/{tenant}/.well-known/openid-configuration", discovery.version_one),
    Route("/{tenant}/discovery/v2.0/keys", discovery.keys),
    Route("/{tenant}/discovery/keys", discovery.keys),
    Route("/common/discovery/instance", discovery.instance),
    Route("/{tenant}/oauth2/v2.0/authorize", sign_in.authorize, methods=["GET", "POST"]),
    Route("/{tenant}/login", sign_in.login, methods=["POST"]),
    Route("/{tenant}/consent", sign_in.consented, methods=["POST"]),
    Route("/{tenant}/oauth2/v2.0/token", token_endpoint.token, methods=["GET", "POST", "OPTIONS"]),
    Route("/{tenant}/oauth2/v2.0/devicecode", token_endpoint.device_authorization, methods=["GET", "POST"]),
    Route("/devicelogin", sign_in.device_login, methods=["GET", "POST"]),
    Route("/{tenant}/oauth2/deviceauth", sign_in.device_login, methods=["GET", "POST"]),
    Route("/msi/token", token_endpoint.identity),
    Route(HEALTH, lambda _: PlainTextResponse("ok")),
)


class Guard:
    """For every request: a Host of this machine, safe headers, and a log line without parameter, header or body.

    The Host rule keeps a web page from reaching the issuer through a name of its own that resolves to this machine.
    """

    def __init__(self, app: ASGIApp, base_url: str, directory: DirectoryFile | None) -> None:
        self._app, self._directory = app, directory
        self._host = urlsplit(base_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-content-type-options", b"nosniff"),
                ]
                if scope["path"] != HEALTH:
                    _log_line(scope, message["status"])
            await send(message)

        if self._directory is not None:
            self._directory.refresh()
        app = self._app if self._knows(Headers(scope=scope).get("host", "")) else MISDIRECTED
        await app(scope, receive, guarded)

    def _knows(self, host: str) -> bool:
        try:
            return host == self._host or ("@" not in host and is_loopback(urlsplit(f"//{host}").hostname or ""))
        except ValueError:
            return False


def _log_line(scope: Scope, status: int) -> None:
    note = scope.get("state", {}).get("note", "")
    path = scope["path"].encode("ascii", "backslashreplace").decode()
    log.info("%s %.200r %s %s", scope["method"], path, status, note)


def create_app(issuer: Issuer, directory: DirectoryFile | None = None) -> ASGIApp:
    """`directory`: a file that is taken over whenever it changed."""
    app = Starlette(routes=list(ROUTES))
    app.state.issuer = issuer
    return Guard(app, issuer.base_url, directory)
