"""A registry's sign-in: the challenge of `/v2/`, the exchange of an Entra token, and access tokens.

Images are not stored here: any other request to a registry is refused by name.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from emulators.arm import network
from emulators.arm.call import Answer, Call, Caller, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError
from emulators.arm.routing import Route
from emulators.arm.services import registries

_PULL, _PUSH = f"{registries.TYPE}/pull/read", f"{registries.TYPE}/push/write"


def _registry(cloud: Cloud, call: Call) -> Document:
    """The registry, where its network rules let the caller in."""
    found = cloud.named(registries.TYPE, call.host.split(".")[0])
    if found is None:
        raise AzureError(404, "NAME_UNKNOWN", f"{call.host} does not exist.")
    network.refuse_registry(cloud, found, call.address)
    return found


def ping(cloud: Cloud, call: Call) -> Answer:
    _registry(cloud, call)
    header = f'Bearer realm="https://{call.host}/oauth2/token",service="{call.host}"'
    errors = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
    return Answer(errors, 401, {"WWW-Authenticate": header, "Docker-Distribution-Api-Version": "registry/2.0"})


def exchange(cloud: Cloud, call: Call) -> Answer:
    """`access_token` of Resource Manager becomes a refresh token; the caller must be allowed to pull or push."""
    caller = _caller(cloud, call)
    registry = _registry(cloud, call)
    granted = [a for a in (_PULL, _PUSH) if cloud.allowed(caller, a, registry["id"])]
    if not granted:
        raise AzureError(
            401, "UNAUTHORIZED", "authentication required, visit https://aka.ms/acr/authorization for more information."
        )
    token = secrets.token_urlsafe(32)
    cloud.registry_tokens[token] = {"host": call.host, "actions": granted, "oid": caller.object_id}
    return Answer({"refresh_token": token})


def _caller(cloud: Cloud, call: Call) -> Caller:
    if call.caller is None:  # the front end reads it from the form's access_token
        raise AzureError(401, "UNAUTHORIZED", "access_token is missing or is not of this tenant.")
    return call.caller


def token(cloud: Cloud, call: Call) -> Answer:
    _registry(cloud, call)
    form: Any = call.body or {}
    held = cloud.registry_tokens.get(str(form.get("refresh_token") or ""))
    if held is None or held["host"] != call.host:
        raise AzureError(401, "UNAUTHORIZED", "The refresh token is unknown.")
    access = json.dumps({"scope": form.get("scope"), "actions": held["actions"]})
    made = secrets.token_urlsafe(32)
    cloud.registry_tokens[made] = {**held, "access": access}
    return Answer({"access_token": made})


ROUTES = (
    Route("GET", "/v2", ping, page="Authentication with Azure Container Registry (AAD-OAuth), v2"),
    Route("POST", "/oauth2/exchange", exchange, page="Authentication with Azure Container Registry (AAD-OAuth), v2"),
    Route("POST", "/oauth2/token", token, page="Authentication with Azure Container Registry (AAD-OAuth), v2"),
)
