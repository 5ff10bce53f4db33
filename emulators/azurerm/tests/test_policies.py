"""What API Management makes of the policies that it is given: what it refuses, how it stores them, what they hold."""

from __future__ import annotations

import pytest

from emulators.azurerm.tests.conftest import Applied
from emulators.base.errors import ProviderError

IN = {"resource_group_name": "rg", "location": "westeurope"}
IN_APIM = {"resource_group_name": "rg", "api_management_name": "apim"}
SERVICE = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ApiManagement/service/apim"


@pytest.fixture(autouse=True)
def service(applied: Applied) -> None:
    """A service with one API and one fragment."""
    applied("azurerm_resource_group", name="rg", location="westeurope")
    applied("azurerm_api_management", name="apim", **IN, sku_name="Developer_1")
    applied("azurerm_api_management_api", name="mcp", **IN_APIM, revision="1", display_name="MCP", protocols=["https"])
    fragment(applied, "leaf", "<fragment><set-method>GET</set-method></fragment>")


def fragment(applied: Applied, name: str, value: str) -> dict[str, object]:
    return applied("azurerm_api_management_policy_fragment", api_management_id=SERVICE, name=name, value=value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            '<fragment>\n<include-fragment fragment-id="leaf" /></fragment>',
            "'include-fragment' on line 2: .*not allowed",
        ),
        (
            '<fragment><choose><when condition="true"><include-fragment fragment-id="leaf" /></when></choose></fragment>',
            "'include-fragment' on line 1: .*not allowed",
        ),
        ("<fragment><base /></fragment>", "'base' on line 1"),
        ("<fragment><inbound /></fragment>", "'inbound' on line 1"),
        ("<policies><inbound /></policies>", "begins with <fragment>, not <policies>"),
    ],
)
def test_fragments_do_not_nest(applied: Applied, value: str, said: str) -> None:
    """Neither another fragment nor a section or <base /> stands in one, at any depth."""
    with pytest.raises(ProviderError, match=said):
        fragment(applied, "outer", value)
