"""`python -m tools.mutation [--only ID|CLASS …] [--again] [--write]`: break something, see which gate notices."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tools.mutation import report, run, table
from tools.mutation.gates import GateBroken, Tools


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], help="ids or classes; without, all")
    parser.add_argument("--again", action="store_true", help="also those that have an outcome already")
    parser.add_argument("--write", action="store_true", help=f"write {report.DOCUMENT.name} from the outcomes")
    parser.add_argument("--list", action="store_true", help="print ids and classes, and run nothing")
    parser.add_argument("--own-gates", action="store_true", help="only the gates that the table names: quick, no proof")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=300, help="seconds that one look of a gate may take")
    parser.add_argument(
        "--checkov", default=shutil.which("checkov"), help="the program, from an environment of its own"
    )
    given = parser.parse_args(arguments)
    try:
        return _do(given)
    except (table.DoesNotApply, GateBroken) as error:
        _say(f"error: {error}")
        return 2


def _do(given: argparse.Namespace) -> int:
    mutations = table.load()
    if given.list:
        _say("\n".join(f"{mutation.class_:20} {mutation.id}" for mutation in mutations))
        return 0
    book = run.Book(run.RESULTS)
    wanted = table.chosen(given.only, mutations)
    left = [mutation for mutation in wanted if given.again or not book.has(mutation)]
    if left and not given.checkov:
        raise GateBroken("no checkov on PATH: give its program with --checkov, or run `nox -s mutation`")
    with tempfile.TemporaryDirectory(prefix="mutation-") as home:
        run.run(left, book, Path(home), Tools(given.checkov or "", given.timeout, given.own_gates), given.workers, _say)
    survivors = [mutation.id for mutation in wanted if not book.outcomes.get(mutation.id, {}).get("gate")]
    _say(
        f"{len(wanted) - len(survivors)} of {len(wanted)} were noticed"
        + "".join(f"\n  survives: {id_}" for id_ in survivors)
    )
    if given.write:
        _write(mutations, book)
    return 1 if survivors else 0


def _write(mutations: list[table.Mutation], book: run.Book) -> None:
    missing = [mutation.id for mutation in mutations if not book.has(mutation)]
    if missing:
        raise GateBroken(f"{len(missing)} mutations have no outcome, run them first: {' '.join(missing[:8])} …")
    report.DOCUMENT.write_text(report.document(mutations, book.outcomes), encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
