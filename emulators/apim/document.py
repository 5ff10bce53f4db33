"""Policy XML as plain nodes that keep their line numbers. No DTD, no entities, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from lxml import etree

from emulators.apim.errors import MalformedPolicy, Where
from emulators.apim.raw_xml import escape_expressions


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
