"""The `scope` and `resource` parameters ("Scopes and permissions in the Microsoft identity platform")."""

from __future__ import annotations

from dataclasses import dataclass

from emulators.base.well_known import GRAPH
from emulators.entra.directory import Application, Directory
from emulators.entra.errors import EntraError

OIDC = frozenset({"openid", "profile", "email", "offline_access"})
DEFAULT = ".default"


@dataclass(frozen=True)
class Wanted:
    """One resource's scopes as a client asked for them. `named` is how it spelled the resource."""

    resource: Application
    named: str
    values: tuple[str, ...]
    oidc: frozenset[str]
    text: str

    @property
    def everything(self) -> bool:
        return DEFAULT in self.values


def parse(directory: Directory, client: Application, text: str) -> Wanted:
    """Reads a scope parameter. Raises EntraError for a resource or scope that does not exist, and for two resources."""
    words = list(dict.fromkeys(text.split()))
    named: dict[str, list[str]] = {}
    for word in (word for word in words if word not in OIDC):
        resource, slash, value = word.rpartition("/")
        named.setdefault(resource if slash else GRAPH, []).append(value)
    found = {spelling: _resource(directory, spelling) for spelling in named} or {GRAPH: _resource(directory, GRAPH)}
    if len({app.client_id for app in found.values()}) > 1:
        raise EntraError(28000, scope=text)
    spelling, app = next(iter(found.items()))
    values = tuple(value for listed in named.values() for value in listed)
    _check_values(client, app, values)
    return Wanted(app, spelling, values, OIDC.intersection(words), " ".join(words))


def check_resource_parameter(wanted: Wanted, resource: str | None) -> None:
    """`resource` (RFC 8707) must name the application that owns the scopes, else AADSTS9010010."""
    if resource is not None and not wanted.resource.identifies(resource):
        raise EntraError(9010010)


def find_resource(directory: Directory, spelling: str) -> Application:
    """The application a resource name belongs to; it needs an enabled service principal in the tenant."""
    return _resource(directory, spelling)


def _resource(directory: Directory, spelling: str) -> Application:
    app = directory.resource(spelling)
    principal = directory.service_principals.get(app.client_id) if app else None
    if app is None or principal is None:
        raise EntraError(500011, resource=spelling, tenant=directory.tenant_id)
    if not principal.enabled:
        raise EntraError(500014, resource=spelling)
    return app


def _check_values(client: Application, resource: Application, values: tuple[str, ...]) -> None:
    if DEFAULT in values and len(values) > 1:
        raise EntraError(70011, reason=".default scope can't be combined with resource-specific scopes.")
    for value in values:
        if value != DEFAULT and resource.scope(value) is None:
            raise EntraError(650053, name=client.name, scope=value, resource=resource.client_id)
