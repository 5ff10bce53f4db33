"""Which roles a person needs, for what: README, docs/bootstrap.md, `invoke doctor` and refusals say it from here."""

from __future__ import annotations

PRIVILEGED = "Privileged Role Administrator"
APPLICATIONS = "Application Administrator"
GROUPS = "Groups Administrator"

# "Azure built-in roles for Privileged", 2026-07-01: Contributor makes resources and gives no roles; the third one gives
# roles and makes no locks.
SUBSCRIPTION = (
    "Owner of the subscription, or Contributor with User Access Administrator (without `data_protection.locks` also "
    "with Role Based Access Control Administrator)"
)
DIRECTORY_TO_BOOTSTRAP = f"in Entra ID, to bootstrap a pipeline: {PRIVILEGED}"
DIRECTORY_TO_DEPLOY = (
    f"in Entra ID, to deploy as yourself: {APPLICATIONS} for applications and their roles, {GROUPS} for groups; "
    "members may do it without where the tenant lets them register applications and create groups, but not assign roles"
)
# The permission is called Create (azuredevops provider 3.12, ServiceendpointPermissions, 2026-01-09).
PIPELINE = (
    "to bootstrap a pipeline: an Azure DevOps organisation and project in which you may create service connections, or "
    "a repository on GitHub (`--github`)"
)
NEEDED: dict[str, str] = {
    "`bootstrap.identity`, `.federation`, `.state`": f"{SUBSCRIPTION}; {PIPELINE}",
    "`bootstrap.entra`": DIRECTORY_TO_BOOTSTRAP,
    "`invoke deploy` by yourself": f"{SUBSCRIPTION}; {DIRECTORY_TO_DEPLOY}",
}


def table() -> str:
    """Return what docs/bootstrap.md says."""
    return "\n".join(
        ["| for | you need |", "|---|---|", *(f"| {task} | {role} |" for task, role in NEEDED.items()), ""]
    )
