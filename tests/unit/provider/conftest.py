from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from twin.provider.catalog import catalog_of
from twin.provider.cloud import Cloud
from twin.provider.lifecycle import apply
from twin.provider.planning import plan
from twin.provider.store import Store
from twin.provider.values import empty

Applied = Callable[..., dict[str, Any]]


@pytest.fixture
def cloud() -> Cloud:
    """A cloud in memory."""
    return Cloud(Store(), subscription_id="sub")


@pytest.fixture
def applied(cloud: Cloud) -> Applied:
    """Creates an object: `applied("azurerm_resource_group", name=…)` returns it with its computed values."""

    def create(type_: str, **arguments: Any) -> dict[str, Any]:
        config = {**empty(catalog_of(type_).resource(type_)["block"]), **arguments}
        return apply(cloud, type_, None, plan(type_, None, config).planned or {}, config)

    return create
