"""Policies where people keep them: files of their own, heredocs of Terraform, fenced blocks of Markdown.

What Terraform puts in (`${…}`) is not known here, and counts as a named value does: it is taken to be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

#: Files that are looked into; the last two hold policies among other things.
SUFFIXES = (".xml", ".tftpl", ".tf", ".md")
EMBEDDING = (".tf", ".md")

_POLICY = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:policies|fragment)\b", re.DOTALL)
_HEREDOC = re.compile(r"<<-?\"?(\w+)\"?[ \t]*\n(.*?)\n[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)


def documents(path: Path, text: str) -> Iterator[str]:
    """The policies of a file, each after as many empty lines as stand before it, so that its lines are the file's."""
    if path.suffix not in EMBEDDING:
        yield text
        return
    for found in (_HEREDOC if path.suffix == ".tf" else _FENCE).finditer(text):
        body = found[2]
        if _POLICY.match(body):
            before = "\n" * text.count("\n", 0, found.start(2))
            yield before + (_without_templates(body) if path.suffix == ".tf" else body)


def has_directives(text: str) -> bool:
    """Whether only Terraform can say what the text is (`%{ if … }`)."""
    return re.search(r"(?<!%)%\{", text) is not None


def _without_templates(text: str) -> str:
    """Interpolations as named values; `$${` is Terraform's way to write `${`."""
    parts, position = list[str](), 0
    while (start := text.find("${", position)) >= 0:
        if text[start - 1 : start] == "$":
            parts.append(text[position : start - 1] + "${")
            position = start + 2
            continue
        end = _closing(text, start + 2)
        parts.append(text[position:start] + "{{terraform}}" + "\n" * text.count("\n", start, end))
        position = end
    return "".join([*parts, text[position:]])


def _closing(text: str, position: int) -> int:
    depth = 1
    while position < len(text) and depth:
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        position += 1
    return position
