"""`python -m tools.captures`: runs the tasks in a terminal, on a platform of their own, and draws what is seen then.

One SVG for each command and width goes to --out, and its plain text beside it. Exit code 1 where a command ends
otherwise than it should.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tools.captures.screen import Screen
from tools.newcomer.terminal import Shell

ROOT = Path(__file__).parents[2]
WIDTHS = (80, 120)
#: Name, command, exit code. `deploy` is first and `destroy` last, for the others need a platform.
COMMANDS = [
    ("list", "invoke --list", 0),
    ("help", "invoke deploy --help", 0),
    ("plan", "invoke plan", 0),
    ("deploy", "invoke deploy", 0),
    ("deploy-again", "invoke deploy", 0),
    ("status", "invoke status", 0),
    ("doctor", "invoke doctor", 0),
    ("verify", "invoke verify", 0),
    ("connect", "invoke connect --client cursor", 0),
    ("trace", "invoke trace", 0),
    ("destroy", "invoke destroy --yes", 0),
    ("error-unknown-task", "invoke destory", 2),
    ("error-setting", "invoke deploy --setting GATEWAY_PORT=many", 1),
    ("error-not-deployed", "invoke status", 1),
    ("no-color", "NO_COLOR=1 invoke doctor", 0),
    ("ci", "CI=1 invoke doctor", 0),
]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.captures", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "captures", metavar="FOLDER")
    parser.add_argument("--only", action="append", metavar="NAME", help="after deploy, that one; may be repeated")
    given = parser.parse_args(arguments)
    shutil.rmtree(given.out, ignore_errors=True)
    given.out.mkdir(parents=True)
    wrong = [sentence for width in WIDTHS for sentence in capture(width, given.out, given.only)]
    sys.stdout.write("\n".join([*wrong, f"captures are in {given.out}", ""]))
    return 1 if wrong else 0


def capture(width: int, out: Path, only: Sequence[str] | None) -> list[str]:
    """A sentence for each command that ended with another code."""
    wrong = []
    with (
        tempfile.TemporaryDirectory(prefix="captures-") as home,
        Shell(ROOT, environment_variables(home), columns=width) as shell,
    ):
        shell.run("stty -echo")
        for name, command, code in COMMANDS:
            if only and name not in (*only, "deploy", "destroy"):
                continue
            ran = shell.run(command)
            draw(f"{name}-{width}", command, ran.output, width, out)
            if ran.code != code:
                wrong.append(f"error: `{command}` at {width} columns ended with code {ran.code}, not {code}")
    return wrong


def environment_variables(home: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "PYTHONWARNINGS")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    ports = {"GATEWAY_PORT": "0", "ENTRA_PORT": "0", "CONSOLE_PORT": "0"}
    return {**kept, **ports, "PATH": path, "TWIN_HOME": f"{home}/twin", "MCP_MONGO": "twin", "LANG": "C.UTF-8"}


def draw(name: str, command: str, output: str, width: int, out: Path) -> None:
    """What is left on the screen when the command ended, as a picture and as text."""
    screen = Screen()
    screen.feed(output)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"), soft_wrap=True)
    for line in screen.lines():
        text = Text.from_ansi(line, end="")
        for part in text.divide(range(width, len(text), width)):  # as a terminal goes on in the next line
            console.print(part, soft_wrap=True)
    (out / f"{name}.txt").write_text(console.export_text(clear=False), encoding="utf-8")
    console.save_svg(str(out / f"{name}.svg"), title=command)


if __name__ == "__main__":
    sys.exit(main())
