"""`python -m tools.newcomer`: follows README.md from a fresh clone with nothing cached, as it is written.

Each of its commands runs in a terminal; the folder gets a transcript of each and a table of all. Exit code 1 where one
fails, or where a terminal stays without a word for longer than five seconds, but while pip or venv works.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from tools.newcomer.readme import Command, commands
from tools.newcomer.terminal import Ran, Shell, last_words, plain

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "newcomer.md"
SILENCE = 5.0  # seconds
PORTS = {"GATEWAY_PORT": 8080, "ENTRA_PORT": 8081}
# What a first shell does not have. Addresses of proxies, certificates and package indexes are the machine's own.
_NOT_THEIRS = ("PYTHON", "VIRTUAL_ENV", "NOX", "XDG_", "UV_CACHE", "PIP_CACHE", "NO_COLOR", "MONGODB_URI", "INVOKE_")

_HEAD = """# What a newcomer sees, and how long it takes

Written by `nox -s newcomer -- --write`: the commands of the [README](../README.md), as they stand there, typed into a
terminal one after the other, in a fresh clone with an empty home and nothing cached. The longest silence is the time
without a byte on that terminal; times are in seconds. `results/newcomer` has what each command said.
"""
_FOOT = """Commands that need a subscription are left out: `nox -s newcomer -- --list` names each with its reason.
`--without nox` leaves out the gates, which take most of the time.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.newcomer", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "newcomer", metavar="FOLDER")
    parser.add_argument("--without", action="append", default=[], metavar="WORD", help="leave out commands with it")
    parser.add_argument("--write", action="store_true", help="put the table into docs/newcomer.md")
    parser.add_argument("--list", action="store_true", help="say what would run, and what not and why")
    given = parser.parse_args(arguments)
    shown = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    if given.list:
        say(listed(shown))
        return 0
    left_out = [command for command in shown if set(given.without) & set(command.text.split())]
    wanted = [command for command in shown if not command.reason and command not in left_out]
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="newcomer-") as scratch:
        ran = follow(wanted, Path(scratch), given.out)
    if given.write:
        PAGE.write_text(page(ran), encoding="utf-8")
    report = table(ran, [Command(command.text, "left out by --without") for command in left_out], shown)
    (given.out / "transcript.md").write_text(report, encoding="utf-8")
    (given.out / "transcript.json").write_text(json.dumps([asdict(step) for step in ran], indent=2), encoding="utf-8")
    say(f"\n{report}\n")
    bad = problems(ran)
    say("\n".join(bad) or "every command worked, and none was silent for long")
    return 1 if bad else 0


def follow(wanted: Sequence[Command], scratch: Path, out: Path) -> list[Ran]:
    """Clones, then types one command after the other; ends at the first that fails, as a person would."""
    clone = scratch / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    ran: list[Ran] = []
    with Shell(clone, environment_variables(os.environ, scratch / "home")) as shell:
        for number, command in enumerate(wanted, 1):
            say(f"$ {command.text}")
            step = shell.run(command.text)
            ran.append(step)
            (out / f"{number:02}.txt").write_text(plain(step.output), encoding="utf-8")
            silences = f"longest silence {step.silence:.1f} s, of pip, venv and nox {step.theirs:.1f} s"
            say(f"  code {step.code}, {step.seconds:.1f} s, {silences}")
            if step.code:
                break
        shell.run("invoke destroy --yes")  # nothing is left running, wherever the README ends
    return ran


def environment_variables(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """A first shell's variables: an empty home, no caches, none of what this interpreter's environment adds.

    Where the documented ports are taken, free ones, as the sentence of that error advises.
    """
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in environ.items() if not name.startswith(_NOT_THEIRS) and name != "CI"}
    ours = {f"{sys.prefix}/bin", f"{environ.get('VIRTUAL_ENV', sys.prefix)}/bin"}
    path = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder not in ours]
    ports = dict.fromkeys(PORTS, "0") if any(map(_taken, PORTS.values())) else {}
    return {**kept, **ports, "HOME": str(home), "PATH": os.pathsep.join(path), "LANG": "C.UTF-8"}


def problems(ran: Sequence[Ran]) -> list[str]:
    """A sentence for each command that failed and each silence that was too long and could be ours."""
    failed = [
        f"error: `{step.command}` ended with code {step.code}: {last_words(step.output)}" for step in ran if step.code
    ]
    silent = [
        f"error: `{step.command}` said nothing for {step.silence:.1f} s after: {step.quiet_after}"
        for step in ran
        if step.silence > SILENCE
    ]
    return failed + silent


def table(ran: Sequence[Ran], left_out: Sequence[Command], shown: Sequence[Command]) -> str:
    rest = listed([*left_out, *(command for command in shown if command.reason)])
    return "\n".join(["# From a fresh clone", "", machine(), "", *rows(ran), "", "# Not run", "", rest])


def rows(ran: Sequence[Ran]) -> list[str]:
    """A row for each command, and one for all; times in seconds."""
    head = ["| command | code | seconds | longest silence | of pip, venv, nox | after |", "|---|---|---|---|---|---|"]
    each = [
        f"| `{s.command}` | {s.code} | {s.seconds:.1f} | {s.silence:.1f} | {s.theirs:.1f} | {_after(s)} |" for s in ran
    ]
    return [*head, *each, f"| all | | {sum(step.seconds for step in ran):.0f} | | | |"]


def _after(step: Ran) -> str:
    """The words before the silence, in a cell of a table."""
    return step.quiet_after[:60].replace("|", "/").replace("`", "")


def machine() -> str:
    about = (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end."
    )
    theirs = "pip and venv are others' programs and nox prints a mark for each test, so theirs is only reported."
    return f"{about} A silence of ours may last {SILENCE:.0f} s; {theirs}"


def page(ran: Sequence[Ran]) -> str:
    return "\n".join([_HEAD, machine(), "", *rows(ran), "", _FOOT])


def listed(shown: Sequence[Command]) -> str:
    """Under each reason, the commands that it holds for."""
    reasons = groupby(sorted(shown, key=attrgetter("reason")), key=attrgetter("reason"))
    parts = [
        f"{reason or 'runs'}:\n\n" + "\n".join(f"- `{command.text}`" for command in held) for reason, held in reasons
    ]
    return "\n\n".join(parts)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
