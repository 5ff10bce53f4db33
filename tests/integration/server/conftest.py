from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pymongo
import pytest
from fastmcp import Client
from mongo_db_server.database import connect
from mongo_db_server.server import build_from, runtime_of
from mongo_db_server.settings import Settings

ROOT = Path(__file__).parents[3]
START_SECONDS = 60
UNUSED_ID = "00000000-0000-4000-8000-000000000000"

CallTool = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`MONGODB_URI` when it is set (MongoDB, Cosmos DB), else a stand-in of our own on a free port."""
    if given := os.environ.get("MONGODB_URI"):
        yield given
        return
    home = tmp_path_factory.mktemp("mongo")
    config = home / "mongo.json"
    config.touch(0o600)
    user = {"name": "account", "password": uuid.uuid4().hex, "role": "readWrite"}
    config.write_text(
        json.dumps({"host": "127.0.0.1", "port": 0, "data_dir": str(home / "data"), "users": [user], "seed": False})
    )
    mongo = Running(
        [sys.executable, "-m", "emulators.mongodb", "--config", str(config)], dict(os.environ), home / "log"
    )
    try:
        yield f"mongodb://account:{user['password']}@127.0.0.1:{mongo.port()}/?retryWrites=false"
    finally:
        mongo.stop()


class Running:
    """A process that prints `ready <name> <port>`; its standard error goes to `log`."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    def port(self) -> int:
        """Waits until it is ready."""
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if readable else ""
        assert line.startswith("ready "), f"not ready: {line!r}; {self.log.read_text()}"
        return int(line.split()[2])

    def stop(self) -> int:
        """The exit code after SIGTERM, or the one it has ended with before."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(START_SECONDS)
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Running]]:
    """Starts the server with an environment; whatever was started is stopped afterwards."""
    started: list[Running] = []

    def start(environment: dict[str, str]) -> Running:
        started.append(Running([sys.executable, "-m", "mongo_db_server"], environment, tmp_path / f"log{len(started)}"))
        return started[-1]

    try:
        yield start
    finally:
        for running in started:
            if running.process.poll() is None:
                running.stop()


@pytest.fixture
def database(mongodb_uri: str) -> Iterator[pymongo.database.Database[dict[str, Any]]]:
    """A database of the test's own, gone afterwards."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True, uuidRepresentation="standard") as client:
        name = f"test_{uuid.uuid4().hex[:12]}"
        try:
            yield client[name]
        finally:
            client.drop_database(name)


@pytest.fixture
def settings_of(mongodb_uri: str) -> Callable[..., Settings]:
    def settings_of(**replaced: Any) -> Settings:
        usual: dict[str, Any] = {
            "mcp_tier": "admin",
            "mcp_auth_issuer": "https://login.invalid/v2.0",
            "mcp_auth_jwks_uri": "https://login.invalid/keys",
            "mcp_auth_tenant_id": UNUSED_ID,
            "mcp_auth_audience": UNUSED_ID,
            "mcp_auth_gateway_object_id": UNUSED_ID,
            "mongodb_uri": mongodb_uri,
        }
        return Settings(**(usual | replaced))

    return settings_of


@pytest.fixture
async def client_with(settings_of: Callable[..., Settings]) -> AsyncIterator[Callable[..., Awaitable[Client[Any]]]]:
    """Builds a server with the given settings and returns a stock client of it, without HTTP between."""
    async with AsyncExitStack() as stack:

        async def client_with(**replaced: Any) -> Client[Any]:
            settings = settings_of(**replaced)
            mongo = connect(settings)
            stack.push_async_callback(mongo.close)
            server = build_from(runtime_of(settings, mongo, lambda line: None))
            return await stack.enter_async_context(Client(server.mcp))

        yield client_with


@pytest.fixture
def call_with(client_with: Callable[..., Awaitable[Client[Any]]]) -> Callable[..., Awaitable[CallTool]]:
    """Builds a server with the given settings and returns a function that calls its tools."""

    async def call_with(**replaced: Any) -> CallTool:
        client = await client_with(**replaced)

        async def call(name: str, **arguments: Any) -> Any:
            return await client.call_tool(name, arguments, raise_on_error=False)

        return call

    return call_with


@pytest.fixture
async def call(call_with: Callable[..., Awaitable[CallTool]]) -> CallTool:
    """Calls a tool of an admin server with the default settings."""
    return await call_with()


@pytest.fixture
def confirmed() -> Callable[..., Awaitable[Any]]:
    """Calls a tool that asks for confirmation, and confirms."""

    async def confirmed(call: CallTool, name: str, *, typed: str | None = None, **arguments: Any) -> Any:
        asked = await call(name, **arguments)
        assert not asked.is_error, asked.content
        assert asked.structured_content["confirmation_required"] is True
        again = {**arguments, "confirmation": asked.structured_content["confirmation"]}
        return await call(name, **again, **({} if typed is None else {"confirm_database": typed}))

    return confirmed
