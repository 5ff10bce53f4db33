"""Who imports whom: one direction between the parts, nothing between emulators, and no circles."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: Folders below which a module's name begins, beside the root (pythonpath in pyproject.toml).
SOURCES = ("servers/gateway-auth/src", "servers/mongo-db-server/src")
EMULATORS = sorted(p.name for p in (ROOT / "emulators").iterdir() if p.is_dir() and any(p.glob("*.py")))
OUTSIDE = {"ops", "tasks", "tests", "tools", "gateway_auth", "mongo_db_server"}
#: Who may not import whom: tasks drive the twin, the twin wires the emulators, servers stand alone.
UNKNOWN_TO = {
    "ops": {"tasks", "tests", "tools", "gateway_auth", "mongo_db_server"},
    "twin": OUTSIDE,
    "emulators": {*OUTSIDE, "twin"},
    "servers": {"emulators", "ops", "twin", "tasks", "tests", "tools"},
}
#: The one circle: a C# expression holds statements (lambdas), and a statement holds expressions.
CSHARP = "emulators.apim.csharp."


@cache
def modules() -> Mapping[str, Path]:
    """Every Python module of the repository by its name."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {_name(line): ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()}


def _name(path: str) -> str:
    inside = next((path.removeprefix(f"{source}/") for source in SOURCES if path.startswith(f"{source}/")), path)
    return inside.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


@cache
def imports(module: str) -> frozenset[str]:
    """What it imports, wherever in the file: at the top, in functions, under TYPE_CHECKING. Names of modules."""
    path = modules()[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(_imports(ast.parse(path.read_text(encoding="utf-8")), package)) - {module}


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in modules() else base


def of(part: str) -> list[str]:
    return [name for name, path in modules().items() if path.is_relative_to(ROOT / part)]


@pytest.mark.parametrize("part", UNKNOWN_TO)
def test_parts_depend_on_each_other_in_one_direction(part: str) -> None:
    found = {f"{m} imports {name}" for m in of(part) for name in imports(m) if name.split(".")[0] in UNKNOWN_TO[part]}
    assert found == set()


@pytest.mark.parametrize("emulator", EMULATORS)
def test_an_emulator_imports_itself_and_the_base(emulator: str) -> None:
    """Its tests too: nothing else of the repository, so that it can be taken away as a whole."""
    own = (f"emulators.{emulator}", "emulators.base")
    found = {
        f"{module} imports {name}"
        for module in of(f"emulators/{emulator}")
        for name in imports(module)
        if name in modules() and not any(f"{name}.".startswith(f"{allowed}.") for allowed in own)
    }
    assert found == set()


def test_no_module_imports_itself_through_others() -> None:
    found = circles({m: imports(m) & modules().keys() for m in modules()})
    assert [c for c in found if not all(m.startswith(CSHARP) for m in c)] == []
    assert any(all(m.startswith(CSHARP) for m in c) for c in found), "the compiler's own circle is gone: allow none"


def circles(edges: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """The strongly connected components of more than one module (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in edges[module]:
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            component = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(component) > 1:
                found.append(sorted(component))

    for module in edges:
        if module not in index:
            visit(module)
    return found


def test_a_circle_is_found() -> None:
    edges = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles({name: frozenset(others) for name, others in edges.items()}) == [["b", "c"]]
