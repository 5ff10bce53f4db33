"""What the command line adds to the settings, checked before anything is asked of Azure."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from ops.errors import UsageError

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Repositories that were made, renamed or moved since 2026-07-15, and those that opted in, say their ids too: GitHub's
# changelog, "Immutable subject claims for GitHub Actions OIDC tokens", 2026-04-23.
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?P<owner>@[0-9]+)?/[A-Za-z0-9._-]{1,100}(?P<id>@[0-9]+)?")
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
_ISSUERS = (
    "vstoken.dev.azure.com",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
)


@dataclass(frozen=True)
class Options:
    """`issuer` and `subject` as a service connection shows them, or GitHub's with a whole subject.

    `github` is `owner/repository`, or `owner@id/repository@id` where GitHub's tokens name both.

    `minimal`: what the pipeline may do in the directory is what it owns. `narrow`: it gives the roles that Terraform
    gives and no others. `without_pipeline`: a person deploys from here, and needs resource group and state only.
    """

    issuer: str = ""
    subject: str = ""
    ado_org_id: str = ""
    github: str = ""
    github_subjects: tuple[str, ...] = ()
    minimal: bool = False
    narrow: bool = False
    without_pipeline: bool = False

    def __post_init__(self) -> None:
        if bool(self.issuer) != bool(self.subject):
            given, missing = ("--issuer", "--subject") if self.issuer else ("--subject", "--issuer")
            raise UsageError(f"{given} was given without {missing}: copy both from the service connection")
        if self.issuer:
            _check_issuer(self.issuer)
        if self.ado_org_id not in ("", "ask") and not _GUID.fullmatch(self.ado_org_id):
            raise UsageError(
                f"--ado-org-id {self.ado_org_id!r} must be the organisation's GUID, or ask; "
                "https://dev.azure.com/<organisation>/_apis/connectionData shows it as instanceId"
            )
        if self.github:
            _check_repository(self.github)
        if self.github_subjects and not self.github:
            raise UsageError("--github-subject needs --github OWNER/REPOSITORY beside it")
        if self.github and (self.issuer or self.ado_org_id):
            raise UsageError("--github stands alone: --issuer, --subject and --ado-org-id are for Azure DevOps")
        if self.without_pipeline and any(getattr(self, one.name) for one in fields(self)[:-1]):
            raise UsageError(
                "--without-pipeline stands alone: the other options say whose pipeline signs in, and what it may do"
            )
        for given in self.github_subjects:
            github_subject(self.github, given)


def is_by_name(repository: str) -> bool:
    """Whether it is named without GitHub's ids."""
    return "@" not in repository


def _check_repository(given: str) -> None:
    found = _REPOSITORY.fullmatch(given)
    if not found:
        raise UsageError(
            f"--github {given!r} must be OWNER/REPOSITORY, as in the repository's address, or OWNER@ID/REPOSITORY@ID"
        )
    if bool(found["owner"]) != bool(found["id"]):
        raise UsageError(
            f"--github {given!r} has one id of two; give both, as `gh api repos/OWNER/REPOSITORY/actions/oidc/"
            "customization/sub` shows them, or none"
        )


def github_subject(repository: str, given: str) -> tuple[str, str]:
    """Return the name of the credential and its subject; UsageError for what GitHub never sends."""
    kind, colon, value = given.partition(":")
    forms = {
        "branch": f"ref:refs/heads/{value}",
        "tag": f"ref:refs/tags/{value}",
        "environment": f"environment:{value}",
    }
    if given == "pull_request":
        return "github-pull-request", f"repo:{repository}:pull_request"
    if kind not in forms or not colon or not value or "*" in value:
        raise UsageError(
            f"--github-subject {given!r} must be branch:NAME, tag:NAME, environment:NAME or pull_request, "
            "each name in full: a federated credential takes no wildcard"
        )
    # Names of credentials: 3-120 letters, digits, hyphens and underscores.
    return f"github-{kind}-{re.sub(r'[^A-Za-z0-9_-]+', '-', value)}"[:120], f"repo:{repository}:{forms[kind]}"


def _check_issuer(issuer: str) -> None:
    if issuer == GITHUB_ISSUER:
        return
    parts = urlsplit(issuer)
    last = parts.path.strip("/").split("/")[0]
    if parts.scheme != "https" or parts.hostname not in _ISSUERS or not _GUID.fullmatch(last):
        raise UsageError(
            f"--issuer {issuer!r} must be https://vstoken.dev.azure.com/<organisation id> or "
            "https://login.microsoftonline.com/<tenant id>/v2.0, copied from the service connection, or "
            f"{GITHUB_ISSUER}"
        )
