"""Gateway and issuer in this process, on a clock that a test moves, with what the platform under test has applied.

The policies and the directory are the platform's own; the MCP servers behind are small ones, one of each tier, because
the platform's servers are processes with the machine's clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from fastmcp import FastMCP
from starlette.types import ASGIApp

from emulators.apim.backend_client import BackendClient
from emulators.apim.gateway import Gateway
from emulators.apim.http_server import Application, server_config
from emulators.apim.load import load
from emulators.apim.messages import Response, Url
from emulators.apim.services import make_services
from emulators.base import serving
from emulators.base.state import State
from emulators.entra import applied
from emulators.entra.app import create_app
from emulators.entra.issuer import Issuer
from emulators.entra.keys import KeyRing
from ops.clients.registrations import endpoint_id
from tests.support.platform_under_test import Platform

SECRET = "the identity host of this test"


class Clock:
    """The machine's time, moved on by `move`, in seconds since the epoch."""

    def __init__(self) -> None:
        self._machine, self._ahead = time.time, 0.0

    def __call__(self) -> float:
        return self._machine() + self._ahead

    def move(self, seconds: float) -> None:
        self._ahead += seconds


class Recorded(BackendClient):
    """Remembers the forms that went to Entra ID's token endpoint."""

    forms: list[bytes]

    async def send(self, method: str, url: Url, headers: Any, body: bytes | None, wait: float) -> Response:
        if url.path.endswith("/oauth2/v2.0/token") and body is not None:
            self.forms.append(body)
        return await super().send(method, url, headers, body, wait)


@dataclass
class Clocked:
    endpoint: str
    gateway: str
    clock: Clock
    issuer: Issuer
    client: Recorded

    def refreshes(self) -> int:
        return sum(b"grant_type=refresh_token" in form for form in self.client.forms)

    def change(self, user: str, **values: Any) -> None:
        """Change a person in the directory, as an administrator would."""
        directory = self.issuer.directory
        users = tuple(replace(one, **values) if one.key == user else one for one in directory.users)
        self.issuer.adopt(replace(directory, users=users))

    def change_tenant(self, **values: Any) -> None:
        self.issuer.adopt(replace(self.issuer.directory, **values))


@asynccontextmanager
async def clocked(platform: Platform) -> AsyncIterator[Clocked]:
    """Serve them on free ports of 127.0.0.1, and stop them at the end."""
    clock = Clock()
    sockets = [serving.listen("127.0.0.1", 0, "") for _ in range(4)]
    for one in sockets:
        one.listen()  # so that a connection waits for its server
    gateway, authority, admin, reader = (f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    issued_by = urlsplit(platform.status["authority"])
    endpoint = f"http://{gateway}/mongodb/mcp"
    state = _moved(
        Path(platform.variables["TWIN_HOME"]) / "run" / "state.json",
        {
            platform.gateway: f"http://{gateway}",
            f"{issued_by.scheme}://{issued_by.netloc}": f"http://{authority}",
            endpoint_id(platform.endpoint): endpoint_id(endpoint),
        },
    )
    values = {value["name"]: value["value"] for value in state.of_type("azurerm_api_management_named_value")}
    hosts = {SECRET: frozenset({str(values["gateway-identity-client-id"]).lower()})}
    directory = applied.directory(state)
    issuer = Issuer(f"http://{authority}", directory, KeyRing.in_memory(), hosts, {}, clock)
    tiers = {
        urlsplit(backend["url"]).netloc: reader if "-reader-" in backend["name"] else admin
        for backend in state.of_type("azurerm_api_management_backend")
    }
    client = Recorded(tiers)
    client.forms = []
    loaded = load(state)
    services = make_services(
        client,
        loaded.backends,
        identity_endpoint=f"http://{authority}/msi/token",
        identity_header=SECRET,
        clock=clock,
    )
    served = [
        uvicorn.Server(server_config(Application(Gateway(loaded, services)))),
        uvicorn.Server(serving.config(create_app(issuer))),
        uvicorn.Server(serving.config(_server(writes=True), lifespan="on")),
        uvicorn.Server(serving.config(_server(writes=False), lifespan="on")),
    ]
    running = [
        asyncio.ensure_future(one.serve(sockets=[listener])) for one, listener in zip(served, sockets, strict=True)
    ]
    try:
        for address in (gateway, authority, admin, reader):
            await _answers(address)
        yield Clocked(endpoint, f"http://{gateway}", clock, issuer, client)
    finally:
        for one in served:
            one.should_exit = True
        await asyncio.gather(*running)
        await client.close()


async def _answers(address: str) -> None:
    """Return once a server answers there: its socket takes connections before that."""
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 ")
    writer.close()


def _moved(path: Path, places: Mapping[str, str]) -> State:
    text = path.read_text(encoding="utf-8")
    for old, new in places.items():
        assert old in text, f"{path} does not name {old}"
        text = text.replace(old, new)
    own = path.with_name("state-of-this-test.json")
    own.write_text(text, encoding="utf-8")
    try:
        return State.load(own)
    finally:
        own.unlink()


def _server(*, writes: bool) -> ASGIApp:
    server: FastMCP[None] = FastMCP("clocked")

    @server.tool
    def whoami() -> str:
        """Say that the call arrived."""
        return "here"

    if writes:

        @server.tool
        def write() -> str:
            """Stand for the tools that readers do not have."""
            return "written"

    return server.http_app(path="/mcp")
