"""Policy XML of API Management as plain nodes that keep their line numbers. No DTD, no entities, no network.

Also "raw" XML, in which the quotes and angle brackets of expressions are not escaped, as API Management accepts it too:

    <when condition="@(context.Variables["tier"] == "admin" && x < 3)">

Only the text between `@(` or `@{` and its closing bracket is touched, and only where the document is not XML as it is.

Line breaks and tabs in an attribute's expression are kept: policies are sent as `rawxml`, which keeps expressions as
they are written (azurerm, `api_management_api_policy_resource.go`; Azure/azure-api-management-policy-toolkit,
`docs/OutputFormat.md`). Only what is sent as `xml`, which is a fragment's default, loses them to the XML parser (XML
1.0, section 3.3.3): there a `//` comment swallows all that follows it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

from emulators.base.errors import PolicyError
from emulators.base.raw_expressions import TOKEN, escape_expressions

_MARKUP = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"""|<(?P<name>[^\s<>/!?=]+)(?P<attributes>(?:\s+[^\s=<>/]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=<>/]+)\s*=\s*(?P<quoted>"[^"]*"|'[^']*')""")
_LINE_END = re.compile(r"\r\n|\r|\n")
#: Elements whose content is a text, whatever it holds: the XML that a body is ("Set body", Convert JSON to SOAP).
_WHOLE = ("set-body",)
LineBreaks = Literal["kept", "spaces"]
"""What becomes of line breaks in attributes' expressions: policies and `rawxml` keep them, `xml` makes them spaces."""


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
    """One XML element. `text` is its own, untrimmed.

    `lines` holds the line on which each attribute's value begins, and under "" the one on which the text does.
    """

    tag: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Node, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)


def parse(source: str, scope: str, line_breaks: LineBreaks = "kept") -> Node:
    """A document, in XML or with raw expressions. Raises MalformedPolicy with the parser's own line."""
    try:
        return _parse(source, scope, line_breaks)
    except MalformedPolicy as strict:
        raw = escape_expressions(source)
        if raw == source or strict.name != "xml":
            raise
        return _parse(raw, scope, line_breaks)


def _parse(source: str, scope: str, line_breaks: LineBreaks) -> Node:
    text = _LINE_END.sub("\n", source)
    root = _read(text, scope)
    tags = list(_tags(text))
    if line_breaks == "kept":
        root = _read(_with_breaks(text), scope)
    return _node(root, iter(tags))


def _read(source: str, scope: str) -> etree._Element:
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
    return root


def _tags(source: str) -> Iterator[tuple[int, dict[str, int]]]:
    """Of each start tag, in document order: its line, and the lines of its attributes and of its text."""
    breaks = [found.start() for found in re.finditer("\n", source)]
    for tag in _MARKUP.finditer(source):
        if tag["name"] is not None:
            start = tag.start("attributes")
            lines = {
                found[1]: 1 + bisect(breaks, start + found.start("quoted"))
                for found in _ATTRIBUTE.finditer(tag["attributes"])
            }
            yield 1 + bisect(breaks, tag.start()), {**lines, "": 1 + bisect(breaks, tag.end() - 1)}


def _with_breaks(source: str) -> str:
    """The document with the line breaks and tabs of attributes' expressions as character references."""
    return _MARKUP.sub(lambda tag: tag[0] if tag["name"] is None else _ATTRIBUTE.sub(_referenced, tag[0]), source)


def _referenced(attribute: re.Match[str]) -> str:
    if attribute["quoted"][1:].lstrip()[:2] not in ("@(", "@{"):
        return attribute[0]
    return attribute[0].replace("\n", "&#10;").replace("\t", "&#9;")


def _node(element: etree._Element, tags: Iterator[tuple[int, dict[str, int]]]) -> Node:
    line, lines = next(tags)
    if element.tag in _WHOLE:
        for _ in element.iterdescendants():
            next(tags)
        children: tuple[Node, ...] = ()
        text = (element.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in element)
    else:
        children = tuple(_node(child, tags) for child in element)
        text = (element.text or "") + "".join(child.tail or "" for child in element)
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    return Node(str(element.tag), line, attributes, text, children, lines)


def is_raw(source: str) -> bool:
    """Whether the document is no XML as it is: its expressions are not escaped, so it can only be sent as `rawxml`."""
    try:
        _read(_LINE_END.sub("\n", source), "")
    except MalformedPolicy:
        return True
    return False


def breaks_matter(expression: str) -> bool:
    """Whether the expression means something else once its line breaks are spaces: after `//`, and in texts."""
    tokens = [token["skip"] or "" for token in TOKEN.finditer(expression)]
    comment_before_break = any(text.startswith("//") for text in tokens) and "\n" in expression.strip()
    return comment_before_break or any(text.startswith('@"') and "\n" in text for text in tokens)
