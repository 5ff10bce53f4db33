"""The `invoke` program with this project's tasks: a list by purpose, help with examples, errors in one sentence.

`invoke` finds tasks.py and loads it; tasks.py hands over to `run`, which is Invoke's own Program with four of its
methods overridden. What shows lists and help takes long to load, and is loaded when it is asked for.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import invoke.main
from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser.context import ParserContext
from invoke.program import Program

from ops.cli import examples
from ops.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

#: Tasks whose first option may be given without its name, which Invoke has for required options only.
OPTIONAL_WORDS = {"trace": "--request"}
_LOG_WIDTH = 160
_ENVIRONMENTS = Path(__file__).resolve().parents[2] / "terraform" / "environments"


class ProjectProgram(Program):
    """Invoke for these tasks. It takes the collection as given instead of looking for a tasks.py."""

    def __init__(self, tasks: Collection) -> None:
        known = invoke.main.program
        super().__init__(version=known.version, name=known.name, binary=known.binary, binary_names=known.binary_names)
        self._tasks = tasks

    def load_collection(self) -> None:
        self.collection = self._tasks

    def parse_tasks(self) -> None:
        words = self.core.unparsed
        add_optional_name(words)
        if words and not words[0].startswith("-"):
            self._require_task(words[0])
        if len(words) > 1 and {"--help", "-h"} & set(words[1:]):  # Invoke takes it for a required option's value
            contexts = self.collection.to_contexts()
            _print_help(self.collection, words[0], next(one for one in contexts if words[0] in _names(one)))
            raise Exit
        try:
            super().parse_tasks()
        except ParseError as error:
            _refuse(_sentence(error, words))
        if (
            len(self.tasks) > 1
        ):  # Invoke would run each in turn: `deploy dev --dry-run` is two, and the first is no dry run
            _refuse(_one_task(*[str(context.name) for context in self.tasks[:2]]))

    def parse_cleanup(self) -> None:
        if isinstance(self.args.help.value, str):
            self._require_task(self.args.help.value)
        super().parse_cleanup()

    def no_tasks_given(self) -> None:
        self.list_tasks()
        raise Exit

    def list_tasks(self) -> None:
        """Print every task once, under its purpose; tasks that no group names come last."""
        if self.list_root or self.list_depth or self.list_format != "flat":
            super().list_tasks()
            return
        console = _stdout()
        tasks = self.collection.task_names
        groups = {title: [name for name in given if name in tasks] for title, given in examples.GROUPS.items()}
        groups["More"] = [name for name in tasks if not any(name in given for given in groups.values())]
        for title, names in groups.items():
            if names:
                rows = [(min([n, *tasks[n]], key=len), _first_line(self.collection[n].__doc__)) for n in names]
                _section(console, title, rows, max(map(len, tasks)) + 2)
        console.print("invoke TASK --help explains one, with examples. --env NAME picks terraform/environments/NAME.")

    def print_task_help(self, name: str) -> None:
        _print_help(self.collection, name, self.parser.contexts[name])

    def _require_task(self, name: str) -> None:
        tasks = self.collection.task_names
        known = [*tasks, *(alias for aliases in tasks.values() for alias in aliases)]
        if name not in known:
            _refuse(f"there is no task {name!r}{_near(name, known)}; `invoke --list` names every task")


def run(tasks: Collection) -> None:
    """Go on as ProjectProgram where `invoke` is what loads tasks.py; a test or another program only wants the tasks."""
    arguments = invoke.main.program.argv  # empty until `invoke` runs
    if arguments:
        ProjectProgram(tasks).run(arguments)
        sys.exit(0)


def add_optional_name(words: list[str]) -> None:
    """Turn `trace ID` into `trace --request ID`, in place."""
    if len(words) > 1 and words[0] in OPTIONAL_WORDS and not words[1].startswith("-"):
        words.insert(1, OPTIONAL_WORDS[words[0]])


def _sentence(error: ParseError, words: Sequence[str]) -> str:
    """Say what is wrong with a task's options, and what would have been right."""
    context = error.context
    if context is None or context.name is None:
        return f"{error}; `invoke --list` names every task"
    known = {*context.flags, *context.inverse_flags}
    for word in (word.partition("=")[0] for word in words):
        if word.startswith("--") and word not in known:
            near = _near(word, known)
            return f"{context.name} has no option {word}{near}; `invoke {context.name} --help` lists those that it has"
    missing = ", ".join(repr(argument.name) for argument in context.missing_positional_args)
    if missing:
        return f"{context.name} needs {missing}; `invoke {context.name} --help` has examples"
    surplus = re.match(r"No idea what '(.*)' is!", str(error))
    if surplus:
        return f"{context.name} does not take {surplus[1]!r} as well; `invoke {context.name} --help` says what it takes"
    last = words[-1] if words else ""
    if last in context.flags:
        return f"{last} needs a value; `invoke {context.name} --help` says which"
    return f"{error}; `invoke {context.name} --help` says what is right"


def _one_task(first: str, second: str) -> str:
    meant = f"; did you mean `invoke {first} --env {second}`?" if (_ENVIRONMENTS / second).is_dir() else ""
    return f"one task at a time: {second!r} after `invoke {first}` is a task of its own, and nothing was run{meant}"


def _print_help(tasks: Collection, name: str, context: ParserContext) -> None:
    """Print usage, what the task does, its options, and commands to copy."""
    from rich.padding import Padding
    from rich.text import Text

    console = _stdout()
    options = [(_plain(spec), words or "") for spec, words in context.help_tuples()]
    console.print(Text(f"invoke {name}{' [options]' if options else ''}", style="bold"), end="\n\n")
    for part in re.split(r"\n\s*\n", inspect.getdoc(tasks[name]) or ""):
        is_code = part.startswith(" ")
        text = textwrap.dedent(part) if is_code else " ".join(part.split())
        console.print(Padding(Text(text), (0, 0, 1, 4 if is_code else 2)))
    if options:
        _section(console, "Options", options)
    if name in examples.EXAMPLES:
        _section(console, "Examples", examples.EXAMPLES[name], gap=False)


def _refuse(sentence: str) -> NoReturn:
    from ops.cli import output

    output.error(sentence)
    sys.exit(UsageError.exit_code)


def _names(context: ParserContext) -> list[str]:
    return [name for name in (context.name, *context.aliases) if name]


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]


def _plain(spec: str) -> str:
    """Turn `-e STRING, --env=STRING` into `-e, --env VALUE`."""
    return re.sub(r"=(STRING|INT)", " VALUE", re.sub(r"^(-\w) (?:STRING|INT)", r"\1", spec))


def _section(
    console: Console, title: str, rows: Sequence[tuple[str, str]], width: int = 0, *, gap: bool = True
) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console.print(Text(title, style="bold"))
    for name, words in rows:
        table = Table.grid(padding=(0, 0), expand=False)
        table.add_column(width=width or max(len(one) for one, _ in rows) + 2, no_wrap=True)
        table.add_column()
        table.add_row(Text(name, style="cyan"), Text(words))
        console.print(Padding(table, (0, 0, 0, 2)))
    if gap:
        console.print()


def _stdout() -> Console:
    from rich.console import Console

    from ops.cli import output

    return Console(
        highlight=False,
        no_color=output.console.no_color or None,
        width=None if sys.stdout.isatty() else _LOG_WIDTH,
    )
