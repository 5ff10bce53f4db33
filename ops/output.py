"""What people see goes to stderr, what machines read goes to stdout.

Colours and spinners follow the terminal: `NO_COLOR`, `CI`, or a pipe make the output plain lines.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.errors import DeclinedError

_SLOW = 2.0  # seconds after which a step also tells how long it took

_LOG_WIDTH = 200  # columns of a table that goes to a file or a pipeline's log

console = Console(
    stderr=True,
    highlight=False,
    soft_wrap=True,
    no_color=bool(os.environ.get("NO_COLOR")) or None,
    width=None if sys.stderr.isatty() else _LOG_WIDTH,
)


def say(text: str) -> None:
    console.print(text, markup=False)


def warn(text: str) -> None:
    console.print(Text(f"warning: {text}", style="yellow"))


def data(text: str) -> None:
    """One value for the caller's pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def data_json(value: Mapping[str, Any]) -> None:
    data(json.dumps(value, indent=2))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    made = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, box=None)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*[Text(cell) for cell in row])
    console.print(made)


@contextmanager
def step(name: str) -> Iterator[list[str]]:
    """Shows that something runs, then one line with its result; the caller appends the result to the list.

    Anything over two seconds also shows its elapsed time.
    """
    result: list[str] = []
    started = time.monotonic()
    if _live():
        with console.status(Text(name)) as status, _ticking(status.update, name, started):
            yield result
    else:
        yield result
    took = time.monotonic() - started
    elapsed = f" ({took:.1f} s)" if took > _SLOW else ""
    say(f"{name:<22} {'; '.join(result) or 'done'}{elapsed}")


def confirm(question: str, *, yes: bool) -> None:
    """Asks a person; DeclinedError for anything but "yes", and where there is no person to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise DeclinedError(f"{question} needs an answer and there is no terminal; add --yes to agree beforehand")
    console.print(f"{question} Only 'yes' goes on: ", end="", markup=False)
    if sys.stdin.readline().strip() != "yes":
        raise DeclinedError("nothing was changed: the answer was not 'yes'")


def _live() -> bool:
    return console.is_terminal and not os.environ.get("CI")


@contextmanager
def _ticking(update: Any, name: str, started: float) -> Iterator[None]:
    import threading

    done = threading.Event()

    def tick() -> None:
        while not done.wait(1.0):
            update(Text(f"{name} … {time.monotonic() - started:.0f} s"))

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
