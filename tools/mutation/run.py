"""Runs mutations: a copy of the repository for each worker, one mutation at a time in it, gates until one notices."""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools import copies
from tools.mutation.gates import GATES, Findings, GateBroken, Tools
from tools.mutation.table import ROOT, Mutation

RESULTS = ROOT / "results" / "mutations.json"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """`gate` is None where no gate noticed; `found` is the test or policy, `tried` the gates before it."""

    gate: str | None
    found: str
    says: str
    seconds: float
    tried: list[str]
    mutation: str  # fingerprint of the table's entry, so that a changed one runs again


@dataclass
class Known:
    """What each gate finds without a mutation, looked up once for both workers."""

    findings: dict[str, frozenset[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Book:
    """results/mutations.json: written after each mutation, so that an interrupted run goes on where it was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.outcomes: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def has(self, mutation: Mutation) -> bool:
        found = self.outcomes.get(mutation.id)
        return found is not None and found["mutation"] == fingerprint(mutation)

    def write(self, mutation: Mutation, outcome: Outcome) -> None:
        with self._lock:
            self.outcomes[mutation.id] = asdict(outcome)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self.path.with_suffix(".partial")
            partial.write_text(json.dumps(self.outcomes, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            partial.replace(self.path)


def fingerprint(mutation: Mutation) -> str:
    return hashlib.sha256(repr((mutation.file, mutation.find, mutation.replace)).encode()).hexdigest()[:16]


def run(mutations: list[Mutation], book: Book, home: Path, tools: Tools, workers: int, say: Say) -> None:
    """Runs each mutation and writes its outcome; raises DoesNotApply before any of them runs."""
    for mutation in mutations:
        mutation.applied(ROOT)
    free: queue.Queue[Path] = queue.Queue()
    for number in range(workers):
        free.put(copies.copied(home / f"worker{number}" / "repository"))
    known, begun, done = Known(), time.monotonic(), iter(range(1, len(mutations) + 1))

    def one(mutation: Mutation) -> None:
        copy = free.get()
        try:
            outcome = try_gates(mutation, copy, tools, known)
        finally:
            free.put(copy)
        caught = f"caught by {outcome.gate}: {outcome.found}" if outcome.gate else "SURVIVES"
        if outcome.gate or not tools.own_gates:
            book.write(mutation, outcome)
        minutes, seconds = divmod(int(time.monotonic() - begun), 60)
        when = f"{next(done):3}/{len(mutations)} {minutes:3}:{seconds:02}"
        say(f"[{when}] {mutation.id}: {caught} ({outcome.seconds:.0f} s)")

    with ThreadPoolExecutor(workers) as pool:
        for finished in [pool.submit(one, mutation) for mutation in mutations]:
            finished.result()


def try_gates(mutation: Mutation, copy: Path, tools: Tools, known: Known) -> Outcome:
    """The mutation's own gates first, then the others from cheap to dear, until one finds something new."""
    begun = time.monotonic()
    tried: list[str] = []
    others = [] if tools.own_gates else [name for name in GATES if name not in mutation.gates]
    order = [*mutation.gates, *others]
    environment = mutation.file.split("/")[2] if mutation.file.startswith("terraform/environments/") else "prod"
    for name in order:
        before = _without(name, environment, copy, tools, known)
        with _mutated(copy, mutation):
            found = GATES[name].look(copy, environment, tools, before)
        fresh = {what: says for what, says in found.items() if what not in before}
        if fresh:
            what = min(fresh, key=lambda key: (not key.startswith("CKV_MCP"), key))
            seconds = time.monotonic() - begun
            return Outcome(name, what, fresh[what][-600:], seconds, tried, fingerprint(mutation))
        tried.append(name)
    return Outcome(None, "", "", time.monotonic() - begun, tried, fingerprint(mutation))


def _without(name: str, environment: str, copy: Path, tools: Tools, known: Known) -> frozenset[str]:
    key = f"{name} {environment}"
    with known.lock:
        if key not in known.findings:
            known.findings[key] = frozenset(_all_findings(name, environment, copy, tools))
        return known.findings[key]


def _all_findings(name: str, environment: str, copy: Path, tools: Tools) -> Iterator[str]:
    """A gate stops at its first finding: look again without that one, until it finds no more."""
    found: set[str] = set()
    while True:
        _forget_plans(copy)
        fresh: Findings = GATES[name].look(copy, environment, tools, frozenset(found))
        if not fresh.keys() - found:
            return
        if len(found) > 20:
            raise GateBroken(
                f"the gate {name} finds more than 20 faults without a mutation; see to these first: {found}"
            )
        found |= fresh.keys()
        yield from fresh


@contextmanager
def _mutated(copy: Path, mutation: Mutation) -> Iterator[None]:
    _forget_plans(copy)
    try:
        with copies.edited(copy, [mutation.edit]):
            yield
    finally:
        _forget_plans(copy)


def _forget_plans(copy: Path) -> None:
    shutil.rmtree(copy / "results" / "plans", ignore_errors=True)
