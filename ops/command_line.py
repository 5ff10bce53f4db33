"""How the command line lists, explains and refuses: invoke's own words teach too little.

`invoke --list` by purpose, `--help` with examples, and errors in the shape of every other error.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import NoReturn

from invoke.exceptions import Exit, ParseError
from invoke.program import Program
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ops import examples, output
from ops.errors import UsageError

_LOG_WIDTH = 160
#: A first word that may be left out, which invoke itself cannot have: the option that it is.
OPTIONAL_WORDS = {"trace": "--request"}


def speak(program: Program) -> None:
    """Gives the running `invoke` these words; what it does stays its own."""
    flat = program.list_tasks
    program.parse_tasks = _refusing(program, program.parse_tasks)  # type: ignore[method-assign]
    program.parse_cleanup = _refusing(program, program.parse_cleanup)  # type: ignore[method-assign]
    program.print_task_help = lambda name: explain(program, name)  # type: ignore[method-assign]
    program.no_tasks_given = lambda: _list_instead(program)  # type: ignore[method-assign]
    program.list_tasks = lambda: flat() if _asked_otherwise(program) else listing(program)  # type: ignore[method-assign]


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


def sentence(error: ParseError, tasks: Iterable[str], options: Iterable[str] = ()) -> str:
    """What invoke's parser refused, with what would have been right."""
    text = str(error)
    task = error.context.name if error.context else None
    if found := re.search(r"No idea what '(.*)' is", text):
        word = found.group(1)
        if word.startswith("-") and task:
            return f"{task} has no option {word}{_near(word, options)}; `invoke {task} --help` lists those that it has"
        return f"there is no task {word!r}{_near(word, tasks)}; `invoke --list` names every task"
    if found := re.search(r"required positional arguments: (.*)", text):
        return f"{task} needs {found.group(1)}; `invoke {task} --help` has examples"
    if found := re.search(r"<Argument: ([\w-]+).*needed value", text):
        return f"--{found.group(1)} needs a value; `invoke {task} --help` says which"
    return f"{text}; `invoke {f'{task} --help' if task else '--list'}` says what is right"


def _refusing(program: Program, parse: Callable[[], None]) -> Callable[[], None]:
    def parsed() -> None:
        try:
            _explain_if_asked(program)
            named(program.core.unparsed)
            parse()
        except ParseError as error:
            options = error.context.flags if error.context else ()
            output.error(sentence(error, program.collection.task_names, options))
            sys.exit(UsageError.exit_code)

    return parsed


def named(asked: list[str]) -> None:
    """`trace ID` as `trace --request ID`, in place."""
    if len(asked) > 1 and asked[0] in OPTIONAL_WORDS and not asked[1].startswith("-"):
        asked.insert(1, OPTIONAL_WORDS[asked[0]])


def _explain_if_asked(program: Program) -> None:
    """`invoke add-server --help`: invoke itself would take --help for the name that is missing."""
    asked = program.core.unparsed
    if len(asked) > 1 and {"--help", "-h"} & set(asked[1:]):
        program.parser = program._make_parser()
        if asked[0] in program.parser.contexts:
            explain(program, asked[0])
            raise Exit


def _list_instead(program: Program) -> NoReturn:
    listing(program)
    raise Exit


def _asked_otherwise(program: Program) -> bool:
    return bool(program.list_root or program.list_depth or program.list_format != "flat")


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


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
