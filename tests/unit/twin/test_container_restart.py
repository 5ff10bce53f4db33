"""A container group that is restarted with another address, as Azure's maintenance does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.azurerm import addresses
from emulators.azurerm.cloud import Cloud
from emulators.base.state import Resource, State
from emulators.base.store import Store
from twin import container_restart
from twin.supervise.databases import with_current_values

SUBNET = "/subscriptions/s/subnets/containers"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A subnet of eight addresses, with two groups in it."""
    store = Store(tmp_path / "cloud.json")
    store.put("azurerm_subnet", {"id": SUBNET, "address_prefixes": ["10.0.1.0/29"]})
    for name in ("a", "b"):
        address = addresses.allot(Cloud(store), SUBNET, f"/groups/{name}")
        group = {"id": f"/groups/{name}", "name": name, "subnet_ids": [SUBNET], "ip_address": address}
        store.put(container_restart.TYPE, group)
    store.put(container_restart.TYPE, {"id": "/groups/open", "name": "open", "subnet_ids": [], "ip_address": "1.2.3.4"})
    return store


def address(store: Store, name: str) -> str:
    found = store.get(container_restart.TYPE, f"/groups/{name}")
    assert found is not None
    return str(found["ip_address"])


def test_it_gets_an_address_that_nobody_has(store: Store, tmp_path: Path) -> None:
    """Another one each time, within its subnet, and the others keep theirs."""
    before = [address(store, name) for name in ("a", "b")]
    assert before == ["10.0.1.4", "10.0.1.5"]
    assert [container_restart.restart(tmp_path, "a") for _ in range(2)] == ["10.0.1.6", "10.0.1.4"]
    assert (address(store, "a"), address(store, "b")) == ("10.0.1.4", "10.0.1.5")


def test_the_platform_goes_by_the_address_of_now(store: Store, tmp_path: Path) -> None:
    """Terraform's state learns it with the next apply; what the cloud does not know stays as it is."""
    container_restart.restart(tmp_path, "a")
    groups = [
        Resource(name, container_restart.TYPE, {"id": f"/groups/{name}", "ip_address": "10.0.1.4"})
        for name in ("a", "elsewhere")
    ]
    found = with_current_values(State(tuple(groups)), tmp_path)
    assert [group["ip_address"] for group in found.resources] == ["10.0.1.6", "10.0.1.4"]


@pytest.mark.parametrize(
    ("name", "says"), [("c", "no container group 'c'; it has: a, b, open"), ("open", "'open' is in no subnet")]
)
def test_what_cannot_move_is_said(
    store: Store, tmp_path: Path, name: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, and status 1."""
    assert container_restart.main(["--home", str(tmp_path), "--name", name]) == 1
    assert says in capsys.readouterr().err
