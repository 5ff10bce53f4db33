"""Step 3: the storage account that holds Terraform's state, and who may read and write it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ops.azure import az
from ops.bootstrap.command import Command, Values, command, fill
from ops.bootstrap.identity import identity
from ops.bootstrap.item import MISSING, PROPAGATION, THERE, Found, Item, Task
from ops.bootstrap.options import Options
from ops.bootstrap.roles import assignment
from ops.config.environment import Environment
from ops.errors import AzError, BootstrapError

_ROLE = "Storage Blob Data Contributor"
_SCOPE = "${STORAGE_ACCOUNT_ID}"
_DAYS = 30  # for which an overwritten or deleted state can be had back


def task(environment: Environment, options: Options, *, person: bool = True) -> Task:
    """Return step 3. `person`: whoever is signed in is one, not a service principal."""
    pipeline = () if options.without_pipeline else (assignment("${IDENTITY_PRINCIPAL_ID}", _ROLE, _SCOPE),)
    return Task(
        "bootstrap.state",
        (
            *(() if options.without_pipeline else (identity(environment),)),
            _account(environment),
            _recovery(environment),
            _yourself(person),
            assignment("${MY_OBJECT_ID}", _ROLE, _SCOPE, person=person),
            _access(environment),
            _container(environment),
            *pipeline,
        ),
    )


def _account(environment: Environment) -> Item:
    name, group = environment.need("STORAGE_ACCOUNT"), environment.need("RESOURCE_GROUP")
    # Everybody here signs in with Entra ID; a key of the account would open every state past all roles
    # ("Prevent Shared Key authorization for an Azure Storage account", 2025-05-05).
    safe = ("--min-tls-version", "TLS1_2", "--allow-blob-public-access", "false", "--allow-shared-key-access", "false")

    def look(_: Values) -> Found:
        found = az.find("storage", "account", "show", "--name", name, "--resource-group", group)
        if found:
            return judge_account(found)
        _require_free(name)
        return MISSING

    location = environment.need("LOCATION")
    kind = ("--location", location, "--sku", "Standard_LRS", "--kind", "StorageV2")
    account = ("--name", name, "--resource-group", group)
    return Item(
        "storage account",
        name,
        look,
        make=(command("storage", "account", "create", *account, *kind, *safe),),
        mend=(command("storage", "account", "update", *account, *safe),),
        reads=(command("storage", "account", "show", *account, saves="STORAGE_ACCOUNT_ID", query="id"),),
    )


def judge_account(found: Any) -> Found:
    """Whether an account that exists is as the documented command makes it."""
    wrong = []
    if found.get("minimumTlsVersion") not in ("TLS1_2", "TLS1_3"):
        wrong.append(f"minimum TLS is {found.get('minimumTlsVersion') or 'not set'}")
    if found.get("allowBlobPublicAccess") is not False:
        wrong.append("blobs may be made public")
    if found.get("allowSharedKeyAccess") is not False:  # null is Azure's default, which allows them
        wrong.append("keys of the account open it")
    return Found("differs", ", ".join(wrong)) if wrong else THERE


def _require_free(name: str) -> None:
    answer = az.run("storage", "account", "check-name", "--name", name)
    if not answer["nameAvailable"]:
        raise BootstrapError(
            f"STORAGE_ACCOUNT {name!r} is taken, and not by this resource group; a name is unique in all of Azure: "
            f"choose another in settings.env; Azure says: {answer.get('message') or answer.get('reason')}"
        )


def _recovery(environment: Environment) -> Item:
    """Return the recovery of a state that was overwritten or deleted: nobody else holds a copy."""
    account = (
        "--account-name",
        environment.need("STORAGE_ACCOUNT"),
        "--resource-group",
        environment.need("RESOURCE_GROUP"),
    )
    properties = ("storage", "account", "blob-service-properties")

    def look(_: Values) -> Found:
        found = az.find(*properties, "show", *account)
        return judge_recovery(found) if found else MISSING

    days = str(_DAYS)
    made = command(
        *(*properties, "update", *account, "--enable-versioning", "true"),
        *("--enable-delete-retention", "true", "--delete-retention-days", days),
        *("--enable-container-delete-retention", "true", "--container-delete-retention-days", days),
    )
    return Item("blob versions", f"and {_DAYS} days of soft delete", look, make=(made,))


def judge_recovery(found: Any) -> Found:
    wrong = [] if found.get("isVersioningEnabled") else ["no versions"]
    for name, what in (("deleteRetentionPolicy", "blobs"), ("containerDeleteRetentionPolicy", "containers")):
        policy = found.get(name) or {}
        if not policy.get("enabled") or (policy.get("days") or 0) < _DAYS:
            wrong.append(f"deleted {what} are kept {policy.get('days') or 0} days")
    return Found("differs", ", ".join(wrong)) if wrong else THERE


def _yourself(person: bool) -> Item:
    read = command("ad", "signed-in-user", "show", saves="MY_OBJECT_ID", query="id")
    if not person:
        read = command("ad", "sp", "show", "--id", "${MY_CLIENT_ID}", saves="MY_OBJECT_ID", query="id")
    return Item("you", "as who is signed in", lambda _: THERE, reads=(read,))


def _access(environment: Environment) -> Item:
    """Return the wait for a new role, which takes minutes to reach the account."""
    reading = command(
        *("storage", "container", "list", "--account-name", environment.need("STORAGE_ACCOUNT")),
        *("--num-results", "1", "--auth-mode", "login"),
    )

    def look(values: Values) -> Found:
        return THERE if _answered(reading, values) is not None else Found("missing", "your role is not in force yet")

    return Item("access", "to the storage account's data", look, timeout=PROPAGATION, probe=reading)


def _container(environment: Environment) -> Item:
    name = environment.need("CONTAINER_NAME")
    place = ("--account-name", environment.need("STORAGE_ACCOUNT"), "--name", name)

    def look(values: Values) -> Found:
        seen = _answered(command("storage", "container", "exists", *place, "--auth-mode", "login"), values)
        return THERE if seen and seen["exists"] else MISSING

    made = command("storage", "container", "create", *place, "--auth-mode", "login")
    return Item("container", name, look, make=(made,))


def _answered(reading: Command, values: Values) -> Any:
    """Return a data plane's answer; None where the account or the right to read it is not there yet."""
    try:
        fill(_SCOPE, values)  # without the account its host name does not even resolve
        answer = reading.run(values)
        return [] if answer is None else answer
    except AzError as error:
        if error.kind == "network":
            account = dict(pairwise(reading.arguments))["--account-name"]
            raise BootstrapError(
                f"storage account {account} does not let this machine in, and the state is kept there: "
                "run this inside its network (docs/private-deployment.md), or list the address with `az storage "
                "account network-rule add`"
            ) from error
        if error.kind not in ("missing-role", "not-found"):
            raise
        return None
