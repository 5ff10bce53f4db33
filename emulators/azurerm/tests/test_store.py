"""The stand-in cloud is one private file that several processes can share."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulators.azurerm import Store, seed
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.base.errors import StoreError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cloud.json"


def test_only_the_owner_can_read_it(path: Path) -> None:
    """It holds keys and passwords."""
    Store(path).put("t", {"id": "a"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_stores_on_one_file_agree(path: Path) -> None:
    """What one process writes the next one reads, without being told."""
    one, other = Store(path), Store(path)
    one.put("t", {"id": "a", "x": 1})
    assert other.get("t", "a") == {"id": "a", "x": 1}
    other.remove("t", "a")
    assert one.of_type("t") == []


def test_nothing_is_lost_when_many_write(path: Path) -> None:
    """Ten writers at a time, two stores: every object arrives."""
    stores = Store(path), Store(path)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda n: stores[n % 2].put("t", {"id": str(n)}), range(60)))
    assert {o["id"] for o in Store(path).of_type("t")} == {str(n) for n in range(60)}


def test_a_failed_change_changes_nothing(path: Path) -> None:
    """A transaction that raises leaves the file, and what is read from it, as they were."""
    store = Store(path)
    store.put("t", {"id": "a"})
    with pytest.raises(KeyError, match="id"), store.transaction():
        _put_two(store, {"id": "b"}, {})
    assert [o["id"] for o in store.of_type("t")] == ["a"]


def test_a_broken_file_is_refused(path: Path) -> None:
    """The message names the file and the way out."""
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(StoreError, match=r"cloud\.json cannot be read .*delete it to start anew"):
        Store(path).of_type("t")


def test_secrets_belong_to_their_store(path: Path, tmp_path: Path) -> None:
    """Keys stay the same for a store and differ between stores, so nobody can guess them; ids do not differ."""
    here, again, there = (Cloud(Store(p)) for p in (path, path, tmp_path / "other.json"))
    assert here.secret("account", "primary") == again.secret("account", "primary")
    assert here.secret("account", "primary") != there.secret("account", "primary")
    assert "+" not in here.secret("a", size=64) + here.secret("b", size=64)


def test_seeding_creates_what_bootstrap_makes(path: Path) -> None:
    """A seeded object has its computed values, and seeding it again changes nothing."""
    store = Store(path)
    arguments = {"name": "rg", "location": "West Europe"}
    group = seed(store, "azurerm_resource_group", arguments, subscription_id="s")
    assert group["id"] == "/subscriptions/s/resourceGroups/rg"
    assert group["location"] == "westeurope"
    before = json.loads(path.read_text())
    seed(store, "azurerm_resource_group", arguments, subscription_id="s")
    assert json.loads(path.read_text()) == before


def test_seeding_refuses_what_is_no_argument(path: Path) -> None:
    """A misspelt argument is named."""
    with pytest.raises(ProviderError, match="azurerm_resource_group has no argument 'nmae'"):
        seed(Store(path), "azurerm_resource_group", {"nmae": "rg"})


def _put_two(store: Store, first: dict[str, str], second: dict[str, str]) -> None:
    store.put("t", first)
    store.put("t", second)
