"""Container registries ("Microsoft.ContainerRegistry"); their sign-in is registry_tokens.py."""

from __future__ import annotations

import re
from typing import Any

from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, bad_request
from emulators.arm.routing import Route
from emulators.arm.services import common
from emulators.arm.services.common import GROUP, SUBSCRIPTION, crud
from emulators.arm.services.subscriptions import require_location, require_registered

NAMESPACE = "Microsoft.ContainerRegistry"
TYPE = f"{NAMESPACE}/registries"
_NAME = re.compile(r"[A-Za-z0-9]{5,50}")
_SKUS = ("Basic", "Standard", "Premium")


def check_name(cloud: Cloud, call: Call) -> Answer:
    name = str(call.document().get("name") or "")
    if not _NAME.fullmatch(name):
        return Answer({"nameAvailable": False, "reason": "Invalid", "message": _rule(name)})
    if cloud.named(TYPE, name) is not None or name.lower() in cloud.taken_names:
        message = f"The registry {name} is already in use."
        return Answer({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return Answer({"nameAvailable": True})


def _rule(name: str) -> str:
    return f"The specified registry name {name} is invalid: alphanumeric characters only, between 5 and 50 characters."


def put(cloud: Cloud, call: Call) -> Answer:
    require_registered(cloud, NAMESPACE)
    cloud.require_group(call.path)
    name, document = call["name"], call.document()
    if not _NAME.fullmatch(name):
        raise bad_request("InvalidRegistryName", _rule(name))
    taken = cloud.named(TYPE, name)
    if name.lower() in cloud.taken_names or (taken is not None and taken["id"].lower() != call.path.lower()):
        raise AzureError(409, "AlreadyInUse", f"The registry DNS name {name.lower()}.azurecr.io is already in use.")
    require_location(document)
    sku = (document.get("sku") or {}).get("name")
    if sku not in _SKUS:
        raise bad_request("InvalidSku", f"The registry SKU {sku!r} must be one of {', '.join(_SKUS)}.")
    given: Any = document.get("properties") or {}
    properties: Document = {
        "adminUserEnabled": False,
        "publicNetworkAccess": "Enabled",
        "networkRuleBypassOptions": "AzureServices",
        **given,
        "loginServer": f"{name.lower()}.azurecr.io",
        "creationDate": common.timestamp(cloud.clock()),
        "provisioningState": "Succeeded",
    }
    new = cloud.put(call.path, common.resource(cloud, call, TYPE, properties, sku={"name": sku, "tier": sku}))
    return Answer(cloud.get(call.path), 201 if new else 200)


_REGISTRY = f"{GROUP}/providers/{TYPE}/{{name}}"

ROUTES = (
    *crud(TYPE, put, pages="Registries", version="2025-11-01"),
    Route(
        "POST",
        f"{SUBSCRIPTION}/providers/{NAMESPACE}/checkNameAvailability",
        check_name,
        f"{NAMESPACE}/checkNameAvailability/read",
        scope=SUBSCRIPTION,
        page="Registries - Check Name Availability, 2025-11-01",
    ),
)
