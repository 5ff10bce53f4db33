"""The pictures of the pages, as code. `python -m tools.diagrams` draws them; tests fail where one is stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.diagrams import deployment, network, repository, request_path, sign_in, system
from tools.diagrams.plans import Plans

FOLDER = Path(__file__).parents[2] / "docs" / "diagrams"


def from_plans(stages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The pictures that show what is planned, by file name; `stages`: both plans as `terraform show -json` has them."""
    both = Plans(stages)
    return {
        "system.svg": system.draw(both),
        "network.svg": network.draw(both),
        "request-path.svg": request_path.draw(both),
        "deployment.svg": deployment.draw([Plans([stage]) for stage in stages]),
    }


def from_the_repository() -> dict[str, str]:
    """The pictures that need no plan, by file name."""
    return {"sign-in.svg": sign_in.draw(), "repository.svg": repository.draw()}


def stale(drawn: Mapping[str, str]) -> list[str]:
    """Names of pictures whose file is not what was drawn now, or is missing."""
    files = {name: FOLDER / name for name in drawn}
    return [
        name for name, file in files.items() if not file.exists() or file.read_text(encoding="utf-8") != drawn[name]
    ]


def write(drawn: Mapping[str, str]) -> None:
    for name, picture in drawn.items():
        (FOLDER / name).write_text(picture, encoding="utf-8")
