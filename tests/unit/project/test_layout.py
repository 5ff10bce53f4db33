"""The folder tree explains the system: every part has its place, and imports go one way."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULES = {
    "acr",
    "apim",
    "app-registration",
    "container-instance",
    "cosmosdb-mongodb",
    "entra-groups",
    "key-vault",
    "managed-identity",
    "monitoring",
    "platform-names",
    "private-endpoint",
    "rbac",
    "vnet",
}


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.split() if (ROOT / line).exists()]


PYTHON = [path for path in tracked("*.py") if not path.name.endswith("_pb2.py")]


def test_every_documented_module_exists_in_one_shape() -> None:
    folders = {path.name: path for path in (ROOT / "terraform" / "modules").iterdir()}
    assert set(folders) == MODULES
    for folder in folders.values():
        assert {"terraform.tf", "main.tf", "variables.tf", "outputs.tf", "README.md"} <= {
            p.name for p in folder.iterdir()
        }


#: Who may not import whom: tasks drive the twin, the twin wires the emulators, servers stand alone.
UNKNOWN_TO = {
    "ops": {"tasks", "tests", "tools", "mongo_db_server"},
    "twin": {"ops", "tasks", "tests", "tools", "mongo_db_server"},
    "emulators": {"twin", "ops", "tasks", "tests", "tools", "mongo_db_server"},
    "servers": {"emulators", "ops", "twin", "tasks", "tests", "tools"},
}


@pytest.mark.parametrize("part", UNKNOWN_TO)
def test_parts_depend_on_each_other_in_one_direction(part: str) -> None:
    found = set()
    for path in (path for path in PYTHON if path.relative_to(ROOT).parts[0] == part):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
            found |= {f"{path.relative_to(ROOT)} imports {n}" for n in names if n.split(".")[0] in UNKNOWN_TO[part]}
    assert found == set()


def test_the_map_of_the_repository_has_every_folder() -> None:
    """docs/architecture.md shows the top folders and the emulators."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {path.relative_to(ROOT).parts[0] for path in tracked(".") if len(path.relative_to(ROOT).parts) > 1}
    emulators = {path.parent.name for path in (ROOT / "emulators").glob("*/README.md")}
    shown = set(re.findall(r"^ *([a-z]+)/ ", page, re.MULTILINE))
    assert shown == {name for name in folders if not name.startswith(".")} | emulators


PIPELINES = ("pipelines/azure-pipelines.yml", "pipelines/Jenkinsfile", ".github/workflows/validate.yml")


@pytest.mark.parametrize("name", ["lint", "unit", "emulators", "plan", "policy", "integration"])
def test_each_default_session_has_its_folder_and_its_step(name: str) -> None:
    """Folder of tests = session = step of each pipeline."""
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert name == "lint" or (ROOT / "tests" / name).is_dir() or (ROOT / name).is_dir()
    assert f"def {name}(session" in noxfile
    for pipeline in PIPELINES:
        assert re.search(rf"\bnox -s {name}['\n]", (ROOT / pipeline).read_text(encoding="utf-8")), pipeline
