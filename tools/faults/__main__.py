"""`python -m tools.faults [NAME …] [--write] [--list]`: break a platform under load, part after part, and measure.

A platform with container groups, Container Apps and a database without keys is deployed on free ports, called by
readers, writers, a registry's client and somebody who signs in, and destroyed at the end. Promised: no acknowledged
write is lost, all is well again after each fault, and callers are told a sentence in the protocol's form.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.faults import report
from tools.faults.callers import Callers
from tools.faults.catalogue import catalogue
from tools.faults.measure import Cause, Fault, Measure, Outcome
from tools.faults.subject import SERVERS, Subject, deployed

RESULTS = Path("results")
KEPT = RESULTS / "faults.md"
#: So many of the worst single faults make the pairs: each with each other.
WORST = 5
#: Seconds of load before the first fault.
WARM_UP = 5.0


def both(one: Cause, other: Cause) -> Cause:
    """Two at once."""

    async def cause(subject: Subject, callers: Callers) -> None:
        results = await asyncio.gather(one(subject, callers), other(subject, callers), return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error

    return cause


def worst(faults: Sequence[Fault], outcomes: Sequence[Outcome]) -> list[tuple[Fault, Fault]]:
    """Pairs of the faults that cost callers most: first by failed calls, then by the time until all was well.

    Of the faults of one part only the worst is taken, because two at once would be one.
    """
    by_name = {fault.name: fault for fault in faults if not fault.alone}
    ranked = sorted(
        (one for one in outcomes if one.name in by_name), key=lambda o: (o.failed, o.well or float("inf")), reverse=True
    )
    chosen: dict[str, Fault] = {}
    for one in ranked:
        chosen.setdefault(one.name.partition("-")[2], by_name[one.name])
    return list(itertools.combinations(list(chosen.values())[:WORST], 2))


async def broken(
    subject: Subject, faults: Sequence[Fault], singles: list[Outcome], twos: list[Outcome], *, pairs: bool
) -> None:
    """Append what each of them did, and what the ten worst pairs did; results/faults.md has what there is so far."""
    taken = report.machine()
    callers = Callers(subject.target(), SERVERS)
    calling = asyncio.create_task(callers.run())
    try:
        await asyncio.sleep(WARM_UP)
        measure = Measure(subject, callers)
        await _steady(measure)
        for number, fault in enumerate(faults, 1):
            say(f"{time.strftime('%H:%M:%S')} {number}/{len(faults)} {fault.name}: {fault.what}")
            singles.append(await measure.run(fault))
            _tell(singles[-1])
            _keep(singles, twos, taken)
        chosen = worst(faults, singles) if pairs else []
        for number, (one, other) in enumerate(chosen, 1):
            name, what = f"{one.name} + {other.name}", f"{one.what}; {other.what}"
            say(f"{time.strftime('%H:%M:%S')} {number}/{len(chosen)} {name}")
            twos.append(await measure.run(Fault(name, what, both(one.cause, other.cause))))
            _tell(twos[-1])
            _keep(singles, twos, taken)
    finally:
        calling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await calling


async def _steady(measure: Measure) -> None:
    """RuntimeError where calls fail before anything is broken."""

    async def nothing(subject: Subject, callers: Callers) -> None:
        await asyncio.sleep(3)

    found = await measure.run(Fault("nothing", "nothing happens", nothing, none_fails=True))
    if found.wrong:
        raise RuntimeError(f"before anything was broken: {'; '.join(found.wrong)} {dict(found.told)}")


def _keep(singles: Sequence[Outcome], pairs: Sequence[Outcome], taken: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    KEPT.write_text(report.table(singles, pairs, taken), encoding="utf-8")


def _tell(outcome: Outcome) -> None:
    say(f"         {report.line(outcome).partition(': ')[2]}")
    for (status, text), number in outcome.told.most_common(5):
        say(f"         {number:5} × {status or '—'} {text}")
    for sentence in outcome.wrong:
        say(f"         WRONG: {sentence}")


def heed_signals() -> None:
    """Ctrl-C and SIGTERM end the platform too, also in a shell's background, where Ctrl-C is ignored otherwise."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    faults = catalogue()
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="single faults; without, all of them and ten pairs")
    parser.add_argument("--write", action="store_true", help=f"the table of a whole run into docs/{report.PAGE.name}")
    parser.add_argument("--list", action="store_true", help="print the faults, and run nothing")
    given = parser.parse_args(arguments)
    if given.list:
        say("\n".join(f"{fault.name:20} {fault.what}" for fault in faults))
        return 0
    known = {fault.name: fault for fault in faults}
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"{', '.join(unknown)}: no such fault; `--list` names them")
    if given.write and given.names:
        parser.error("--write wants the whole run: the page shows one machine at one time")
    chosen = [known[name] for name in given.names] or faults
    heed_signals()
    singles: list[Outcome] = []
    pairs: list[Outcome] = []
    say("deploying the platform that will be broken")
    try:
        with deployed() as subject:
            asyncio.run(broken(subject, chosen, singles, pairs, pairs=not given.names))
    except KeyboardInterrupt:
        say("stopped; the platform is gone")
        return 130
    if given.write:
        text = KEPT.read_text(encoding="utf-8")
        report.PAGE.write_text(report.into_page(text, report.PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    wrong = [f"{one.name}: {sentence}" for one in [*singles, *pairs] for sentence in one.wrong]
    say("\n".join(wrong) or f"{len(singles)} faults and {len(pairs)} pairs: nothing was lost, and all was well again")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
