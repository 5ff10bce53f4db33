"""Policy XML of API Management as plain nodes that keep their line numbers. No DTD, no entities, no network.

Also "raw" XML, in which the quotes and angle brackets of expressions are not escaped, as API Management accepts it too:

    <when condition="@(context.Variables["tier"] == "admin" && x < 3)">

Only the text between `@(` or `@{` and its closing bracket is touched, and only where the document is not XML as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from lxml import etree

from emulators.base.errors import PolicyError

_TOKEN = re.compile(
    r"""(?P<skip>@"(?:[^"]|"")*" | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])' | //[^\n]* | /\*.*?\*/)"""
    r"""|(?P<open>[({\[])|(?P<close>[)}\]])""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_START = re.compile(r"@[({]|<!--")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")


@dataclass(frozen=True)
class Where:
    """A place in a policy document: `scope` as the reader knows it ("API 'mongodb'"), `line` from 1 (0: the whole)."""

    scope: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.scope}, line {self.line}" if self.line else self.scope


class LocatedError(PolicyError):
    """`where` is the place, `name` the element, attribute, member or reference it is about."""

    def __init__(self, message: str, *, where: Where, name: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where
        self.name = name
        self.reason = message


class MalformedPolicy(LocatedError):
    """Not well-formed XML, or not of the shape `<policies><inbound>…`."""


@dataclass(frozen=True)
class Node:
    """One XML element. `text` is its own, untrimmed; line breaks in attributes arrive as spaces (XML 1.0, 3.3.3)."""

    tag: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Node, ...] = ()


def parse(source: str, scope: str) -> Node:
    """A document, in XML or with raw expressions. Raises MalformedPolicy with the parser's own line."""
    try:
        return _parse(source, scope)
    except MalformedPolicy as strict:
        raw = escape_expressions(source)
        if raw == source or strict.name != "xml":
            raise
        return _parse(raw, scope)


def _parse(source: str, scope: str) -> Node:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    skipped = source[: len(source) - len(source.lstrip())].count("\n")
    try:
        root = etree.fromstring(source.strip().encode(), parser)
    except etree.XMLSyntaxError as error:
        line = skipped + (error.lineno or 0)
        raise MalformedPolicy(f"not well-formed XML ({error.msg})", where=Where(scope, line), name="xml") from error
    if source.lstrip().startswith("<!DOCTYPE") or root.getroottree().docinfo.internalDTD is not None:
        raise MalformedPolicy("a policy must not have a document type", where=Where(scope, 1), name="DOCTYPE")
    return _node(root, iter([skipped + line for line in _lines(source.strip())]))


def _lines(source: str) -> list[int]:
    """The line on which each start tag begins, in document order: lxml knows only where it ends."""
    found: list[int] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append(parser.CurrentLineNumber)
    parser.Parse(source.encode(), True)
    return found


def _node(element: etree._Element, lines: Iterator[int]) -> Node:
    line = next(lines)
    children = tuple(_node(child, lines) for child in element)
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    return Node(str(element.tag), line, attributes, text, children)


def escape_expressions(source: str) -> str:
    """The document with every expression escaped. What is escaped already stays as it is."""
    parts: list[str] = []
    position = 0
    while (found := _START.search(source, position)) is not None:
        comment = _COMMENT.match(source, found.start())
        end = comment.end() if comment is not None else _end_of(source, found.start() + 1)
        parts.append(source[position : found.start()])
        text = source[found.start() : end]
        parts.append(text if comment is not None else _escaped(text))
        position = end
    return "".join([*parts, source[position:]])


def _end_of(source: str, opening: int) -> int:
    """Just past the bracket that closes the one at `opening`; past the opening itself where none does."""
    depth = 0
    for token in _TOKEN.finditer(source, opening):
        if token.group("open"):
            depth += 1
        elif token.group("close"):
            depth -= 1
            if depth == 0:
                return token.end()
    return opening + 1


def _escaped(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace('"', "&quot;")
