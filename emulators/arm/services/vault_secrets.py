"""Key Vault's data plane: secrets, their versions, and soft delete. Access is by role, on the vault's scope."""

from __future__ import annotations

import re
import uuid
from typing import Any

from emulators.arm import network
from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, bad_request
from emulators.arm.routing import Route
from emulators.arm.services import vaults

_NAME = re.compile(r"[-0-9A-Za-z]{1,127}")
_ACTION = f"{vaults.TYPE}/secrets"


def authorize(cloud: Cloud, call: Call, action: str) -> None:
    """Key Vault's own refusal, with the code of its inner error: the network's first, then the role's."""
    vault = _vault(cloud, call)
    caller = call.who()
    network.refuse_vault(cloud, vault, call.address)
    if cloud.allowed(caller, action, vault["id"], data=True):
        return
    raise AzureError(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\nIf role assignments, deny assignments or role "
        "definitions were changed recently, please observe propagation time.\n"
        f"Caller: appid={caller.client_id};oid={caller.object_id};iss=https://sts.windows.net/{cloud.tenant.tenant_id}/\n"
        f"Action: '{action}'\nResource: '{vault['id'].lower()}'\nAssignment: (not found)\n"
        f"Vault: {vault['name']};location={vault['location']}\n",
        {"x-inner-error": "ForbiddenByRbac"},
    )


def _vault(cloud: Cloud, call: Call) -> Document:
    found = cloud.named(vaults.TYPE, call.host.split(".")[0])
    if found is None:
        raise AzureError(404, "VaultNotFound", f"{call.host} does not exist.")
    return found


def _kept(cloud: Cloud, call: Call) -> dict[str, Document]:
    """Those made here; in a vault of Terraform's, those that it made too."""
    vault = _vault(cloud, call)
    kept = cloud.secrets.setdefault(vault["name"].lower(), {})
    for row in cloud.applied.of_type("azurerm_key_vault_secret") if cloud.applied else ():
        if str(row["key_vault_id"]).lower() == vault["id"].lower() and row["name"].lower() not in kept:
            kept[row["name"].lower()] = {"name": row["name"], "versions": {str(row["version"]): _of_terraform(row)}}
    return kept


