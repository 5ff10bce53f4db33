"""`nox -s policy -- --controls`: writes the table of policies in docs/controls.md."""

from __future__ import annotations

import re
from pathlib import Path

from tests.policy import reports

PAGE = Path(__file__).parents[2] / "docs" / "controls.md"
_TABLE = re.compile(r"(?<=<!-- policies -->\n).*(?=<!-- /policies -->)", re.DOTALL)


def written(page: str) -> str:
    """The page with the table as the policies are now."""
    return _TABLE.sub(lambda _: table(), page)


def table() -> str:
    checks = sorted(reports.checks().values(), key=lambda check: int(check.id.rpartition("_")[2]))
    rows = [
        f"| `{check.id}` | {type(check).__name__} | {check.severity_name.lower()} | {_judged_on(check)} "
        f"| {_cell(check.summary)} | {_cell(check.guideline)} |"
        for check in checks
    ]
    return "\n".join(["| id | name | severity | on | it holds | because |", "|---|---|---|---|---|---|", *rows]) + "\n"


def _judged_on(check: object) -> str:
    bases = {base.__name__ for base in type(check).__mro__}
    return "plan" if "PlanPolicy" in bases else "code" if "ModulePolicy" in bases else "both"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
