from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.servers import gallery
from tests.support.pipeline_agent import clone
from tests.support.platform_under_test import ROOT, Platform
from tests.support.rest_api import RestApi

_WATCH = pytest.StashKey[dict[str, float]]()

# The checks that read servers, environments or pages; what is left out reads none of them, and takes minutes.
GATES = {
    "lint": ["ruff-check", "ruff-format", "terraform-fmt", "codespell"],
    "unit": ["tests/unit/docs", "tests/unit/project", "tests/unit/pipelines", "tests/unit/ops/servers",
             "tests/unit/ops/config", "tests/unit/ops/images", "-n", "2"],
    "plan": ["tests/plan/test_stages.py", "tests/plan/test_served_environment.py",
             "tests/plan/test_served_registry.py", "tests/plan/test_shape.py", "tests/plan/test_names.py", "-n", "2"],
    "policy": [],
}  # fmt: skip


@asynccontextmanager
async def client(platform: Platform, server: str, user: str, mode: Any = "auto") -> Any:
    """A stock client, signed in as one person."""
    url = platform.status["servers"][server]["url"]
    transport = StreamableHttpTransport(url, headers={"Authorization": f"Bearer {platform.token(user)}"})
    async with Client(transport, mode=mode) as connected:
        yield connected


@dataclass(frozen=True)
class Checkout:
    """A fresh clone in which servers were added as a new user would, and the platform that it deployed."""

    platform: Platform
    servers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.platform.root

    def require_green(self, session: str, name: str, *more: str) -> None:
        """Run one session of the gates in the clone, with `more` arguments and with the tests of one server."""
        own = [f"servers/{name}/tests"] if (self.root / "servers" / name / "tests").is_dir() else []
        nox = ["-m", "nox", "--envdir", str(ROOT / ".nox"), "-s", session, "--", *GATES[session], *more]
        done = subprocess.run(
            [sys.executable, *nox, *(own if session == "unit" else [])],
            cwd=self.root,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"nox -s {session}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True
        ).stdout.strip()


def sources(api: RestApi) -> dict[str, tuple[str, ...]]:
    """Return the commands that add a server from each source, by its name: the gallery's, the template and an API."""
    return {
        "own": ("add-server", "own"),
        "shop": ("add-server", "shop", "--openapi", str(api.document), "--operation", "listOrders",
                 "--operation", "createOrder"),
        **{row.name: row.command for row in gallery.rows()},
    }  # fmt: skip


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Checkout]:
    """Every source added to one clone, each timed, and one deployment that ends with the smoke test of all."""
    folder = tmp_path_factory.mktemp("servers")
    platform = Platform("local", {"GATEWAY_PORT": "0", "ENTRA_PORT": "0"}, root=clone(ROOT, folder / "clone"))
    watch = _watch(request)
    with RestApi(folder) as api:
        made = Checkout(platform, sources(api))
        for name, command in made.servers.items():
            _timed(watch, f"add-server {name}", platform, *command)
        variables = made.root / "terraform/environments/local/terraform.tfvars"
        text = variables.read_text(encoding="utf-8")
        for row in gallery.rows():
            text = gallery.with_line(text, row.name, row.entry) if row.entry else text
        variables.write_text(text, encoding="utf-8")
        try:
            _timed(watch, "deploy, all of them, signed in to and smoke-tested", platform, "deploy")
            yield made
        finally:
            platform.invoke("destroy", "--yes")


def _timed(watch: dict[str, float], what: str, platform: Platform, *command: str) -> None:
    with lap(watch, f"invoke {what}"):
        platform.invoke(*command, timeout=600)  # a machine that also does something else is no failure


def _watch(request: pytest.FixtureRequest) -> dict[str, float]:
    return request.config.stash.setdefault(_WATCH, {})


@pytest.fixture(scope="session")
def stopwatch(request: pytest.FixtureRequest) -> dict[str, float]:
    """Seconds by what took them; printed at the end, in this order."""
    return _watch(request)


@contextmanager
def lap(watch: dict[str, float], what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    watch[what] = time.monotonic() - started


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The stopwatch: how long each source takes, from a clone in which nothing was installed."""
    if watch := config.stash.get(_WATCH, None):
        terminalreporter.section("stopwatch, in a fresh clone")
        for what, seconds in watch.items():
            terminalreporter.line(f"{seconds:6.1f} s  {what}")
