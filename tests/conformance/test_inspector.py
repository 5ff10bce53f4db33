"""The MCP Inspector's own command line, configured as `invoke connect` says, through the gateway."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import suite
from tests.support.platform_under_test import Platform

INSPECTOR = suite.MODULES / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"


def inspect(platform: Platform, folder: Path, user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One call; the token is in the configuration file, beside the address, and not on the command line."""
    document: dict[str, Any] = json.loads(platform.invoke("connect", "--client", "json").stdout)
    document["mcpServers"]["mongodb"]["headers"] = {"Authorization": f"Bearer {platform.token(user)}"}
    file = folder / "mcp.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(document), encoding="utf-8")
    command = [str(suite.node()), str(INSPECTOR), "--cli", "--config", str(file), "--server", "mongodb"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("user", "writes"), [("admin", True), ("reader", False)])
def test_the_inspector_lists_the_tools_of_the_tier(platform: Platform, tmp_path: Path, user: str, writes: bool) -> None:
    done = inspect(platform, tmp_path, user, "--method", "tools/list")
    assert done.returncode == 0, done.stderr
    tools = {tool["name"] for tool in json.loads(done.stdout)["tools"]}
    assert "find" in tools
    assert ("insert-many" in tools) is writes


def test_the_inspector_calls_a_tool(platform: Platform, tmp_path: Path) -> None:
    place = ["database=platform", "collection=services"]
    done = inspect(platform, tmp_path, "reader", "--method", "tools/call", "--tool-name", "count", "--tool-arg", *place)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["structuredContent"]["count"] > 0


def test_the_inspector_is_told_why_it_is_refused(platform: Platform, tmp_path: Path) -> None:
    done = inspect(platform, tmp_path, "outsider", "--method", "tools/list")
    assert done.returncode != 0
    assert "Mcp.Read" in done.stdout + done.stderr


def test_the_inspectors_tools_find_no_unportable_schema(platform: Platform, tmp_path: Path) -> None:
    """Its own check of the tools' schemas against what clients bear."""
    done = inspect(platform, tmp_path, "admin", "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
