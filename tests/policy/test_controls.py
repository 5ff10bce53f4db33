"""docs/controls.md says what is there: an auditor who follows a row arrives."""

from __future__ import annotations

import re

from tests.policy import controls, reports

ROOT = reports.ROOT
PAGE = controls.PAGE.read_text(encoding="utf-8")
ROWS = PAGE.partition("<!-- policies -->")[0]


def test_the_table_of_policies_is_the_policies() -> None:
    assert controls.written(PAGE) == PAGE, "run: nox -s policy -- --controls"


def test_every_policy_belongs_to_a_control() -> None:
    assert set(reports.checks()) - set(re.findall(r"CKV_MCP_\d+", ROWS)) == set()


def test_every_named_file_exists() -> None:
    files = set(re.findall(r"`((?:terraform|tests)/[\w./-]+\.\w+)`", ROWS))
    assert [file for file in sorted(files) if not (ROOT / file).exists()] == []


def test_every_named_test_exists() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", ROWS))
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []
