"""A map of the repository, from what git tracks: each folder with what it holds."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.diagrams.plans import DiagramError
from tools.diagrams.svg import PADDING, Box, Canvas

ROOT = Path(__file__).parents[2]
# Rows of the map; a folder: what it is. `*`: its own folders are named too.
ROWS: list[tuple[str, dict[str, str]]] = [
    (
        "What you run",
        {
            "ops": "what the tasks of tasks.py do, a package per topic",
            "pipelines": "every step is a task or a session; GitHub: .github/",
            "requirements": "hash-pinned locks, one for each session of noxfile.py",
        },
    ),
    (
        "What is deployed",
        {
            "terraform": "* stage 1, stage 2, the modules of both, an environment's values",
            "servers": "* MCP servers, each a folder with its Dockerfile",
        },
    ),
    (
        "What runs it on a laptop",
        {
            "twin": "the applied Terraform state, wired into live processes",
            "emulators": "* each useful alone",
        },
    ),
    (
        "What proves it",
        {
            "tests": "* folder = session = pipeline step",
            "policies": "custom Checkov policies, one in each file",
        },
    ),
    (
        "What explains and maintains it",
        {
            "docs": "these pages, decisions, pictures",
            "tools": "* what only maintainers run",
        },
    ),
]


def draw(files: Sequence[str] | None = None) -> str:
    """The SVG; `files`: paths below the root (default: what git tracks). DiagramError for a folder without words."""
    tree = _folders(files if files is not None else _tracked())
    unknown = set(tree) - {name for _, row in ROWS for name in row} - {".ci", ".github"}
    if unknown:
        raise DiagramError(f"{sorted(unknown)} is on no row of the map; name it in tools/diagrams/repository.py")
    canvas = Canvas("A map of the repository", "Each folder, what it is for, and the folders inside.")
    y = 16.0
    for title, row in ROWS:
        shown = {name: words for name, words in row.items() if name in tree}
        width = (canvas.width - 64 - 14 * (len(shown) - 1)) / len(shown)
        bottom = y
        for position, (name, words) in enumerate(shown.items()):
            inside = [", ".join(tree[name])] if words.startswith("* ") else []
            lines = [words.removeprefix("* "), *inside]
            box = canvas.box(32 + position * (width + 14), y + 34, width, f"{name}/", lines, KINDS[title])
            bottom = max(bottom, box.bottom)
        canvas.frame(Box(16, y, canvas.width - 32, bottom + PADDING - y), title)
        y = bottom + PADDING + 14
    return canvas.render(y + 2)


KINDS = {
    "What you run": "person",
    "What is deployed": "gateway",
    "What runs it on a laptop": "server",
    "What proves it": "identity",
    "What explains and maintains it": "plain",
}


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def _folders(files: Sequence[str]) -> dict[str, list[str]]:
    """Top folders with the names of their own folders."""
    tree: dict[str, set[str]] = {}
    for file in files:
        top, *rest = file.split("/")
        if rest:
            tree.setdefault(top, set()).update(rest[:1] if len(rest) > 1 else [])
    return {top: sorted(names) for top, names in sorted(tree.items())}
