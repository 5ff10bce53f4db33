"""`python -m tools.diagrams [--plans FOLDER]`: draws the pictures of docs/diagrams anew.

FOLDER holds `prod-stage1.json` and `prod-stage2.json`, written by
`python -m ops.terraform.plan_json --env prod --out FOLDER`; without it they are made first, which takes half a minute.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.diagrams import from_plans, write


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.diagrams", description=__doc__)
    parser.add_argument("--plans", type=Path, help="a folder with the plans of prod")
    pictures = _planned(parser.parse_args(arguments).plans)
    write(pictures)
    sys.stdout.writelines(f"docs/diagrams/{name}\n" for name in sorted(pictures))
    return 0


def _planned(folder: Path | None) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = Path(scratch)
            made = [sys.executable, "-m", "ops.terraform.plan_json", "--env", "prod", "--out", scratch]
            subprocess.run(made, check=True)
        stages = [json.loads((folder / f"prod-stage{stage}.json").read_text(encoding="utf-8")) for stage in (1, 2)]
        return from_plans(stages)


if __name__ == "__main__":
    sys.exit(main())
