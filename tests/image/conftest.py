"""One engine, one registry, one signed-in person and one platform for all: each takes its time to start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.az.cloud_under_test import CloudUnderTest, program
from tests.image import base
from tests.image.engine import Engine
from tests.image.registry import Registry
from tests.support.platform_under_test import Platform
from tools import release

ROOT = Path(__file__).parents[2]
ACR = "acrmcplocal"  # acr_name of terraform/environments/local
REPOSITORY = f"{ACR}.azurecr.io/mongodb-mcp"


@dataclass
class Rig:
    """What the tests share; `servers` is a copy of the servers' sources, which a test may change."""

    engine: Engine
    registry: Registry
    platform: Platform
    home: Path
    servers: Path

    @property
    def docker(self) -> Any:
        return self.engine.client

    def containers(self) -> list[Any]:
        """The servers of the platform, as the engine runs them."""
        return list(self.docker.containers.list(filters={"label": f"mcp-twin.servers-of={self.home}"}))


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    az = program("az", "run `nox -s image`, which installs the pinned one")
    folder = tmp_path_factory.mktemp("image")
    tar = base.archive()
    (folder / "cloud").mkdir()
    cloud = CloudUnderTest(folder / "cloud", "azurite-blob", az)  # no blob is asked for
    registry = Registry(folder / "registry", ACR, folder / "cloud/arm/pki", cloud.endpoints["proxy"])
    try:
        cloud.sign_in("operator")
        cloud.az("group", "create", "-n", "rg-mcp-local", "-l", "uksouth").json()
        cloud.az("acr", "create", "-n", ACR, "-g", "rg-mcp-local", "--sku", "Premium").json()
        tools = {**cloud.environment(), "HTTPS_PROXY": registry.proxy}
        engine = Engine(folder / "engine", {name: tools[name] for name in ("HTTPS_PROXY", "SSL_CERT_FILE")})
        try:
            name, tag = base.NAME.split(":")
            engine.client.api.import_image_from_file(str(tar), name, tag)
            yield _rig(folder, engine, registry, tools)
        finally:
            engine.stop()
    finally:
        registry.stop()
        cloud.stop()


def _rig(folder: Path, engine: Engine, registry: Registry, tools: dict[str, str]) -> Rig:
    servers, home = folder / "servers", folder / "home"
    shutil.copytree(ROOT / "servers", servers, ignore=shutil.ignore_patterns("__pycache__", ".venv", "tests"))
    variables = {
        **tools,
        "DOCKER_HOST": engine.host,
        "DOCKER_CONFIG": str(folder / "docker-config"),
        "TWIN_HOME": str(home),
        "SERVERS_DIR": str(servers),
        "BASE_IMAGE": base.NAME,
        "MCP_REGISTRY": "acr",
        "GATEWAY_PORT": "0",
        "ENTRA_PORT": "0",
        "CONSOLE_PORT": "0",
    }
    return Rig(engine, registry, Platform("local", variables), home, servers)


@pytest.fixture(scope="session")
def deployed(rig: Rig) -> Iterator[Rig]:
    """The platform as `invoke deploy --runtime docker` leaves it: its own smoke test has called every server."""
    try:
        rig.platform.invoke("deploy", "--runtime", "docker", timeout=600)
        yield rig
    finally:
        rig.platform.invoke("destroy", "--yes", check=False)


@pytest.fixture(scope="session")
def image(deployed: Rig) -> Any:
    return deployed.docker.images.get(f"{REPOSITORY}:{release.version()}")
