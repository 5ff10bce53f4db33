"""Ids: Resource Manager's paths, built from the catalog's example for the type and the object's own arguments.

An example reads `/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/aValue/subnets/aName`:
pairs of a collection and a name. Names are taken from arguments (`virtual_network_name`, `name`) or from another
object's id among them (`private_dns_zone_id`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulators.azurerm.catalog import Values, catalog_of
from emulators.azurerm.cloud import Cloud, digest_of, guid
from emulators.azurerm.derive import id_rule

Pair = tuple[str, str]

PLACEHOLDER = re.compile(r"(Value|Name|Id)$|^\(\.\)")
NOT_NAMES = {"resource_group_name", "location", "display_name", "subscription_id", "tenant_id", "description"}
# Where a collection and the argument that names its member share no word.
CALLED = {
    "service": "api_management",
    "sites": "app_service",
    "registries": "container_registry",
    "databaseAccounts": "account",
    "templates": "template",
    "diagnostics": "identifier",
}


def identify(cloud: Cloud, type_: str, values: Values, ordinal: int = 0) -> str:
    """The id of an object about to be created. `ordinal` tells objects of equal arguments apart, where no name does."""
    rule = id_rule(type_)
    if rule:
        return rule(cloud, values, ordinal)
    if type_.startswith("azuread_"):
        return _directory_id(type_, values, ordinal)
    if type_ == "azurerm_resource_group":
        return f"/subscriptions/{cloud.subscription_id}/resourceGroups/{values['name']}"
    example = catalog_of(type_).example_id(type_)
    return (
        _from_example(cloud, type_, values, example, ordinal) if example else _improvised(cloud, type_, values, ordinal)
    )


def is_exact(cloud: Cloud, type_: str, values: Values, id_: str) -> bool:
    """Whether the id is made of names only, in the service's own form: a second object of that id cannot exist."""
    if values.get("use_existing") or not (id_rule(type_) or catalog_of(type_).example_id(type_)):
        return False
    return identify(cloud, type_, values, ordinal=1) == identify(cloud, type_, values) == id_


def pairs_of(id_: str) -> list[Pair]:
    """An id's (collection, name) pairs; what does not come in pairs is left out."""
    segments = id_.strip("/").split("/")
    return list(zip(segments[::2], segments[1::2], strict=False))


def joined(pairs: list[Pair]) -> str:
    return "".join(f"/{collection}/{name}" for collection, name in pairs)


def _from_example(cloud: Cloud, type_: str, values: Values, example: str, ordinal: int) -> str:
    template = pairs_of(example)
    if template[0][0] == "providers":  # an extension: it lives under whatever object its scope names
        base, done = _scope(type_, values), 0
    else:
        start = _base(cloud, type_, values, template)
        base, done = joined(start), len(start)
    unused = _names(values)
    out: list[Pair] = []
    for index, (collection, name) in enumerate(template[done:], done):
        last = index == len(template) - 1
        out.append(
            (collection, _name_for(collection, name, unused, values, last) or _own_name(type_, name, values, ordinal))
        )
    return base + joined(out)


def _base(cloud: Cloud, type_: str, values: Values, template: list[Pair]) -> list[Pair]:
    """The leading pairs that need no look-up: the group's, or those shared with a parent's id."""
    group = values.get("resource_group_name")
    if isinstance(group, str) and len(template) > 1 and template[1][0] == "resourceGroups":
        return [("subscriptions", cloud.subscription_id), ("resourceGroups", group)]
    best: list[Pair] = []
    room = len(template) - (1 if isinstance(values.get("name"), str) else 0)
    for parent in _arm_values(type_, values):
        shared = _shared(pairs_of(parent), template)[:room]
        best = shared if len(shared) > len(best) else best
    return best or [("subscriptions", cloud.subscription_id)]


