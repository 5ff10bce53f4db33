"""What each environment keeps of people's data, by address and by what makes it that very object; see data.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulators.azurerm.catalog import catalog_of
from tests.plan.change import DATA
from tests.plan.inventory import resources

Kept = dict[str, dict[str, Any]]
# They hold no data, but people's tools hold their ids, and assignments and consents those of their roles and scopes.
_APPS = {"azuread_application"}


def kept(*plans: Mapping[str, Any]) -> Kept:
    """Address to those attributes whose change makes Azure replace the object, and what is in it."""
    found = {address: values for plan in plans for address, values in resources(plan).items()}
    return {
        address: _identity(_type(address), found[address])
        for address in sorted(found)
        if _type(address) in DATA | _APPS
    }


def _type(address: str) -> str:
    without_key = address[: address.rindex("[")] if address.endswith("]") else address
    return without_key.split(".")[-2]


def lost(before: Kept, after: Kept) -> Iterator[str]:
    """One line for each object that the plans no longer have, or have as another one."""
    for address, identity in before.items():
        if address not in after:
            yield f"{address} is gone, and with it its data (or it was moved: then write the new address)"
        elif identity != after[address]:
            pairs = {name: (identity.get(name), after[address].get(name)) for name in identity | after[address]}
            changed = ", ".join(f"{name} {a!r} → {b!r}" for name, (a, b) in pairs.items() if a != b)
            yield f"{address} would be replaced, and lose its data: {changed}"


def _identity(type_: str, values: Mapping[str, Any]) -> dict[str, Any]:
    rules = catalog_of(type_).rules(type_)
    names = sorted(name for name, rule in rules.items() if rule.get("force_new"))
    found = {name: values[name] for name in names if isinstance(values.get(name), str | bool | int)}
    return {**found, **{name: value for name, value in _also(values) if value}}


def _also(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    # EnableServerless can be neither added nor removed in place, which the provider leaves to Azure to refuse.
    yield "capabilities", sorted(capability["name"] for capability in values.get("capabilities") or [])
    yield "roles", {role["value"]: role["id"] for role in values.get("app_role") or []}
    scopes = [scope for api in values.get("api") or [] for scope in api.get("oauth2_permission_scope") or []]
    yield "scopes", {scope["value"]: scope["id"] for scope in scopes}
