"""The table of docs/gallery.md, as data: what the page says is what runs."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "gallery.md"
_ROW = re.compile(
    r"^\| [^|]+ \| `invoke (?P<command>add-server [^|`]+)` \| *(?P<entry>[^|]*?) *\| "
    r"(?P<admin>\d+), (?P<reader>\d+) \|",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Row:
    """One server: the command without `invoke`, a line of its entry, and how many tools each role has."""

    command: tuple[str, ...]
    entry: str
    admin: int
    reader: int

    @property
    def name(self) -> str:
        return self.command[1]


def rows() -> list[Row]:
    """Return the page's servers, in its order."""
    found = _ROW.finditer(PAGE.read_text(encoding="utf-8"))
    return [
        Row(tuple(shlex.split(row["command"])), row["entry"].strip("` "), int(row["admin"]), int(row["reader"]))
        for row in found
    ]


def with_line(text: str, name: str, line: str) -> str:
    """Return terraform.tfvars with one line of a server's entry replaced, or added where it has none of that name."""
    entry = re.search(rf"^  {re.escape(name)} = \{{\n(?:.*\n)*?  \}}\n", text, re.MULTILINE)
    assert entry, f"mcp_servers has no entry {name}"
    start, key = entry.start(), re.escape(line.partition(" ")[0])
    there = re.search(rf"^( +){key} += .*$", entry[0], re.MULTILINE)
    if there:
        return text[: start + there.start()] + there[1] + line + text[start + there.end() :]
    at = start + len(f"  {name} = {{\n")
    return f"{text[:at]}    {line}\n\n{text[at:]}"  # apart: `terraform fmt` aligns what stands together
