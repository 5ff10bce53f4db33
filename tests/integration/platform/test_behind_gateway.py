"""Past the gateway there is nothing: a server believes only the gateway's own token."""

from __future__ import annotations

import pytest

from tests.support.platform_under_test import Platform

pytestmark = pytest.mark.usefixtures("local_only")


def server_url(platform: Platform, tier: str) -> str:
    return f"{platform.status['servers']['mongodb']['tiers'][tier].removesuffix('/mcp')}/mcp"


@pytest.mark.parametrize("tier", ["admin", "reader"])
def test_a_call_without_a_token_is_refused(platform: Platform, tier: str) -> None:
    assert platform.call("tools/list", url=server_url(platform, tier)).status == 401


@pytest.mark.parametrize("tier", ["admin", "reader"])
def test_a_callers_own_token_is_refused(platform: Platform, tier: str) -> None:
    """A valid token of an admin, for the API, sent straight to the server with the gateway's headers forged."""
    forged = {"X-Mcp-Tier": tier, "X-Mcp-Caller": "me", "X-Mcp-Client": "me"}
    answer = platform.call("tools/list", user="admin", url=server_url(platform, tier), headers=forged)
    assert answer.status in (401, 403)
    assert "result" not in answer.text


def test_secrets_are_in_no_process_list_and_no_log(platform: Platform) -> None:
    """The database keys of the applied state appear in no command line and no log file."""
    import json
    import subprocess
    from pathlib import Path

    home = Path(platform.variables["TWIN_HOME"])
    state = json.loads((home / "run" / "state.json").read_text())
    keys = {
        value
        for resource in state
        if resource["type"] == "azurerm_cosmosdb_account"
        for name, value in resource["values"].items()
        if name.endswith("_key") and isinstance(value, str)
    }
    assert len(keys) >= 4
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    logs = "".join(path.read_text(errors="replace") for path in (home / "logs").rglob("*.log"))
    assert not [key for key in keys if key in commands or key in logs]
    token = platform.token("admin")
    platform.call("tools/list", user="admin")
    logs = "".join(path.read_text(errors="replace") for path in (home / "logs").rglob("*.log"))
    assert token not in logs
