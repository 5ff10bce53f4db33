"""How the command line lists, explains and refuses: invoke's own words teach too little.

`invoke --list` by purpose and `--help` with examples (ops/explanations.py), errors in the shape of every other error.
What shows them takes long to load, and is loaded when it is asked for: a task's first words do not wait for it.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Iterable
from typing import NoReturn

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from ops.errors import UsageError

#: A first word that may be left out, which invoke itself cannot have: the option that it is.
OPTIONAL_WORDS = {"trace": "--request"}


def speak(program: Program) -> None:
    """Gives the running `invoke` these words; what it does stays its own."""
    flat = program.list_tasks
    program.parse_tasks = _refusing(program, program.parse_tasks)  # type: ignore[method-assign]
    program.parse_cleanup = _refusing(program, program.parse_cleanup)  # type: ignore[method-assign]
    program.print_task_help = lambda name: _explain(program, name)  # type: ignore[method-assign]
    program.no_tasks_given = lambda: _list_instead(program)  # type: ignore[method-assign]
    program.list_tasks = lambda: flat() if _asked_otherwise(program) else _list(program)  # type: ignore[method-assign]


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
            from ops.cli import output

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
            _explain(program, asked[0])
            raise Exit


def _list_instead(program: Program) -> NoReturn:
    _list(program)
    raise Exit


def _list(program: Program) -> None:
    from ops.cli import explanations

    explanations.listing(program)


def _explain(program: Program, name: str) -> None:
    from ops.cli import explanations

    explanations.explain(program, name)


def _asked_otherwise(program: Program) -> bool:
    return bool(program.list_root or program.list_depth or program.list_format != "flat")


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""
