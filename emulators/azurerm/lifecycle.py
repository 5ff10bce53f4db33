"""An object's life in the stand-in cloud: created or changed, read, found by id, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Block, Rules, Values, catalog_of
from emulators.azurerm.cloud import MADE_OF, SUBSCRIPTION_ID, Cloud, digest_of
from emulators.azurerm.derive import apply_side_effects, derived
from emulators.azurerm.derive.identities import with_own_identity
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.generate import generate
from emulators.azurerm.ids import identify, is_exact
from emulators.azurerm.made_by_azure import made_with
from emulators.azurerm.planning import plan, plan_or_refuse
from emulators.azurerm.policies import refuse_policy
from emulators.azurerm.policy_text import given_back
from emulators.azurerm.references import refuse_removal, require_references
from emulators.azurerm.refusals import refuse
from emulators.azurerm.soft_delete import recover, retain_name
from emulators.azurerm.updates import refuse_update
from emulators.azurerm.values import NO_RULES, UNKNOWN, Path, empty, is_unknown, rebuild, shaped
from emulators.base.store import Store


def apply(cloud: Cloud, type_: str, prior: Values | None, planned: Values, config: Values | None = None) -> Values:
    """Creates (`prior` is None) or updates an object: every unknown in `planned` gets its value.

    `config` brings the write-only arguments, which a plan never holds. Raises ProviderError where Azure would refuse.
    """
    block = catalog_of(type_).resource(type_)["block"]
    secrets = _write_only(block, config or {})
    with cloud.applying:
        cloud.faults.before_write(type_, planned)
        refuse(cloud, type_, {**planned, **secrets})
        if prior is not None:
            refuse_update(cloud, type_, prior, planned)
        id_ = _id_of(cloud, type_, planned)
        require_references(cloud, type_, planned, id_)
        refuse_policy(cloud, type_, planned, id_)
        beside = {WRITE_ONLY: secrets} if secrets else {}
        if prior is None:
            beside |= _begin(cloud, type_, planned, id_)
        values = complete(cloud, type_, block, {**planned, "id": id_})
        values = given_back(type_, with_own_identity(cloud, values), cloud.line_breaks)
        cloud.store.put(type_, {**values, **beside}, was=(prior or {}).get("id"))
        apply_side_effects(cloud, type_, prior, values)
        for made, config in made_with(type_, values) if prior is None else ():
            _put_made(cloud, made, config)
    return values


def _put_made(cloud: Cloud, type_: str, config: Values) -> None:
    """Puts what a service made by itself into the store, unless it is there."""
    block = catalog_of(type_).resource(type_)["block"]
    planned = plan(type_, None, config).planned or {}
    id_ = identify(cloud, type_, planned)
    if cloud.store.get(type_, id_) is None:
        cloud.store.put(type_, complete(cloud, type_, block, {**planned, "id": id_}))


def _begin(cloud: Cloud, type_: str, planned: Values, id_: str) -> Values:
    """Makes sure that nothing else has the id or the name; what to keep beside the new object's values."""
    recover(cloud, type_, planned)
    arguments = digest_of({**planned, "id": None})
    if is_exact(cloud, type_, planned, id_) and cloud.is_taken(type_, id_, arguments):
        raise ProviderError(
            f"a resource with the ID {id_!r} already exists - to be managed via Terraform this resource needs to be "
            f'imported into the State. Please see the resource documentation for "{type_}" for more information'
        )
    cloud.created(type_, id_)
    return {MADE_OF: arguments}


WRITE_ONLY = "(write-only)"  # kept beside an object's values: no attribute can be called that


def _write_only(block: Block, config: Values) -> Values:
    attributes = block.get("attributes", {}).items()
    return {n: config[n] for n, a in attributes if a.get("write_only") and config.get(n) is not None}


def _id_of(cloud: Cloud, type_: str, planned: Values) -> str:
    if not is_unknown(planned.get("id")):
        return str(planned["id"])
    arguments = digest_of({**planned, "id": None})
    ordinal, id_ = 0, identify(cloud, type_, planned)
    while cloud.is_taken(type_, id_, arguments):
        ordinal += 1
        another = identify(cloud, type_, planned, ordinal)
        if another == id_:  # made of names: there can be no other
            return id_
        id_ = another
    return id_


