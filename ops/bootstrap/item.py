"""Look, show, ask, act, look again: how every step of bootstrap works. What each step is about are its items."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ops.bootstrap.command import Command, UnknownValueError, Values
from ops.cli import output
from ops.errors import AzError, BootstrapError

PROPAGATION = 600.0  # seconds; "Troubleshoot Azure RBAC" says up to ten minutes
_PAUSE = 5.0
_TOLD_EVERY = 30.0  # a pipeline's log has no spinner, and silence looks like a hang
# A look may meet these for a while after a change; anything else is an answer.
_PASSING = ("missing-role", "not-found", "busy", "throttled", "azure")
# A command may meet these because what it refers to was made a moment ago.
_TOO_NEW = ("not-found", "busy")

State = Literal["there", "missing", "differs"]


@dataclass(frozen=True)
class Found:
    """`text`: what differs, or what is known about it."""

    state: State
    text: str = ""


THERE, MISSING = Found("there"), Found("missing")
Look = Callable[[Values], Found]


@dataclass(frozen=True)
class Item:
    """One thing that must be so.

    `make` creates it, `mend` changes what differs (left out: `make` does). `reads` tell what later items need, and run
    as soon as it is there. `patience`: seconds for which it may fail to show up. Without `make` it is waited for where
    it has a `probe`, and else somebody else's to make: `remedy` says whose.
    """

    what: str
    name: str
    look: Look
    make: tuple[Command, ...] = ()
    mend: tuple[Command, ...] = ()
    reads: tuple[Command, ...] = ()
    patience: float = 60.0
    remedy: str = ""
    probe: Command | None = None

    def lines(self, values: Values) -> Iterator[str]:
        """What makes it from nothing, one command per line."""
        if self.probe:
            yield f"until {self.probe.line(values)} > /dev/null 2>&1; do sleep {_PAUSE:g}; done"
        yield from (made.line(values) for made in (*self.make, *self.reads))

    def action(self, found: Found) -> str:
        if found.state == "there":
            return "–"
        if not self.make and not self.mend:
            return "wait for it" if self.probe else "needed"
        return "create" if found.state == "missing" else "change"


@dataclass(frozen=True)
class Task:
    """A name as in `invoke <name>`, its items in the order in which they are made, and what to warn of beforehand."""

    name: str
    items: tuple[Item, ...]
    warning: str = ""


def perform(task: Task, values: Values, *, yes: bool) -> int:
    """Brings every item about; how many had to be made or changed. `values` gains what the items tell."""
    found = _look_at_all(task, values)
    output.table(f"\n{task.name}", ("", "", "found", "will"), list(_rows(task, found)))
    todo = [item for item, seen in zip(task.items, found, strict=True) if seen.state != "there"]
    for item in todo:
        if not item.make and not item.probe:
            raise BootstrapError(f"{item.what} {item.name} does not exist; {item.remedy}")
    changing = [item for item in todo if item.make]
    if changing:
        if task.warning:
            output.warn(task.warning)
        output.confirm(f"Make {len(changing)} change(s) with {task.name}?", yes=yes)
    for item in todo:
        _bring_about(item, values)
    if not todo:
        output.say(f"{task.name}: nothing to do")
    return len(changing)


def lines(task: Task, values: Values, printed: Sequence[str] = ()) -> list[str]:
    """What the task runs where nothing exists yet; a read that was printed before is not repeated."""
    found: list[str] = []
    for item in task.items:
        reads = {read.line(values) for read in item.reads}
        found += [line for line in item.lines(values) if not (line in reads and line in (*printed, *found))]
    return found


def _look_at_all(task: Task, values: Values) -> list[Found]:
    with output.step(task.name) as result:
        found = [_look(item, values) for item in task.items]
        missing = sum(seen.state != "there" for seen in found)
        result.append(f"{len(found)} looked at, {missing} to do")
    return found


def _look(item: Item, values: Values) -> Found:
    """What an item that is there tells is known from then on."""
    try:
        seen = item.look(values)
        if seen.state == "there":
            for read in item.reads:
                if read.saves not in values:  # an earlier step asked
                    read.run(values)
    except UnknownValueError:
        return Found("missing", "depends on what is still to be made")
    return seen


def _rows(task: Task, found: Sequence[Found]) -> Iterator[tuple[str, str, str, str]]:
    for item, seen in zip(task.items, found, strict=True):
        yield item.what, item.name, f"{seen.state}{f': {seen.text}' if seen.text else ''}", item.action(seen)


def _bring_about(item: Item, values: Values) -> None:
    with output.step(f"{item.what} {item.name}") as result:
        seen = _look(item, values)  # an earlier item may have made this one
        if seen.state != "there":
            for made in item.mend if seen.state == "differs" and item.mend else item.make:
                _run(made, values, item.patience)
            waited = _wait(item, values)
            result.append(_past(item, seen) + (f" after {waited:.0f} s" if waited > 1 else ""))


def _run(made: Command, values: Values, patience: float) -> None:
    """Runs it; again where what it refers to is so new that a part of Azure does not know it yet."""
    started, said = time.monotonic(), 0.0
    while True:
        try:
            made.run(values)
        except AzError as error:
            if error.kind == "exists":
                return  # made meanwhile, or not seen before; the next look decides
            waited = time.monotonic() - started
            if error.kind not in _TOO_NEW or waited > patience:
                raise
            if waited >= said:
                output.say(f"trying again for {patience - waited:.0f} s, as this may pass: {error}")
                said = waited + _TOLD_EVERY
            time.sleep(_PAUSE)
        else:
            return


def _past(item: Item, before: Found) -> str:
    if not item.make:
        return "granted"
    return "created" if before.state == "missing" else "changed"


def _wait(item: Item, values: Values) -> float:
    """Looks until the item is there; the seconds it took. Says now and then what it waits for."""
    started, said = time.monotonic(), 0.0
    while True:
        last = _patiently(item, values)
        waited = time.monotonic() - started
        if last.state == "there":
            return waited
        if waited >= said:
            output.say(_waiting(item, last, waited))
            said = waited + _TOLD_EVERY
        if waited > item.patience:
            why = f" ({last.text})" if last.text else ""
            raise BootstrapError(
                f"{item.what} {item.name} is still {last.state} after {waited:.0f} s{why}; "
                "Azure may take longer: run it again, it goes on from here"
            )
        time.sleep(min(_PAUSE, max(0.0, item.patience - waited)))


def _waiting(item: Item, last: Found, waited: float) -> str:
    why = f" ({last.text})" if last.text else ""
    return f"waiting for {item.what} {item.name}{why}: {waited:.0f} s of at most {item.patience:.0f} s"


def _patiently(item: Item, values: Values) -> Found:
    try:
        return _look(item, values)
    except AzError as error:
        if error.kind not in _PASSING:
            raise
        return Found("missing", str(error))
