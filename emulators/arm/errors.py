"""What goes wrong here, and what Azure answers when it refuses.

EmulatorError
├── StartError            the issuer, Azurite or the proxy did not start
└── AzureError            an answer of Azure's; the functions below are named after the codes that Azure gives
    └── NotReproduced     a request that this stand-in does not know: counted, and every test fails on one
"""

from __future__ import annotations

from collections.abc import Mapping

from emulators.base.errors import EmulatorError


class StartError(EmulatorError):
    pass


class AzureError(EmulatorError):
    """`status`, `code` and `message` as Azure gives them; the service decides how they are written down."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})


class NotReproduced(AzureError):
    """Names method, host, path and api-version of what is missing."""

    def __init__(self, method: str, host: str, path: str, version: str | None) -> None:
        what = f"{method} https://{host}{path} (api-version {version or 'none'})"
        super().__init__(501, "NotReproducedByTheEmulator", f"the local control plane does not implement {what}")


def bad_request(code: str, message: str) -> AzureError:
    return AzureError(400, code, message)


def unauthenticated(message: str) -> AzureError:
    return AzureError(401, "AuthenticationFailed", message)


def authorization_failed(who: str, object_id: str, action: str, scope: str) -> AzureError:
    """Resource Manager's refusal, word for word."""
    return AzureError(
        403,
        "AuthorizationFailed",
        f"The client '{who}' with object id '{object_id}' does not have authorization to perform action '{action}' "
        f"over scope '{scope or '/'}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def insufficient_privileges() -> AzureError:
    """Microsoft Graph's refusal."""
    return AzureError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def not_found(path: str, group: str | None) -> AzureError:
    name = "/".join(path.split("/providers/")[-1].split("/"))
    where = f" under resource group '{group}'" if group else ""
    return AzureError(
        404,
        "ResourceNotFound",
        f"The Resource '{name}'{where} was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def group_not_found(name: str) -> AzureError:
    return AzureError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def directory_object_not_found(identifier: str) -> AzureError:
    return AzureError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present.",
    )
