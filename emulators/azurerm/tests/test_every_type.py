"""Every resource type of both providers can be applied, and then planned again without a change."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.catalog import Block, Rules, load
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.lifecycle import complete
from emulators.azurerm.planning import plan
from emulators.azurerm.validate import validate
from emulators.azurerm.values import block_type, canonical, comparable, empty, has_unknown
from emulators.base.store import Store

GUID = "11111111-aaaa-4aaa-8aaa-000000000001"
GROUP = "/subscriptions/12345678-1234-9876-4563-123456789012/resourceGroups/g"
SAMPLES = {
    "uuid": GUID,
    "cidr": "10.0.0.0/24",
    "ipv4": "10.0.0.4",
    "datetime": "2030-01-01T00:00:00Z",
    "iso8601_duration": "PT5M",
    "json": "{}",
    "base64": "YWJj",
    "version": "1.0",
    "https_url": "https://a.example/x",
    "http_url": "http://a.example/x",
    "email": "a@twin.example",
}


def sample(type_: Any, rule: Rules, name: str) -> Any:
    """A value that the rules allow."""
    if isinstance(type_, list):
        kind, inner = type_
        if kind == "object":
            fields = rule.get("fields", {})
            return {n: sample(t, fields.get(n, {}), n) for n, t in inner.items()}
        return (
            {"a": sample(inner, {}, name)}
            if kind == "map"
            else [sample(inner, rule, name)] * max(1, rule.get("min_items", 1))
        )
    if "enum" in rule:
        return rule["enum"][0]
    if type_ != "string":
        return True if type_ == "bool" else rule.get("range", [1])[0]
    text = rule.get("text", {})
    if text.get("example") or text.get("format") in SAMPLES:
        return text.get("example") or SAMPLES[text["format"]]
    if name.endswith("object_id") or name == "principal_id":
        return GUID
    return GROUP if (name.endswith("_id") and "inside" not in text) or name == "scope" else _word(text)


def _word(text: Rules) -> str:
    return ("abc" * 100)[: max(3, text.get("min_length", 0))][: text.get("max_length", 300)]


def configuration(block: Block, rules: Rules, *, whole: bool) -> dict[str, Any]:
    """All required arguments, or (`whole`) every argument and block there is."""
    out = empty(block)
    for name, a in block.get("attributes", {}).items():
        if a.get("required") or (whole and a.get("optional") and name != "id" and not a.get("write_only")):
            out[name] = sample(a["type"], rules.get(name, {}), name)
    for name, nested in block.get("block_types", {}).items():
        if nested["nesting_mode"] in ("list", "set") and (whole or nested.get("min_items")):
            fields = rules.get(name, {}).get("fields", {})
            out[name] = [configuration(nested["block"], fields, whole=whole)] * max(1, nested.get("min_items", 0))
            smaller = configuration(nested["block"], fields, whole=False)
            if whole and nested.get("max_items", 0) != 1 and canonical(smaller) != canonical(out[name][0]):
                out[name].append(smaller)
    return out


def proposed(block: Block, config: dict[str, Any], prior: dict[str, Any] | None) -> dict[str, Any]:
    """What Terraform proposes for an unchanged configuration: it helps with computed values outside of sets only."""
    before = prior or {}
    out = {
        n: before.get(n) if config[n] is None and a.get("computed") else config[n]
        for n, a in block.get("attributes", {}).items()
    }
    for name, nested in block.get("block_types", {}).items():
        out[name] = config[name]
        if nested["nesting_mode"] in ("list", "set"):
            known = before.get(name) or []
            matched = [
                known[i] if nested["nesting_mode"] == "list" and i < len(known) else None
                for i in range(len(config[name]))
            ]
            out[name] = [proposed(nested["block"], c, p) for c, p in zip(config[name], matched, strict=True)]
    return out


@pytest.mark.parametrize("provider", ["azurerm", "azuread"])
@pytest.mark.parametrize("whole", [False, True], ids=["required", "everything"])
def test_second_plan_is_empty(provider: str, whole: bool) -> None:
    """What was computed on apply is kept, defaults included, in lists, sets and objects."""
    catalog = load(provider)
    changed = []
    for type_, schema in catalog.schema["resource_schemas"].items():
        block, rules = schema["block"], catalog.rules(type_)
        config = configuration(block, rules, whole=whole)
        validate(block, rules, config)
        planned = plan(type_, None, config).planned
        assert planned is not None
        new = complete(Cloud(Store()), type_, block, {**planned, "id": f"{GROUP}/x", **_named_role(type_)})
        assert not has_unknown(new), type_
        again = plan(type_, new, proposed(block, config, new) | _named_role(type_))
        same = comparable(block_type(block), again.planned) == comparable(block_type(block), new)
        if not same or again.replace:
            changed.append(type_)
    assert changed == []


def _named_role(type_: str) -> dict[str, Any]:
    """A role assignment must name its role one way or the other."""
    return {"role_definition_name": "Reader", "principal_id": GUID} if type_ == "azurerm_role_assignment" else {}
