"""The package is for every server: it brings no database and no framework of tools."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parents[1]


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
        found |= {name.split(".")[0] for name in names}
    return found


def test_it_imports_what_it_declares() -> None:
    """Nothing that only happens to be installed beside it."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {requirement.split("~=")[0].replace("-", "_") for requirement in project["dependencies"]}
    found = set.union(*(imported(path) for path in (FOLDER / "src").rglob("*.py")))
    assert found - sys.stdlib_module_names - {"gateway_auth", "pydantic_core"} == declared
    assert not declared & {"fastmcp", "mcp", "pymongo", "starlette"}
