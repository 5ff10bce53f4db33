"""A local platform for measuring: in a home of its own, on free ports, gone afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Local:
    home: Path
    environment: dict[str, str]

    def invoke(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"invoke {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.invoke("status", "--json"))
        return found

    def gateway_token(self) -> str:
        """A token as the gateway gets one: the server believes nobody else, so a direct call needs it."""
        config = json.loads((self.home / "run" / "gateway.json").read_text())
        state = json.loads((self.home / "run" / "state.json").read_text())
        values = {
            resource["values"]["name"]: resource["values"]["value"]
            for resource in state
            if resource["type"] == "azurerm_api_management_named_value"
        }
        query = urllib.parse.urlencode(
            {
                "resource": values["backend-app-id"],
                "client_id": values["gateway-identity-client-id"],
                "api-version": "2019-08-01",
            }
        )
        request = urllib.request.Request(
            f"{config['identity_endpoint']}?{query}", headers={"X-IDENTITY-HEADER": config["identity_header"]}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return str(json.load(answer)["access_token"])


@contextmanager
def local(*, limited: bool = True) -> Iterator[Local]:
    """Not deployed yet: the caller decides when, since that may be what is measured.

    `limited=False` raises the servers' rate limit, which a measurement of latency would reach within a second.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder) / "home"
        environment = {
            "TWIN_HOME": str(home),
            "GATEWAY_PORT": "0",
            "ENTRA_PORT": "0",
            "MCP_MONGO": "twin",
            "MCP_TRACE": "0",
        }
        if not limited:
            environment["TERRAFORM_DIR"] = str(_without_limit(Path(folder) / "terraform"))
        platform = Local(home, environment)
        try:
            yield platform
        finally:
            platform.invoke("destroy", "--yes")


def _without_limit(copy: Path) -> Path:
    """A copy of the Terraform code whose servers allow any number of calls; the policy still counts them."""
    shutil.copytree(ROOT / "terraform", copy, ignore=shutil.ignore_patterns(".terraform"))
    variables = copy / "stage2" / "variables-servers.tf"
    text = variables.read_text()
    raised = text.replace("calls  = optional(number, 300)", "calls  = optional(number, 100000000)")
    if raised == text:
        raise SystemExit(f"{variables.name} has another default for rate_limit.calls: mend the benchmark")
    variables.write_text(raised)
    return copy
