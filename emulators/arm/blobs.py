"""Who may do what with blobs: the role check that Azurite does not make, before a request goes on to it."""

from __future__ import annotations

from collections.abc import Mapping

from emulators.arm import network
from emulators.arm.call import Caller
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, NotReproduced
from emulators.arm.services import storage

_CONTAINERS = f"{storage.TYPE}/blobServices/containers"
_BLOBS = f"{_CONTAINERS}/blobs"
_VERB = {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}


def action(method: str, host: str, path: str, query: Mapping[str, str]) -> tuple[str, bool]:
    """The action of a request, and whether it is a data action ("Authorize with Microsoft Entra ID: permissions")."""
    depth = len([part for part in path.split("/") if part])
    operation = (query.get("restype"), query.get("comp"))
    verb = _VERB.get(method)
    if verb is None:
        raise NotReproduced(method, host, path, None)
    if depth == 0:
        if operation == (None, "list"):
            return f"{_CONTAINERS}/read", False
        raise NotReproduced(method, host, f"{path}?{operation}", None)
    if depth == 1 and operation == ("container", "list"):
        return f"{_BLOBS}/read", True
    if depth == 1:
        return f"{_CONTAINERS}/{verb}", False
    return f"{_BLOBS}/{verb}", True


def check_network(cloud: Cloud, host: str, address: str) -> None:
    account = cloud.named(storage.TYPE, host.split(".")[0])
    if account is not None:
        network.refuse_account(cloud, account, address)


def authorize(cloud: Cloud, caller: Caller, method: str, host: str, path: str, query: Mapping[str, str]) -> None:
    """Raises AuthorizationPermissionMismatch, as the blob service words it.

    Owner and Contributor open no blobs, containers included ("Assign an Azure role for access to blob data").
    """
    account = cloud.named(storage.TYPE, host.split(".")[0])
    if account is None:
        raise AzureError(404, "ResourceNotFound", "The specified resource does not exist.")
    needed, data = action(method, host, path, query)
    parts = [part for part in path.split("/") if part]
    scope = account["id"] + (f"/blobServices/default/containers/{parts[0]}" if parts else "")
    if not cloud.allowed(caller, needed, scope, data, of_data_roles=True):
        raise AzureError(
            403,
            "AuthorizationPermissionMismatch",
            "This request is not authorized to perform this operation using this permission.",
        )


def check_shared_key(cloud: Cloud, host: str) -> None:
    """A request signed with the account's key, where the account allows that."""
    account = cloud.named(storage.TYPE, host.split(".")[0])
    if account is not None and account["properties"].get("allowSharedKeyAccess") is False:
        raise AzureError(
            403,
            "KeyBasedAuthenticationNotPermitted",
            "Key based authentication is not permitted on this storage account.",
        )
