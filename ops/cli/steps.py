"""One step of an operation: what is run, and what `--dry-run` prints, from one description.

An operation is written once, as ordinary code that hands its steps to a Runner. In a real run each step acts; in a dry
run each prints its command, and the operation goes on with the result that the step expects.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ops.cli import output
from ops.config import lock
from ops.errors import OpsError

T = TypeVar("T")


@dataclass(frozen=True)
class Step(Generic[T]):
    """`act` does it. `expected`: the result with which a dry run goes on.

    `lines`: the commands as a person types them, or a comment where a file of this project's own is written; none where
    it only looks.
    """

    act: Callable[[], T]
    expected: T
    lines: tuple[str, ...] = ()


def command(words: Sequence[str], act: Callable[[], T], expected: T) -> Step[T]:
    """Return the step that runs one command."""
    return Step(act, expected, (shlex.join(words),))


def until(condition: str, pause: float) -> str:
    """Return the shell's loop that waits for a command to succeed; `pause` in seconds."""
    return f"until {condition}; do sleep {pause:g}; done"


class Runner:
    """Runs steps, or prints them. A person is told things in a real run only.

    `yes`: every question is answered beforehand.
    """

    def __init__(self, *, dry_run: bool = False, yes: bool = False) -> None:
        self.dry_run = dry_run
        self.yes = yes
        #: What files would hold that a dry run does not write, for later steps that read them.
        self.written: dict[Path, Any] = {}
        self._refused: list[OpsError] = []
        self._printed = False

    def run(self, step: Step[T]) -> T:
        """Do the step and return its result, or print its commands and return the result that it expects."""
        if not self.dry_run:
            return step.act()
        for line in step.lines:
            self._printed = True
            output.data(line)
        return step.expected

    def require(self, act: Callable[[], T], expected: T) -> T:
        """Return what `act` finds in the project's own files, in a dry run too.

        What it refuses ends a run. A dry run goes on with `expected`, so that there is something to read, and `finish`
        raises it.
        """
        if not self.dry_run:
            return act()
        try:
            return act()
        except OpsError as error:
            self._refused.append(error)
            return expected

    def finish(self) -> None:
        """Raise what a dry run met that a run refuses: then its exit code is that of the run."""
        if self.dry_run and not self._printed and not self._refused:
            output.say("nothing would change: there is no command to run")
        for error in self._refused[1:]:
            output.error(str(error))
        if self._refused:
            raise self._refused[0]

    def lock(self, home: Path) -> AbstractContextManager[None]:
        """Hold the environment's lock; a dry run changes nothing and needs none."""
        return nullcontext() if self.dry_run else lock.held(home)

    @contextmanager
    def progress(self, name: str) -> Iterator[list[str]]:
        """Show a spinner, then one line with what the caller appended to the list."""
        if self.dry_run:
            yield []
            return
        with output.step(name) as result:
            yield result

    def confirm(self, question: str, *, agreed: bool = False) -> None:
        """Ask a person, unless --yes or `agreed` answers; DeclinedError for anything but "yes"."""
        if not self.dry_run:
            output.confirm(question, yes=self.yes or agreed)

    def announce(self, text: str) -> None:
        """Say what a person should know before the next step, in a dry run too."""
        output.say(text)

    def say(self, text: str) -> None:
        if not self.dry_run:
            output.say(text)

    def warn(self, text: str) -> None:
        if not self.dry_run:
            output.warn(text)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if not self.dry_run:
            output.table(title, columns, rows)

    def plan(self, title: str, actions: Mapping[str, str]) -> None:
        if not self.dry_run:
            output.plan(title, actions)

    def summary(self, text: str, following: Sequence[tuple[str, str]] = ()) -> None:
        if not self.dry_run:
            output.summary(text, following)
