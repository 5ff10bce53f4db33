"""What the Azure CLI prints when it refuses, as a kind that tasks decide on and a remedy that people read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ops.azure import rights

Kind = Literal[
    "not-signed-in",
    "wrong-subscription",
    "missing-role",
    "directory-role",
    "consent",
    "not-found",
    "exists",
    "name-taken",
    "policy",
    "throttled",
    "busy",
    "not-registered",
    "network",
    "azure",
    "unknown",
]


@dataclass(frozen=True)
class Refusal:
    """`signs` are looked for as they stand, without regard to case; one of them is enough."""

    kind: Kind
    remedy: str
    signs: tuple[str, ...]


# The first that occurs decides, so the narrower ones stand first.
REFUSALS = (
    # Before those of sign-in and roles: the Azure CLI advises `az login` where a registry's firewall refuses.
    Refusal(
        "network",
        "the network does not let this machine in; see deployer_access in terraform.tfvars, and docs/pipelines.md for "
        "agents inside the network",
        (
            "ForbiddenByConnection",
            "ForbiddenByFirewall",
            "AuthorizationFailure",
            "not authorized by network rules",
            "blocked by network rules of storage account",  # the Azure CLI's words in place of the service's
            "aka.ms/acr/firewall",
            "connectivity_forbidden_error",
            "was denied. Response code: 403",
            "is not allowed access",  # Container Registry
        ),
    ),
    Refusal(
        "consent",
        f"the directory wants an administrator's consent; ask a {rights.PRIVILEGED} to run this step",
        ("AADSTS65001", "AADSTS90094", "consent_required", "admin consent"),
    ),
    Refusal(
        "not-signed-in",
        "nobody is signed in; run `az login`",
        ("az login", "no subscription found", "interaction_required"),
    ),
    Refusal("not-signed-in", "the sign-in was refused; run `az login` again", ("AADSTS",)),
    Refusal(
        "policy",
        "an Azure Policy denies it; ask the subscription's owner for an exemption",
        ("RequestDisallowedByPolicy", "disallowed by policy"),
    ),
    Refusal(
        "wrong-subscription",
        "the subscription is not visible to the signed-in account; check SUBSCRIPTION_ID and `az account list`",
        ("SubscriptionNotFound", "InvalidSubscriptionId", "doesn't exist in cloud", "subscription could not be found"),
    ),
    Refusal(
        "not-registered",
        "a resource provider is not registered in the subscription; run `az provider register --namespace <its name>`",
        ("MissingSubscriptionRegistration", "SubscriptionNotRegistered"),
    ),
    Refusal(
        "directory-role",
        f"the signed-in account lacks a directory role: {rights.DIRECTORY_TO_BOOTSTRAP}; {rights.DIRECTORY_TO_DEPLOY}",
        ("Authorization_RequestDenied", "Insufficient privileges to complete the operation"),
    ),
    Refusal(
        "missing-role",
        f"the signed-in account lacks a role; ask for {rights.SUBSCRIPTION}, and allow a new role ten minutes",
        (
            "AuthorizationFailed",
            "LinkedAuthorizationFailed",
            "AuthorizationPermissionMismatch",
            "required permissions needed to perform this operation",
            "ForbiddenByRbac",
        ),
    ),
    Refusal(
        "name-taken",
        "somebody else in Azure has that name; choose another in terraform.tfvars or settings.env",
        ("AlreadyTaken", "NameNotAvailable", "AlreadyInUse", "VaultAlreadyExists", "is already taken"),
    ),
    Refusal(
        "throttled",
        "Azure is throttling; wait a minute and run it again",
        ("TooManyRequests", "Too Many Requests", "(429)"),
    ),
    Refusal(
        "not-found",
        "it does not exist; run `invoke bootstrap`, or check the names in settings.env",
        (
            "ResourceNotFound",
            "ResourceGroupNotFound",
            "Request_ResourceNotFound",
            "ParentResourceNotFound",
            "(NotFound)",
            "could not be found",
            "does not exist",
        ),
    ),
    Refusal(
        "busy",
        "another change of the same object is under way; wait a minute and run it again",
        ("AnotherOperationInProgress", "ConcurrentFederatedIdentityCredentials", "(Conflict)"),
    ),
    Refusal(
        "exists",
        "it is there already, but was not seen when this task looked; run it again",
        ("RoleAssignmentExists", "already exist", "conflicting object"),
    ),
    Refusal(
        "azure",
        "Azure itself failed or did not answer; run it again, the next run goes on from here",
        (
            "InternalServerError",
            "(500)",
            "Internal Server Error",
            "Bad Gateway",
            "ServiceUnavailable",
            "Service Unavailable",
            "GatewayTimeout",
            "timed out",
            "Connection aborted",
            "Max retries exceeded",
        ),
    ),
)
UNKNOWN = Refusal("unknown", "read what it says", ())


def of(stderr: str) -> Refusal:
    """Return the refusal whose sign occurs in what az printed."""
    said = stderr.lower()
    return next((known for known in REFUSALS if any(sign.lower() in said for sign in known.signs)), UNKNOWN)
