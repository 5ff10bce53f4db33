"""The matrix of tests/integration/matrix with the MCP Inspector's command line as the client.

It is here because the Inspector comes from npm. It picks the version by generation: the older one's newest, 2025-11-25,
or 2026-07-28; it cannot be made to offer 2025-06-18.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import suite
from tests.conformance.test_inspector import INSPECTOR
from tests.integration.matrix import modes
from tests.integration.matrix.modes import IDENTITIES, IMPOSSIBLE, MODES, PEOPLE, WAYS, WRITING, Deployed, outcome

copied, deployed_as = modes.copied, modes.deployed_as  # fixtures

ERAS = {"2025-11-25": "legacy", "2026-07-28": "modern"}
ALL = [*itertools.product(MODES, WAYS, PEOPLE), *itertools.product(MODES, ["own"], set(IDENTITIES) - set(PEOPLE))]
TOKENS = sorted(cell for cell in ALL if not {(cell[1], cell[0]), (cell[2], cell[0])} & set(IMPOSSIBLE))


def listed(url: str, token: str, version: str, folder: Path) -> set[str] | int:
    """The names of the tools, or the status that the Inspector reports."""
    file = folder / f"{version}.json"
    file.touch(mode=0o600)
    server = {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {token}"}}
    file.write_text(json.dumps({"mcpServers": {"it": server}}), encoding="utf-8")
    command = [str(suite.node()), str(INSPECTOR), "--cli", "--config", str(file), "--server", "it"]
    options = ["--protocol-era", ERAS[version], "--stored-auth-only", "--method", "tools/list"]
    environment = {**os.environ, "MCP_INSPECTOR_SECRET_STORE": "memory"}
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    if done.returncode == 0:
        return {tool["name"] for tool in json.loads(done.stdout)["tools"]}
    errors = [json.loads(line)["error"] for line in done.stderr.splitlines() if line.startswith('{"error"')]
    assert errors, f"{done.stdout}{done.stderr}"
    if "status" in errors[-1]:
        return int(errors[-1]["status"])
    # A 401 is no field: the older generation shows the body, with the gateway's code for a missing sign-in.
    assert errors[-1]["code"] == "auth_required", errors
    assert "HTTP 401" in errors[-1]["message"] or "-32001" in errors[-1]["message"], errors
    return 401


@pytest.mark.parametrize(("mode", "way", "identity"), TOKENS)
def test_the_inspector_in_both_generations(
    deployed_as: Callable[[str], Deployed], tmp_path: Path, mode: str, way: str, identity: str
) -> None:
    """With one token, it sees the tools of the tier, or gets the one right status."""
    deployed = deployed_as(mode)
    for version in ERAS:
        seen = listed(deployed.platform.endpoint, deployed.token(way, identity), version, tmp_path)
        assert outcome(seen) == IDENTITIES[identity], f"the Inspector on {version}: {seen}"
        assert isinstance(seen, int) or IDENTITIES[identity] == "writes" or not seen & WRITING
