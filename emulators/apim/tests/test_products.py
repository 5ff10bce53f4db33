"""Open products ("Create and publish a product", "Subscriptions in API Management")."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.apim.errors import PolicyProblems
from emulators.apim.tests.harness import GatewayHarness, applied, policies, resource
from emulators.apim.tests.policies.test_control_flow import LAST_ERROR
from emulators.base.state import Resource


def header(value: str) -> str:
    return f"<set-header name='X-Order' exists-action='append'><value>{value}</value></set-header>"


def product(
    name: str = "p", xml: str | None = None, *, published: bool = True, subscription_required: bool = False
) -> list[Resource]:
    settings: dict[str, Any] = {"published": published, "subscription_required": subscription_required}
    found = [
        resource("api_management_product", name, product_id=name, display_name=name.upper(), **settings),
        resource("api_management_product_api", name, product_id=name, api_name="a"),
    ]
    if xml is not None:
        found.append(resource("api_management_product_policy", name, product_id=name, xml_content=xml))
    return found


async def test_policies_inherit_from_global_to_product_to_api_to_operation() -> None:
    """ "Set or edit policies": each `base` stands for the next wider scope."""
    default = "<backend><forward-request/></backend>"
    gateway = GatewayHarness(
        applied(
            policies(header("api")),
            global_policy=f"<policies><inbound>{header('global')}</inbound>{default}</policies>",
            operation_policy=policies(header("operation")),
            extra=product(xml=policies(header("product"))),
        )
    )
    await gateway.send()
    assert gateway.backends.last.headers["X-Order"] == ["global,product,api,operation"]


async def test_an_open_product_asks_for_no_key() -> None:
    """The call is handled in the product's context although its API asks for a key; `context.Product` is it."""
    shown = header('@(context.Product.Id + "," + context.Product.Name)')
    gateway = GatewayHarness(applied(policies(shown), subscription_required=True, extra=product()))
    assert (await gateway.send()).status == 200
    assert gateway.backends.last.headers["X-Order"] == ["p,P"]


async def test_an_unpublished_product_is_none() -> None:
    """Its policy does not run, and the API asks for its key."""
    failing = policies("<return-response><set-status code='500'/></return-response>")
    gateway = GatewayHarness(
        applied(policies(), subscription_required=True, extra=product(xml=failing, published=False))
    )
    assert (await gateway.send()).status == 401


async def test_errors_name_the_product_s_scope() -> None:
    """context.LastError.Scope is `product`."""
    failing = policies(
        "<check-header name='X' failed-check-httpcode='400' ignore-case='true' failed-check-error-message='m'/>"
    )
    gateway = GatewayHarness(applied(policies(on_error=LAST_ERROR), extra=product(xml=failing)))
    assert (await gateway.send()).text.split("|")[3] == "product"


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        (product(subscription_required=True), "requires a subscription is not supported"),
        ([*product("p"), *product("q")], "one open product at most"),
        (product(xml=policies("<wait/>")), "product 'p', line 1: <wait> is not supported"),
        ([resource("api_management_product_api", "x", product_id="x", api_name="a")], "there is no product 'x'"),
    ],
    ids=["subscription", "two", "element", "unknown"],
)
def test_what_cannot_be_reproduced_is_refused(extra: list[Resource], why: str) -> None:
    """By name, at load."""
    with pytest.raises(PolicyProblems, match=why):
        GatewayHarness(applied(policies(), extra=extra))
