"""Faults that Azure shows now and then: each by name, once."""

from __future__ import annotations

import pytest

from emulators.azurerm import faults
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.tests.conftest import Applied

IN_APIM = {"resource_group_name": "rg", "api_management_name": "apim"}
POLICY = "<policies><inbound /></policies>"


def test_one_of_two_writes_to_an_api_is_refused_once(cloud: Cloud, applied: Applied) -> None:
    """409 PessimisticConcurrencyConflict; another API's writes go on, and so does the same one again."""
    cloud.faults = faults.chosen(["busy-api"])
    applied("azurerm_resource_group", name="rg", location="westeurope")
    applied("azurerm_api_management", name="apim", resource_group_name="rg", location="x", sku_name="Developer_1")
    for name in ("one", "two"):
        api = {"revision": "1", "display_name": name, "protocols": ["https"]}
        applied("azurerm_api_management_api", name=name, **IN_APIM, **api)
    write = "azurerm_api_management_api_policy"
    operation = {"display_name": "o", "method": "GET", "url_template": "/o", **IN_APIM}
    for name in ("one", "two"):
        applied("azurerm_api_management_api_operation", operation_id="o", api_name=name, **operation)
        applied(write, api_name=name, xml_content=POLICY, **IN_APIM)
    own = {"operation_id": "o", "api_name": "one", "xml_content": POLICY, **IN_APIM}
    with pytest.raises(ProviderError, match=r"API apim/one: unexpected status 409 .* PessimisticConcurrencyConflict"):
        applied("azurerm_api_management_api_operation_policy", **own)
    applied("azurerm_api_management_api_operation_policy", **own)
    applied("azurerm_api_management_api_operation_policy", **{**own, "api_name": "two"})


def test_faults_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the call, else of the environment; an unknown name is refused with those that there are."""
    monkeypatch.setenv(faults.VARIABLE, "busy-api")
    assert faults.chosen(None).pending == {"busy-api"}
    assert faults.chosen([]).pending == set()
    monkeypatch.delenv(faults.VARIABLE)
    assert faults.chosen(None).pending == set()
    with pytest.raises(ProviderError, match="names nonsense; it knows busy-api"):
        faults.chosen(["nonsense"])
