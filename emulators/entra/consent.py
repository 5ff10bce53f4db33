"""Who agreed to what: pre-authorisation, an administrator's grant, or the user on the consent page."""

from __future__ import annotations

from dataclasses import dataclass

from emulators.base.well_known import GRAPH
from emulators.entra.directory import Application, Directory, Scope, User
from emulators.entra.errors import EntraError
from emulators.entra.scopes import OIDC, Wanted


@dataclass(frozen=True)
class Decision:
    """The scope values a token may carry, and the scopes that still need the user's consent."""

    granted: tuple[str, ...]
    missing: tuple[Scope, ...]


class Consents:
    """Consents given on the page; remembered as long as the process lives."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str, str], frozenset[str]] = {}

    def remember(self, user: User, client: Application, resource: Application, scopes: tuple[Scope, ...]) -> None:
        key = (user.object_id, client.client_id, resource.client_id)
        self._given[key] = self.of(user, client, resource) | {scope.value for scope in scopes}

    def of(self, user: User, client: Application, resource: Application) -> frozenset[str]:
        return self._given.get((user.object_id, client.client_id, resource.client_id), frozenset())


def decide(directory: Directory, consents: Consents, client: Application, user: User, wanted: Wanted) -> Decision:
    """What the token may carry and which consent is missing. An EntraError: only an administrator can help."""
    resource = wanted.resource
    _refuse_without_grant(directory, client, user, wanted)
    agreed = _agreed(directory, client, user, resource) | consents.of(user, client, resource)
    if wanted.everything:
        if agreed:
            return Decision(tuple(sorted(agreed)), ())
        missing = _registered(client, resource)
        granted = tuple(scope.value for scope in missing)
    else:
        missing = tuple(s for value in wanted.values if value not in agreed and (s := resource.scope(value)))
        granted = wanted.values
    _refuse_admin_only(client, missing)
    if missing and not directory.users_may_consent:
        raise EntraError(90094, name=client.name, scope=missing[0].value)
    return Decision(granted, missing)


def _refuse_without_grant(directory: Directory, client: Application, user: User, wanted: Wanted) -> None:
    """OpenID Connect's scopes are Microsoft Graph's, with a consent of their own: pre-authorization is not enough.

    Where users may consent, they do so for these silently, beside the API's scope ("Scopes and permissions in the
    Microsoft identity platform", OpenID Connect scopes).
    """
    if directory.users_may_consent or client.first_party:
        return
    granted = _granted(directory, client, user, directory.applications[GRAPH])
    for scope in sorted(wanted.oidc - granted):
        raise EntraError(90094, name=client.name, scope=scope)


def _agreed(directory: Directory, client: Application, user: User, resource: Application) -> frozenset[str]:
    if client.first_party and resource.first_party:
        return frozenset(scope.value for scope in resource.scopes)
    ids = resource.preauthorized.get(client.client_id, frozenset())
    agreed = {scope.value for scope in resource.scopes if scope.id in ids and scope.enabled}
    if directory.users_may_consent:
        agreed |= {scope.value for scope in resource.scopes if resource.first_party and scope.value in OIDC}
    return frozenset(agreed) | _granted(directory, client, user, resource)


def _granted(directory: Directory, client: Application, user: User, resource: Application) -> frozenset[str]:
    """What an administrator granted this client, for everybody or for this user."""
    ours, theirs = (directory.service_principals.get(app.client_id) for app in (client, resource))
    if ours is None or theirs is None:
        return frozenset()
    found = [
        grant
        for grant in directory.grants
        if (grant.client_id, grant.resource_id) == (ours.object_id, theirs.object_id)
    ]
    return frozenset().union(*(grant.scopes for grant in found if grant.user_id in (None, user.object_id)))


def _registered(client: Application, resource: Application) -> tuple[Scope, ...]:
    ids = client.required_access.get(resource.client_id, frozenset())
    scopes = tuple(scope for scope in resource.scopes if scope.id in ids and scope.enabled)
    if not scopes:
        raise EntraError(650057, app=client.client_id, name=client.name, resource=resource.client_id)
    return scopes


def _refuse_admin_only(client: Application, missing: tuple[Scope, ...]) -> None:
    for scope in missing:
        if scope.admin_only:
            raise EntraError(90094, name=client.name, scope=scope.value)
