"""The list of what the twin does not do leads to each part's own details."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TWIN = Path(__file__).parents[3] / "twin"
TEXT = (TWIN / "FIDELITY.md").read_text(encoding="utf-8")
PARTS = ("azurerm", "apim", "entra", "mongodb")


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_a_linked_readme(part: str) -> None:
    assert f"(../emulators/{part}/README.md)" in TEXT
    assert (TWIN.parent / "emulators" / part / "README.md").is_file()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_no_link_leads_nowhere(link: str) -> None:
    assert (TWIN / link).exists()
