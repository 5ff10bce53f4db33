"""Open products: their policies stand between the global ones and an API's ("Create and publish a product").

A call without a subscription key is handled in the context of the open product that holds its API, if there is one,
whether or not the API asks for a key; an API may be in one open product at most ("Subscriptions in API Management").
Products that ask for a subscription are refused: there are no subscriptions here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulators.apim.errors import InvalidAttribute, LocatedError, MissingReference, UnsupportedResource, Where
from emulators.apim.messages import ProductInfo
from emulators.base.state import Resource, State

_PREFIX = "azurerm_api_management_product"
Report = Callable[[LocatedError], None]


@dataclass(frozen=True)
class Product:
    """`policy` is the resource with its XML, where it has one."""

    info: ProductInfo
    apis: tuple[str, ...]
    policy: Resource | None


def load_products(state: State, report: Report) -> list[Product]:
    found = [_product(state, resource, report) for resource in state.of_type(_PREFIX)]
    names = {product.info.id for product in found}
    for resource in (*state.of_type(f"{_PREFIX}_api"), *state.of_type(f"{_PREFIX}_policy")):
        if resource["product_id"] not in names:
            message = f"there is no product {resource['product_id']!r}"
            report(MissingReference(message, where=Where(resource.address), name=str(resource["product_id"])))
    return [product for product, resource in zip(found, state.of_type(_PREFIX), strict=True) if resource["published"]]


def _product(state: State, resource: Resource, report: Report) -> Product:
    name = str(resource["product_id"])
    if resource.get("subscription_required", True):
        where, refused = Where(f"product {name!r} ({resource.address})"), "subscription_required"
        message = "a product that requires a subscription is not supported by the local gateway: there are none here"
        report(UnsupportedResource(message, where=where, name=refused))
    members = tuple(str(one["api_name"]) for one in state.of_type(f"{_PREFIX}_api") if one["product_id"] == name)
    policy = next((one for one in state.of_type(f"{_PREFIX}_policy") if one["product_id"] == name), None)
    approval = bool(resource.get("approval_required"))
    return Product(ProductInfo(name, str(resource.get("display_name") or name), approval), members, policy)


def open_product(products: list[Product], api: str, report: Report) -> Product | None:
    """The product in whose context the API's calls are handled."""
    holding = [product for product in products if api.partition(";rev=")[0] in product.apis]
    if len(holding) > 1:
        listed = ", ".join(repr(product.info.id) for product in holding)
        message = f"an API may be in one open product at most; it is in {listed}"
        report(InvalidAttribute(message, where=Where(f"API {api!r}"), name="product_id"))
    return holding[0] if holding else None
