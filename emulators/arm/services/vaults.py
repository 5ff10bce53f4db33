"""Key vaults in Resource Manager, with soft delete ("Microsoft.KeyVault")."""

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

NAMESPACE = "Microsoft.KeyVault"
TYPE = f"{NAMESPACE}/vaults"
_NAME = re.compile(r"[A-Za-z](?!.*--)[-A-Za-z0-9]{1,22}[A-Za-z0-9]")
_DAY = 86_400


def check_name(cloud: Cloud, call: Call) -> Answer:
    name = str(call.document().get("name") or "")
    if not _NAME.fullmatch(name):
        return Answer({"nameAvailable": False, "reason": "AccountNameInvalid", "message": _rule(name)})
    if _taken(cloud, name) or name.lower() in cloud.deleted_vaults:
        return Answer(
            {"nameAvailable": False, "reason": "AlreadyExists", "message": f"The name '{name}' is already in use."}
        )
    return Answer({"nameAvailable": True})


def _rule(name: str) -> str:
    return (
        f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name "
        "must begin with a letter, end with a letter or digit, and not contain consecutive hyphens."
    )


def _taken(cloud: Cloud, name: str) -> bool:
    return name.lower() in cloud.taken_names or cloud.named(TYPE, name) is not None


def put(cloud: Cloud, call: Call) -> Answer:
    require_registered(cloud, NAMESPACE)
    cloud.require_group(call.path)
    name, document = call["name"], call.document()
    if not _NAME.fullmatch(name):
        raise bad_request("VaultNameNotValid", _rule(name))
    location = require_location(document)
    given: Any = document.get("properties") or {}
    old = cloud.resources.get(call.path.lower())
    if old is None:
        _refuse_taken(cloud, name, location, given)
    if given.get("createMode") == "recover":
        return _recover(cloud, name)
    properties = _properties(cloud, name, given, old)
    new = cloud.put(call.path, common.resource(cloud, call, TYPE, properties))
    cloud.secrets.setdefault(name.lower(), {})
    cloud.deleted_secrets.setdefault(name.lower(), {})
    return Answer(cloud.get(call.path), 201 if new else 200)


def _refuse_taken(cloud: Cloud, name: str, location: str, given: Document) -> None:
    if _taken(cloud, name):
        raise AzureError(409, "VaultAlreadyExists", f"The vault name '{name}' is already in use. Vault names are "
                         "globally unique so it is possible that the name is already taken.")  # fmt: skip
    deleted = cloud.deleted_vaults.get(name.lower())
    if deleted is not None and given.get("createMode") != "recover":
        raise AzureError(
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing "
            "key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft "
            "delete.",
        )
    if deleted is None and given.get("createMode") == "recover":
        raise AzureError(404, "DeletedVaultNotFound", f"There is no deleted vault '{name}' in {location}.")


def _recover(cloud: Cloud, name: str) -> Answer:
    document = cloud.deleted_vaults.pop(name.lower())
    del document["_deleted"]
    cloud.put(document["id"], document)
    return Answer(document, 201)


def _properties(cloud: Cloud, name: str, given: Document, old: Document | None) -> Document:
    if not given.get("enableRbacAuthorization"):
        raise AzureError(
            501,
            "NotReproducedByTheEmulator",
            "the local control plane implements vaults with enableRbacAuthorization only, not access policies",
        )
    if given.get("enableSoftDelete") is False:
        raise bad_request(
            "BadRequest", 'The property "enableSoftDelete" can be set to false only for creating new vault.'
        )
    if old and old["properties"].get("enablePurgeProtection") and given.get("enablePurgeProtection") is False:
        raise bad_request("BadRequest", 'The property "enablePurgeProtection" cannot be set to false.')
    days = int(given.get("softDeleteRetentionInDays") or 90)
    if not 7 <= days <= 90:
        raise bad_request("BadRequest", f'The property "softDeleteRetentionInDays" has invalid value {days}: 7 to 90.')
    kept = {k: v for k, v in given.items() if k not in ("createMode",)}
    base = {"accessPolicies": [], "publicNetworkAccess": "Enabled", **(old["properties"] if old else {})}
    fixed = {
        "tenantId": cloud.tenant.tenant_id,
        "vaultUri": f"https://{name.lower()}.vault.azure.net/",
        "provisioningState": "Succeeded",
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": days,
    }
    return {**base, **kept, **fixed}


