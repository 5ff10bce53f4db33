"""Policies where people keep them: files of their own, heredocs of Terraform, texts of Bicep, fenced blocks of
Markdown, cells of notebooks.

What is put in from outside (`${…}` of Terraform and Bicep, `{…}` of Python's f-strings) is not known here, and counts
as a named value does: it is taken to be right.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Files that are looked into; the embedding ones hold policies among other things.
SUFFIXES = (".xml", ".tftpl", ".tf", ".bicep", ".md", ".ipynb")
EMBEDDING = (".tf", ".bicep", ".md", ".ipynb")
#: Folders whose files are other people's, or made by a tool.
_LEFT_OUT = ("node_modules", "bin", "obj")

_POLICY = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:policies|fragment)\b", re.DOTALL)
_IN_XML = re.compile(r"<(?:policies|fragment|inbound|backend|outbound|on-error|base)\b")
_HEREDOC = re.compile(r"<<-?\"?(\w+)\"?[ \t]*\n(.*?)\n[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
#: "Bicep data types", Strings: three quotes take the text as it is, one quote knows escapes and interpolation.
_BICEP = re.compile(
    r"//[^\n]*|/\*.*?\*/|(?P<dollars>\$*)'''\n?(?P<raw>.*?)'''|'(?P<text>(?:[^'\\\n]|\\.)*)'", re.DOTALL
)
_BICEP_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|(.))")
_BICEP_NAMES = {"n": "\n", "r": "\r", "t": "\t"}
#: Texts of Python in three quotes, and what marks an f-string.
_PYTHON = re.compile(r"(?P<prefix>(?<!\w)[rRfFbBuU]{0,2})(?P<quotes>\"{3}|'{3})(?P<text>.*?)(?P=quotes)", re.DOTALL)
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_UNKNOWN = "{{placeholder}}"


@dataclass(frozen=True)
class Document:
    """One policy of a file; `lines` holds the line of the file of each of its own."""

    text: str
    lines: Sequence[int]

    def line(self, own: int) -> int:
        """The file's line (from 1) of one of the policy's; 0, the whole, stays 0."""
        return self.lines[min(own, len(self.lines)) - 1] if own > 0 and self.lines else own


def documents(path: Path, text: str) -> Iterator[Document]:
    """The policies of a file. A file of its own is one, whatever it holds."""
    find = {".tf": _terraform, ".bicep": _bicep, ".md": _markdown, ".ipynb": _notebook}.get(path.suffix)
    if find is None:
        yield _located(text, 1)
    else:
        yield from find(text)


def files(folder: Path) -> list[Path]:
    """The files below a folder that are looked into, without hidden folders and those of other people's code."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _LEFT_OUT)
        found += [Path(where, name) for name in names if Path(name).suffix in SUFFIXES]
    return sorted(found)


def broken_notebook(path: Path, text: str) -> str:
    """Why a notebook cannot be looked into; nothing for one that can, and for other files."""
    if path.suffix != ".ipynb":
        return ""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"the notebook is no JSON: {error}"
    return ""


def is_other_xml(path: Path, text: str) -> bool:
    """Whether an XML file of a folder has nothing of a policy: a project file, say."""
    return path.suffix == ".xml" and _IN_XML.search(text) is None


def has_directives(text: str) -> bool:
    """Whether only Terraform can say what the text is (`%{ if … }`)."""
    return re.search(r"(?<!%)%\{", text) is not None


def _located(text: str, first: int) -> Document:
    return Document(text, range(first, first + text.count("\n") + 2))


def _line_at(text: str, position: int) -> int:
    return 1 + text.count("\n", 0, position)


def _terraform(text: str) -> Iterator[Document]:
    for found in _HEREDOC.finditer(text):
        if _POLICY.match(found[2]):
            yield _located(_without_templates(found[2], escape="$"), _line_at(text, found.start(2)))


def _markdown(text: str) -> Iterator[Document]:
    for found in _FENCE.finditer(text):
        if _POLICY.match(found[2]):
            yield _located(found[2], _line_at(text, found.start(2)))


