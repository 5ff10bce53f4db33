"""Connection strings of the local Cosmos DB accounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymongo.uri_parser import parse_uri

from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive import cosmos
from emulators.base.account_keys import KINDS
from emulators.base.store import Store


@pytest.mark.parametrize("number", range(5))
def test_every_connection_string_opens_as_it_is(tmp_path: Path, number: int) -> None:
    """Drivers refuse a bare slash in a password, and Azure's keys have none."""
    values = cosmos.account(
        Cloud(Store(tmp_path / "cloud.json")), {"id": f"/accounts/{number}", "name": "cosmos-mcp", "kind": "MongoDB"}
    )
    for which in KINDS.values():
        parsed = parse_uri(values[f"{which}_mongodb_connection_string"])
        assert (parsed["username"], parsed["password"]) == ("cosmos-mcp", values[f"{which}_key"])
