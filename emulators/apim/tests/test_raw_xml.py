"""Policies as people write them in the portal: expressions without XML escapes."""

from __future__ import annotations

import pytest

from emulators.apim.document import parse
from emulators.apim.errors import MalformedPolicy
from emulators.apim.raw_xml import escape_expressions
from emulators.apim.tests.harness import make_gateway

SAME = [
    "<a b='1'/>",
    "<a b='@(1 + 2)'>@{ return 3; }</a>",
    '<!-- @("a" < b) --><a/>',
    "<a b='@(x &lt; 3 &amp;&amp; y)'/>",
]
RAW = [
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


@pytest.mark.parametrize("source", ["<a>", '<a b="@(1"/', "<a>&nope;</a>", '<a b="@("x)"/>'])
def test_the_rest_is_still_malformed(source: str) -> None:
    """Leniency ends with expressions."""
    with pytest.raises(MalformedPolicy):
        parse(source, "s")


async def test_a_raw_policy_runs() -> None:
    """From raw text to an answer."""
    inbound = (
        '<set-variable name="x" value="@(context.Request.Headers.GetValueOrDefault("X-A", "none"))" />'
        '<choose><when condition="@((string)context.Variables["x"] == "1" && 1 < 2)"><return-response>'
        '<set-body>@((string)context.Variables["x"])</set-body></return-response></when></choose>'
    )
    assert (await make_gateway(inbound=inbound).send(headers={"X-A": "1"})).text == "1"
