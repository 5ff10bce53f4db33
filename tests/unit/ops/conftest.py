from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from ops.cli.steps import Runner, Step
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.config.settings import PREFIX, RULES

TFVARS = """
subscription_id     = "00000000-0000-4000-8000-000000000001"
resource_group_name = "rg-mcp"
location            = "uksouth"
acr_name            = "acrmcp"
key_vault_name      = "keyvault-mcp"
mcp_servers = {
  mongodb = { image = { repository = "mongodb-mcp", tag = "0.1.0" }, database = "cosmosdb-mongodb" }
}
"""
LOCAL = """
public_base_url = "http://127.0.0.1:8080"
entra_authority = "http://127.0.0.1:8081"
"""

Make = Callable[..., Environment]
T = TypeVar("T")


class DryRun(Runner):
    """A dry run whose lines a test reads; those that only make a folder are in `folders`."""

    def __init__(self) -> None:
        super().__init__(dry_run=True)
        self.lines: list[str] = []
        self.folders: list[str] = []

    def run(self, step: Step[T]) -> T:
        for line in step.lines:
            (self.folders if line.startswith("mkdir -p -m 700 ") else self.lines).append(line)
        return step.expected


def dry_run(operation: Callable[[Runner], object]) -> list[str]:
    """What the operation prints with --dry-run."""
    runner = DryRun()
    operation(runner)
    return runner.lines


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RULES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{PREFIX}{name}", raising=False)
    # Other tools' variables of the same names must not reach any task.
    for name in ("CONTAINER_NAME", "LOCATION", "RESOURCE_GROUP", "REGISTRY", "RUNTIME", "TRACE", "MONGO"):
        monkeypatch.setenv(name, f"of another tool, {name.lower()}")


@pytest.fixture
def terraform_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A terraform folder with an environment `local` (on this machine) and `dev` (on Azure)."""
    folder = tmp_path / "terraform"
    for name, text in (("local", TFVARS + LOCAL), ("dev", TFVARS)):
        (folder / "environments" / name).mkdir(parents=True)
        (folder / "environments" / name / "terraform.tfvars").write_text(text, encoding="utf-8")
    for stage in ("stage1", "stage2"):
        (folder / stage).mkdir()
        (folder / stage / "terraform.tf").write_text("terraform {}\n", encoding="utf-8")
    monkeypatch.setenv("TERRAFORM_DIR", str(folder))
    monkeypatch.setenv("TWIN_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def make(terraform_dir: Path) -> Make:
    """`make("dev", ACR_NAME="other")`: an environment of that folder, with flags."""

    def load(name: str = "local", **flags: str) -> Environment:
        return environments.load(name, flags)

    return load


@pytest.fixture
def servers(tmp_path: Path) -> Path:
    """A servers folder that builds mongodb-mcp, with a package beside it that other servers need."""
    gate = tmp_path / "servers" / "gateway-auth" / "src" / "gateway_auth"
    gate.mkdir(parents=True)
    (gate / "__init__.py").write_text("GATE = 1\n", encoding="utf-8")
    folder = tmp_path / "servers" / "mongo-db-server"
    (folder / "src" / "server").mkdir(parents=True)
    (folder / "src" / "server" / "__init__.py").write_text("X = 1\n", encoding="utf-8")
    (folder / "requirements.txt").write_text("", encoding="utf-8")
    (folder / "Dockerfile").write_text('FROM python\nENTRYPOINT ["python", "-m", "server"]\n', encoding="utf-8")
    (folder / "pyproject.toml").write_text('[tool.mcp-server]\nrepository = "mongodb-mcp"\n', encoding="utf-8")
    return folder.parent
