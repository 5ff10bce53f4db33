"""Policies as people write them in the portal: expressions without XML escapes."""

from __future__ import annotations

import pytest

from emulators.base.policy_xml import MalformedPolicy, parse
from emulators.base.raw_expressions import escape_expressions

SAME = [
    "<a b='1'/>",
    "<a b='@(1 + 2)'>@{ return 3; }</a>",
    '<!-- @("a" < b) --><a/>',
    "<a b='@(x &lt; 3 &amp;&amp; y)'/>",
]
RAW = [
    ('<a b="/x?c={d}&e=1"/>', "/x?c={d}&e=1"),
    ('<a b="@(x["y"] == "z")"/>', '@(x["y"] == "z")'),
    ('<a b="@(x < 3 && y > 4)"/>', "@(x < 3 && y > 4)"),
    ('<a b="@(List<string>(")"))"/>', '@(List<string>(")"))'),
    (
        '<a b="@{ if (x["a"] != \')\') { return "}"; } return @"b""\\"; }"/>',
        '@{ if (x["a"] != \')\') { return "}"; } return @"b""\\"; }',
    ),
    ('<a b="@{ /* ) */ return "x"; }"/>', '@{ /* ) */ return "x"; }'),
]


@pytest.mark.parametrize("source", SAME)
def test_what_is_xml_stays(source: str) -> None:
    """Escaping changes nothing that is well-formed already."""
    assert parse(source, "s") == parse(escape_expressions(source), "s")


@pytest.mark.parametrize(("source", "expected"), RAW)
def test_raw_expressions_are_read(source: str, expected: str) -> None:
    """Quotes, angle brackets and ampersands of an expression need no escape."""
    assert parse(source, "s").attributes["b"] == expected


def test_text_is_read_too_and_lines_stay() -> None:
    """Raw text in an element, and the line of what follows."""
    node = parse("<a>\n<b>@{\n return x < 1 && y;\n}</b>\n<c/></a>", "s")
    assert (node.children[0].text, node.children[1].line) == ("@{\n return x < 1 && y;\n}", 5)


@pytest.mark.parametrize("source", ["<a>", '<a b="@(1"/', "<a>&nope;</a>", '<a b="/x?c=1&d;"/>', '<a b="@("x)"/>'])
def test_the_rest_is_still_malformed(source: str) -> None:
    """Leniency ends with expressions."""
    with pytest.raises(MalformedPolicy):
        parse(source, "s")


EXPRESSION = "@(a // not\n\t&amp;&amp; b)"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_breaks_of_expressions_in_attributes_are_kept(end: str) -> None:
    """`//` ends where its line does, also in an attribute, and also where the document is not XML."""
    for text in (EXPRESSION, EXPRESSION.replace("&amp;", "&").replace("a //", 'x["a"] //')):
        expected = text.replace("&amp;", "&")
        assert parse(f"<a b=\"{text}\" c=' @(1\n)'/>".replace("\n", end), "s").attributes == {
            "b": expected,
            "c": " @(1\n)",
        }


def test_other_attributes_and_the_xml_format_have_spaces() -> None:
    """An XML parser normalises attributes (XML 1.0, section 3.3.3); so does API Management what is sent as `xml`."""
    assert parse("<a b='1\n2'/>", "s").attributes["b"] == "1 2"
    assert parse(f"<a b='{EXPRESSION}'/>", "s", "spaces").attributes["b"] == "@(a // not  && b)"


def test_each_value_knows_its_line() -> None:
    """Lines of tags, attributes and texts are those of the source, comments, CDATA and breaks notwithstanding."""
    source = "<a>\n<!-- <x\n y='1'> -->\n<b\n one='@(1\n)'\n two='2'\n>\ntext</b><![CDATA[<c>\n]]><d\n/></a>"
    first, second = parse(source, "s").children
    assert (first.line, first.lines) == (4, {"one": 5, "two": 7, "": 8})
    assert (second.tag, second.line) == ("d", 10)
