"""The folder tree explains the system: every part has its room, and no room is overfull."""

from __future__ import annotations

import ast
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


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_of_400_lines_and_no_function_of_60(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < 400
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno >= 60] == []


#: Who may know whom: tasks drive the twin, servers stand alone.
UNKNOWN_TO = {
    "twin": {"ops", "tasks", "tests", "mongo_db_server", "gateway_auth"},
    "ops": {"tasks", "tests", "mongo_db_server", "gateway_auth"},
}
UNKNOWN_TO["servers"] = {"ops", "twin", "tasks", "tests"}


@pytest.mark.parametrize("part", UNKNOWN_TO)
def test_parts_depend_on_each_other_in_one_direction(part: str) -> None:
    found = set()
    for path in (path for path in PYTHON if path.relative_to(ROOT).parts[0] == part):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
            found |= {f"{path.relative_to(ROOT)} imports {n}" for n in names if n.split(".")[0] in UNKNOWN_TO[part]}
    assert found == set()


def test_each_nox_session_has_its_folder() -> None:
    """Folder of tests = session = pipeline step."""
    pipeline = (ROOT / "pipelines" / "azure-pipelines.yml").read_text(encoding="utf-8")
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    for name in ("unit", "plan", "policy", "integration"):
        assert (ROOT / "tests" / name).is_dir()
        assert f"def {name}(session" in noxfile
        assert f"nox -s {name}" in pipeline
