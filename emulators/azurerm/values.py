"""Values as Terraform sends them: msgpack, in which an unknown is an extension type.

Unknowns are passed on untouched, because Terraform refines them ("not null", "starts with …") and compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it publishes no types

from emulators.azurerm.catalog import Block, Rules, Values
from emulators.azurerm.proto import tfplugin5_pb2 as pb

UNKNOWN = msgpack.ExtType(0, b"\x00")
NO_RULES: Rules = {}

Path = tuple[str | int, ...]
Leaf = Callable[[Mapping[str, Any], Mapping[str, Any], Path, Any, Values], Any]


def is_unknown(value: Any) -> bool:
    return isinstance(value, msgpack.ExtType)


def has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_unknown(v) for v in value.values())
    return any(has_unknown(v) for v in value) if isinstance(value, list) else is_unknown(value)


def decode(dynamic: pb.DynamicValue) -> Any:
    if dynamic.msgpack:
        return msgpack.unpackb(dynamic.msgpack, strict_map_key=False)
    return json.loads(dynamic.json) if dynamic.json else None


def encode(value: Any) -> pb.DynamicValue:
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def canonical(value: Any) -> bytes:
    """Equal for equal values; elements of sets must have been sorted before (see `comparable`)."""
    packed: bytes = msgpack.packb(value)
    return packed


def comparable(type_: Any, value: Any) -> Any:
    """`value` of that Terraform type with its sets in a fixed order, so that `==` means what Terraform means."""
    if value is None or is_unknown(value) or isinstance(type_, str):
        return value
    kind, inner = type_
    if kind == "object":
        return {name: comparable(t, value.get(name)) for name, t in sorted(inner.items())}
    if kind == "map":
        return {key: comparable(inner, v) for key, v in sorted(value.items())}
    items = [comparable(inner, v) for v in value]
    return sorted(items, key=canonical) if kind == "set" else items


def block_type(block: Block) -> Any:
    """The Terraform type of a block's objects."""
    attributes = {name: a["type"] for name, a in block.get("attributes", {}).items()}
    nested = {name: nested_type(n) for name, n in block.get("block_types", {}).items()}
    return ["object", {**attributes, **nested}]


def nested_type(nested: Mapping[str, Any]) -> Any:
    mode, inner = nested["nesting_mode"], block_type(nested["block"])
    return inner if mode in ("single", "group") else [mode, inner]


def rebuild(block: Block, rules: Rules, value: Any, leaf: Leaf, path: Path = ()) -> Any:
    """A copy of an object in which `leaf(attribute, rules, path, value, parent)` has answered for every attribute."""
    if value is None or is_unknown(value):
        return value
    out: Values = {}
    for name, attribute in block.get("attributes", {}).items():
        out[name] = leaf(attribute, rules.get(name, NO_RULES), (*path, name), value.get(name), value)
    for name, nested in block.get("block_types", {}).items():
        inner = rules.get(name, NO_RULES).get("fields", NO_RULES)
        out[name] = _rebuild_nested(nested, inner, value.get(name), leaf, (*path, name))
    return out


def _rebuild_nested(nested: Mapping[str, Any], rules: Rules, value: Any, leaf: Leaf, path: Path) -> Any:
    if isinstance(value, list):
        return [rebuild(nested["block"], rules, v, leaf, (*path, i)) for i, v in enumerate(value)]
    return rebuild(nested["block"], rules, value, leaf, path)


def empty(block: Block) -> Values:
    """An object of which nothing is set, as Terraform would decode an empty block."""
    out: Values = dict.fromkeys(block.get("attributes", {}))
    for name, nested in block.get("block_types", {}).items():
        out[name] = [] if nested["nesting_mode"] in ("list", "set") else None
    return out


def elements(value: Any) -> Iterator[tuple[Path, Values]]:
    """The objects of a block value, each with the path steps that lead to it."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            if isinstance(element, dict):
                yield (index,), element
    elif isinstance(value, dict):
        yield (), value


def shaped(type_: Any, value: Any) -> Any:
    """`value` brought into a Terraform type: missing object attributes become null, extra ones are dropped.

    Used where one interface's object answers for another's (a data source for a resource): the names are the same, the
    shapes are not always.
    """
    if value is None or is_unknown(value):
        return value
    if isinstance(type_, str):
        return value if not isinstance(value, dict | list) else None
    kind, inner = type_
    if kind == "object":
        source = value[0] if isinstance(value, list) and value else value
        return {n: shaped(t, source.get(n)) for n, t in inner.items()} if isinstance(source, dict) else None
    if kind == "map":
        return {k: shaped(inner, v) for k, v in value.items()} if isinstance(value, dict) else {}
    return [shaped(inner, v) for v in (value if isinstance(value, list) else [value])]
