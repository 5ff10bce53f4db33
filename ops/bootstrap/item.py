"""Items, the things that a step of bootstrap brings about: look, show, ask, act, look again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ops.bootstrap.command import Command, UnknownValueError, Values
from ops.cli import output
from ops.cli.steps import Runner, Step, until
from ops.errors import AzError, BootstrapError

PROPAGATION = 600.0  # seconds; "Troubleshoot Azure RBAC" says up to ten minutes
_PAUSE = 5.0
_SAY_EVERY = 30.0  # a pipeline's log has no spinner, and silence looks like a hang
# A look may meet these for a while after a change; anything else is an answer.
_TRANSIENT = ("missing-role", "not-found", "busy", "throttled", "azure")
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
    as soon as it is there. `timeout`: seconds in which it has to show up. Without `make` it is waited for where
    it has a `probe`, and else somebody else's to make: `remedy` says whose.
    """

    what: str
    name: str
    look: Look
    make: tuple[Command, ...] = ()
    mend: tuple[Command, ...] = ()
    reads: tuple[Command, ...] = ()
    timeout: float = 60.0
    remedy: str = ""
    probe: Command | None = None

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


def perform(task: Task, values: Values, runner: Runner, printed: set[str]) -> int:
    """Bring every item about; return how many had to be made or changed. `values` gains what the items tell.

    A dry run takes everything that can be made to be missing. `printed`: names whose reads it has printed already.
    """
    found = runner.run(Step(lambda: _look_at_all(task, values), [_expected(item) for item in task.items]))
    runner.table(f"\n{task.name}", ("", "", "found", "will"), list(_rows(task, found)))
    todo = [item for item, seen in zip(task.items, found, strict=True) if seen.state != "there"]
    for item in todo:
        if not item.make and not item.probe:
            raise BootstrapError(f"{item.what} {item.name} does not exist; {item.remedy}")
    changing = [item for item in todo if item.make]
    if changing:
        if task.warning:
            runner.warn(task.warning)
        runner.confirm(f"Make {len(changing)} change(s) with {task.name}?")
    for item in task.items:
        if item in todo:
            _bring_about(item, values, runner)
        if runner.dry_run:
            _print_reads(item, values, runner, printed)
    if not todo:
        runner.say(f"{task.name}: nothing to do")
    return len(changing)


def _expected(item: Item) -> Found:
    return MISSING if item.make or item.probe else THERE


def _print_reads(item: Item, values: Values, runner: Runner, printed: set[str]) -> None:
    """Print the item's reads, which a real run makes as soon as the item is there."""
    for read in item.reads:
        if read.saves not in printed:
            printed.add(read.saves)
            runner.run(read.step(values))


def _look_at_all(task: Task, values: Values) -> list[Found]:
    with output.step(task.name) as result:
        found = [_look(item, values) for item in task.items]
        missing = sum(seen.state != "there" for seen in found)
        result.append(f"{len(found)} looked at, {missing} to do")
    return found


def _look(item: Item, values: Values) -> Found:
    """Look at an item; what one that is there tells is known from then on."""
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


def _bring_about(item: Item, values: Values, runner: Runner) -> None:
    with runner.progress(f"{item.what} {item.name}") as result:
        # An earlier item may have made this one.
        seen = runner.run(Step(lambda: _look(item, values), MISSING))
        if seen.state != "there":
            for made in item.mend if seen.state == "differs" and item.mend else item.make:
                runner.run(_with_retries(made, values, item.timeout))
            waited = runner.run(_wait_for(item, values))
            result.append(_outcome(item, seen) + (f" after {waited:.0f} s" if waited > 1 else ""))


def _with_retries(made: Command, values: Values, timeout: float) -> Step[None]:
    return Step(lambda: _retry(made, values, timeout), None, made.step(values).lines)


def _wait_for(item: Item, values: Values) -> Step[float]:
    """Return the step that waits until the item is there; its result is the seconds that it took."""
    probe = item.probe.line(values) if item.probe else ""
    lines = (until(f"{probe} > /dev/null 2>&1", _PAUSE),) if probe else ()
    return Step(lambda: _wait(item, values), 0.0, lines)


def _retry(made: Command, values: Values, timeout: float) -> None:
    """Run it; again where what it refers to is so new that a part of Azure does not know it yet."""
    started, said = time.monotonic(), 0.0
    while True:
        try:
            made.run(values)
        except AzError as error:
            if error.kind == "exists":
                return  # made meanwhile, or not seen before; the next look decides
            waited = time.monotonic() - started
            if error.kind not in _TOO_NEW or waited > timeout:
                raise
            if waited >= said:
                output.say(f"trying again for {timeout - waited:.0f} s, as this may pass: {error}")
                said = waited + _SAY_EVERY
            time.sleep(_PAUSE)
        else:
            return


def _outcome(item: Item, before: Found) -> str:
    if not item.make:
        return "granted"
    return "created" if before.state == "missing" else "changed"


def _wait(item: Item, values: Values) -> float:
    """Look until the item is there; return the seconds it took. Say now and then what it waits for."""
    started, said = time.monotonic(), 0.0
    while True:
        last = _look_again(item, values)
        waited = time.monotonic() - started
        if last.state == "there":
            return waited
        if waited >= said:
            output.say(_progress_text(item, last, waited))
            said = waited + _SAY_EVERY
        if waited > item.timeout:
            why = f" ({last.text})" if last.text else ""
            raise BootstrapError(
                f"{item.what} {item.name} is still {last.state} after {waited:.0f} s{why}; "
                "Azure may take longer: run it again, it goes on from here"
            )
        time.sleep(min(_PAUSE, max(0.0, item.timeout - waited)))


def _progress_text(item: Item, last: Found, waited: float) -> str:
    why = f" ({last.text})" if last.text else ""
    return f"waiting for {item.what} {item.name}{why}: {waited:.0f} s of at most {item.timeout:.0f} s"


def _look_again(item: Item, values: Values) -> Found:
    try:
        return _look(item, values)
    except AzError as error:
        if error.kind not in _TRANSIENT:
            raise
        return Found("missing", str(error))
