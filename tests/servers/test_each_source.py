"""One source at a time, in a fresh clone: added, deployed, signed in to and smoke-tested; the gates are green after it.

The stopwatch at the end is the transcript. Two minutes is what each may take; a machine that does other things as well
takes longer, so the numbers are printed and not judged.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import gallery
from tests.servers.conftest import Checkout, client, lap
from tests.support.pipeline_agent import clone
from tests.support.platform_under_test import ROOT, Platform
from tests.support.remote_server import RemoteServer
from tests.support.rest_api import RestApi

KEY = "what-the-vendor-gave"
IMAGE = f"ghcr.io/owner/charts@sha256:{'c' * 64}"
SOURCES = ("template", "pypi", "npm", "openapi", "image", "remote")
NAME = "one"
# What depends on the servers of the local environment; all of it at once, and the policies, are in test_sources.py.
GREEN: dict[str, tuple[str, ...]] = {"lint": (), "unit": (), "plan": ("-k", "local")}


def of_gallery(option: str) -> tuple[str, ...]:
    """The gallery's first server from that registry, under the name of this test."""
    row = next(row for row in gallery.rows() if option in row.command)
    return row.command[2:]


async def tools(platform: Platform) -> int:
    """How many tools a stock client is shown, signed in as Ada."""
    async with client(platform, NAME, "admin") as connected:
        return len(await connected.list_tools())


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Checkout, tuple[str, ...]]]:
    """The source, a clone of its own, and what `add-server one` is given."""
    kind = str(request.param)
    root = clone(ROOT, tmp_path / "clone")
    made = Checkout(Platform("local", {"GATEWAY_PORT": "0", "ENTRA_PORT": "0"}, root=root))
    with RestApi(tmp_path) as api, RemoteServer(KEY) as elsewhere:
        secrets = root / ".twin" / "local-secrets.json"
        secrets.parent.mkdir(exist_ok=True)
        secrets.write_text(json.dumps({"vendor-key": KEY}), encoding="utf-8")
        given = {
            "template": (),
            "pypi": of_gallery("--pypi"),
            "npm": of_gallery("--npm"),
            "openapi": ("--openapi", str(api.document), "--operation", "listOrders"),
            "image": ("--image", IMAGE),
            "remote": ("--remote", elsewhere.url, "--header", "Authorization=vendor-key"),
        }
        yield kind, made, given[kind]


def test_it_is_served(source: tuple[str, Checkout, tuple[str, ...]], stopwatch: dict[str, float]) -> None:
    """Added to a clone in which nothing was added before, and deployed; a stock client is shown its tools."""
    kind, checkout, given = source
    add(checkout, given, stopwatch)
    try:
        ended = "refused without an engine" if kind == "image" else "signed in to and smoke-tested"
        with lap(stopwatch, f"invoke deploy, {kind}: {ended}"):
            deployed = checkout.platform.invoke("deploy", check=False, timeout=600)
        if kind == "image":  # without a container engine it says so, before anything is changed
            assert deployed.returncode != 0
            assert "container engine" in deployed.stderr
        else:
            assert deployed.returncode == 0, deployed.stdout + deployed.stderr
            assert asyncio.run(tools(checkout.platform))
    finally:
        checkout.platform.invoke("destroy", "--yes")


@pytest.mark.parametrize("session", GREEN)
def test_the_gates_are_green_after_it(
    source: tuple[str, Checkout, tuple[str, ...]], session: str, stopwatch: dict[str, float]
) -> None:
    """With that source alone, and nothing recorded anew; taking it away leaves the clone as it was."""
    kind, checkout, given = source
    add(checkout, given, {})
    with lap(stopwatch, f"nox -s {session}, after {kind}"):
        checkout.require_green(session, NAME, *GREEN[session])
    checkout.platform.invoke("remove-server", NAME, "--yes")
    assert checkout.git("status", "--short") == ""


def add(checkout: Checkout, given: tuple[str, ...], stopwatch: dict[str, float]) -> None:
    with lap(stopwatch, f"invoke add-server {NAME} {' '.join(given)[:60]}".rstrip()):
        checkout.platform.invoke("add-server", NAME, *given, timeout=600)