def update(cloud: Cloud, call: Call) -> Answer:
    old = cloud.get(call.path)
    merged = common.merged(old["properties"], call.document().get("properties") or {})
    made = {**old, "properties": _properties(cloud, call["name"], merged, old)}
    cloud.put(call.path, made)
    return Answer(made)


def _deleted(cloud: Cloud, document: Document) -> Document:
    properties = document["properties"]
    when = document["_deleted"]
    return {
        "id": f"/subscriptions/{cloud.subscription_id}/providers/{NAMESPACE}/locations/{document['location']}"
        f"/deletedVaults/{document['name']}",
        "name": document["name"],
        "type": f"{NAMESPACE}/deletedVaults",
        "properties": {
            "vaultId": document["id"],
            "location": document["location"],
            "tags": document["tags"],
            "deletionDate": common.timestamp(when),
            "scheduledPurgeDate": common.timestamp(when + properties["softDeleteRetentionInDays"] * _DAY),
            "purgeProtectionEnabled": bool(properties.get("enablePurgeProtection")),
        },
    }


def list_deleted(cloud: Cloud, call: Call) -> Answer:
    return common.listed([_deleted(cloud, document) for document in cloud.deleted_vaults.values()])


def _find_deleted(cloud: Cloud, call: Call) -> Document:
    found = cloud.deleted_vaults.get(call["name"].lower())
    if found is None or found["location"] != call["location"].lower():
        raise AzureError(404, "DeletedVaultNotFound", f"The deleted vault '{call['name']}' was not found.")
    return found


def show_deleted(cloud: Cloud, call: Call) -> Answer:
    return Answer(_deleted(cloud, _find_deleted(cloud, call)))


def purge(cloud: Cloud, call: Call) -> Answer:
    found = _find_deleted(cloud, call)
    if found["properties"].get("enablePurgeProtection"):
        raise AzureError(
            405,
            "MethodNotAllowed",
            f"Operation 'DeletedVaultPurge' is not allowed: vault '{found['name']}' has purge protection.",
        )
    name = found["name"].lower()
    del cloud.deleted_vaults[name]
    cloud.secrets.pop(name, None)
    cloud.deleted_secrets.pop(name, None)
    return Answer(status=200)


_VAULT = f"{GROUP}/providers/{TYPE}/{{name}}"
_DELETED = f"{SUBSCRIPTION}/providers/{NAMESPACE}/locations/{{location}}/deletedVaults/{{name}}"
_READ_DELETED = f"{NAMESPACE}/deletedVaults/read"

ROUTES = (
    *crud(TYPE, put, update, pages="Vaults", version="2026-02-01"),
    Route(
        "POST",
        f"{SUBSCRIPTION}/providers/{NAMESPACE}/checkNameAvailability",
        check_name,
        f"{NAMESPACE}/checkNameAvailability/read",
        scope=SUBSCRIPTION,
        page="Vaults - Check Name Availability, 2026-02-01",
    ),
    Route(
        "GET",
        f"{SUBSCRIPTION}/providers/{NAMESPACE}/deletedVaults",
        list_deleted,
        _READ_DELETED,
        scope=SUBSCRIPTION,
        page="Vaults - List Deleted, 2026-02-01",
    ),
    Route("GET", _DELETED, show_deleted, _READ_DELETED, scope=SUBSCRIPTION, page="Vaults - Get Deleted, 2026-02-01"),
    Route(
        "POST",
        f"{_DELETED}/purge",
        purge,
        f"{NAMESPACE}/locations/deletedVaults/purge/action",
        scope=SUBSCRIPTION,
        page="Vaults - Purge Deleted, 2026-02-01",
    ),
)
