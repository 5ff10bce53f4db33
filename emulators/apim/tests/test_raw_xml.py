"""Policies as people write them in the portal: expressions without XML escapes."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest

from emulators.apim.errors import PolicyProblems
from emulators.apim.tests.harness import make_gateway, resource


async def test_a_raw_policy_runs() -> None:
    """From raw text to an answer."""
    inbound = (
        '<set-variable name="x" value="@(context.Request.Headers.GetValueOrDefault("X-A", "none"))" />'
        '<choose><when condition="@((string)context.Variables["x"] == "1" && 1 < 2)"><return-response>'
        '<set-body>@((string)context.Variables["x"])</set-body></return-response></when></choose>'
    )
    assert (await make_gateway(inbound=inbound).send(headers={"X-A": "1"})).text == "1"


CONDITION = """@(context.Request.Method == "POST" // only posts of admins
    && context.Request.Headers.GetValueOrDefault("X-Role", "") == "admin")"""


@pytest.mark.parametrize("escaped", [True, False])
async def test_a_comment_ends_with_its_line(escaped: bool) -> None:
    """Policies are sent as `rawxml`, which keeps line breaks in attributes: the condition behind a comment counts."""
    text = escape(CONDITION, {'"': "&quot;"}) if escaped else CONDITION
    inbound = f'<choose><when condition="{text}"><return-response/></when></choose>'
    gateway = make_gateway(inbound=inbound)
    assert (await gateway.send("POST", headers={"X-Role": "admin"})).text == ""
    assert (await gateway.send("POST", headers={"X-Role": "nobody"})).text == "fine"


async def test_a_verbatim_text_keeps_its_line_breaks() -> None:
    """`@"…"` over several lines in an attribute."""
    inbound = (
        "<set-variable name='x' value='@(@\"a\n\tb\")' />"
        '<return-response><set-body>@((string)context.Variables["x"])</set-body></return-response>'
    )
    assert (await make_gateway(inbound=inbound).send()).text == "a\n\tb"


@pytest.mark.parametrize(("format_", "text"), [("xml", "1"), ("rawxml", "12")])
async def test_a_fragment_of_format_xml_loses_them(format_: str, text: str) -> None:
    """Terraform's default for fragments; the XML parser makes spaces of them (toolkit, docs/OutputFormat.md)."""
    value = "<fragment><set-variable name='x' value='@(\"1\" // one\n + \"2\")'/></fragment>"
    inbound = (
        '<include-fragment fragment-id="f"/>'
        '<return-response><set-body>@((string)context.Variables["x"])</set-body></return-response>'
    )
    fragment = resource("api_management_policy_fragment", "f", value=value, format=format_)
    gateway = make_gateway(inbound=inbound, extra=[fragment])
    assert (await gateway.send()).text == text


def test_an_expression_is_refused_with_the_line_of_its_attribute() -> None:
    """Not the element's first line, and not one that comments and breaks have shifted."""
    inbound = "\n<set-variable\n name='x'\n value='@{\n // a comment\n return y;\n}'/>"
    with pytest.raises(PolicyProblems, match="line 6: the name 'y' does not exist"):
        make_gateway(inbound=inbound)
