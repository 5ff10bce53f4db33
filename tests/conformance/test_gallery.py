"""VS Code's own gallery reads the platform's MCP registry: its sources, as another project builds them for npm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conformance import suite
from tests.support.platform_under_test import Platform, request
from tests.support.registry_schema import SERVERS, check

READER = Path(__file__).with_name("gallery") / "read.mjs"


@pytest.fixture(scope="module")
def gallery(platform: Platform) -> dict[str, Any]:
    """What it shows, and which addresses it asked."""
    command = [str(suite.node()), str(READER), platform.status["gateway"], "mongo"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_vs_code_finds_the_servers(platform: Platform, gallery: dict[str, Any]) -> None:
    """With title, description, version and address; so it can install and open them."""
    (server,) = gallery["servers"]
    assert (server["displayName"], server["status"], server["isLatest"]) == ("MongoDB", "active", True)
    assert server["description"].startswith("Reads and")
    assert server["configuration"]["remotes"] == [{"type": "streamable-http", "url": platform.endpoint}]
    assert gallery["more"] is False


def test_vs_code_finds_one_by_its_text_and_by_its_name(gallery: dict[str, Any]) -> None:
    """What it does where somebody types, and where it looks whether an installed server is still there."""
    names = [server["name"] for server in gallery["servers"]]
    assert gallery["found"] == names
    assert [server["name"] for server in gallery["named"]] == names
    assert gallery["missing"] == []


def test_vs_code_takes_the_version_that_is_meant(gallery: dict[str, Any]) -> None:
    """It asks for v0.1 first, and has no reason to try another."""
    assert gallery["version"] == "v0.1"
    assert gallery["asked"][0].endswith("/v0.1/servers?limit=1")
    assert [url for url in gallery["asked"] if "/v0/" in url] == []


def test_what_it_read_is_as_specified(platform: Platform) -> None:
    answer = request(f"{platform.status['gateway']}/v0.1/servers")
    check(answer.json, SERVERS)
    with pytest.raises(jsonschema.ValidationError):  # the check can fail
        check({**answer.json, "secret": 1}, SERVERS)
