"""The issuer's state between requests, and the questions that several grants ask."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.entra.consent import Consents
from emulators.entra.devices import Devices
from emulators.entra.directory import Application, Directory, Platform, ServicePrincipal, User
from emulators.entra.errors import DirectoryError, EntraError
from emulators.entra.keys import KeyRing
from emulators.entra.stores import Clock, SingleUse
from emulators.entra.tokens import Moment, Tokens

CODE_SECONDS = 600
PAGE_SECONDS = 900
SHARED_TENANTS = ("common", "organizations", "consumers")
TENANT_DOMAIN = "twin.example"


@dataclass(frozen=True)
class Code:
    """What an authorization code stands for."""

    client_id: str
    platform: Platform
    redirect_uri: str
    user_id: str
    scope: str
    nonce: str | None
    challenge: str | None
    method: str


@dataclass
class Issuer:
    """One tenant's issuer. `identity_hosts` maps a host's secret to the client ids of its managed identities."""

    base_url: str
    directory: Directory
    keys: KeyRing
    identity_hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trusted_issuers: Mapping[str, Any] = field(default_factory=dict)
    clock: Clock = time.time

    def __post_init__(self) -> None:
        self.consents = Consents()
        self.codes: SingleUse[Code] = SingleUse(self.clock, CODE_SECONDS)
        self.pages: SingleUse[Any] = SingleUse(self.clock, PAGE_SECONDS)
        self.devices = Devices(self.clock)
        self.adopt(self.directory)

    def adopt(self, directory: Directory) -> None:
        """Takes over a newly applied directory; everything already issued is judged by it from now on."""
        for client_id in sorted(set().union(*self.identity_hosts.values())) if self.identity_hosts else ():
            if client_id not in directory.identities:
                raise DirectoryError(
                    f"identity_hosts names client id {client_id!r}, which is no applied azurerm_user_assigned_identity"
                )
        self.directory = directory
        self.tokens = Tokens(directory, self.keys)

    def moment(self) -> Moment:
        return Moment(self.clock(), self.base_url)

    def check_tenant(self, tenant: str, client: Application | None = None) -> None:
        """Raises AADSTS90002 for another tenant, and AADSTS50194 for a shared endpoint with a single-tenant app."""
        wanted = tenant.lower()
        if wanted in (self.directory.tenant_id, TENANT_DOMAIN):
            return
        if wanted not in SHARED_TENANTS:
            raise EntraError(90002, tenant=tenant)
        if client is not None and not client.multi_tenant:
            raise EntraError(50194, app=client.client_id, name=client.name, tenant=wanted)

    def client(self, client_id: str | None) -> Application:
        """The registered client. Raises AADSTS900144, 700016 or 7000112."""
        if not client_id:
            raise EntraError(900144, name="client_id")
        found = self.directory.applications.get(client_id.lower())
        if found is None:
            raise EntraError(700016, app=client_id, tenant=self.directory.tenant_id)
        principal = self.directory.service_principals.get(found.client_id)
        if principal is not None and not principal.enabled:
            raise EntraError(7000112, app=found.client_id, name=found.name)
        return found

    def user(self, object_id: str) -> User:
        found = next((user for user in self.directory.users if user.object_id == object_id), None)
        if found is None:
            raise EntraError(50034, user=object_id, tenant=self.directory.tenant_id)
        return found

    def require_assignment(self, user: User, *applications: Application) -> None:
        """Raises AADSTS50105 where an application wants its users assigned and this one is not."""
        for app in applications:
            principal = self.directory.service_principals.get(app.client_id)
            if self._lacks_assignment(principal, user.object_id):
                raise EntraError(50105, name=app.name, app=app.client_id, user=user.mail)

    def require_role(self, client_id: str, object_id: str, name: str, resource: Application) -> None:
        """The same for an application that asks for itself: AADSTS501051."""
        principal = self.directory.service_principals.get(resource.client_id)
        if self._lacks_assignment(principal, object_id):
            raise EntraError(501051, app=client_id, name=name, resource=resource.client_id, owner=resource.name)

    def _lacks_assignment(self, principal: ServicePrincipal | None, holder: str) -> bool:
        if principal is None or not principal.assignment_required:
            return False
        return not self.directory.assignments_on(principal, holder)
