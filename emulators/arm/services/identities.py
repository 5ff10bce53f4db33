"""User-assigned identities and their federated credentials ("Microsoft.ManagedIdentity")."""

from __future__ import annotations

import re
from typing import Any

from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, bad_request
from emulators.arm.routing import Route
from emulators.arm.services import common
from emulators.arm.services.common import GROUP, crud
from emulators.arm.services.subscriptions import require_location, require_registered

NAMESPACE = "Microsoft.ManagedIdentity"
TYPE = f"{NAMESPACE}/userAssignedIdentities"
_CHILD = f"{TYPE}/federatedIdentityCredentials"
_NAME = re.compile(r"[A-Za-z0-9][-\w]{2,127}")
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9][-\w]{2,119}")
MAX_CREDENTIALS = 20


def put(cloud: Cloud, call: Call) -> Answer:
    require_registered(cloud, NAMESPACE)
    cloud.require_group(call.path)
    if not _NAME.fullmatch(call["name"]):
        raise bad_request(
            "ResourceNameInvalid", f"The identity name '{call['name']}' must be 3-128 letters, digits, - and _."
        )
    require_location(call.document())
    known = cloud.tenant.identities.get(call.path.lower())
    identity = known or cloud.tenant.add_identity(call.path, call["name"], cloud.clock())
    properties = {
        "tenantId": cloud.tenant.tenant_id,
        "principalId": identity.principal_id,
        "clientId": identity.client_id,
        "isolationScope": "None",
    }
    new = cloud.put(call.path, common.resource(cloud, call, TYPE, properties))
    return Answer(cloud.get(call.path), 201 if new else 200)


def put_credential(cloud: Cloud, call: Call) -> Answer:
    parent = call.path.rsplit("/federatedIdentityCredentials/", 1)[0]
    cloud.get(parent)
    if not _CREDENTIAL_NAME.fullmatch(call["credential"]):
        raise bad_request(
            "BadRequest",
            f"The federated credential name '{call['credential']}' must be 3-120 letters, digits, - and _.",
        )
    properties = _properties(call.document())
    others = [d for d in cloud.of_type(_CHILD, parent) if d["name"].lower() != call["credential"].lower()]
    _refuse_duplicates(others, properties)
    document = {"id": call.path, "name": call["credential"], "type": _CHILD, "properties": properties}
    new = cloud.put(call.path, document)
    _update_credentials(cloud, parent)
    return Answer(document, 201 if new else 200)


def _properties(document: Document) -> Document:
    given: Any = document.get("properties") or {}
    issuer, subject, audiences = given.get("issuer"), given.get("subject"), given.get("audiences")
    if not isinstance(issuer, str) or not issuer.startswith("https://"):
        raise bad_request("BadRequest", f"The federated credential's issuer {issuer!r} must be an https URL.")
    if not isinstance(subject, str) or not subject or len(subject) > 600:
        raise bad_request("BadRequest", "The federated credential's subject must be 1-600 characters.")
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise bad_request("BadRequest", "The federated credential's audiences must hold exactly one value.")
    return {"issuer": issuer, "subject": subject, "audiences": audiences}


def _refuse_duplicates(others: list[Document], properties: Document) -> None:
    if len(others) >= MAX_CREDENTIALS:
        raise bad_request("BadRequest", f"An identity holds at most {MAX_CREDENTIALS} federated credentials.")
    for other in others:
        if all(other["properties"][k] == properties[k] for k in ("issuer", "subject")):
            raise AzureError(
                409, "Conflict", "Issuer and subject combination already exists for this Managed Identity."
            )


def _update_credentials(cloud: Cloud, parent: str) -> None:
    rows = [d["properties"] for d in cloud.of_type(_CHILD, parent)]
    cloud.tenant.federate(parent, rows)


def list_credentials(cloud: Cloud, call: Call) -> Answer:
    parent = call.path.rsplit("/", 1)[0]
    cloud.get(parent)
    return common.listed(list(cloud.of_type(_CHILD, parent)))


def delete_credential(cloud: Cloud, call: Call) -> Answer:
    gone = cloud.remove(call.path)
    if gone:
        _update_credentials(cloud, call.path.rsplit("/federatedIdentityCredentials/", 1)[0])
    return Answer(status=200 if gone else 204)


_IDENTITY = f"{GROUP}/providers/{TYPE}/{{name}}"
_CREDENTIALS = f"{_IDENTITY}/federatedIdentityCredentials"

ROUTES = (
    *crud(TYPE, put, pages="User Assigned Identities", version="2025-05-31-preview"),
    Route(
        "GET",
        _CREDENTIALS,
        list_credentials,
        f"{_CHILD}/read",
        scope=_IDENTITY,
        page="Federated Identity Credentials - List, 2025-01-31-preview",
    ),
    Route(
        "GET",
        f"{_CREDENTIALS}/{{credential}}",
        common.show,
        f"{_CHILD}/read",
        page="Federated Identity Credentials - Get, 2025-01-31-preview",
    ),
    Route(
        "PUT",
        f"{_CREDENTIALS}/{{credential}}",
        put_credential,
        f"{_CHILD}/write",
        page="Federated Identity Credentials - Create Or Update, 2025-01-31-preview",
    ),
    Route(
        "DELETE",
        f"{_CREDENTIALS}/{{credential}}",
        delete_credential,
        f"{_CHILD}/delete",
        page="Federated Identity Credentials - Delete, 2025-01-31-preview",
    ),
)
