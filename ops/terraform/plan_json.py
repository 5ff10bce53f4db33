"""`python -m ops.terraform.plan_json --env NAME… --out FOLDER`: both plans as JSON, for checks that read them.

Any environment, without Azure and without touching what is deployed: a scratch home and the stand-in provider. Each
stage is applied and planned again: only then are ids and connection strings known, and rules that compare two resources
need them. Writes `FOLDER/NAME-stage1.json` and `FOLDER/NAME-stage2.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emulators.base.errors import EmulatorError
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.errors import OpsError
from ops.terraform import workspace


def plan_json(environment: Environment) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each stage's number with `terraform show -json` of a plan that finds everything in place."""
    with (
        tempfile.TemporaryDirectory(prefix="plan-json-") as folder,
        workspace.opened(environment, {}, home=Path(folder)) as space,
    ):
        for stage in space.stages:
            space.terraform.init(stage)
            space.terraform.apply(space.terraform.plan(stage))
            space.terraform.plan(stage)
            yield stage.number, space.terraform.show(stage, stage.plan_file)


def write(environment: Environment, folder: Path) -> None:
    """Write the documents, which only their owner can read: they hold what the plan knows, secrets too."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, document in plan_json(environment):
        path = folder / f"{environment.name}-stage{number}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(document), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.terraform.plan_json", description=__doc__)
    parser.add_argument("--env", nargs="+", default=["local"], help="folders of terraform/environments")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    given = parser.parse_args(arguments)
    try:
        for name in given.env:
            write(environments.load(name), given.out)
    except (OpsError, EmulatorError) as error:
        sys.stderr.write(f"error: {error}\n")
        return getattr(error, "exit_code", 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
