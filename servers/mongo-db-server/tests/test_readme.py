"""What the README claims is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from mongo_db_server.settings import Settings
from mongo_db_server.tools import ALL

FOLDER = Path(__file__).parents[1]
REFERENCE = FOLDER.parents[1] / "tools" / "benchmarks" / "reference" / "tools.json"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
LINKS = sorted(set(re.findall(r"\]\((\.\./\.\./tests/[^)#]+)(?:#([^)]+))?\)", README)))
COMPARED = README[README.index("## Compared") : README.index("## What it refuses")]


@pytest.mark.parametrize(("path", "name"), LINKS)
def test_every_linked_test_exists(path: str, name: str) -> None:
    """A claim names the test that proves it."""
    text = (FOLDER / path).read_text(encoding="utf-8")
    assert not name or f"def {name}(" in text


def test_every_yes_is_linked() -> None:
    """No row of the comparison claims something for this server without a test."""
    ours = [row.split("|")[2] for row in COMPARED.splitlines() if row.startswith("|")][2:]
    assert ours
    assert [cell for cell in ours if "tests/" not in cell and cell.strip() != "no"] == []


def test_every_database_tool_of_npm_is_here() -> None:
    """Of the tools that npm's server lists, only those that are not about the database's content are missing."""
    listed = json.loads(REFERENCE.read_text(encoding="utf-8"))
    ours = {tool.name for tool in ALL}
    renamed = {"mongodb-logs": "server-logs"}
    elsewhere = {"connect", "disconnect", "list-connections", "search-knowledge", "list-knowledge-sources"}
    assert {name for name in listed if renamed.get(name, name) not in ours} == elsewhere


def test_every_tool_and_setting_is_listed() -> None:
    """Tools and settings that exist are in the README."""
    assert [tool.name for tool in ALL if f"`{tool.name}`" not in README] == []
    written = README.replace("`…_CEILING`", "")
    names = [name.upper() for name in Settings.model_fields]
    ceilings = {name for name in names if name.endswith("_CEILING") and name.replace("CEILING", "DEFAULT") in names}
    assert [name for name in names if name not in ceilings and f"`{name}`" not in written] == []
