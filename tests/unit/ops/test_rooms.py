"""ops has rooms, and they are built on each other in one direction."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from ops.config.environment import ROOT

#: Each may import what stands before it, and itself.
ROOMS = (
    *("errors", "config", "cli", "azure", "local_platform", "terraform", "images", "clients", "checks", "observe"),
    *("rollout", "servers", "bootstrap"),
)
FILES = sorted((ROOT / "ops").rglob("*.py"))


def room(name: str) -> str:
    """`ops.terraform.cli` → terraform"""
    return name.split(".")[1]


def imported(path: Path) -> set[str]:
    """The rooms that a file imports from, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "ops":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ops."):
            found.add(room(node.module or ""))
        elif isinstance(node, ast.Import):
            found |= {room(alias.name) for alias in node.names if alias.name.startswith("ops.")}
    return found


def test_every_room_is_listed() -> None:
    names = {path.relative_to(ROOT / "ops").parts[0].removesuffix(".py") for path in FILES}
    assert names - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_are_built_on_each_other_in_one_direction(path: Path) -> None:
    own = path.relative_to(ROOT / "ops").parts[0].removesuffix(".py")
    if own != "__init__":
        allowed = set(ROOMS[: ROOMS.index(own) + 1])
        assert imported(path) <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_has_a_name_of_the_standard_library(path: Path) -> None:
    assert path.stem not in sys.stdlib_module_names
