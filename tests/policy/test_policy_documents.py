"""Policy XML is judged however it is spelt."""

from __future__ import annotations

import importlib

import pytest

EXPRESSION = '@(context.Variables["a"] == "b" && 1 < 2)'
ESCAPED = EXPRESSION.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@pytest.mark.parametrize("written", [EXPRESSION, ESCAPED], ids=["as azurerm reads it", "as it is sent"])
@pytest.mark.parametrize("attribute", ["xml_content", "value"])
def test_an_expression_is_read(written: str, attribute: str) -> None:
    """A plan of what is deployed holds policies un-escaped, one of what is not holds them as the files write them."""
    text = f'<policies><inbound><set-variable name="t" value="{written}" /></inbound></policies>'
    document = importlib.import_module("policy_base").policy_xml({attribute: text})
    assert document.find("inbound/set-variable").get("value") == EXPRESSION