def _of_terraform(row: Document) -> Document:
    attributes = {"enabled": True, "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90}
    return {"value": row["value"], "attributes": attributes, "tags": row.get("tags") or {}, "id": row["id"]}


def _thrown_away(cloud: Cloud, call: Call) -> dict[str, Document]:
    return cloud.deleted_secrets.setdefault(_vault(cloud, call)["name"].lower(), {})


def _find(cloud: Cloud, call: Call) -> Document:
    found = _kept(cloud, call).get(call["name"].lower())
    if found is None:
        raise AzureError(
            404,
            "SecretNotFound",
            f"A secret with (name/id) {call['name']} was not found in this key vault. If you recently deleted this "
            "secret you may be able to recover it using the correct recovery command. For help resolving this issue, "
            "please see https://go.microsoft.com/fwlink/?linkid=2125182",
        )
    return found


def put(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/setSecret/action")
    name, given = call["name"], call.document()
    if not _NAME.fullmatch(name):
        raise bad_request("BadParameter", f"The request URI contains an invalid name: {name}")
    if not isinstance(given.get("value"), str):
        raise bad_request("BadParameter", "Property value is required.")
    if name.lower() in _thrown_away(cloud, call):
        raise AzureError(
            409,
            "Conflict",
            f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this "
            "state, the secret can only be recovered or purged.",
            {"x-inner-error": "ObjectIsDeletedButRecoverable"},
        )
    now, version = int(cloud.clock()), uuid.uuid4().hex
    attributes = {"enabled": True, **(given.get("attributes") or {}), "created": now, "updated": now}
    attributes |= {"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90}
    made: Document = {"value": given["value"], "attributes": attributes, "tags": given.get("tags") or {}}
    if "contentType" in given:
        made["contentType"] = given["contentType"]
    made["id"] = f"https://{call.host}/secrets/{name}/{version}"
    kept = _kept(cloud, call).setdefault(name.lower(), {"name": name, "versions": {}})
    kept["versions"][version] = made
    return Answer(made)


def get(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/getSecret/action")
    versions: dict[str, Document] = _find(cloud, call)["versions"]
    version = call.params.get("version")
    found = versions.get(version) if version else list(versions.values())[-1]
    if found is None:
        raise AzureError(404, "SecretNotFound", f"A secret with (name/id) {call['name']}/{version} was not found.")
    if not found["attributes"]["enabled"]:
        raise AzureError(403, "Forbidden", "Operation get is not allowed on a disabled secret.")
    return Answer(found)


def list_all(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/readMetadata/action")
    return _page([_without_value(cloud, call, row) for row in _kept(cloud, call).values()])


def list_versions(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/readMetadata/action")
    rows: list[Document] = list(_find(cloud, call)["versions"].values())
    return _page([{k: v for k, v in row.items() if k != "value"} for row in rows])


def _page(rows: list[Document]) -> Answer:
    return Answer({"value": rows, "nextLink": None})


def _without_value(cloud: Cloud, call: Call, row: Document) -> Document:
    last: Document = list(row["versions"].values())[-1]
    shown = {k: v for k, v in last.items() if k != "value"}
    return {**shown, "id": f"https://{call.host}/secrets/{row['name']}"}


def delete(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/delete")
    row = _find(cloud, call)
    del _kept(cloud, call)[call["name"].lower()]
    row["deleted"] = cloud.clock()
    _thrown_away(cloud, call)[call["name"].lower()] = row
    return Answer(_deleted(cloud, call, row))


def _deleted(cloud: Cloud, call: Call, row: Document) -> Document:
    when = int(row["deleted"])
    return {
        **_without_value(cloud, call, row),
        "recoveryId": f"https://{call.host}/deletedsecrets/{row['name']}",
        "deletedDate": when,
        "scheduledPurgeDate": when + 90 * 86_400,
    }


def _find_deleted(cloud: Cloud, call: Call) -> Document:
    found = _thrown_away(cloud, call).get(call["name"].lower())
    if found is None:
        raise AzureError(404, "SecretNotFound", f"Deleted Secret not found: {call['name']}")
    return found


def show_deleted(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/readMetadata/action")
    return Answer(_deleted(cloud, call, _find_deleted(cloud, call)))


def list_deleted(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/readMetadata/action")
    return _page([_deleted(cloud, call, row) for row in _thrown_away(cloud, call).values()])


def recover(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/recover/action")
    row = _find_deleted(cloud, call)
    del _thrown_away(cloud, call)[call["name"].lower()]
    _kept(cloud, call)[call["name"].lower()] = row
    return Answer(_without_value(cloud, call, row))


def purge(cloud: Cloud, call: Call) -> Answer:
    authorize(cloud, call, f"{_ACTION}/purge/action")
    vault: Any = _vault(cloud, call)["properties"]
    if vault.get("enablePurgeProtection"):
        raise AzureError(
            403, "Forbidden", 'Operation "purge" is not allowed because purge protection is enabled for this vault.'
        )
    _find_deleted(cloud, call)
    del _thrown_away(cloud, call)[call["name"].lower()]
    return Answer(status=204)


def challenge(cloud: Cloud) -> AzureError:
    """What a request without token gets; clients learn tenant and resource from it."""
    header = (
        f'Bearer authorization="https://login.microsoftonline.com/{cloud.tenant.tenant_id}", '
        'resource="https://vault.azure.net"'
    )
    message = "AKV10000: Request is missing a Bearer or PoP token."
    return AzureError(401, "Unauthorized", message, {"WWW-Authenticate": header})


ROUTES = (
    Route("GET", "/secrets", list_all, page="Get Secrets, 2025-07-01"),
    Route("PUT", "/secrets/{name}", put, page="Set Secret, 2025-07-01"),
    Route("GET", "/secrets/{name}/versions", list_versions, page="Get Secret Versions, 2025-07-01"),
    Route("GET", "/secrets/{name}", get, page="Get Secret, 2025-07-01"),
    Route("GET", "/secrets/{name}/{version}", get, page="Get Secret, 2025-07-01"),
    Route("DELETE", "/secrets/{name}", delete, page="Delete Secret, 2025-07-01"),
    Route("GET", "/deletedsecrets", list_deleted, page="Get Deleted Secrets, 2025-07-01"),
    Route("GET", "/deletedsecrets/{name}", show_deleted, page="Get Deleted Secret, 2025-07-01"),
    Route("POST", "/deletedsecrets/{name}/recover", recover, page="Recover Deleted Secret, 2025-07-01"),
    Route("DELETE", "/deletedsecrets/{name}", purge, page="Purge Deleted Secret, 2025-07-01"),
)