def _shared(parent: list[Pair], template: list[Pair]) -> list[Pair]:
    """The parent's leading pairs whose collections are the template's."""
    count = 0
    for (collection, name), (wanted, example) in zip(parent, template, strict=False):
        if collection.lower() != wanted.lower() or (wanted == "providers" and name.lower() != example.lower()):
            break
        count += 1
    return parent[:count]


def _arm_values(type_: str, values: Values) -> list[str]:
    """Other objects' ids among the arguments, required ones first: a parent is never optional where one is required."""
    attributes = catalog_of(type_).resource(type_)["block"]["attributes"]
    found = [
        (not attributes[n].get("required"), n, v) for n, v in values.items() if isinstance(v, str) and v.startswith("/")
    ]
    found = [entry for entry in found if entry[1] != "id"]
    required = [entry for entry in found if not entry[0]]
    return [value for _, _, value in required or found]


def _scope(type_: str, values: Values) -> str:
    scope = values.get("scope")
    candidates = [scope] if isinstance(scope, str) else _arm_values(type_, values)
    return candidates[0].rstrip("/") if candidates else ""


def _names(values: Values) -> dict[str, str]:
    return {
        key: value
        for key, value in values.items()
        if isinstance(value, str) and not value.startswith("/") and key not in NOT_NAMES and key != "id"
    }


def _name_for(collection: str, example: str, unused: dict[str, str], values: Values, last: bool) -> str | None:
    """The name of one pair, from the argument that fits best; an argument is used once."""
    if collection == "providers":
        return example
    key = "name" if last and "name" in unused else _best_key(collection, unused)
    if key:
        return unused.pop(key)
    for value in values.values():
        named = dict(pairs_of(value)).get(collection) if isinstance(value, str) and value.startswith("/") else None
        if named:
            return named
    return None


def _best_key(collection: str, unused: Mapping[str, str]) -> str | None:
    wanted = set(_words(CALLED.get(collection, collection)))
    ranked = []
    for key in unused:
        words = set(_words(re.sub(r"_(name|id)$", "", key)))
        if words & wanted and (key.endswith(("_name", "_id")) or words == wanted):
            ranked.append((-len(words & wanted), len(words - wanted), key))
    return min(ranked)[2] if ranked else None


def _words(name: str) -> list[str]:
    """`apiVersionSets` and `api_version_set` alike, in the singular."""
    parts = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    return [re.sub(r"(?<!s)s$", "", part.removesuffix("ies") + "y" if part.endswith("ies") else part) for part in parts]


def _own_name(type_: str, example: str, values: Values, ordinal: int) -> str:
    """A part that no argument names: a constant of the type (`default`), or the service's own numbering."""
    if not PLACEHOLDER.search(example):
        return example
    return guid(type_, digest_of(values), str(ordinal))


def _directory_id(type_: str, values: Values, ordinal: int) -> str:
    return f"/{_collection(type_.removeprefix('azuread_'))}/{guid(type_, digest_of(values), str(ordinal))}"


def _improvised(cloud: Cloud, type_: str, values: Values, ordinal: int) -> str:
    """For the types whose form is not recorded: below the first object they name, else in their group."""
    parents = _arm_values(type_, values)
    if type_.endswith("_association") and len(parents) > 1:
        return "|".join(parents)
    collection = _collection(type_.removeprefix("azurerm_"))
    group = values.get("resource_group_name")
    home = f"/subscriptions/{cloud.subscription_id}" + (f"/resourceGroups/{group}" if isinstance(group, str) else "")
    name = values.get("name") if isinstance(values.get("name"), str) else guid(type_, digest_of(values), str(ordinal))
    return f"{parents[0] if parents else home + '/providers/Microsoft.Resources'}/{collection}/{name}"


def _collection(noun: str) -> str:
    """`access_policy` → `accessPolicies`."""
    first, *rest = noun.split("_")
    name = first + "".join(word.capitalize() for word in rest)
    if name.endswith("s"):
        return name
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
