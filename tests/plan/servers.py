"""Which servers each environment had when its inventories, costs and pictures were recorded."""

from __future__ import annotations

import json
from pathlib import Path

from ops.config import tfvars
from tests.plan.bench import ENVIRONMENTS, TERRAFORM

FILE = Path(__file__).parent / "inventories" / "servers.json"


def record() -> None:
    """Write down the servers of today."""
    FILE.write_text(json.dumps(_today(), indent=2) + "\n", encoding="utf-8")


def not_recorded() -> dict[str, list[str]]:
    """Return the servers that were added since, by environment; one that was taken away makes a record old."""
    recorded = json.loads(FILE.read_text(encoding="utf-8"))
    found = {
        environment: [server for server in servers if server not in recorded.get(environment, servers)]
        for environment, servers in _today().items()
    }
    return {environment: servers for environment, servers in found.items() if servers}


def _today() -> dict[str, list[str]]:
    return {
        name: sorted(tfvars.read(TERRAFORM / "environments" / name / "terraform.tfvars")["mcp_servers"])
        for name in ENVIRONMENTS
    }
