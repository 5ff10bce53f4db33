"""What a provider checks of a configuration before anything is applied.

Terraform itself refuses unknown, missing and mistyped arguments and wrong numbers of blocks; a required argument that
is there and null the provider refuses (terraform-plugin-sdk, helper/schema/schema.go). The known parts of a value
are checked even where other parts are unknown, which is stricter than the real providers: they stop at a block that
holds an unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulators.azurerm.catalog import Block, Rules, Values
from emulators.azurerm.validate.items import IN_SET, Problem, check_value, dotted
from emulators.azurerm.validate.relations import check_relations
from emulators.azurerm.values import NO_RULES, Path, elements

__all__ = ["Problem", "validate"]


def validate(block: Block, rules: Rules, config: Values) -> list[Problem]:
    """Everything that is wrong, in the order of the schema."""
    root = _without_empty_blocks(block, config)
    return [replace(problem, path=_pointed(problem.path)) for problem in _block(block, rules, config, root, ())]


def _without_empty_blocks(block: Block, value: Values) -> Values:
    """The configuration as its author sees it: no block is nothing, while an argument may well be an empty list."""
    nested = block.get("block_types", {})
    out = {name: v for name, v in value.items() if not (name in nested and v == [])}
    for name in nested.keys() & out.keys():
        if isinstance(out[name], list):
            out[name] = [
                _without_empty_blocks(nested[name]["block"], e) if isinstance(e, dict) else e for e in out[name]
            ]
    return out


def _pointed(path: Path) -> Path:
    """An element of a set has no place of its own, so a path that Terraform can follow ends at the set."""
    return path[: path.index(IN_SET)] if IN_SET in path else path


def _block(block: Block, rules: Rules, value: Values, root: Values, path: Path) -> Iterator[Problem]:
    for name, attribute in block.get("attributes", {}).items():
        yield from _attribute(attribute, rules.get(name, NO_RULES), value.get(name), root, (*path, name))
    for name, nested in block.get("block_types", {}).items():
        rule, inner = rules.get(name, NO_RULES), value.get(name)
        yield from check_relations(rule, inner or None, root, (*path, name))
        for step, element in elements(inner):
            at = (*path, name, *((IN_SET,) if nested["nesting_mode"] == "set" else step))
            yield from _block(nested["block"], rule.get("fields", NO_RULES), element, root, at)


def _attribute(attribute: Mapping[str, Any], rule: Rules, value: Any, root: Values, path: Path) -> Iterator[Problem]:
    if (
        value is not None
        and attribute.get("computed")
        and not attribute.get("optional")
        and not attribute.get("required")
    ):
        name = path[-1]
        yield Problem(
            "Value for unconfigurable attribute",
            f'Can\'t configure a value for "{name}": its value will be decided automatically based on the result of '
            "applying this configuration.",
            path,
        )
        return
    if value is not None and path == ("id",) and not rule and attribute.get("computed"):
        yield Problem("Invalid or unknown key", "", path)
        return
    if value is None and attribute.get("required"):
        yield Problem(
            "Missing required argument", f'The argument "{path[-1]}" is required, but no definition was found.', path
        )
        return
    yield from check_relations(rule, value, root, path)
    for problem in check_value(attribute["type"], rule, value, path):
        yield replace(problem, summary=f"{dotted(path)} {HIDDEN}") if attribute.get("sensitive") else problem


HIDDEN = "is not a value that the provider accepts; it is sensitive, so neither it nor the rule's reason is shown"
