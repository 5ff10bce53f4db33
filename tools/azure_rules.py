"""Writes docs/azure-rules.md, the rule book, from the rules that stand beside the code which enforces them.

`python -m tools.azure_rules`; a test holds that it is fresh and that every rule has its test. `--prove [ID ...]` turns
off what enforces each rule, as far as its row says what that is, and sees its test fail.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from emulators.base.rules import STANDINGS, Rule

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "azure-rules.md"
#: Modules with a tuple `RULES`, and what their rules are about.
BOOKS = {
    "emulators.azurerm.rules": "What the control plane and the providers do",
    "ops.checks.rules": "What Azure asks of whoever deploys",
    "twin.rules": "What happens to what hangs or moves",
    "emulators.apim.rules": "What API Management does with requests and policies",
    "emulators.entra.rules": "What Entra ID does",
    "emulators.arm.rules": "Who may do what, and from where",
}

# A page's date (or the year it was read), a release, an issue, a commit.
DATED = re.compile(r"20\d\d|\d+\.\d+|#\d+|commit [0-9a-f]{7}")

_HEAD = """# What Azure does and refuses

Made by `python -m tools.azure_rules` from the rules beside the code that enforces them. *Documented*: Microsoft's
documentation says it. *Provider source*: the code of azurerm 5.2.0 or azuread 3.9.0 does it. *Reported*: people met it,
and no document says it. *Open*: only a run on Azure can tell; the check of `invoke verify` that looks is named.
"""


def rules() -> dict[str, tuple[Rule, ...]]:
    """The rules by the module that holds them."""
    return {name: import_module(name).RULES for name in BOOKS}


def document() -> str:
    """The whole page."""
    found = rules()
    count: Counter[str] = Counter(rule.standing for book in found.values() for rule in book)
    numbers = ", ".join(f"{count[standing]} {standing}" for standing in STANDINGS)
    parts = [f"{_HEAD}\n{sum(count.values())} rules: {numbers}.\n"]
    for name, book in found.items():
        rows = "\n".join(_row(rule) for rule in book)
        parts.append(
            f"## {BOOKS[name]}\n\n| rule | standing | source | enforced by | test |\n|---|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def _row(rule: Rule) -> str:
    path, _, test = rule.test.partition("::")
    live = f"; live check `{rule.live}`" if rule.live else ""
    shown = f"[`{test}`](../{path})"
    return f"| **{rule.id}**: {rule.says} | {rule.standing} | {rule.source} | {rule.enforced_by}{live} | {shown} |"


def problems(found: Iterable[Rule]) -> Iterator[str]:
    """What is wrong with the rows: ids used twice, tests and live checks that do not exist, open rules without one."""
    checks, seen = live_checks(), set[str]()
    for rule in found:
        path, _, name = rule.test.partition("::")
        if rule.id in seen:
            yield f"{rule.id}: another rule has this id"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id):
            yield f"{rule.id!r}: an id is words in lower case, joined by hyphens"
        if name not in _tests_of(ROOT / path):
            yield f"{rule.id}: {path} has no test {name!r}"
        if not DATED.search(rule.source):
            yield f"{rule.id}: its source has neither date, nor version, nor number: {rule.source}"
        if rule.standing != "open" and rule.enforced_by.startswith("emulators/azurerm at") and not rule.off:
            yield f"{rule.id}: `off` names the functions of the emulator that enforce it"
        if rule.standing == "open" and not rule.live:
            yield f"{rule.id}: an open rule names the check of `invoke verify` that looks"
        if rule.live and rule.live not in checks:
            yield f"{rule.id}: `invoke verify` has no check {rule.live!r}"
        if "|" in f"{rule.says}{rule.source}{rule.enforced_by}":
            yield f"{rule.id}: a bar would end the table's cell"
        seen.add(rule.id)


def live_checks() -> set[str]:
    """Names of the checks of `invoke verify`, as the code of ops/ lists them."""
    return {
        str(node.args[0].value)
        for path in (ROOT / "ops").rglob("*.py")
        if "Check(" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Check"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def _tests_of(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def proved(ids: Collection[str] = ()) -> Iterator[tuple[Rule, bool]]:
    """Each rule that says what enforces it, and whether its test fails without that; those of these ids, or all."""
    for rule in (rule for book in rules().values() for rule in book if rule.off and (not ids or rule.id in ids)):
        command = [sys.executable, "-m", "pytest", rule.test, "-p", "tools.rule_off", "-n", "0", "-x", "-q"]
        environment = {**os.environ, "RULE_OFF": ",".join(rule.off)}
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode not in (0, TESTS_FAILED):
            raise RuntimeError(
                f"{rule.test} did not run (pytest ended with {ended.returncode}): {ended.stdout[-2000:]}"
            )
        yield rule, ended.returncode == TESTS_FAILED


TESTS_FAILED = 1  # pytest's exit code


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.azure_rules", description=__doc__)
    parser.add_argument(
        "--prove", nargs="*", metavar="ID", help="see each rule's test fail without it; without ids, all"
    )
    given: list[str] | None = parser.parse_args(arguments).prove
    if given is None:
        DOCUMENT.write_text(document(), encoding="utf-8")
        return 0
    known = {rule.id for book in rules().values() for rule in book if rule.off}
    if unknown := sorted(set(given) - known):
        parser.error(f"{unknown[0]} is no rule whose row says what enforces it (`off`)")
    found = list(proved(given))
    idle = [f"{rule.id}: {rule.test} passes without {', '.join(rule.off)}" for rule, fails in found if not fails]
    sys.stdout.write("\n".join([*idle, f"{len(found) - len(idle)} of {len(found)} tests fail without their rule\n"]))
    return 1 if idle else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
