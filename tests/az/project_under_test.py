"""`invoke` as an operator runs it, in a copy of the project: `terraform init` leaves its folder behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulators import azurerm
from tests.az.cloud_under_test import ROOT, SUBSCRIPTION, CloudUnderTest, Result

_COPIED = ("emulators", "ops", "servers", "terraform", "twin", "tasks.py", "pyproject.toml")
_LEFT = shutil.ignore_patterns(".terraform", "__pycache__", "node_modules", ".venv")
SETTINGS = {
    "SUBSCRIPTION_ID": SUBSCRIPTION,
    "RESOURCE_GROUP": "rg-boot",
    "LOCATION": "uksouth",
    "IDENTITY_NAME": "id-boot",
    "ADO_ORG": "contoso",
    "ADO_PROJECT": "mcp",
    "SERVICE_CONNECTION_NAME": "azure",
    "CONTAINER_NAME": "tfstate",
}
#: What stands in their copy of terraform.tfvars.
VARIABLES = {
    "subscription_id": f'"{SUBSCRIPTION}"',
    "resource_group_name": '"rg-boot"',
    "deployer_ip_rules": '["20.50.1.7"]',
    "publisher_email": '"platform@contoso.com"',
}
CHANGING = ("PUT", "PATCH", "DELETE", "POST")
_ASKING = ("checkNameAvailability", "getByIds")
"""What POST asks without changing anything."""
_TIMEOUT = 120


def copy(target: Path) -> Path:
    for name in _COPIED:
        source, place = ROOT / name, target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=_LEFT)
        else:
            shutil.copy(source, place)
    _own_values(target / "terraform/environments/dev/terraform.tfvars")
    return target


def _own_values(path: Path) -> None:
    """Put the tests' values where the shipped file has placeholders, as whoever deploys it has to."""
    text = path.read_text(encoding="utf-8")
    for name, value in VARIABLES.items():
        text, count = re.subn(rf"(?m)^(\s*{name}\s*=\s*)\S.*$", lambda found, v=value: found[1] + v, text)
        assert count == 1, name
    path.write_text(text, encoding="utf-8")


@dataclass
class Project:
    """`served` is the stand-in provider, so that `init` asks no registry.

    Each empty cloud has a storage account of its own name, because what Azurite keeps outlives the cloud.
    """

    cloud: CloudUnderTest
    folder: Path
    served: azurerm.Served
    forked: bool = True
    account: str = "stboot"
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))

    @property
    def variables(self) -> dict[str, str]:
        own = {"TWIN_HOME": str(self.home), "PYTHONPATH": str(self.folder), "MCP_STORAGE_ACCOUNT": self.account}
        return {**{f"MCP_{name}": value for name, value in self.settings.items()}, **self.served.env, **own}

    @property
    def home(self) -> Path:
        return self.folder / ".twin" / self.account

    def write_values(self, **changed: str) -> str:
        """Write real values over the placeholders of dev's terraform.tfvars; `changed` are further ones, as HCL.

        Return the file as it was.
        """
        path = self.folder / "terraform/environments/dev/terraform.tfvars"
        before = path.read_text(encoding="utf-8")
        own = {
            "subscription_id": json.dumps(SUBSCRIPTION),
            "resource_group_name": json.dumps(SETTINGS["RESOURCE_GROUP"]),
        }
        text = before
        for name, value in {**own, **changed}.items():
            text, found = re.subn(rf"(?ms)^{name} += (\{{.*?^\}}|[^\n]*)$", f"{name} = {value}", text)
            text += "" if found else f"\n{name} = {value}\n"
        path.write_text(text, encoding="utf-8")
        return before

    def restore_values(self, text: str) -> None:
        (self.folder / "terraform/environments/dev/terraform.tfvars").write_text(text, encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "invoke", "--search-root", str(self.folder), *arguments]

    def invoke(self, task: str, *arguments: str, who: str = "operator", **variables: str) -> Result:
        command = self.command(task, "--env", "dev", *arguments)
        return self.cloud.run(command, who, forked=self.forked, **{**self.variables, **variables})

    def bootstrap(self, *arguments: str) -> Result:
        return self.invoke("bootstrap", "--yes", *arguments)

    def changes(self) -> list[str]:
        """What was sent that changes something since the last time this was asked.

        Blobs are left out: only Terraform writes them, and `init` does where a state is new. So is what a dead run had
        asked, which is answered with a fault, long after.
        """
        asked = self.cloud.requests()
        sent = [row for row in asked if row["host"] != "login.microsoftonline.com" and row["status"] < 500]
        self.cloud.control("DELETE", "/requests")
        return [
            f"{row['method']} {row['host']}{row['path']}"
            for row in sent
            if row["method"] in CHANGING and not row["path"].endswith(_ASKING) and "{blob}" not in row["path"]
        ]

    def dies_at(self, fault: dict[str, Any], *arguments: str) -> None:
        """`bootstrap`, killed while that request is on its way; the request is never carried out."""
        self.cloud.control("POST", "/faults", [{**fault, "seconds": 20, "status": 500}])
        environment = {**self.cloud.environment(forked=self.forked), **self.variables}
        process = subprocess.Popen(
            self.command("bootstrap", "--env", "dev", "--yes", *arguments), env=environment, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + _TIMEOUT
        while self.cloud.control("GET", "/faults")["waiting"]:
            assert process.poll() is None, f"it ended with {process.returncode} before it asked for {fault}"
            assert time.monotonic() < deadline, f"it did not ask for {fault} within {_TIMEOUT} s"
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)  # the task and the az that it runs
        process.wait()
