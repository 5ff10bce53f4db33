"""`python -m tools.pages.reference [--check]`: writes the tables of inputs and outputs into the READMEs of terraform/.

Each stands between two markers. `--check` writes nothing, names what is stale and fails. Reads HCL as `terraform fmt`
leaves it, which `nox -s lint` enforces: a block begins and ends at the left margin, its arguments are two spaces in.
terraform-docs and tfdoc do the same, but neither comes from a package index that the gates use.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
SHARED = TERRAFORM / "shared"
STAGES = [TERRAFORM / "stage1", TERRAFORM / "stage2"]
BEGIN, END = "<!-- begin: python -m tools.pages.reference -->\n", "<!-- end: python -m tools.pages.reference -->\n"
_BLOCK = re.compile(r'^(variable|output) "([^"]+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_NESTED = re.compile(r"^  (validation|lifecycle|precondition) \{\n.*?^  \}\n", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"^  (\w+)\s+= ", re.MULTILINE)
_RULE = re.compile(r'^    error_message\s*= "(.*)"$', re.MULTILINE)
_ENTRIES = re.compile(r" \(\$\{join\(.*\)\}\)(?=\.$)")
"""What a rule of a map ends with: the entries that break it, which only a refusal has."""


class TablesError(Exception):
    """A README has no place for its tables."""


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

    @property
    def default(self) -> str | None:
        """As it is written; None for a variable that has to be given."""
        return self.arguments.get("default")


def blocks(text: str) -> Iterator[Block]:
    """Every variable and output, in the order of the text."""
    for kind, name, body in _BLOCK.findall(text):
        rules = tuple(_ENTRIES.sub("", rule).replace('\\"', '"') for rule in _RULE.findall(body))
        yield Block(kind, name, dict(_arguments(_NESTED.sub("", body))), rules)


def _arguments(body: str) -> Iterator[tuple[str, str]]:
    found = list(_ARGUMENT.finditer(body))
    ends = [match.start() for match in found[1:]] + [len(body)]
    for match, end in zip(found, ends, strict=True):
        yield match.group(1), body[match.end() : end].rstrip()


def folders() -> list[Path]:
    """Those whose README has tables."""
    return [SHARED, *STAGES, *sorted(path for path in (TERRAFORM / "modules").iterdir() if path.is_dir())]


def tables(folder: Path) -> str:
    """Inputs with their types and rules, and outputs. A stage lists of the shared inputs those that it reads."""
    found = list(blocks("\n".join(path.read_text(encoding="utf-8") for path in _sources(folder))))
    inputs = [block for block in found if block.kind == "variable"]
    outputs = [block for block in found if block.kind == "output"]
    if folder in STAGES:
        read = _read_by(folder)
        rows = [
            f"| `{block.name}` | {_cell(block.description)} |"
            for block in sorted(inputs, key=lambda block: block.name)
            if block.name in read
        ]
        parts = [
            "## Inputs\n",
            "Types, defaults and rules: [shared](../shared/README.md).\n",
            "| input | is |\n|---|---|",
        ]
        parts += [*rows, ""]
    else:
        parts = ["## Inputs\n", "| input | is | type | default |\n|---|---|---|---|", *map(_input, inputs), ""]
        parts += _refusals(inputs)
    if outputs:
        parts += ["## Outputs\n", "| output | is |\n|---|---|"]
        parts += [f"| `{block.name}` | {_cell(block.description)} |" for block in outputs]
        parts += [""]
    return "\n".join(parts).rstrip() + "\n"


def _sources(folder: Path) -> list[Path]:
    """`variables.tf` before the files of one topic."""
    return sorted(folder.glob("*.tf"), key=lambda path: (path.name != "variables.tf", path.name))


def _read_by(stage: Path) -> set[str]:
    code = [path.read_text(encoding="utf-8") for path in stage.glob("*.tf") if not path.name.startswith("variables")]
    return {name for text in code for name in re.findall(r"\bvar\.(\w+)", text)}


def _input(block: Block) -> str:
    default = "required" if block.default is None else _code(block.default)
    return f"| `{block.name}` | {_cell(block.description)} | {_code(block.arguments.get('type', 'any'))} | {default} |"


def _refusals(inputs: list[Block]) -> list[str]:
    rules = [f"- `{block.name}`: {_cell(rule)}" for block in inputs for rule in block.rules]
    if not rules:
        return []
    return [f"<details><summary>What is refused ({len(rules)} rules)</summary>\n", *rules, "\n</details>\n"]


def _code(text: str) -> str:
    """HCL in a cell: on one line as code, on several as an element that keeps them."""
    if "\n" not in text:
        return f"`{text.replace('|', chr(92) + '|')}`"
    first, rest = text.split("\n", 1)
    lines = [first, *textwrap.dedent(rest).splitlines()]
    escaped = html.escape("<br>".join(lines), quote=False).replace("&lt;br&gt;", "<br>")
    for character in "|*_`":  # Markdown's own signs hold inside the element too
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return f"<pre>{escaped}</pre>"


def _cell(text: str) -> str:
    """A sentence in a cell: outside of its code spans nothing is an element."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(html.escape(part, quote=False) if index % 2 == 0 else part for index, part in enumerate(parts))


def written(folder: Path) -> tuple[str, str]:
    """The README as it is, and with the tables of the present code; TablesError where it has no markers."""
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise TablesError(
            f"{readme} has no place for its inputs and outputs: "
            f"add the lines\n{BEGIN}{END}and run python -m tools.pages.reference"
        )
    return text, "".join([before, begin, "\n", tables(folder), "\n", end, after])


def stale() -> list[Path]:
    """READMEs whose tables are not those of the code."""
    return [folder / "README.md" for folder in folders() if len({*written(folder)}) > 1]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.pages.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a README is stale")
    given = parser.parse_args(arguments)
    try:
        old = stale()
        if not given.check:
            for readme in old:
                readme.write_text(written(readme.parent)[1], encoding="utf-8")
    except TablesError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for readme in old:
        sys.stdout.write(f"{'stale' if given.check else 'written'}: {readme.relative_to(ROOT)}\n")
    return 1 if given.check and old else 0


if __name__ == "__main__":
    sys.exit(main())
