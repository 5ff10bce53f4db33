"""`invoke --list` by purpose, and `invoke TASK --help` with examples."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterable

from invoke.program import Program
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ops.cli import examples, output

_LOG_WIDTH = 160


def listing(program: Program) -> None:
    """Every task once, under what it is for; a task that no group names comes last."""
    console = _stdout()
    tasks = program.collection
    names = list(tasks.task_names)
    grouped = {title: [name for name in given if name in names] for title, given in examples.GROUPS.items()}
    grouped["More"] = [name for name in names if not any(name in given for given in grouped.values())]
    width = max(map(len, names)) + 2
    for title, given in grouped.items():
        if given:
            console.print(Text(title, style="bold"))
            for name in given:
                _line(console, _shown(name, tasks.task_names[name]), _first(tasks[name].__doc__), width)
            console.print()
    console.print(Text("invoke TASK --help explains one, with examples. --env NAME picks terraform/environments/NAME."))


def explain(program: Program, name: str) -> None:
    """Usage, what the task does, its options, and commands to copy."""
    console = _stdout()
    options = program.parser.contexts[name].help_tuples()
    console.print(Text(f"invoke {name}{' [options]' if options else ''}", style="bold"), end="\n\n")
    for part in re.split(r"\n\s*\n", inspect.getdoc(program.collection[name]) or ""):
        as_it_is = part.startswith(" ")
        words = textwrap.dedent(part) if as_it_is else " ".join(part.split())
        console.print(Padding(Text(words), (0, 0, 1, 4 if as_it_is else 2)))
    if options:
        console.print(Text("Options", style="bold"))
        width = max(len(_plain(spec)) for spec, _ in options) + 2
        for spec, words in options:
            _line(console, _plain(spec), words or "", width)
        console.print()
    if name in examples.EXAMPLES:
        console.print(Text("Examples", style="bold"))
        width = max(len(command) for command, _ in examples.EXAMPLES[name]) + 2
        for command, words in examples.EXAMPLES[name]:
            _line(console, command, words, width)


def _shown(name: str, aliases: Iterable[str]) -> str:
    """`bootstrap.all (bootstrap)` is typed as `bootstrap`."""
    return min([name, *aliases], key=len)


def _first(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]


def _plain(spec: str) -> str:
    """`-e STRING, --env=STRING` as `-e, --env VALUE`."""
    return re.sub(r"=(STRING|INT)", " VALUE", re.sub(r"^(-\w) (?:STRING|INT)", r"\1", spec))


def _line(console: Console, name: str, words: str, width: int) -> None:
    made = Table.grid(padding=(0, 0), expand=False)
    made.add_column(width=width, no_wrap=True)
    made.add_column()
    made.add_row(Text(name, style="cyan"), Text(words))
    console.print(Padding(made, (0, 0, 0, 2)))


def _stdout() -> Console:
    return Console(
        highlight=False,
        no_color=output.console.no_color or None,
        width=None if sys.stdout.isatty() else _LOG_WIDTH,
    )
