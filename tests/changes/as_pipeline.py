"""Whoever deploys, with exactly what `invoke bootstrap` gives: the control plane is asked before each operation.

The grants are read from the commands that bootstrap runs; `tests/az` shows that the real Azure CLI makes them of these.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from emulators.arm import operations
from emulators.arm.cloud import Cloud, RoleAssignment
from emulators.arm.config import Config
from emulators.arm.errors import AzureError
from emulators.azurerm.cloud import Cloud as Served
from ops.bootstrap import Options, entra, federation
from ops.bootstrap.command import fill
from ops.bootstrap.roles import ROLES
from ops.config import environment as environments

_CONNECTION = {"issuer": "https://login.microsoftonline.com/33333333-3333-4333-8333-333333333333/v2.0", "subject": "x"}
WAYS = {
    "wide": Options(**_CONNECTION),
    "narrow": Options(**_CONNECTION, narrow=True),
    "minimal": Options(**_CONNECTION, minimal=True),
    "narrow-minimal": Options(**_CONNECTION, narrow=True, minimal=True),
}
INSIDE = "10.60.0.70"
"""An agent's address in the network: what production's vault lets in."""
_NO_GRANT = ("identity create", "identity federated-credential", "group create", "account set")


@dataclass
class Pipeline:
    """`refused`: what its identity may not do, in the control plane's words; `asked`: what was done in its name."""

    cloud: Cloud
    principal: str
    address: str = INSIDE
    refused: list[str] = field(default_factory=list)

    def authorize(self, verb: str, type_: str, values: dict[str, Any]) -> None:
        """Note what is refused and go on, so that one apply shows every missing right."""
        try:
            operations.authorize(self.cloud, self.principal, verb, type_, values, self.address)
        except AzureError as error:
            self.refused.append(f"{verb} {type_}: {error.code}: {error}")


@dataclass
class Pipelines:
    """One identity for each way to bootstrap; what an apply does is asked of all of them, and kept."""

    every: dict[str, Pipeline]
    changes: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def authorize(self, verb: str, type_: str, values: dict[str, Any]) -> None:
        if verb != "read":
            self.changes.append((verb, type_, values))
        for way, one in self.every.items():
            _ask(one, way, verb, type_, values)

    @property
    def kinds(self) -> set[tuple[str, str]]:
        return {(verb, type_) for verb, type_, _ in self.changes}

    def take_refused(self) -> dict[str, list[str]]:
        """What each was refused since the last time."""
        found = {way: one.refused.copy() for way, one in self.every.items() if one.refused}
        for one in self.every.values():
            one.refused.clear()
        return found

    def again(self, way: str, *, without: str) -> list[str]:
        """What is refused of the same changes to an identity that lacks this role or permission."""
        given = self.every[way]
        cloud = _cloud(given.cloud.subscription_id)
        cloud.applied = given.cloud.applied
        lesser = _bootstrapped(cloud, given.principal, way, without)
        for verb, type_, values in self.changes:
            _ask(lesser, way, verb, type_, values)
        return lesser.refused


def _ask(one: Pipeline, way: str, verb: str, type_: str, values: dict[str, Any]) -> None:
    """Ask as with `directory_rights = "owned"` where the way is minimal.

    Then no name is compared with those of others, and assigning app roles is left to an administrator.
    """
    if "minimal" not in way:
        one.authorize(verb, type_, values)
    elif type_ != "azuread_app_role_assignment":
        one.authorize(verb, type_, {**values, "prevent_duplicate_names": False})


def attached(served: Served) -> Pipelines:
    """Ask the control plane from now on; `served` is what Terraform is attached to."""
    every = {}
    for way in WAYS:
        cloud = _cloud(_subscription())
        cloud.applied = served.store
        every[way] = _bootstrapped(cloud, served.object_id, way)
    made = Pipelines(every)
    served.authorize = made.authorize
    return made


def _bootstrapped(cloud: Cloud, principal: str, way: str, without: str = "") -> Pipeline:
    """Return the identity that `invoke bootstrap` of production makes, where sign-in is consented to for everybody.

    `without`: a role or permission that it does not get. ValueError where that way gives no such thing.
    """
    production = environments.load("prod")
    asked = replace(production, variables={**production.variables, "grant_sign_in_consent": True})
    cloud.tenant.add_principal("22222222-0000-4000-8000-000000000001", "the pipeline", principal, "ManagedIdentity")
    tasks = (federation.task(asked, WAYS[way]), entra.task(asked, WAYS[way]))
    items = [item for task in tasks for item in task.items]
    kept = [item for item in items if not without or item.name.partition(" for the")[0] != without]
    if without and len(kept) == len(items):
        raise ValueError(f"{way} gives no {without!r}")
    for item in kept:
        for command in item.make:
            _grant(cloud, principal, command.arguments)
    return Pipeline(cloud, principal)


def _subscription() -> str:
    return str(environments.load("prod").variables["subscription_id"])


def _cloud(subscription: str) -> Cloud:
    tenant = {"tenant_id": "33333333-3333-4333-8333-333333333333", "subscription_id": subscription}
    # In larger companies members may register nothing: what is allowed is what was given.
    return Config.parse({"data_dir": "unused", "control_secret": "unused", "members_create": False, **tenant}).cloud()


def _grant(cloud: Cloud, principal: str, arguments: tuple[str, ...]) -> None:
    """Carry out one command of bootstrap that gives a right; ValueError for one that is not known to give none."""
    words, given = " ".join(arguments), dict(pairwise(arguments))
    known = {"IDENTITY_PRINCIPAL_ID": principal, "MSGRAPH_SP_ID": cloud.tenant.graph_id}
    if words.startswith("role assignment create"):
        name = f"role-{len(cloud.assignments)}"
        limits = given.get("--condition"), given.get("--condition-version")
        cloud.assignments[name] = RoleAssignment(
            name, name, given["--scope"], ROLES[given["--role"]], principal, "ServicePrincipal", 0, *limits
        )
    elif words.startswith("rest --method POST"):
        body = json.loads(fill(given["--body"], known))
        if given["--uri"].endswith("/roleManagement/directory/roleAssignments"):
            cloud.tenant.assign_directory_role(principal, body["roleDefinitionId"], effective=0)
        else:
            cloud.tenant.app_roles[body["appRoleId"]] = {**body, "id": body["appRoleId"]}
    elif not words.startswith(_NO_GRANT):
        raise ValueError(f"it is not known what `az {words}` gives the pipeline")
