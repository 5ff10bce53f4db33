"""Planning: defaults, what the cloud will decide, and what cannot change in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.azurerm import policy_text
from emulators.azurerm.catalog import Block, Rules, Values, catalog_of
from emulators.azurerm.derive import recomputed
from emulators.azurerm.plan_checks import refuse_plan
from emulators.azurerm.replacements import conditional
from emulators.azurerm.values import (
    NO_RULES,
    UNKNOWN,
    Path,
    block_type,
    canonical,
    comparable,
    is_unknown,
    nested_type,
    rebuild,
)


@dataclass(frozen=True)
class Plan:
    """`replace` are the paths whose change needs a new object; `legacy` says that defaults were added."""

    planned: Values | None
    replace: tuple[Path, ...] = ()
    legacy: bool = False


def plan(type_: str, prior: Values | None, proposed: Values | None) -> Plan:
    """Plans a create (`prior` is None), an update, or a destroy (`proposed` is None)."""
    if proposed is None:
        return Plan(None)
    catalog = catalog_of(type_)
    block, rules = catalog.resource(type_)["block"], catalog.rules(type_)
    with_defaults = _without_suppressed(type_, add_defaults(block, rules, proposed))
    legacy = with_defaults != proposed
    if prior is None:
        return Plan(await_decisions(block, with_defaults), legacy=legacy)
    planned = reconcile(block, prior, with_defaults)
    unseen = policy_text.keeps(type_, prior, planned)
    planned, legacy = {**planned, **unseen}, legacy or bool(unseen)
    for name in recomputed(type_, _changed(block, prior, planned)):
        planned[name] = UNKNOWN
    replace = (*replacements(block, rules, prior, planned), *conditional(type_, prior, planned))
    return Plan(planned, replace, legacy)


def plan_or_refuse(type_: str, prior: Values | None, proposed: Values | None) -> Plan:
    """Plans what the provider's code would plan; raises ProviderError where it refuses (see `plan_checks`)."""
    if proposed is not None:
        catalog = catalog_of(type_)
        refuse_plan(type_, prior, add_defaults(catalog.resource(type_)["block"], catalog.rules(type_), proposed))
    return plan(type_, prior, proposed)


def _without_suppressed(type_: str, value: Values) -> Values:
    """cosmosdb_account_resource.go: the bounds of staleness are defaults that only that consistency level shows."""
    if type_ != "azurerm_cosmosdb_account" or not isinstance(value.get("consistency_policy"), list):
        return value
    unbounded = {"max_interval_in_seconds": None, "max_staleness_prefix": None}
    policies = [
        {**one, **({} if one.get("consistency_level") == "BoundedStaleness" else unbounded)}
        for one in value["consistency_policy"]
        if isinstance(one, dict)
    ]
    return {**value, "consistency_policy": policies}


def add_defaults(block: Block, rules: Rules, value: Values) -> Values:
    """The provider's defaults where the configuration says nothing; never over a write-only argument."""

    def leaf(attribute: Mapping[str, Any], rule: Rules, path: Path, v: Any, _: Values) -> Any:
        if attribute.get("write_only"):
            return None
        if v is None:
            return rule.get("default") if not attribute.get("computed") else None
        if path == ("location",) and isinstance(v, str):
            return v.replace(" ", "").lower()  # azurerm keeps "West Europe" as "westeurope"
        return _fill_objects(attribute["type"], rule.get("fields", NO_RULES), v)

    filled: Values = rebuild(block, rules, value, leaf)
    return filled


def _fill_objects(type_: Any, rules: Rules, value: Any) -> Any:
    """Defaults inside an attribute that holds objects (`exposed_port`): the SDK calls it attributes as blocks."""
    if isinstance(type_, str) or value is None or is_unknown(value) or not rules:
        return value
    kind, inner = type_
    if kind in ("list", "set"):
        return [_fill_objects(inner, rules, v) for v in value]
    if kind != "object":
        return value
    return {
        n: _fill_objects(t, rules.get(n, NO_RULES).get("fields", NO_RULES), _or_default(value.get(n), rules.get(n)))
        for n, t in inner.items()
    }


