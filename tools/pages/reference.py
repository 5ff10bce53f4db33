"""The reference of a Terraform module, from its README, variables and outputs.

Reads HCL as `terraform fmt` leaves it, which `nox -s lint` enforces: a block begins and ends at the left margin, its
arguments are two spaces in.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r'^(variable|output) "([^"]+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"^  (\w+)\s+= ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A variable or an output; `arguments` as they are written, without the blocks inside, such as `validation`."""

    kind: str
    name: str
    arguments: dict[str, str]
    rules: tuple[str, ...]

    @property
    def description(self) -> str:
        """In one paragraph, whether it was written as a string or as a heredoc."""
        text = self.arguments.get("description", '""')
        if text.startswith("<<"):
            return " ".join(text.split("\n", 1)[1].rsplit("\n", 1)[0].split())
        return text.strip('"').replace('\\"', '"')


def blocks(text: str) -> Iterator[Block]:
    """Every variable and output, in the order of the text."""
    for kind, name, body in _BLOCK.findall(text):
        plain = re.sub(
            r"^  (validation|lifecycle|precondition) \{\n.*?^  \}\n", "", body, flags=re.MULTILINE | re.DOTALL
        )
        rules = tuple(re.findall(r'^    error_message = "(.*)"$', body, re.MULTILINE))
        yield Block(kind, name, dict(_arguments(plain)), rules)


def _arguments(body: str) -> Iterator[tuple[str, str]]:
    found = list(_ARGUMENT.finditer(body))
    ends = [match.start() for match in found[1:]] + [len(body)]
    for match, end in zip(found, ends, strict=True):
        yield match.group(1), body[match.end() : end].rstrip()


def page(folder: Path) -> str:
    """The README, then a section for each variable and a table of the outputs."""
    read = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.tf"))]
    found = [block for text in read for block in blocks(text)]
    variables = [_variable(block) for block in found if block.kind == "variable"]
    outputs = [f"| `{block.name}` | {_cell(block.description)} |" for block in found if block.kind == "output"]
    return "\n".join(
        [
            (folder / "README.md").read_text(encoding="utf-8").rstrip(),
            "\n## Variables\n",
            *variables,
            "\n## Outputs\n",
            "| output | is |\n|---|---|",
            *outputs,
            "",
        ]
    )


def _variable(block: Block) -> str:
    default = block.arguments.get("default")
    short = default is not None and "\n" not in default
    needed = "required" if default is None else f"default `{default}`" if short else "default below"
    declared = f"type = {block.arguments.get('type', 'any')}"
    code = declared if short or default is None else f"{declared}\n\ndefault = {default}"
    rules = [f"- {rule}" for rule in block.rules]
    refused = ["", "Refused otherwise:", "", *rules] if rules else []
    parts = [f"### {block.name}", "", f"{block.description} *{needed}*", "", "```hcl", textwrap.dedent(code), "```"]
    return "\n".join([*parts, *refused, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
