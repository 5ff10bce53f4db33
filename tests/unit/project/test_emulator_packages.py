"""What each emulator's wheel says that it needs is what its code imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

EMULATORS = Path(__file__).parents[3] / "emulators"
PACKAGES = sorted(path.parent.name for path in EMULATORS.glob("*/pyproject.toml"))
#: Where a distribution is not called like its module.
DISTRIBUTIONS = {
    "bson": "pymongo",
    "google": "protobuf",
    "grpc": "grpcio",
    "grpc_tools": "grpcio-tools",
    "liquid": "python-liquid",
    "yaml": "pyyaml",
}


def project(package: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((EMULATORS / package / "pyproject.toml").read_text(encoding="utf-8"))
    return found


def imported(package: str) -> set[str]:
    """Distributions that its modules import, tests left out."""
    found: set[str] = set()
    for path in (EMULATORS / package).rglob("*.py"):
        if "tests" in path.relative_to(EMULATORS / package).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else names
            found |= {_distribution(name) for name in names}
    return found - {"", f"emulators-{package}"}


def _distribution(module: str) -> str:
    """ "" for the standard library and for the package itself."""
    top, _, rest = module.partition(".")
    if top == "emulators":
        return "emulators-base" if rest.split(".")[0] == "base" else ""
    return "" if top in sys.stdlib_module_names else DISTRIBUTIONS.get(top, top.replace("_", "-"))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in requirements}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_needs_what_its_code_imports(package: str) -> None:
    """Nothing is missing, and nothing is there for nothing."""
    document = project(package)["project"]
    optional = {name for group in document.get("optional-dependencies", {}).values() for name in names(group)}
    needed = imported(package)
    assert names(document["dependencies"]) == needed - optional
    assert optional - needed <= {"entra-emulator"}, "run as a process, never imported"


@pytest.mark.parametrize("package", PACKAGES)
def test_wheels_share_the_projects_version_and_the_lower_bounds(package: str) -> None:
    """A wheel asks for what the project is tested with."""
    document = project(package)
    assert document["project"]["dynamic"] == ["version"]
    assert document["tool"]["hatch"]["version"]["path"] == "../../pyproject.toml"
    root: dict[str, Any] = tomllib.loads((EMULATORS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    tested = set(root["project"]["dependencies"])
    bounded = {r for r in document["project"]["dependencies"] if names([r]) & names(list(tested))}
    assert bounded - tested == set()
