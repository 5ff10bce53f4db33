"""Values keep their meaning between Terraform and the stand-in."""

from __future__ import annotations

import msgpack  # type: ignore[import-untyped]  # it publishes no types

from emulators.azurerm.proto import tfplugin5_pb2 as pb
from emulators.azurerm.values import UNKNOWN, comparable, decode, encode, has_unknown, is_unknown, shaped


def test_refined_unknowns_survive() -> None:
    """What Terraform knows about an unknown (here: it is not null) comes back as it was."""
    refined = msgpack.ExtType(12, b"\x81\x01\xc2")
    assert decode(encode({"a": refined})) == {"a": refined}
    assert is_unknown(refined)


def test_json_is_read_too() -> None:
    """Upgraded states may be written as JSON."""
    assert decode(pb.DynamicValue(json=b'{"a": 1}')) == {"a": 1}
    assert decode(pb.DynamicValue()) is None


def test_sets_have_no_order_and_lists_have() -> None:
    """Equality means what Terraform means by it."""
    assert comparable(["set", "string"], ["b", "a"]) == comparable(["set", "string"], ["a", "b"])
    assert comparable(["list", "string"], ["b", "a"]) != comparable(["list", "string"], ["a", "b"])


def test_unknowns_are_found_at_any_depth() -> None:
    """An unknown in a block of a block makes the whole value not wholly known."""
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": None}]})


def test_objects_take_the_shape_that_is_asked_for() -> None:
    """A resource's block answers for a data source's list of objects: missing attributes are null, others dropped."""
    type_ = ["list", ["object", {"a": "string", "b": "string"}]]
    assert shaped(type_, [{"a": "x", "c": "y"}]) == [{"a": "x", "b": None}]
