"""The package is for every server: it brings no database and no framework of tools."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parents[1]
OWN = {"gateway_auth", "pydantic_core"}


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
        found |= {name.split(".")[0] for name in names}
    return found


def test_it_imports_what_it_declares() -> None:
    """Nothing that only happens to be installed beside it; what the front needs, nothing but the front imports."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = names(project["dependencies"])
    files = set((FOLDER / "src").rglob("*.py"))
    front = {path for path in files if path.parent.name == "front"}
    found = set.union(*(imported(path) for path in files - front)) - OWN
    assert found - sys.stdlib_module_names == declared
    assert not declared & {"fastmcp", "mcp", "pymongo", "starlette"}
    beside = set.union(*(imported(path) for path in front)) - OWN - sys.stdlib_module_names
    assert beside - declared == names(project["optional-dependencies"]["front"])


def names(requirements: list[str]) -> set[str]:
    return {re.split("[~=]=", requirement)[0].replace("-", "_") for requirement in requirements}
