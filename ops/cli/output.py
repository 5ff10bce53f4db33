"""Output: what people read goes to stderr, what machines read goes to stdout.

One look for every task: a table of what will be done, a line for each step that is, a summary with what to do next.
Colours and spinners follow the terminal: `NO_COLOR`, `CI`, or a pipe make the output plain lines.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ops.cli import changes, spinner
from ops.errors import DeclinedError, InterruptError

_SLOW = 2.0  # seconds after which a step also tells how long it took
_HEARTBEAT = 30.0  # seconds after which a step that goes on says so in a log, where nothing turns
_MINUTES = 120  # seconds from which on time is told in minutes
_LOG_WIDTH = 200  # columns of a table that goes to a file or a pipeline's log
_NAME = 22  # columns of a step's name

# What words in a table mean for whoever only looks at the colours.
_STYLES = {
    **dict.fromkeys(("ok", "pass", "running", "healthy", "succeeded", "yes", "create", "unchanged", "kept"), "green"),
    **dict.fromkeys(("NO", "fail", "delete", "replace", "no", "stopped"), "bold red"),
    **dict.fromkeys(("update", "change", "grant", "make"), "yellow"),
    **dict.fromkeys(("not run", "found", "read"), "dim"),
}


class SpinnerEndingConsole(Console):
    """Stops the task's first spinner before it shows anything."""

    def print(self, *objects: Any, **options: Any) -> None:
        spinner.stop()
        super().print(*objects, **options)

    def set_live(self, live: Live) -> bool:
        spinner.stop()
        return super().set_live(live)


console = SpinnerEndingConsole(
    stderr=True,
    highlight=False,
    no_color=bool(os.environ.get("NO_COLOR")) or None,
    width=None if sys.stderr.isatty() else _LOG_WIDTH,
)


def say(text: str) -> None:
    """Print a sentence. Lines break between words; what is copied, an address or a command, stays in one piece."""
    _show(Text(text))


def warn(text: str) -> None:
    _labelled("warning", "yellow", text)


def error(text: str) -> None:
    """Print an error: a sentence that names the input, the rule and the remedy."""
    _labelled("error", "bold red", text)


def data(text: str) -> None:
    """Write one value to stdout, for the caller's pipe."""
    spinner.stop()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def data_json(value: Mapping[str, Any]) -> None:
    data(json.dumps(value, indent=2))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of plain text; a word such as "ok" or "delete" gets its colour."""
    if title:
        _show(Text(title, style="bold"))
    if not console.is_terminal:
        _plain_table([columns, *rows] if any(columns) else rows)
        return
    made = Table(box=None, pad_edge=False, header_style="dim", show_header=any(columns))
    for at, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=at == 0 and _short(rows))
    for row in rows:
        made.add_row(*[Text(cell, style=_STYLES.get(cell, "")) for cell in row])
    console.print(made)


def _plain_table(rows: Sequence[Sequence[str]]) -> None:
    """Print a line per row for a pipe: columns stand below each other, nothing is folded, no line ends in blanks.

    A last cell of several lines goes on below itself.
    """
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)] if rows else []
    for row in rows:
        cells = [Text(cell.ljust(width), style=_STYLES.get(cell, "")) for cell, width in zip(row, widths, strict=False)]
        line = Text("  ").join([*cells, Text(row[-1])])
        line.rstrip()
        _show(line, hang=sum(widths) + 2 * len(widths))


def facts(rows: Sequence[tuple[str, str]], title: str = "") -> None:
    """Print a name and a value on each line; addresses stay in one piece, so that they can be copied."""
    if title:
        _show(Text(title, style="bold"))
    width = max((len(name) for name, _ in rows), default=0) + 2
    for name, value in rows:
        _show(Text.assemble((name.ljust(width), "dim"), (value, _STYLES.get(value, ""))), hang=width)


def findings(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Print verdict, name, claim and what was found; on a terminal on two lines, as either may be long."""
    verdicts, names = (max((len(row[at]) for row in rows), default=0) + 2 for at in (0, 1))
    for verdict, name, claim, found in rows:
        head = Text.assemble((verdict.ljust(verdicts), _STYLES.get(verdict, "")), name.ljust(names), claim)
        if console.is_terminal:
            _show(head, hang=verdicts + names)
            _show(Text.assemble(" " * (verdicts + names), (found, "dim")), hang=verdicts + names)
        else:
            _show(Text.assemble(head, f": {found}"))


