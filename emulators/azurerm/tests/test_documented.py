"""Each documented rule accepts what it should, refuses what it should, and is met by `validate` at its argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from emulators.azurerm.catalog import Block, catalog_of
from emulators.azurerm.documented import AZUREAD, AZURERM
from emulators.azurerm.validate import validate
from emulators.azurerm.values import empty

CASES = yaml.safe_load((Path(__file__).parent / "documented.yaml").read_text(encoding="utf-8"))
# Too long to write down: one character more than the limit.
TOO_LONG = {
    ("azurerm_api_management_named_value", "value"): 4097,
    ("azurerm_key_vault_secret", "value"): 25601,
    ("azuread_application", "display_name"): 257,
    ("azuread_group", "display_name"): 257,
    ("azuread_group", "mail_nickname"): 65,
    ("azuread_group", "description"): 1025,
}
ARGUMENTS = [(type_, path) for type_, paths in CASES.items() for path in paths]


def refused(type_: str, path: str, value: Any) -> list[str]:
    """What `validate` says of that argument when nothing but it is set."""
    catalog = catalog_of(type_)
    block = catalog.resource(type_)["block"]
    found = validate(block, catalog.rules(type_), _with(block, path.split("."), value))
    wanted = path.split(".")
    places = [(p, [step for step in p.path if isinstance(step, str)]) for p in found if not p.detail]
    return [p.summary for p, place in places if place == wanted[: len(place)]]


def _with(block: Block, path: list[str], value: Any) -> dict[str, Any]:
    config, name = empty(block), path[0]
    nested = block.get("block_types", {}).get(name)
    if nested:
        inner = _with(nested["block"], path[1:], value)
        return {**config, name: [inner] if nested["nesting_mode"] in ("list", "set") else inner}
    return {**config, name: _shaped(block["attributes"][name]["type"], path[1:], value)}


def _shaped(type_: Any, rest: list[str], value: Any) -> Any:
    """The value where the argument's type wants it: in a list, as a key, or as a field of an object."""
    if isinstance(type_, str):
        return value
    kind, inner = type_
    if kind == "object":
        return {name: _shaped(t, rest[1:], value) if name == rest[0] else None for name, t in inner.items()}
    return {value: "x"} if kind == "map" else [_shaped(inner, rest, value)]


def test_every_rule_has_its_cases() -> None:
    """A rule without a value that it refuses proves nothing."""
    rules = {(type_, path) for table in (AZURERM, AZUREAD) for type_, paths in table.items() for path in paths}
    assert set(ARGUMENTS) == rules
    assert [case for case in ARGUMENTS if not CASES[case[0]][case[1]][1] and case not in TOO_LONG] == []


@pytest.mark.parametrize(("type_", "path"), ARGUMENTS, ids=[".".join(case) for case in ARGUMENTS])
def test_a_rule_tells_good_from_bad(type_: str, path: str) -> None:
    """Good values pass every rule of the argument; bad ones are refused, and the message repeats the value."""
    good, bad = CASES[type_][path]
    assert good
    assert {value: said for value in good if (said := refused(type_, path, value))} == {}
    assert [value for value in bad if not refused(type_, path, value)] == []
    if (type_, path) in TOO_LONG:
        assert refused(type_, path, "a" * TOO_LONG[type_, path])


def test_messages_are_worded_like_the_providers() -> None:
    """A wanted form or number begins with "expected"; a name is quoted; both end with the value."""
    assert refused("azurerm_subnet", "address_prefixes", "10.0.1.1/24") == [
        'expected "address_prefixes.0" to be a valid range in CIDR notation, without host bits, /29 or larger, '
        'got: "10.0.1.1/24"'
    ]
    assert refused("azurerm_api_management_api_operation", "url_template", "mcp") == [
        "\"url_template\" must begin with '/' and hold no space, '?' or '#', got: \"mcp\""
    ]


def test_tags_have_limits() -> None:
    """Fifty of them, keys of 512 and values of 256 characters, as azurerm says it."""
    block = catalog_of("azurerm_public_ip").resource("azurerm_public_ip")["block"]
    given = {**empty(block), "name": "n", "location": "l", "resource_group_name": "g", "allocation_method": "Static"}
    said = [
        problem.summary
        for tags in ({str(n): "x" for n in range(51)}, {"k" * 513: "x"}, {"k": "x" * 257})
        for problem in validate(block, {}, {**given, "tags": tags})
    ]
    assert len(said) == 3
    assert said[0] == "a maximum of 50 tags can be applied to each ARM resource"
    assert validate(block, {}, {**given, "tags": {str(n): "x" * 256 for n in range(50)}}) == []