def _or_default(value: Any, rule: Rules | None) -> Any:
    return rule["default"] if value is None and rule and "default" in rule else value


def await_decisions(block: Block, value: Values) -> Values:
    """Everything the cloud decides becomes unknown, where nothing was asked for."""

    def leaf(attribute: Mapping[str, Any], _: Rules, __: Path, v: Any, ___: Values) -> Any:
        return UNKNOWN if v is None and attribute.get("computed") else v

    marked: Values = rebuild(block, NO_RULES, value, leaf)
    return marked


def reconcile(block: Block, prior: Any, new: Any) -> Any:
    """Carries over what the cloud decided before.

    Terraform does this itself for the most part, but cannot match elements of a set once defaults were added, nor
    computed values in a list below a set. An element without a counterpart is new: its decisions are awaited.
    """
    if not isinstance(new, dict):
        return new
    if not isinstance(prior, dict):
        return await_decisions(block, new)
    out = dict(new)
    for name, attribute in block.get("attributes", {}).items():
        if out.get(name) is None and attribute.get("computed"):
            out[name] = prior.get(name)
    for name, nested in block.get("block_types", {}).items():
        out[name] = _reconcile_nested(nested, prior.get(name), new.get(name))
    return out


def _reconcile_nested(nested: Mapping[str, Any], prior: Any, new: Any) -> Any:
    block = nested["block"]
    if not isinstance(new, list):
        return reconcile(block, prior, new)
    before = prior if isinstance(prior, list) else []
    if nested["nesting_mode"] == "list":
        return [reconcile(block, before[i] if i < len(before) else None, v) for i, v in enumerate(new)]
    known = {_asked_for(block, element): element for element in before}
    return [reconcile(block, known.get(_asked_for(block, v)), v) for v in new]


def _asked_for(block: Block, value: Any) -> bytes:
    """An element of a set without what the cloud decided: what identifies it between two plans."""

    def leaf(attribute: Mapping[str, Any], _: Rules, __: Path, v: Any, ___: Values) -> Any:
        return None if attribute.get("computed") else v

    return canonical(comparable(block_type(block), rebuild(block, NO_RULES, value, leaf)))


def _changed(block: Block, prior: Values, planned: Values) -> set[str]:
    """Names of the top-level attributes and blocks that differ."""
    types = block_type(block)[1]
    return {n for n, t in types.items() if comparable(t, prior.get(n)) != comparable(t, planned.get(n))}


def replacements(block: Block, rules: Rules, prior: Any, planned: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of changed values that the provider can set only on creation."""
    for name, attribute in block.get("attributes", {}).items():
        if rules.get(name, NO_RULES).get("force_new"):
            type_ = attribute["type"]
            if comparable(type_, prior.get(name)) != comparable(type_, planned.get(name)):
                yield (*path, name)
    for name, nested in block.get("block_types", {}).items():
        rule = rules.get(name, NO_RULES)
        yield from _replacing_blocks(nested, rule, prior.get(name), planned.get(name), (*path, name))


def _replacing_blocks(nested: Mapping[str, Any], rule: Rules, prior: Any, planned: Any, path: Path) -> Iterator[Path]:
    fields, type_ = rule.get("fields", NO_RULES), nested_type(nested)
    if comparable(type_, prior) == comparable(type_, planned):
        return
    if not (isinstance(prior, list) and isinstance(planned, list)):
        return
    if nested["nesting_mode"] == "list" and len(prior) == len(planned):
        for index, (before, after) in enumerate(zip(prior, planned, strict=True)):
            if isinstance(before, dict) and isinstance(after, dict):
                yield from replacements(nested["block"], fields, before, after, (*path, index))
    elif rule.get("force_new") or _any_force_new(fields):
        yield path


def _any_force_new(rules: Rules) -> bool:
    return any(r.get("force_new") or _any_force_new(r.get("fields", NO_RULES)) for r in rules.values())
