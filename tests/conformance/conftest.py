from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.conformance import bearer
from tests.support import chromium as browsers
from tests.support.chromium import Chromium
from tests.support.platform_under_test import ROOT, Platform

SERVER_SOURCES = [str(ROOT / "servers" / name / "src") for name in ("gateway-auth", "mongo-db-server")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    """Where the suite connects; known before the deployment, because their origins must be allowed ones."""
    return {"direct": _free_port(), "gateway": _free_port()}


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Platform]:
    """A twin on free ports that allows the suite's own origin, as a platform allows a browser application's."""
    home = tmp_path_factory.mktemp("twin") / "home"
    origins = json.dumps([f"http://{host}:{port}" for port in ports.values() for host in ("127.0.0.1", "localhost")])
    settings = {"TWIN_HOME": str(home), "GATEWAY_PORT": "0", "ENTRA_PORT": "0", "TF_VAR_allowed_origins": origins}
    twin = Platform("local", settings)
    try:
        twin.invoke("deploy")
        yield twin
    finally:
        twin.invoke("destroy", "--yes")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One browser for all, in which nobody stays signed in."""
    binary = browsers.find()
    assert binary, "these tests need Chromium: apt-get install chromium, or set CHROMIUM to a browser's path"
    found = Chromium(binary, tmp_path_factory.mktemp("chromium"))
    try:
        yield found
    finally:
        found.close()


def _home(platform: Platform) -> Path:
    return Path(platform.variables["TWIN_HOME"])


@pytest.fixture(scope="session")
def container_environment(platform: Platform) -> dict[str, str]:
    """What Terraform gives the admin tier's container."""
    state = json.loads((_home(platform) / "run/state.json").read_text(encoding="utf-8"))
    groups = [item["values"] for item in state if item["type"] == "azurerm_container_group"]
    container = next(group["container"][0] for group in groups if group["name"].endswith("-admin-a"))
    return {**container["environment_variables"], "MONGODB_URI": platform.mongodb_uri}


@contextmanager
def _process(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[int]:
    """Starts a part that prints `ready <name> <port>`; gives the port, and ends what it started."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready[:1] == ["ready"], f"{arguments} did not start:\n{log.read_text(encoding='utf-8')}"
            yield int(ready[2])
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


@pytest.fixture(scope="session")
def fixtures_port(
    container_environment: dict[str, str], ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The server with the suite's fixtures, where the admin tier's container stands."""
    own = [f"{host}:{ports['direct']}" for host in ("127.0.0.1", "localhost")]
    environment = {
        **os.environ,
        **container_environment,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *SERVER_SOURCES]),
        "MCP_ALLOWED_HOSTS": ",".join([container_environment["MCP_ALLOWED_HOSTS"], *own]),
        "MCP_ALLOWED_ORIGINS": ",".join(f"http://{host}" for host in own),
    }
    log = tmp_path_factory.mktemp("fixtures") / "log"
    with _process(["-m", "tests.conformance.fixtures"], environment, log) as port:
        yield port


@pytest.fixture(scope="session")
def gateway_config(platform: Platform) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((_home(platform) / "run/gateway.json").read_text(encoding="utf-8"))
    return config


@pytest.fixture(scope="session")
def gateway_port(
    gateway_config: dict[str, Any], fixtures_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """A second gateway on the same applied state, whose containers are the server with the fixtures."""
    folder = tmp_path_factory.mktemp("gateway")
    resolve = dict.fromkeys(gateway_config["resolve"], f"127.0.0.1:{fixtures_port}")
    file = folder / "gateway.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({**gateway_config, "port": 0, "resolve": resolve}), encoding="utf-8")
    with _process(["-m", "emulators.apim", "--config", str(file)], dict(os.environ), folder / "log") as port:
        yield port


@pytest_asyncio.fixture
async def direct_url(
    gateway_config: dict[str, Any], container_environment: dict[str, str], fixtures_port: int, ports: dict[str, int]
) -> AsyncIterator[str]:
    """Straight to the server, with what the gateway would add."""
    headers = {
        "Authorization": f"Bearer {await _identity_token(gateway_config, container_environment['MCP_AUTH_AUDIENCE'])}",
        "X-Mcp-Caller": "11111111-aaaa-4aaa-8aaa-000000000001",
        "X-Mcp-Client": "conformance",
        "X-Mcp-Tier": "admin",
    }
    async with bearer.adding(headers, to=f"http://127.0.0.1:{fixtures_port}", port=ports["direct"]) as own:
        yield f"{own}/mcp"


@pytest_asyncio.fixture
async def gateway_url(platform: Platform, gateway_port: int, ports: dict[str, int]) -> AsyncIterator[str]:
    """The way callers come: an administrator's token, the policy, the gateway's own token."""
    headers = {"Authorization": f"Bearer {platform.token('admin')}"}
    async with bearer.adding(headers, to=f"http://127.0.0.1:{gateway_port}", port=ports["gateway"]) as own:
        yield f"{own}/mongodb/mcp"


async def _identity_token(config: dict[str, Any], audience: str) -> str:
    """A token of the gateway's managed identity, from where the gateway gets it."""
    identity = next(
        item["values"]
        for item in _state(config)
        if item["type"] == "azurerm_user_assigned_identity" and item["values"]["name"].endswith("-gateway")
    )
    query = {"resource": audience, "client_id": identity["client_id"], "api-version": "2019-08-01"}
    async with (
        aiohttp.ClientSession(headers={"X-IDENTITY-HEADER": config["identity_header"]}) as session,
        session.get(config["identity_endpoint"], params=query) as answer,
    ):
        return str((await answer.json())["access_token"])


def _state(config: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path(config["state"]).read_text(encoding="utf-8"))
    return found
