"""The protocol's calls, without a socket: what Terraform sends, and what it gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulators.azurerm.catalog import load
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.lifecycle import imported
from emulators.azurerm.proto import tfplugin5_pb2 as pb
from emulators.azurerm.servicer import Servicer
from emulators.azurerm.values import decode, empty, encode

TYPE = "azurerm_resource_group"


@pytest.fixture
def servicer(cloud: Cloud) -> Servicer:
    return Servicer(load("azurerm"), cloud)


def _config(**arguments: Any) -> dict[str, Any]:
    return {**empty(load("azurerm").resource(TYPE)["block"]), **arguments}


def _created(servicer: Servicer, **arguments: Any) -> dict[str, Any]:
    config = encode(_config(**arguments))
    request = pb.PlanResourceChangeRequest(
        type_name=TYPE, prior_state=encode(None), proposed_new_state=config, config=config
    )
    planned = servicer.plan(request).planned_state
    applied = servicer.apply(
        pb.ApplyResourceChangeRequest(type_name=TYPE, prior_state=encode(None), planned_state=planned, config=config)
    )
    assert not applied.diagnostics
    found: dict[str, Any] = decode(applied.new_state)
    return found


def test_plan_apply_read_destroy(servicer: Servicer) -> None:
    """An object lives from its apply to its destroy; after that a refresh says it is gone."""
    group = _created(servicer, name="rg", location="westeurope")
    assert group["id"] == "/subscriptions/sub/resourceGroups/rg"
    state = encode(group)
    assert decode(servicer.read(pb.ReadResourceRequest(type_name=TYPE, current_state=state)).new_state) == group
    gone = servicer.apply(pb.ApplyResourceChangeRequest(type_name=TYPE, prior_state=state, planned_state=encode(None)))
    assert decode(gone.new_state) is None
    assert decode(servicer.read(pb.ReadResourceRequest(type_name=TYPE, current_state=state)).new_state) is None


def test_timeouts_survive_a_refresh(servicer: Servicer) -> None:
    """They are Terraform's, not the object's."""
    group = _created(servicer, name="rg", location="westeurope")
    with_timeouts = {**group, "timeouts": {"create": "5m", "read": None, "update": None, "delete": None}}
    read = servicer.read(pb.ReadResourceRequest(type_name=TYPE, current_state=encode(with_timeouts)))
    assert decode(read.new_state) == with_timeouts


def test_old_state_is_brought_into_shape(servicer: Servicer) -> None:
    """Attributes that a newer schema dropped go, new ones are null."""
    raw = pb.RawState(json=json.dumps({"id": "x", "name": "rg", "legacy": 1}).encode())
    upgraded = servicer.upgrade(pb.UpgradeResourceStateRequest(type_name=TYPE, version=0, raw_state=raw))
    assert decode(upgraded.upgraded_state) == _config(id="x", name="rg")


def test_a_failed_apply_keeps_the_prior_state(servicer: Servicer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform must not forget an object because an update of it failed; the error is one sentence."""
    group = _created(servicer, name="rg", location="westeurope")
    monkeypatch.setattr("emulators.azurerm.lifecycle.complete", lambda *_: 1 / 0)
    request = pb.ApplyResourceChangeRequest(type_name=TYPE, prior_state=encode(group), planned_state=encode(group))
    answer = servicer.apply(request)
    assert decode(answer.new_state) == group
    assert "the stand-in provider failed (ZeroDivisionError: division by zero)" in answer.diagnostics[0].summary


def test_unknown_types_are_named(servicer: Servicer) -> None:
    """A type that the schema file does not hold gets a diagnostic, not a crash."""
    answer = servicer.validate_resource(pb.ValidateConfigRequest(type_name="azurerm_data_factory", config=encode({})))
    assert "azurerm_data_factory is not a resource type of azurerm 5.2.0" in answer.diagnostics[0].summary


def test_problems_carry_their_path(servicer: Servicer) -> None:
    """Terraform underlines the argument."""
    config = _config(name="rg", location="")
    found = servicer.validate_resource(pb.ValidateConfigRequest(type_name=TYPE, config=encode(config))).diagnostics
    assert [[step.attribute_name for step in problem.attribute.steps] for problem in found] == [["location"]]


def test_a_subscription_is_needed(servicer: Servicer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in azurerm since version 4."""
    monkeypatch.delenv("ARM_SUBSCRIPTION_ID", raising=False)
    answer = servicer.configure(pb.ConfigureRequest(config=encode({"subscription_id": None})))
    assert "`subscription_id` is a required provider property" in answer.diagnostics[0].summary


def test_import(servicer: Servicer, cloud: Cloud) -> None:
    """An object is imported by its id; one that is not there is refused."""
    group = _created(servicer, name="rg", location="westeurope")
    answer = servicer.import_state(pb.ImportResourceStateRequest(type_name=TYPE, id=group["id"]))
    assert decode(answer.imported_resources[0].state) == group == imported(cloud, TYPE, group["id"])
    missing = servicer.import_state(
        pb.ImportResourceStateRequest(type_name=TYPE, id="/subscriptions/sub/resourceGroups/none")
    )
    assert "cannot import non-existent remote object" in missing.diagnostics[0].summary
