"""Exceptions from policies are few, reasoned, and all in one list."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LISTED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "exceptions.yaml").read_text(encoding="utf-8"))
# Checkov reads its comments under three names.
SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip=[ \t]*(\w*)(?:[ \t]*:[ \t]*(.*))?")
SOURCES = sorted(
    path for path in (ROOT / "terraform").rglob("*") if path.suffix in (".tf", ".tftpl", ".tfvars", ".hcl")
)


def skips(text: str) -> list[tuple[str, str]]:
    """(id, reason) of each skip in a file; the reason is empty where there is none."""
    return [(match.group(1), (match.group(2) or "").strip()) for match in SKIP.finditer(text)]


def test_every_skip_in_the_code_is_listed_and_every_listed_one_is_in_the_code() -> None:
    """An exception more, an exception less or another reason changes exceptions.yaml, where a reviewer sees it."""
    found = {str(path.relative_to(ROOT)): dict(skips(path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {file: exceptions for file, exceptions in found.items() if exceptions} == LISTED["inline"]


def test_no_check_is_skipped_twice_in_one_file() -> None:
    """A file's list says one reason per check; a second resource with another reason needs another file."""
    for path in SOURCES:
        ids = [id_ for id_, _ in skips(path.read_text(encoding="utf-8"))]
        assert sorted(ids) == sorted(set(ids)), path


@pytest.mark.parametrize(
    ("file", "id_", "reason"),
    [(file, id_, reason) for file, exceptions in LISTED["inline"].items() for id_, reason in exceptions.items()]
    + [("noxfile.py", id_, reason) for id_, reason in LISTED["session"].items()],
)
def test_every_exception_says_why(file: str, id_: str, reason: str) -> None:
    assert re.fullmatch(r"CKV2?_[A-Z]+_\d+", id_), f"{file}: a skip names one check"
    assert len(reason.split()) >= 6, f"{file}: {id_} is skipped without a reason that one could examine: {reason!r}"


@pytest.mark.parametrize(
    "text", ["#checkov:skip=CKV_AZURE_1", "# checkov:skip=CKV_AZURE_1:", "#bridgecrew:skip=CKV_AZURE_1"]
)
def test_a_skip_without_reason_is_seen(text: str) -> None:
    assert skips(text) == [("CKV_AZURE_1", "")]


def test_what_the_session_skips_is_listed() -> None:
    """And nothing else makes it look away: no baseline, no soft failure, no configuration file of Checkov's."""
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    skipped = re.findall(r'"--skip-check",\s*"([^"]*)"', noxfile)
    assert [id_ for ids in skipped for id_ in ids.split(",")] == list(LISTED["session"])
    for option in (
        "--baseline",
        "--soft-fail",
        "--skip-path",
        "--skip-framework",
        "--skip-resources",
        "--check-threshold",
    ):
        assert option not in noxfile
    assert [path.name for path in ROOT.glob(".checkov.y*ml")] == []


def test_none_of_our_own_policies_is_skipped() -> None:
    """They say what makes this platform safe: an exception from one is a change of the rule."""
    ids = [id_ for exceptions in LISTED["inline"].values() for id_ in exceptions] + list(LISTED["session"])
    assert [id_ for id_ in ids if id_.startswith("CKV_MCP_")] == []
