from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulators.azurerm.catalog import catalog_of
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.lifecycle import apply
from emulators.azurerm.planning import plan_or_refuse
from emulators.azurerm.values import empty
from emulators.base.store import Store

Applied = Callable[..., dict[str, Any]]


@pytest.fixture
def cloud() -> Cloud:
    """A cloud in memory."""
    return Cloud(Store(), subscription_id="sub")


@pytest.fixture
def applied(cloud: Cloud) -> Applied:
    """Creates an object: `applied("azurerm_resource_group", name=…)` returns it with its computed values."""

    def create(type_: str, **arguments: Any) -> dict[str, Any]:
        nothing = empty(catalog_of(type_).resource(type_)["block"])
        assert arguments.keys() <= nothing.keys(), f"{type_} has no {sorted(arguments.keys() - nothing.keys())}"
        config = {**nothing, **arguments}
        return apply(cloud, type_, None, plan_or_refuse(type_, None, config).planned or {}, config)

    return create
