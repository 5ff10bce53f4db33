"""The pictures that show what is planned. `python -m tools.diagrams` draws them; tests/plan fails where one is old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.diagrams import network, request_path, system
from tools.diagrams.plans import Plans

FOLDER = Path(__file__).parents[2] / "docs" / "diagrams"


def from_plans(stages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The pictures by file name; `stages`: both plans as `terraform show -json` has them."""
    both = Plans(stages)
    return {
        "system.svg": system.draw(both),
        "network.svg": network.draw(both),
        "request-path.svg": request_path.draw(both),
    }


def stale(drawn: Mapping[str, str]) -> list[str]:
    """Names of pictures whose file is not what was drawn now, or is missing."""
    files = {name: FOLDER / name for name in drawn}
    return [
        name for name, file in files.items() if not file.exists() or file.read_text(encoding="utf-8") != drawn[name]
    ]


def write(drawn: Mapping[str, str]) -> None:
    for name, picture in drawn.items():
        (FOLDER / name).write_text(picture, encoding="utf-8")