def _bicep(text: str) -> Iterator[Document]:
    for found in _BICEP.finditer(text):
        if found["raw"] is not None and _POLICY.match(found["raw"]):
            interpolated = len(found["dollars"])
            raw = _without_templates(found["raw"], opening="$" * interpolated + "{") if interpolated else found["raw"]
            yield _located(raw, _line_at(text, found.start("raw")))
        elif found["text"] is not None and _POLICY.match(_bicep_text(found["text"])):
            one = _bicep_text(_without_templates(found["text"], escape="\\"))
            yield Document(one, [_line_at(text, found.start())] * (one.count("\n") + 2))


def _bicep_text(text: str) -> str:
    def one(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else _BICEP_NAMES.get(escape[2], escape[2])

    return _BICEP_ESCAPE.sub(one, text)


def _notebook(text: str) -> Iterator[Document]:
    """Of Jupyter cells: fenced blocks of Markdown, texts of Python in three quotes, and files of `%%writefile`."""
    for kind, source, lines in _cells(text):
        starts = [found.end() for found in re.finditer("\n", source)]

        def placed(body: str, position: int, starts: Sequence[int] = starts, lines: Sequence[int] = lines) -> Document:
            first = bisect_right(starts, position)
            return Document(body, [*lines[first : first + body.count("\n") + 1], lines[-1]])

        if kind == "markdown":
            for fence in _FENCE.finditer(source if source.endswith("\n") else source + "\n"):
                if _POLICY.match(fence[2]):
                    yield placed(fence[2], fence.start(2))
            continue
        magic, _, rest = source.partition("\n")
        if magic.startswith("%%writefile"):
            if _POLICY.match(rest):
                yield placed(rest, len(magic) + 1)
            continue
        for found in _PYTHON.finditer(source):
            body = found["text"]
            if _POLICY.match(body):
                if "f" in found["prefix"].lower():
                    body = _formatted(body)
                yield placed(body, found.start("text"))


def _cells(text: str) -> Iterator[tuple[str, str, list[int]]]:
    """Kind, source and lines of the file of each cell. Texts of JSON come in the order in which the file has them."""
    try:
        notebook = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    except (ValueError, RecursionError):
        return
    breaks = [found.start() for found in re.finditer("\n", text)]
    lines = iter([1 + bisect_right(breaks, found.start()) for found in _JSON_TEXT.finditer(text)])
    yield from _walk(notebook, lines)


def _walk(value: object, lines: Iterator[int]) -> Iterator[tuple[str, str, list[int]]]:
    if isinstance(value, str):
        next(lines)
    elif isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        kind, source, where = "", "", list[int]()
        for name, inner in value:
            next(lines)
            if name == "source" and isinstance(inner, str | list) and all(isinstance(one, str) for one in inner):
                for one in [inner] if isinstance(inner, str) else inner:
                    where += [next(lines)] * max(1, one.count("\n"))
                source = "".join(inner)
            else:
                kind = inner if name == "cell_type" and isinstance(inner, str) else kind
                yield from _walk(inner, lines)
        if kind and where:
            yield kind, source, [*where, where[-1]]
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, lines)


def _formatted(text: str) -> str:
    """An f-string's text: doubled braces are one, and what stands in single ones is not known."""
    parts, position = list[str](), 0
    while position < len(text):
        char = text[position]
        if text[position : position + 2] in ("{{", "}}"):
            parts.append(char)
            position += 2
        elif char == "{":
            end = _closing(text, position + 1)
            parts.append(_UNKNOWN + "\n" * text.count("\n", position, end))
            position = end
        else:
            parts.append(char)
            position += 1
    return "".join(parts)


def _without_templates(text: str, *, opening: str = "${", escape: str = "") -> str:
    """Interpolations as named values, except where `escape` stands before one (`$${` of Terraform, `\\${` of Bicep)."""
    parts, position = list[str](), 0
    while (start := text.find(opening, position)) >= 0:
        if escape and text[start - 1 : start] == escape:
            parts.append(text[position : start - 1] + opening)
            position = start + len(opening)
            continue
        end = _closing(text, start + len(opening))
        parts.append(text[position:start] + _UNKNOWN + "\n" * text.count("\n", start, end))
        position = end
    return "".join([*parts, text[position:]])


def _closing(text: str, position: int) -> int:
    depth = 1
    while position < len(text) and depth:
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        position += 1
    return position
