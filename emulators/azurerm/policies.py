"""What API Management answers when it is given policy XML: 400 ValidationError, where the text does not hold together.

Checked: the document is XML (raw expressions allowed), the named values, fragments and backends that it names exist in
the service, and a fragment holds what a fragment may. A name that an expression computes is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.ids import joined, pairs_of
from emulators.azurerm.policy_text import ATTRIBUTE, FRAGMENT
from emulators.base.errors import PolicyError

if TYPE_CHECKING:
    from emulators.base.policy_xml import Node

NAMED_VALUE = re.compile(r"\{\{([A-Za-z0-9_.-]+)\}\}")
SERVICE_PAIRS = 4  # /subscriptions/…/resourceGroups/…/providers/…/service/…
# "API gateway in Azure API Management", policies, notes 2 and 3.
NOT_IN_A_TIER = {"V2": {"quota-by-key"}, "Consumption": {"quota-by-key", "rate-limit-by-key"}}
# "Reuse policy configurations" (2026-02-10), limitations: a fragment holds no section and no <base />, and nests none.
NOT_IN_A_FRAGMENT = {"base", "include-fragment", "policies", "inbound", "backend", "outbound", "on-error"}


def refuse_policy(cloud: Cloud, type_: str, values: Values, id_: str) -> None:
    """Raises ProviderError with every fault of the document; what is linked instead of given is not looked at."""
    text = values.get(ATTRIBUTE[type_]) if type_ in ATTRIBUTE else None
    if not isinstance(text, str):
        return
    faults = list(_faults(cloud, type_, text, joined(pairs_of(id_)[:SERVICE_PAIRS])))
    if faults:
        raise ProviderError("ValidationError: one or more fields contain incorrect values: " + "; ".join(faults))


def _faults(cloud: Cloud, type_: str, text: str, service: str) -> Iterator[str]:
    from emulators.base.policy_xml import parse  # here, because it takes 40 ms that most commands need not spend

    try:
        root = parse(text, "policy")
    except PolicyError as error:
        yield str(error)
        return
    if type_ == FRAGMENT:
        yield from _unfit_for_a_fragment(root)
    for section in root.children:
        if root.tag == "policies" and section.tag == "backend" and len(section.children) > 1:
            where = f"error in element 'backend' on line {section.line}"
            yield f"{where}: backend section allows only one policy to be specified"
    values = _names(cloud, "azurerm_api_management_named_value", service, "display_name")
    for name in sorted(set(NAMED_VALUE.findall(text)) - values):
        yield f"cannot find a property {name!r}: the service has no named value of that display name"
    yield from _missing(cloud, root, service)
    yield from _unknown_to_the_tier(cloud, root, service)


def _unknown_to_the_tier(cloud: Cloud, root: Node, service: str) -> Iterator[str]:
    tier = str(cloud.get("azurerm_api_management", service).get("sku_name")).partition("_")[0]
    lacking = NOT_IN_A_TIER.get("V2" if tier.endswith("V2") else tier, set())
    for node in _walk(root):
        if node.tag in lacking:
            yield f"error in element {node.tag!r} on line {node.line}: the policy is not available in tier {tier}"


def _unfit_for_a_fragment(root: Node) -> Iterator[str]:
    if root.tag != "fragment":
        yield f"a policy fragment begins with <fragment>, not <{root.tag}>"
    for node in _walk(root):
        if node.tag in NOT_IN_A_FRAGMENT:
            yield f"error in element {node.tag!r} on line {node.line}: it is not allowed in a policy fragment"


def _missing(cloud: Cloud, root: Node, service: str) -> Iterator[str]:
    fragments = _names(cloud, FRAGMENT, service, "name")
    backends = _names(cloud, "azurerm_api_management_backend", service, "name")
    for node in _walk(root):
        if node.tag == "include-fragment" and node.attributes.get("fragment-id") not in fragments:
            name = node.attributes.get("fragment-id")
            yield f"error in element 'include-fragment' on line {node.line}: policy fragment {name!r} was not found"
        backend = node.attributes.get("backend-id", "@") if node.tag == "set-backend-service" else "@"
        if not backend.startswith("@") and not NAMED_VALUE.search(backend) and backend not in backends:
            where = f"error in element 'set-backend-service' on line {node.line}"
            yield f"{where}: backend with id {backend!r} was not found"


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _names(cloud: Cloud, type_: str, service: str, attribute: str) -> set[str]:
    inside = f"{service}/".lower()
    return {o[attribute] for o in cloud.store.of_type(type_) if str(o["id"]).lower().startswith(inside)}
