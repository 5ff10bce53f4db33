"""Takes away what enforces a rule of the rule book, and sees the rule's test fail: in a copy of the repository."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from emulators.base.rules import Rule
from tools import copies

LIMIT = 1800.0
"""Seconds that one run of pytest may take."""
PASSED, FAILED = 0, 1  # pytest's exit codes

# What says that the edit broke the code, and nothing of the rule.
_BROKEN = re.compile(r"\b(SyntaxError|IndentationError|ImportError|ModuleNotFoundError|NameError)\b")

Verdict = Literal["fails", "passes", "broken"]


@dataclass(frozen=True)
class Proof:
    """`fails`: the test fails without its rule, as it should. `broken`: the run says nothing, and `says` why."""

    rule: Rule
    verdict: Verdict
    seconds: float
    says: str = ""


@dataclass
class Bench:
    """A copy of the repository at `copy`, and what its tests say there as it is."""

    copy: Path
    _as_is: dict[tuple[str, ...], str] = field(default_factory=dict)  # what is wrong with tests in the copy as it is

    def proof(self, rule: Rule, beside: Sequence[str] = ()) -> Proof:
        """`beside` are tests of the same file: they are seen to pass as they are in one run. Raises DoesNotApply."""
        begun = time.monotonic()
        tests = tuple(sorted({rule.test, *beside}))
        if tests not in self._as_is:
            verdict, says = self._run(tests, ())
            self._as_is[tests] = "" if verdict == "passes" else f"it does not pass as it is: {says}"
        verdict, says = "broken", self._as_is[tests]
        if not says:
            with copies.edited(self.copy, rule.edits):
                verdict, says = self._run([rule.test], rule.off)
        return Proof(rule, verdict, time.monotonic() - begun, says)

    def _run(self, tests: Sequence[str], off: Sequence[str]) -> tuple[Verdict, str]:
        report = self.copy / "results" / "rule.xml"
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", *tests, "-n", "0", "-x", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "tools.rule_off", f"--junitxml={report}"]
        environment = {**copies.environment(self.copy), "RULE_OFF": ",".join(off)}
        try:
            ended = subprocess.run(
                command, cwd=self.copy, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            return "broken", f"no end after {LIMIT:.0f} s"
        if ended.returncode not in (PASSED, FAILED):
            return "broken", f"pytest ended with {ended.returncode}: {_end(ended.stdout + ended.stderr)}"
        return judged(report.read_text(encoding="utf-8"))


def judged(report: str) -> tuple[Verdict, str]:
    """What a JUnit report says of a rule's test: a failure counts where the test itself made it, and not by accident.

    Nothing is said by a fixture that did not work, by a test that was skipped, or by code that cannot be compiled,
    imported or resolves no name.
    """
    cases = list(ElementTree.fromstring(report).iter("testcase"))
    errors = [element for case in cases for element in case.iter("error")]
    failures = [element for case in cases for element in case.iter("failure")]
    if not cases or all(case.find("skipped") is not None for case in cases):
        return "broken", "no test ran"
    if errors:
        return "broken", f"what the test needs did not come up: {_end(errors[0].text or '')}"
    if not failures:
        return "passes", ""
    message = failures[0].get("message") or ""
    verdict: Verdict = "broken" if _BROKEN.match(message) else "fails"
    return verdict, message.partition("\n")[0]


def prove(rules: Sequence[Rule], home: Path, say: Callable[[str], None]) -> list[Proof]:
    """The proof of each of these rules, a line said for each as it goes; `home` is an empty folder for the copy.

    Raises copies.DoesNotApply before anything runs.
    """
    for rule in rules:
        copies.after(rule.edits)
    bench = Bench(copies.copied(home / "repository"))
    begun, proofs = time.monotonic(), list[Proof]()
    for number, rule in enumerate(rules, 1):
        beside = [other.test for other in rules if _file(other) == _file(rule)]
        proofs.append(proof := bench.proof(rule, beside))
        minutes, seconds = divmod(int(time.monotonic() - begun), 60)
        say(f"[{number:3}/{len(rules)} {minutes:3}:{seconds:02}] {rule.id}: {_line(proof)} ({proof.seconds:.0f} s)")
    return proofs


def _file(rule: Rule) -> str:
    return rule.test.partition("::")[0]


def _line(proof: Proof) -> str:
    if proof.verdict == "fails":
        return "its test fails without it"
    if proof.verdict == "passes":
        return f"IDLE, {proof.rule.test} passes without it"
    return f"NOTHING SAID by {proof.rule.test}: {proof.says}"


def summary(proofs: Iterable[Proof], unproved: Iterable[Rule]) -> str:
    """How many tests fail without their rule, those that do not, and the rules that say why they have no proof."""
    found, without = list(proofs), list(unproved)
    bad = [proof for proof in found if proof.verdict != "fails"]
    lines = [f"{len(found) - len(bad)} of {len(found)} tests fail without their rule"]
    lines += [f"  {proof.rule.id}: {_line(proof)}" for proof in bad]
    lines += [f"  {rule.id} has no proof: {rule.unproved}" for rule in without]
    return "\n".join(lines)


def _end(text: str) -> str:
    return " ".join(text.split())[-600:]
