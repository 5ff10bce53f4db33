"""Where plans are made: a copy of terraform/, attached to the stand-in provider. No Azure, no lock file touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tftest

from emulators.azurerm.cloud import Cloud
from ops.config import tfvars

REPOSITORY = Path(__file__).parents[2]
TERRAFORM = REPOSITORY / "terraform"
MODULES = sorted(path.name for path in (TERRAFORM / "modules").iterdir() if path.is_dir())
ENVIRONMENTS = sorted(path.parent.name for path in (TERRAFORM / "environments").glob("*/terraform.tfvars"))
# What both stages read, linked into each.
SHARED = sorted(path.name for path in (TERRAFORM / "shared").glob("*.tf"))
_CASES = Path(__file__).parent / "cases"
# Environments with something changed; which one, a case says in its first line: `# On dev: …`.
CASES = sorted(path.stem for path in _CASES.glob("*.tfvars"))

_PROVIDERS = """
provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"
  features {}
}
"""


@dataclass
class Bench:
    """Plans and applies root modules below `home`; `env` attaches Terraform to the provider, which holds `cloud`."""

    home: Path
    binary: str
    env: Mapping[str, str]
    cloud: Cloud
    _initialised: set[Path] = field(default_factory=set)

    def stage(self, number: int) -> Path:
        return self.home / "terraform" / f"stage{number}"

    def tfvars(self, environment: str) -> Path:
        return self.home / "terraform" / "environments" / environment / "terraform.tfvars"

    def var_files(self, case: str) -> list[Path]:
        """An environment's values, or those of a case and of the environment that it changes."""
        if case in ENVIRONMENTS:
            return [self.tfvars(case)]
        changed = _CASES / f"{case}.tfvars"
        base = re.match(r"# On (\w+):", changed.read_text(encoding="utf-8"))
        assert base, f"{changed} must say in its first line which environment it changes: `# On dev: …`"
        return [self.tfvars(base.group(1)), changed]

    def variables(self, name: str) -> Path:
        """A root with nothing but the variables of `modules/…` or `shared`: no provider, so a plan takes no time."""
        folder = self.home / "variables" / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in (self.home / "terraform" / name).glob("variables*.tf"):
            shutil.copy(path, folder)
        return folder

    def example(self, name: str) -> Path:
        """The first HCL block of the module's README, as a root beside the stages: its `../modules/…` resolve there."""
        readme = (self.home / "terraform" / "modules" / name / "README.md").read_text(encoding="utf-8")
        found = re.search(r"^```hcl\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
        assert found, f"modules/{name}/README.md has no ```hcl example"
        folder = self.home / "terraform" / f"example-{name}"
        folder.mkdir(exist_ok=True)
        (folder / "main.tf").write_text(found.group(1) + _PROVIDERS, encoding="utf-8")
        return folder

    def plan(self, folder: Path, *, case: str | None = None) -> tftest.TerraformPlanOutput:
        """A plan that creates everything which the state of that root does not hold yet."""
        root = self._root(folder)
        # What an operator puts into the vault between the stages: for a case, and for servers that somebody added.
        named = {name for file in (self.var_files(case) if case else ()) for name in _secrets(file)}
        for name in sorted(named | {"tickets-key", "confirmation-key"}):
            held = {"id": f"/secrets/{name}", "name": name, "value": "not-read"}
            self.cloud.store.put("azurerm_key_vault_secret", held)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(self.home))  # tftest leaves the plan's file behind
            return root.plan(output=True, tf_var_file=self.var_files(case) if case else None)

    def apply(self, folder: Path, *, case: str | None = None) -> None:
        self._root(folder).apply(tf_var_file=self.var_files(case) if case else None)

    def destroy(self, folder: Path, *, case: str) -> None:
        self._root(folder).destroy(tf_var_file=self.var_files(case))

    def show(self, folder: Path) -> dict[str, Any]:
        """`terraform show -json` of the applied state."""
        shown: dict[str, Any] = json.loads(self._root(folder).execute_command("show", "-json").out)
        return shown

    def evaluate(self, folder: Path, expression: str, *, case: str) -> Any:
        """What an expression is in that root with a case's values; of locals that depend on nothing but these."""
        self._root(folder)
        files = [f"-var-file={path}" for path in self.var_files(case)]
        done = subprocess.run(
            [self.binary, "console", *files],
            cwd=folder,
            env={**os.environ, **self.env},
            input=f"jsonencode({expression})",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(json.loads(done.stdout))

    def refusals(self, folder: Path, values: Mapping[str, Any]) -> list[str]:
        """What Terraform says when these variables are planned; empty where it plans."""
        given = folder / "given.tfvars.json"
        given.write_text(json.dumps(values), encoding="utf-8")
        done = subprocess.run(
            [self.binary, "plan", "-json", "-input=false", "-lock=false", f"-var-file={given}"],
            cwd=folder,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        errors = [message["diagnostic"] for message in messages if message["@level"] == "error"]
        assert done.returncode == 0 or errors, f"terraform plan failed without saying why:\n{done.stdout}{done.stderr}"
        return [str(error.get("detail") or error["summary"]) for error in errors]

    def _root(self, folder: Path) -> tftest.TerraformTest:
        root = tftest.TerraformTest(str(folder), binary=self.binary, env=dict(self.env))
        if folder not in self._initialised:
            root.init()
            self._initialised.add(folder)
        return root


def _secrets(file: Path) -> set[str]:
    """The vault's secrets that the servers of a file of variables name."""
    found: set[str] = set()
    for server in (tfvars.read(file).get("mcp_servers") or {}).values():
        credential = (server.get("remote") or {}).get("credential") or {}
        found |= {*(server.get("secrets") or {}).values(), *filter(None, [credential.get("secret")])}
    return found
