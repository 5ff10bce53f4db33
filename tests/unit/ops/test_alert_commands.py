"""Whoever gets an alert at night runs what it says: every command of an alert is run here, as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import tasks
from ops.cli.program import ProjectProgram
from ops.config.environment import ROOT
from ops.images import images_json
from tests.unit.ops.conftest import TFVARS
from tests.unit.ops.test_dry_run import RUNNING, SERVER, Machine

ALERTS = sorted((ROOT / "terraform/modules/monitoring").glob("alerts-*.tf"))
SETTINGS = "IDENTITY_NAME=id-mcp-pipeline\nSTORAGE_ACCOUNT=stmcptfstate\n"
CHANGING = ("deploy", "heal", "rotate")


def commands(path: Path) -> list[str]:
    """What stands in backticks in an alert's text, with the names of an environment `dev`."""
    text = path.read_text(encoding="utf-8")
    sentences = re.findall(r'(?:todo|description) *= *"(.+)"$', text, re.MULTILINE)
    assert sentences
    found = [command for sentence in sentences for command in re.findall(r"`([^`]+)`", sentence)]
    return [re.sub(r"\$\{var\.(\w+)\}", lambda name: {"environment": "dev"}.get(name[1], name[1]), c) for c in found]


NAMED = sorted({command for path in ALERTS for command in commands(path)})


def test_they_are_about_azure() -> None:
    """Each task names the environment; there are some."""
    named = [command for command in NAMED if command.startswith("invoke ")]
    assert len(named) >= 5
    assert [command for command in named if "--env dev" not in command] == []


@pytest.mark.parametrize("command", [command for command in NAMED if command.startswith("invoke ")])
def test_each_runs(
    command: str, tmp_path: Path, terraform_dir: Path, servers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Azure, signed in, with what is deployed; what changes something runs dry."""
    machine = Machine(tmp_path, monkeypatch)
    machine.find()
    folder = terraform_dir / "environments" / "dev"
    (folder / "terraform.tfvars").write_text(TFVARS.partition("mcp_servers")[0] + SERVER, encoding="utf-8")
    (folder / "settings.env").write_text(SETTINGS, encoding="utf-8")
    images_json.write(folder / "images.json", RUNNING)
    monkeypatch.setenv("SERVERS_DIR", str(servers))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    words = shlex.split(command)
    dry = ["--dry-run"] if words[1] in CHANGING else []
    ProjectProgram(tasks.namespace).run([*words, *dry])  # a refusal is a SystemExit


def test_azures_own_commands_are_whole() -> None:
    """A group is started by its name in its resource group; which one, the event says."""
    others = [command for command in NAMED if not command.startswith("invoke ")]
    assert others == ["az container start --resource-group resource_group_name --name <its name>"]
