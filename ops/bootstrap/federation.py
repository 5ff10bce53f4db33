"""Step 2: whose pipeline may sign in as the identity, and what the identity may do in the subscription."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ops.azure import az
from ops.bootstrap import ado
from ops.bootstrap.command import Values, command, fill
from ops.bootstrap.identity import identity
from ops.bootstrap.item import MISSING, THERE, Found, Item, Task
from ops.bootstrap.options import GITHUB_ISSUER, Options, github_subject, is_by_name
from ops.bootstrap.roles import assignment, only_terraforms_roles
from ops.config.environment import Environment

AUDIENCE = "api://AzureADTokenExchange"
_GITHUB_DEFAULT = ("branch:main", "pull_request")
WARNING = (
    "with Contributor and User Access Administrator whoever can change the pipeline owns the subscription: "
    "--narrow gives a role that can hand out Terraform's own roles and no others"
)
BY_NAME = (
    "GitHub's tokens name a repository that was made, renamed or moved since 2026-07-15 by its ids as well, and a "
    "trust by name alone refuses them (AADSTS700213); where `gh api repos/OWNER/REPOSITORY/actions/oidc/customization/"
    "sub` shows an @ in sub_claim_prefix, give --github OWNER@ID/REPOSITORY@ID. A trust by name passes to whoever "
    "takes the name next"
)


def task(environment: Environment, options: Options) -> Task:
    return Task(
        "bootstrap.federation",
        (identity(environment), *_trust(environment, options), *_roles(environment, options)),
        "; ".join(_warnings(options)),
    )


def _warnings(options: Options) -> Iterator[str]:
    if not options.narrow:
        yield WARNING
    if options.github and is_by_name(options.github):
        yield BY_NAME


def _trust(environment: Environment, options: Options) -> Iterator[Item]:
    """Yield who issues the pipeline's tokens; credentials of one identity are made one after the other."""
    if options.github:
        for given in options.github_subjects or _GITHUB_DEFAULT:
            name, subject = github_subject(options.github, given)
            yield credential(environment, name, GITHUB_ISSUER, subject)
        return
    if options.issuer:
        name = "github-federation" if options.issuer == GITHUB_ISSUER else "ado-federation"
        yield credential(environment, name, options.issuer, options.subject)
        return
    if options.ado_org_id:
        asks = options.ado_org_id == "ask"
        if asks:
            yield ado.organisation(environment)
        issuer = f"https://vstoken.dev.azure.com/{'${ADO_ORG_ID}' if asks else options.ado_org_id}"
        yield credential(environment, "ado-federation", issuer, documented_subject(environment))
        return
    yield ado.facts(environment)
    yield ado.connection(environment)
    yield credential(environment, "ado-federation", "${ISSUER}", "${SUBJECT}")


def documented_subject(environment: Environment) -> str:
    """Return the subject of a connection whose issuer is vstoken.dev.azure.com."""
    names = (environment.need(name) for name in ("ADO_ORG", "ADO_PROJECT", "SERVICE_CONNECTION_NAME"))
    return f"sc://{'/'.join(names)}"


def credential(environment: Environment, name: str, issuer: str, subject: str) -> Item:
    who = ("--identity-name", environment.need("IDENTITY_NAME"), "--resource-group", environment.need("RESOURCE_GROUP"))
    what = ("--issuer", issuer, "--subject", subject, "--audiences", AUDIENCE)
    base = ("identity", "federated-credential")

    def look(values: Values) -> Found:
        listed = az.find(*base, "list", *who) or ()
        return judge(listed, name, fill(issuer, values), fill(subject, values))

    return Item(
        "federated credential",
        name,
        look,
        make=(command(*base, "create", "--name", name, *who, *what),),
        mend=(command(*base, "update", "--name", name, *who, *what),),
    )


def judge(listed: Any, name: str, issuer: str, subject: str) -> Found:
    """Whether one of the identity's credentials trusts exactly this issuer, subject and audience.

    Azure refuses a second one with the same issuer and subject, whatever its name.
    """
    for held in listed:
        if (held["issuer"], held["subject"]) == (issuer, subject):
            if AUDIENCE in held["audiences"]:
                return THERE if held["name"] == name else Found("there", f"under the name {held['name']}")
            return Found("differs", f"audience is {', '.join(held['audiences'])}")
    for held in listed:
        if held["name"] == name:
            return Found("differs", f"trusts {held['issuer']} for {held['subject']}")
    return MISSING


def _roles(environment: Environment, options: Options) -> tuple[Item, ...]:
    scope = f"/subscriptions/{environment.need('SUBSCRIPTION_ID')}"
    whose = "${IDENTITY_PRINCIPAL_ID}"
    contributor = assignment(whose, "Contributor", scope)
    if not options.narrow:
        return contributor, assignment(whose, "User Access Administrator", scope)
    # Contributor excludes Microsoft.Authorization/*/write, and the narrower role knows assignments only: neither makes
    # the locks of `data_protection` ("Azure built-in roles for Privileged", 2026-07-01).
    return (
        contributor,
        assignment(whose, "Role Based Access Control Administrator", scope, condition=only_terraforms_roles()),
        assignment(whose, "Locks Contributor", scope),
    )
