"""Writes docs/azure-rules.md, the rule book, from the rules that stand beside the code which enforces them.

`python -m tools.azure_rules`; a test holds that it is fresh and that every rule has its test. `--prove [ID ...]` takes
away what enforces each rule, in a copy of the repository, and sees the rule's test fail.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from emulators.base.rules import STANDINGS, Rule
from tools import copies, rule_proofs
from tools.copies import ROOT

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

`nox -s rules` takes away what enforces each rule, in a copy of the repository, and sees the rule's test fail: a
function does nothing, or an edit changes code, Terraform, a policy or data. Of an open rule it changes what is taken to
be so here. A row without such a proof says why.
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
    if rule.unproved:
        shown += f"; not proved: {rule.unproved}"
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
        if name.partition("[")[0] not in _tests_of(ROOT / path):
            yield f"{rule.id}: {path} has no test {name!r}"
        if not DATED.search(rule.source):
            yield f"{rule.id}: its source has neither date, nor version, nor number: {rule.source}"
        yield from _proof_problems(rule)
        if rule.standing == "open" and not rule.live:
            yield f"{rule.id}: an open rule names the check of `invoke verify` that looks"
        if rule.live and rule.live not in checks:
            yield f"{rule.id}: `invoke verify` has no check {rule.live!r}"
        if "|" in f"{rule.says}{rule.source}{rule.enforced_by}":
            yield f"{rule.id}: a bar would end the table's cell"
        seen.add(rule.id)


def _proof_problems(rule: Rule) -> Iterator[str]:
    if bool(rule.off or rule.edits) == bool(rule.unproved):
        yield f"{rule.id}: `off` or `edits` take away what enforces it, or else `unproved` says why nothing can"
    try:
        texts = copies.after(rule.edits)
    except copies.DoesNotApply as error:
        yield f"{rule.id}: {error}"
        return
    for path, text in texts.items():
        if path.endswith(".py"):
            try:
                ast.parse(text)
            except SyntaxError as error:
                yield f"{rule.id}: {path} is no Python after the edit: {error}"


@cache
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


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.azure_rules", description=__doc__)
    parser.add_argument(
        "--prove", nargs="*", metavar="ID", help="see each rule's test fail without it; without ids, all"
    )
    given: list[str] | None = parser.parse_args(arguments).prove
    if given is None:
        DOCUMENT.write_text(document(), encoding="utf-8")
        return 0
    book = {rule.id: rule for found in rules().values() for rule in found}
    if unknown := sorted(set(given) - set(book)):
        parser.error(f"the rule book has no rule {unknown[0]}")
    chosen = [rule for id_, rule in book.items() if not given or id_ in given]
    unproved = [rule for rule in chosen if rule.unproved]
    with tempfile.TemporaryDirectory(prefix="rules-") as home:
        proofs = rule_proofs.prove([rule for rule in chosen if not rule.unproved], Path(home), _say)
    _say(rule_proofs.summary(proofs, unproved))
    return 0 if all(proof.verdict == "fails" for proof in proofs) else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
