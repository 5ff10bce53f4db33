"""Storage accounts and their blob service ("Microsoft.Storage"); blobs themselves are Azurite's."""

from __future__ import annotations

import base64
import re
import secrets
from typing import Any

from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, bad_request
from emulators.arm.routing import Route
from emulators.arm.services import common
from emulators.arm.services.common import GROUP, SUBSCRIPTION, crud
from emulators.arm.services.subscriptions import require_location, require_registered

NAMESPACE = "Microsoft.Storage"
TYPE = f"{NAMESPACE}/storageAccounts"
_BLOB_SERVICE = f"{TYPE}/blobServices"
_NAME = re.compile(r"[a-z0-9]{3,24}")
_DEFAULTS: Document = {
    "minimumTlsVersion": "TLS1_0",
    "allowBlobPublicAccess": False,
    "allowSharedKeyAccess": True,
    "supportsHttpsTrafficOnly": True,
    "publicNetworkAccess": "Enabled",
    "accessTier": "Hot",
    "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
}


def check_name(cloud: Cloud, call: Call) -> Answer:
    name = str(call.document().get("name") or "")
    if not _NAME.fullmatch(name):
        return Answer({"nameAvailable": False, "reason": "AccountNameInvalid", "message": _rule(name)})
    if cloud.named(TYPE, name) is not None or name in cloud.taken_names:
        message = f"The storage account named {name} is already taken."
        return Answer({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return Answer({"nameAvailable": True})


def _rule(name: str) -> str:
    return (
        f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in "
        "length and use numbers and lower-case letters only."
    )


def put(cloud: Cloud, call: Call) -> Answer:
    """Answers 200 also for a new account: the SDK refuses 201."""
    require_registered(cloud, NAMESPACE)
    cloud.require_group(call.path)
    name, document = call["name"], call.document()
    if not _NAME.fullmatch(name):
        raise bad_request("AccountNameInvalid", _rule(name))
    _refuse_taken(cloud, call, name)
    require_location(document)
    kind, sku = document.get("kind"), (document.get("sku") or {}).get("name")
    if not kind or not sku:
        raise bad_request("InvalidRequestPropertyValue", "A storage account needs kind and sku.name.")
    old = cloud.resources.get(call.path.lower())
    base = old["properties"] if old else _DEFAULTS
    made = common.resource(
        cloud, call, TYPE, common.merged(base, document.get("properties") or {}), kind=kind, sku=_sku(sku)
    )
    made["properties"] |= _computed(cloud, name, made["location"])
    cloud.put(call.path, made)
    cloud.keys.setdefault(name, [_key(), _key()])
    return Answer(made)


def _refuse_taken(cloud: Cloud, call: Call, name: str) -> None:
    taken = cloud.named(TYPE, name)
    if name in cloud.taken_names or (taken is not None and taken["id"].lower() != call.path.lower()):
        raise AzureError(409, "StorageAccountAlreadyTaken", f"The storage account named {name} is already taken.")


def _sku(name: str) -> Document:
    return {"name": name, "tier": name.split("_")[0]}


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


def _computed(cloud: Cloud, name: str, location: str) -> Document:
    return {
        "provisioningState": "Succeeded",
        "creationTime": common.timestamp(cloud.clock()),
        "primaryLocation": location,
        "statusOfPrimary": "available",
        "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
    }


def update(cloud: Cloud, call: Call) -> Answer:
    old = cloud.get(call.path)
    given = call.document()
    made = {**old, "properties": common.merged(old["properties"], given.get("properties") or {})}
    if "tags" in given:
        made["tags"] = given["tags"]
    if "sku" in given:
        made["sku"] = _sku(given["sku"]["name"])
    cloud.put(call.path, made)
    return Answer(made)


def list_keys(cloud: Cloud, call: Call) -> Answer:
    account = cloud.get(call.path.rsplit("/", 1)[0])
    keys = zip(("key1", "key2"), cloud.keys[account["name"]], strict=True)
    return Answer({"keys": [{"keyName": name, "value": value, "permissions": "FULL"} for name, value in keys]})


def show_blob_service(cloud: Cloud, call: Call) -> Answer:
    account = cloud.get(call.path.rsplit("/blobServices/", 1)[0])
    return Answer(_blob_service(cloud, call.path, account))


def _blob_service(cloud: Cloud, path: str, account: Document) -> Document:
    fresh = {"id": path, "name": "default", "type": _BLOB_SERVICE, "sku": account["sku"]}
    initial: Document = {"deleteRetentionPolicy": {"enabled": False}, "cors": {"corsRules": []}}
    return cloud.resources.get(path.lower()) or {**fresh, "properties": initial}


def put_blob_service(cloud: Cloud, call: Call) -> Answer:
    """Versioning and soft delete. Days are 1 to 365, and enabled retention needs them."""
    account = cloud.get(call.path.rsplit("/blobServices/", 1)[0])
    given: Any = call.document().get("properties") or {}
    for name in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        policy = given.get(name) or {}
        if policy.get("enabled") and not 1 <= int(policy.get("days") or 0) <= 365:
            raise bad_request("InvalidXmlDocument", f"{name}.days must be between 1 and 365.")
    old = _blob_service(cloud, call.path, account)
    made = {**old, "properties": common.merged(old["properties"], given)}
    cloud.put(call.path, made)
    return Answer(made)


def keeps_versions(cloud: Cloud, name: str) -> bool:
    account = cloud.named(TYPE, name)
    if account is None:
        return False
    service = cloud.resources.get(f"{account['id']}/blobServices/default".lower())
    return bool(service and service["properties"].get("isVersioningEnabled"))


_ACCOUNT = f"{GROUP}/providers/{TYPE}/{{name}}"

ROUTES = (
    *crud(TYPE, put, update, pages="Storage Accounts", version="2025-08-01"),
    Route(
        "POST",
        f"{SUBSCRIPTION}/providers/{NAMESPACE}/checkNameAvailability",
        check_name,
        f"{NAMESPACE}/checknameavailability/read",
        scope=SUBSCRIPTION,
        page="Storage Accounts - Check Name Availability, 2025-08-01",
    ),
    Route(
        "POST",
        f"{_ACCOUNT}/listKeys",
        list_keys,
        f"{TYPE}/listKeys/action",
        scope=_ACCOUNT,
        page="Storage Accounts - List Keys, 2025-08-01",
    ),
    Route(
        "GET",
        f"{_ACCOUNT}/blobServices/default",
        show_blob_service,
        f"{_BLOB_SERVICE}/read",
        page="Blob Services - Get Service Properties, 2025-08-01",
    ),
    Route(
        "PUT",
        f"{_ACCOUNT}/blobServices/default",
        put_blob_service,
        f"{_BLOB_SERVICE}/write",
        page="Blob Services - Set Service Properties, 2025-08-01",
    ),
)
