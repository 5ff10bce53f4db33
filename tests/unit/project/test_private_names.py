"""The servers use the public API of their libraries: a patch release may change what starts with an underscore."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "ops" / "templates" / "server"
SOURCES = sorted(
    path
    for path in [
        *(ROOT / "servers").rglob("*.py"),
        *TEMPLATE.rglob("*.py.tmpl"),
        *(ROOT / "tests/unit/server").glob("*"),
    ]
    if path.suffix in (".py", ".tmpl") and not {".venv", "__pycache__"} & set(path.parts)
)
OURS = {"__PACKAGE__", *(folder.name for folder in (ROOT / "servers").glob("*/src/*"))}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def private_names(code: str) -> list[str]:
    """Each use of a name that another module keeps to itself: `line: what`."""
    tree = ast.parse(code)
    own = set(_defined(tree))
    return [f"{line}: {what}" for line, what in sorted(_used(tree, own))]


def _defined(tree: ast.AST) -> Iterator[str]:
    """Names that the module gives: functions, classes, variables, and attributes set on `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def _used(tree: ast.AST, own: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not of_self or node.attr not in own:  # what a foreign base class calls its own
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Attribute) and node.attr == "__class__" and isinstance(node.ctx, ast.Store):
            yield node.lineno, f"{ast.unparse(node)} = …"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in OURS:
            if any(map(is_private, [*(node.module or "").split("."), *(name.name for name in node.names)])):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Import):
            if any(is_private(part) for name in node.names for part in name.name.split(".")):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call):
            yield from _given(node)


def _given(call: ast.Call) -> Iterator[tuple[int, str]]:
    """Keyword arguments, and names given as text to `getattr` and `setattr`."""
    for keyword in call.keywords:
        if is_private(keyword.arg or ""):
            yield call.lineno, f"{keyword.arg}=…"
    if ast.unparse(call.func).rpartition(".")[2] in ("getattr", "setattr", "delattr", "hasattr"):
        for given in call.args:
            if isinstance(given, ast.Constant) and isinstance(given.value, str) and is_private(given.value):
                yield call.lineno, ast.unparse(call)


def test_no_private_name_of_a_library() -> None:
    """Neither the servers, nor the template of new ones, nor their tests."""
    found = {
        str(path.relative_to(ROOT)): names
        for path in SOURCES
        if (names := private_names(path.read_text(encoding="utf-8")))
    }
    assert len(SOURCES) > 50
    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        "mcp._mcp_server.name",
        "from pymongo import _csot",
        "from pymongo.helpers_shared import _RETRYABLE",
        "import mcp.server._otel",
        "AsyncMongoClient(uri, _pool_class=Pool)",
        "connection.__class__ = Pool",
        "getattr(client, '_topology')",
        "class Mine(Pool):\n    def close(self):\n        return self._sockets",
        "super()._reset()",
    ],
)
def test_what_the_rule_finds(code: str) -> None:
    """Every shape that this project has had, and its neighbours."""
    assert len(private_names(code)) == 1


def test_what_the_rule_allows() -> None:
    """A class's own attributes, special methods, modules of one's own package."""
    code = """
from __future__ import annotations
from mongo_db_server.tools._pages import PAGE
class Mine:
    def __init__(self):
        self._value = 1
    def _own(self):
        return self._value, type(self).__name__, PAGE.__doc__
    def all(self):
        return self._own()
"""
    assert private_names(code) == []