def complete(cloud: Cloud, type_: str, block: Block, values: Values) -> Values:
    """Fills in every unknown: from the type's derivation, else by name."""
    known = derived(cloud, type_, values)

    def leaf(attribute: Mapping[str, Any], _: Rules, path: Path, v: Any, parent: Values) -> Any:
        if not is_unknown(v):
            return v
        name = ".".join(step for step in path if isinstance(step, str))
        if name not in known:
            return generate(cloud, values["id"], attribute, ".".join(map(str, path)), parent)
        answer = known[name](parent) if callable(known[name]) else known[name]
        return shaped(attribute["type"], answer)

    filled: Values = rebuild(block, NO_RULES, values, leaf)
    return filled


def destroy(cloud: Cloud, type_: str, prior: Values) -> None:
    with cloud.applying:
        refuse_removal(cloud, type_, prior)
        cloud.store.remove(type_, prior["id"])
        retain_name(cloud, type_, prior)
        cloud.release(type_, prior["id"])
        apply_side_effects(cloud, type_, prior, None)
        _remove_children(cloud, str(prior.get("resource_id") or prior["id"]))


def _remove_children(cloud: Cloud, id_: str) -> None:
    """What lives in an object goes with it; extensions (diagnostic settings, role assignments, locks) do not.

    That a diagnostic setting outlives its resource, and is there again with a new one of that name, is reported
    (MicrosoftDocs/azure-docs#100347).
    """
    inside = f"{id_}/".lower()
    for type_ in cloud.store.types() if id_.startswith("/subscriptions/") else ():
        for child in cloud.store.of_type(type_) if type_.startswith("azurerm_") else ():
            own = str(child.get("resource_id") or child["id"])
            if own.lower().startswith(inside) and "/providers/" not in own[len(inside) :]:
                cloud.store.remove(type_, child["id"])
                cloud.release(type_, child["id"])
                apply_side_effects(cloud, type_, child, None)


def read(cloud: Cloud, type_: str, id_: str) -> Values | None:
    """The object as it is now, or None where it is gone."""
    found = cloud.store.get(type_, id_)
    if found is None:
        return None
    cloud.claim(type_, id_)
    block = catalog_of(type_).resource(type_)["block"]
    return {**empty(block), **{name: value for name, value in found.items() if name not in (WRITE_ONLY, MADE_OF)}}


def imported(cloud: Cloud, type_: str, id_: str) -> Values:
    """The object that `terraform import` names; raises ProviderError where the cloud does not hold it."""
    found = read(cloud, type_, id_)
    if found is None:
        raise ProviderError(
            f"cannot import non-existent remote object: the stand-in cloud holds no such {type_} as {id_!r}, "
            "only what was applied or seeded here"
        )
    return found


def seed(store: Store, type_: str, values: Mapping[str, Any], *, subscription_id: str | None = None) -> Values:
    """Create what Terraform does not: compute the object as an apply would, and return it with its `id`.

    `values` holds the type's arguments; repeating it changes nothing. `subscription_id` becomes part of the id of what
    lives in a subscription, so it must be the one that Terraform deploys to.
    """
    nothing = empty(catalog_of(type_).resource(type_)["block"])
    strange = sorted(set(values) - set(nothing))
    if strange:
        raise ProviderError(
            f"{type_} has no argument {strange[0]!r}; an object is seeded with its type's arguments only"
        )
    cloud = Cloud(store, subscription_id=subscription_id or SUBSCRIPTION_ID)
    planned = {**(plan_or_refuse(type_, None, {**nothing, **values}).planned or {}), "id": values.get("id") or UNKNOWN}
    there = store.get(type_, identify(cloud, type_, planned)) if planned["id"] is UNKNOWN else None
    made = apply(cloud, type_, there, planned)
    cloud.claim(type_, made["id"])  # somebody made it on purpose: no create adopts it
    cloud.save_claims()
    return made
