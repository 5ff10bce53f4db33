"""docs/network.md: its tables of Microsoft's rows name each rule of the subnet, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
RULES: dict[str, dict[str, Any]] = yaml.safe_load(
    # What Terraform fills in makes no difference to names.
    re.sub(r"\$\{\w[\w.]*\}", "filled", (ROOT / "terraform/stage1/data/network-rules.yaml").read_text(encoding="utf-8"))
)
HEADINGS = {
    "apim": "API Management's rules",
    "apim-integrated": "An integrated gateway's rules",
    "apim-injected": "An injected gateway's rules",
    "containers": "The containers' rules",
}


def _section(heading: str) -> str:
    page = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
    return page.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def _rows(heading: str) -> list[list[str]]:
    lines = [line for line in _section(heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.mark.parametrize("subnet", HEADINGS)
def test_every_rule_is_on_the_page_and_every_name_is_a_rule(subnet: str) -> None:
    """In the table, or below it as one of the platform's own."""
    assert set(re.findall(r"`((?:allow|deny)-[\w-]+)`", _section(HEADINGS[subnet]))) == set(RULES[subnet])


@pytest.mark.parametrize("subnet", HEADINGS)
def test_what_the_reference_wants_has_its_rule(subnet: str) -> None:
    """A row is answered by a rule in that row's direction, by Azure's default, or left out aloud."""
    for row in _rows(HEADINGS[subnet]):
        direction, here = row[0], row[-1]
        names = re.findall(r"`((?:allow|deny)-[\w-]+)`", here)
        assert names or re.search("left out|left to the internet's default", here), row
        if direction in ("in", "out"):
            wanted = {"in": "Inbound", "out": "Outbound"}[direction]
            assert {RULES[subnet][name].get("direction", "Inbound") for name in names} <= {wanted}, row


def test_a_required_row_is_left_out_of_the_containers_group_aloud() -> None:
    """The service's list is wider than the group: what `invoke verify` looks at is named beside it."""
    (whole,) = [row for row in _rows(HEADINGS["containers"]) if row[1] == "network → subnet"]
    assert "live check `reader`" in whole[-1]
    rule = RULES["containers"]["allow-gateway"]
    assert (rule["source"], rule["ports"]) == ("filled", "filled")