def plan(title: str, actions: Mapping[str, str]) -> None:
    """Print what a plan does: address → action. What is destroyed or changed is named; many creations are counted."""
    table(title, ("action", "part", "resources"), changes.rows(actions))


def summary(text: str, following: Sequence[tuple[str, str]] = ()) -> None:
    """Print the result, and the commands that come next, each with its purpose."""
    mark = "✓ " if _live() and _unicode() else ""
    _show(Text.assemble("\n" if _live() else "", (mark, "bold green"), (text, "bold")))
    width = max((len(command) for command, _ in following), default=0) + 2
    for command, purpose in following:
        _show(Text.assemble("  ", (command.ljust(width), "cyan"), (purpose, "dim")), hang=width + 2)


@contextmanager
def step(name: str) -> Iterator[list[str]]:
    """Show a spinner, then one line with what the caller appended to the list.

    Anything over two seconds also shows its elapsed time; a failure is shown before its error is.
    """
    spinner.stop()
    result: list[str] = []
    started = time.monotonic()
    try:
        if _live():
            status = console.status(Text(name), spinner="dots" if _unicode() else "line")
            with status, _ticking(1.0, lambda: status.update(Text(f"{name} … {_elapsed(started)}"))):
                yield result
        else:
            with _ticking(_HEARTBEAT, lambda: say(f"{name:<{_NAME}} … {_elapsed(started)}")):
                yield result
    except (KeyboardInterrupt, InterruptError):
        _step_ended(name, "interrupted", started, "✗", "yellow")
        raise
    except BaseException:
        _step_ended(name, "failed", started, "✗", "red")
        raise
    _step_ended(name, "; ".join(result) or "done", started, "✓", "green")


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person; DeclinedError for anything but "yes", and where there is no terminal to ask on."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise DeclinedError(f"{question} needs an answer and there is no terminal; add --yes to agree beforehand")
    if ask(f"{question} Only 'yes' goes on: ") != "yes":
        raise DeclinedError("nothing was changed: the answer was not 'yes'")


def ask(question: str) -> str:
    """Return what a person types; the caller makes sure that there is a terminal."""
    console.print(Text(question, style="bold"), end="", soft_wrap=True)
    return sys.stdin.readline().strip()


def _step_ended(name: str, text: str, started: float, mark: str, style: str) -> None:
    took = time.monotonic() - started
    exact = f"{took:.1f} s" if took < _MINUTES else _elapsed(started)
    elapsed = f" ({exact})" if took > _SLOW else ""
    shown = f"{mark} " if _live() and _unicode() else ""
    _show(Text.assemble((shown, style), f"{name:<{_NAME}} ", text, (elapsed, "dim")), hang=_NAME + 1 + len(shown))


def _elapsed(started: float) -> str:
    """Return the time since then: `48 s`, `41 min 10 s`."""
    seconds = int(time.monotonic() - started)
    return f"{seconds} s" if seconds < _MINUTES else f"{seconds // 60} min {seconds % 60} s"


def _labelled(label: str, style: str, text: str) -> None:
    _show(Text.assemble((f"{label}: ", style), text))


def _show(text: Text, hang: int = 0) -> None:
    """Print text; on a terminal lines break between words, and later lines are indented by `hang` columns."""
    lines = [line for whole in text.split("\n", allow_blank=True) for line in _lines(whole, hang)]
    for at, line in enumerate(lines):
        console.print(Text.assemble(" " * hang if at else "", line), soft_wrap=True)


def _lines(text: Text, hang: int) -> list[Text]:
    width = console.width if console.is_terminal else sys.maxsize
    breaks: list[int] = []
    start = 0
    for word in re.finditer(r"\S+\s*", text.plain):
        length = len(word.group().rstrip())
        room = width - (hang if breaks else 0)
        # What is longer than a line of its own stays where it is: the terminal breaks it, and it is copied whole.
        if word.start() > start and word.start() + length - start > room and (length <= width - hang or not hang):
            breaks.append(word.start())
            start = word.start()
    lines = text.divide(breaks)
    for line in lines:
        line.rstrip()
    return list(lines)


def _short(rows: Sequence[Sequence[str]]) -> bool:
    return all(len(row[0]) <= _NAME for row in rows)


def _unicode() -> bool:
    return console.encoding.lower().startswith("utf")


def _live() -> bool:
    return console.is_terminal and not console.is_dumb_terminal and not os.environ.get("CI")


@contextmanager
def _ticking(period: float, tick: Any) -> Iterator[None]:
    done = threading.Event()

    def ticks() -> None:
        while not done.wait(period):
            tick()

    thread = threading.Thread(target=ticks, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
