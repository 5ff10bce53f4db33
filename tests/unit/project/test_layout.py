"""The folder tree explains the system: every part has its place."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULES = {
    "acr",
    "apim",
    "app-registration",
    "container-app",
    "container-app-environment",
    "container-instance",
    "container-job",
    "cosmosdb-mongodb",
    "documentdb",
    "entra-groups",
    "key-vault",
    "managed-devops-pool",
    "managed-identity",
    "monitoring",
    "platform-names",
    "private-endpoint",
    "rbac",
    "vnet",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.split() if (ROOT / line).exists()]


def test_no_module_is_called_like_one_of_the_standard_library() -> None:
    """Who reads `import secrets` or `token.py` thinks of Python's own."""
    names = {path for path in tracked() if path.suffix == ".py" and path.stem in sys.stdlib_module_names}
    assert {path for path in names if path.stem != "__main__"} == set()


def test_every_documented_module_exists_in_one_shape() -> None:
    folders = {path.name: path for path in (ROOT / "terraform" / "modules").iterdir()}
    assert set(folders) == MODULES
    for folder in folders.values():
        assert {"terraform.tf", "main.tf", "variables.tf", "outputs.tf", "README.md"} <= {
            p.name for p in folder.iterdir()
        }


def test_the_map_of_the_repository_has_every_folder() -> None:
    """docs/architecture.md shows the top folders and the emulators."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
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
