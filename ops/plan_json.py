"""`python -m ops.plan_json --env NAME --stage N --out FILE`: the plan of one stage as JSON, for checks that read plans.

Any environment, without Azure and without touching what is deployed: a scratch home, the stand-in provider, and for
stage 2 a stage 1 that is applied there first.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from ops import environment as environments
from ops import terraform_binary, workspace
from ops.environment import Environment
from ops.errors import OpsError
from twin.errors import TwinError


def plan_json(environment: Environment, stage: int) -> dict[str, Any]:
    """`terraform show -json` of a plan that creates everything in that stage."""
    with (
        tempfile.TemporaryDirectory(prefix="plan-json-") as folder,
        workspace.opened(environment, terraform_binary.find(), {}, home=Path(folder)) as space,
    ):
        for number in range(1, stage):
            space.terraform.init(space.stage(number))
            space.terraform.apply(space.terraform.plan(space.stage(number)))
        wanted = space.stage(stage)
        space.terraform.init(wanted)
        space.terraform.plan(wanted)
        return space.terraform.show(wanted, wanted.plan_file)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.plan_json", description=__doc__)
    parser.add_argument("--env", default="local", help="a folder of terraform/environments")
    parser.add_argument("--stage", type=int, choices=(1, 2), required=True)
    parser.add_argument("--out", type=Path, required=True, help="the file to write; it may hold secrets")
    given = parser.parse_args(arguments)
    try:
        shown = plan_json(environments.load(given.env), given.stage)
    except (OpsError, TwinError) as error:
        sys.stderr.write(f"error: {error}\n")
        return getattr(error, "exit_code", 1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.touch(mode=0o600)
    given.out.write_text(json.dumps(shown), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
