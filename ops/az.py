"""The Azure CLI: runs it, reads its JSON, and says in one sentence what it refused."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from typing import Any

from ops.errors import AzError, ToolError

# What az prints, and what to do about it. The first that occurs in its output decides.
_REMEDIES = (
    ("az login", "nobody is signed in; run `az login`"),
    ("AADSTS", "the sign-in was refused; run `az login` again"),
    ("AuthorizationFailed", "the signed-in account lacks a role; ask for Contributor and User Access Administrator"),
    ("SubscriptionNotFound", "the subscription is not visible to the signed-in account; check SUBSCRIPTION_ID"),
    ("RequestDisallowedByPolicy", "an Azure Policy denies it; ask the subscription's owner for an exemption"),
    ("TooManyRequests", "Azure is throttling; wait a minute and run it again"),
    ("ForbiddenByConnection", "the network does not let this machine in; see deployer_access in terraform.tfvars"),
)


def run(*arguments: str) -> Any:
    """`az <arguments> -o json`, parsed; None where it prints nothing. AzError carries az's own words too."""
    binary = shutil.which("az")
    if not binary:
        raise ToolError("the Azure CLI is not on PATH; install it (learn.microsoft.com/cli/azure/install-azure-cli)")
    answer = subprocess.run([binary, *arguments, "--output", "json"], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise AzError(refusal(arguments, answer.stderr))
    return json.loads(answer.stdout) if answer.stdout.strip() else None


def command(*arguments: str) -> str:
    """The same command as a person would type it."""
    return shlex.join(["az", *arguments])


def refusal(arguments: tuple[str, ...], stderr: str) -> str:
    """One sentence: which command, the remedy if known, and what az said."""
    said = " ".join(stderr.split()) or "it printed nothing"
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in stderr), "read what it says")
    return f"`az {' '.join(arguments[:3])}` failed: {remedy}; az says: {said}"
