"""The applied state as the twin reads it: managed resources of every module, found by type and attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulators.base.errors import StateError
from emulators.base.state import State


def shown(*resources: dict[str, Any], child: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    root: dict[str, Any] = {"resources": list(resources)}
    if child:
        root["child_modules"] = [{"address": "module.a", "resources": child}]
    return {"values": {"root_module": root}}


def group(name: str, mode: str = "managed", **values: Any) -> dict[str, Any]:
    return {
        "address": f"azuread_group.{name}",
        "mode": mode,
        "type": "azuread_group",
        "values": {"display_name": name, **values},
    }


def test_reads_root_and_child_modules_of_all_stages() -> None:
    state = State.from_show_json(shown(group("one"), child=[group("two")]), shown(group("three")))
    assert [resource["display_name"] for resource in state.of_type("azuread_group")] == ["one", "two", "three"]


def test_leaves_data_sources_out() -> None:
    assert State.from_show_json(shown(group("looked-up", mode="data"))).resources == ()


def test_an_empty_state_holds_nothing() -> None:
    """`terraform show -json` of a state that was never applied has no `values`."""
    assert State.from_show_json({"format_version": "1.0"}).resources == ()


def test_one_finds_by_attributes() -> None:
    state = State.from_show_json(shown(group("one"), group("two", mail="m")))
    assert state.one("azuread_group", mail="m")["display_name"] == "two"


@pytest.mark.parametrize("where", [{}, {"display_name": "none"}])
def test_one_refuses_none_and_several(where: dict[str, str]) -> None:
    state = State.from_show_json(shown(group("one"), group("two")))
    with pytest.raises(StateError, match="where exactly one is needed"):
        state.one("azuread_group", **where)


def test_a_missing_attribute_is_named_with_its_resource() -> None:
    resource = State.from_show_json(shown(group("one"))).resources[0]
    with pytest.raises(StateError, match=r"azuread_group\.one has no attribute 'object_id'"):
        resource["object_id"]


def test_block_is_the_first_of_its_list_or_empty() -> None:
    resource = State.from_show_json(shown(group("one", api=[{"version": 2}], web=[]))).resources[0]
    assert (resource.block("api"), resource.block("web"), resource.block("spa")) == ({"version": 2}, {}, {})


def test_dump_is_private_and_load_gives_it_back(tmp_path: Path) -> None:
    """The dump holds keys and connection strings: nobody else may read it."""
    state = State.from_show_json(shown(group("one")))
    path = tmp_path / "run" / "state.json"
    state.dump(path)
    assert path.stat().st_mode & 0o077 == 0
    assert State.load(path) == state


@pytest.mark.parametrize("content", [None, "{not json"])
def test_an_unreadable_dump_says_what_to_do(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "state.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StateError, match="apply it first"):
        State.load(path)
