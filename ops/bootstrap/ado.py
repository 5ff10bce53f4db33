"""The Azure DevOps service connection, through its REST API and `az rest`: no token of its own is needed.

Paths and fields: "Azure DevOps Services REST API 7.1" (Endpoints), and "Manually set workload identity service
connections".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from ops.azure import az
from ops.bootstrap.command import Command, Values, command, fill
from ops.bootstrap.item import MISSING, THERE, Found, Item
from ops.config.environment import Environment
from ops.errors import AzError, BootstrapError

_RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"  # Azure DevOps, for which az asks its token
_FEDERATION = "authorization.parameters.workloadIdentityFederation"


def organisation(environment: Environment) -> Item:
    """Return the organisation, whose id the older issuer ends in."""
    name = environment.need("ADO_ORG")
    uri = f"https://dev.azure.com/{name}/_apis/connectionData?api-version=7.1-preview"

    def look(_: Values) -> Found:
        _asked(environment, *_call("GET", uri))
        return THERE

    return Item("organisation", name, look, reads=(_get(uri, "ADO_ORG_ID", "instanceId"),))


def connection(environment: Environment) -> Item:
    """Return the service connection itself; its issuer and subject are known once it exists."""
    name = environment.need("SERVICE_CONNECTION_NAME")
    listed = _connections(environment)

    def look(values: Values) -> Found:
        found = _asked(environment, *_call("GET", listed))["value"]
        return _judge(found[0], environment, values) if found else MISSING

    return Item(
        "service connection",
        name,
        look,
        make=(_created(environment),),
        reads=tuple(
            _get(listed, saves, f"value[0].{_FEDERATION}{part}")
            for saves, part in (("ISSUER", "Issuer"), ("SUBJECT", "Subject"))
        ),
    )


def _created(environment: Environment) -> Command:
    """Return the command. It goes to the organisation, and its body names the project.

    Below the project, POST refreshes what existing connections sign in with ("Endpoints - Create", api-version 7.1).
    """
    uri = f"https://dev.azure.com/{environment.need('ADO_ORG')}/_apis/serviceendpoint/endpoints?api-version=7.1"
    return command(
        *_call("POST", uri),
        *_body(_described(environment)),
        refusal=lambda why: by_hand(environment, why, "made"),
    )


def facts(environment: Environment) -> Item:
    """Return what a service connection refers to: the project's id, the tenant, the subscription's name."""
    organisation_url = f"https://dev.azure.com/{environment.need('ADO_ORG')}"
    project = quote(environment.need("ADO_PROJECT"))

    def look(_: Values) -> Found:
        _asked(environment, *_call("GET", f"{organisation_url}/_apis/projects/{project}?api-version=7.1"))
        return THERE

    return Item(
        "project",
        environment.need("ADO_PROJECT"),
        look,
        reads=(
            _get(f"{organisation_url}/_apis/projects/{project}?api-version=7.1", "ADO_PROJECT_ID", "id"),
            command("account", "show", saves="TENANT_ID", query="tenantId"),
            command("account", "show", saves="SUBSCRIPTION_NAME", query="name"),
        ),
    )


def by_hand(environment: Environment, why: str = "", what: str = "read") -> str:
    """Say what to do in the portal, every value filled in."""
    need = environment.need
    return (
        f"the service connection of {need('ADO_ORG')} cannot be {what}{f' ({why})' if why else ''}; in "
        f"https://dev.azure.com/{need('ADO_ORG')}/{quote(need('ADO_PROJECT'))}/_settings/adminservices choose New "
        "service connection > Azure Resource Manager; Identity type: Managed identity; "
        f"Subscription: {need('SUBSCRIPTION_ID')}; Resource group: {need('RESOURCE_GROUP')}; "
        f"Managed identity: {need('IDENTITY_NAME')}; Service connection name: {need('SERVICE_CONNECTION_NAME')}; "
        "then open it and run `invoke bootstrap.federation` again with the --issuer and --subject that it shows (an "
        "older one shows none: give --ado-org-id, and the issuer is made from it)"
    )


def _asked(environment: Environment, *arguments: str) -> Any:
    try:
        answer = az.run(*arguments)
    except AzError as error:
        raise BootstrapError(by_hand(environment, str(error))) from error
    if not isinstance(answer, dict):  # its sign-in page, for an account that the organisation does not know
        raise BootstrapError(by_hand(environment, "the signed-in account is no member of the organisation"))
    return answer


def _judge(found: Any, environment: Environment, values: Values) -> Found:
    name = environment.need("SERVICE_CONNECTION_NAME")
    scheme = (found.get("authorization") or {}).get("scheme")
    if scheme != "WorkloadIdentityFederation":
        raise BootstrapError(
            f"service connection {name} signs in by {scheme}, which needs a secret; "
            "convert it in Azure DevOps (its page offers that), or give SERVICE_CONNECTION_NAME another name"
        )
    client = str(found["authorization"]["parameters"].get("serviceprincipalid", ""))
    if client.lower() != fill("${IDENTITY_CLIENT_ID}", values).lower():
        raise BootstrapError(
            f"service connection {name} is for client {client}, not for the identity "
            f"{environment.need('IDENTITY_NAME')}; delete it, or give SERVICE_CONNECTION_NAME another name"
        )
    return THERE


def _described(environment: Environment) -> dict[str, Any]:
    name = environment.need("SERVICE_CONNECTION_NAME")
    project = {"id": "${ADO_PROJECT_ID}", "name": environment.need("ADO_PROJECT")}
    return {
        "name": name,
        "type": "azurerm",
        "url": "https://management.azure.com/",
        "authorization": {
            "scheme": "WorkloadIdentityFederation",
            "parameters": {"tenantid": "${TENANT_ID}", "serviceprincipalid": "${IDENTITY_CLIENT_ID}"},
        },
        "data": {
            "environment": "AzureCloud",
            "scopeLevel": "Subscription",
            "subscriptionId": environment.need("SUBSCRIPTION_ID"),
            "subscriptionName": "${SUBSCRIPTION_NAME}",
            "creationMode": "Manual",
            "identityType": "ManagedIdentity",
        },
        "isShared": False,
        "serviceEndpointProjectReferences": [{"projectReference": project, "name": name}],
    }


def _base(environment: Environment) -> str:
    return f"https://dev.azure.com/{environment.need('ADO_ORG')}/{quote(environment.need('ADO_PROJECT'))}/_apis"


def _connections(environment: Environment) -> str:
    asked = {"endpointNames": environment.need("SERVICE_CONNECTION_NAME"), "api-version": "7.1"}
    return f"{_base(environment)}/serviceendpoint/endpoints?{urlencode(asked, quote_via=quote)}"


def _call(method: str, uri: str) -> tuple[str, ...]:
    return ("rest", "--method", method, "--resource", _RESOURCE, "--uri", uri)


def _body(value: dict[str, Any]) -> tuple[str, ...]:
    return ("--headers", "Content-Type=application/json", "--body", json.dumps(value))


def _get(uri: str, saves: str, query: str) -> Command:
    return command(*_call("GET", uri), saves=saves, query=query)
