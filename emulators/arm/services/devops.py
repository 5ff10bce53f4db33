"""Azure DevOps: an organisation, its projects and their service connections (REST API 7.1, "Endpoints").

Whoever is no member is told so, and whoever sends no token for Azure DevOps is shown the sign-in page, with status 203.
"""

from __future__ import annotations

import base64
import uuid

from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, NotReproduced, bad_request
from emulators.arm.organisations import Organisation
from emulators.arm.routing import Route
from emulators.base.well_known import DEVOPS

AGENTS = "https://vstoken.dev.azure.com"
_SCHEME = "WorkloadIdentityFederation"
_NEEDED = ("tenantid", "serviceprincipalid")


def connection_data(cloud: Cloud, call: Call) -> Answer:
    organisation = _organisation(cloud, call)
    caller = {"id": call.who().object_id, "providerDisplayName": call.who().name}
    return Answer({"authenticatedUser": caller, "authorizedUser": caller, "instanceId": organisation.id})


def show_project(cloud: Cloud, call: Call) -> Answer:
    name, identifier = _organisation(cloud, call).project(call["project"])
    return Answer({"id": identifier, "name": name, "state": "wellFormed", "visibility": "private"})


def list_connections(cloud: Cloud, call: Call) -> Answer:
    """Of one project; `endpointNames` is a list of names with commas. Other filters are refused."""
    organisation = _organisation(cloud, call)
    _, project = organisation.project(call["project"])
    if unknown := sorted(set(call.query) - {"endpointNames", "api-version"}):
        raise bad_request(
            "InvalidRequestContent", f"The local Azure DevOps does not read the parameter {unknown[0]!r}."
        )
    wanted = {name.lower() for name in call.query.get("endpointNames", "").split(",") if name}
    held = organisation.connections.get(project, [])
    found = [one for one in held if not wanted or one["name"].lower() in wanted]
    return Answer({"count": len(found), "value": found})


def refresh_authentication(cloud: Cloud, call: Call) -> Answer:
    """POST below a project renews what existing connections sign in with; until 5.1 it created one."""
    _organisation(cloud, call).project(call["project"])
    if not call.query.get("endpointIds"):
        raise bad_request(
            "VssPropertyValidationException", "The query parameter endpointIds is missing: it names what is refreshed."
        )
    raise NotReproduced(call.method, call.host, call.path, call.query.get("api-version"))


def create_connection(cloud: Cloud, call: Call) -> Answer:
    """Below the organisation; the body names the project. Issuer and subject are the service's to choose."""
    organisation = _organisation(cloud, call)
    given = call.document()
    name, project = _project(organisation, given)
    _check(given)
    held = organisation.connections.setdefault(project, [])
    if any(one["name"].lower() == given["name"].lower() for one in held):
        raise AzureError(
            409,
            "DuplicateServiceConnectionException",
            f"Service connection with name {given['name']} already exists. Only a user having Administrator/User role "
            "permissions on service connection can see it.",
        )
    identifier = str(uuid.uuid4())
    parameters = {
        **given["authorization"]["parameters"],
        **_federation(cloud, organisation, f"{organisation.name}/{name}/{given['name']}", identifier),
    }
    held.append(
        {
            **given,
            "id": identifier,
            "authorization": {"scheme": _SCHEME, "parameters": parameters},
            "isReady": True,
            "owner": "library",
        }
    )
    return Answer(held[-1])


def _federation(cloud: Cloud, organisation: Organisation, path: str, identifier: str) -> Document:
    issuer = f"https://login.microsoftonline.com/{cloud.tenant.tenant_id}/v2.0"
    tenant, application = (_short(one) for one in (cloud.tenant.tenant_id, DEVOPS))
    subject = f"/eid1/c/pub/t/{tenant}/a/{application}/sc/{organisation.id}/{identifier}"
    if organisation.older:
        issuer, subject = f"{AGENTS}/{organisation.id}", f"sc://{path}"
    return {"workloadIdentityFederationIssuer": issuer, "workloadIdentityFederationSubject": subject}


def _short(guid: str) -> str:
    """As Entra ID writes it in subjects: the GUID's bytes (the first three parts little-endian) in base64url."""
    return base64.urlsafe_b64encode(uuid.UUID(guid).bytes_le).decode().rstrip("=")


def _project(organisation: Organisation, given: Document) -> tuple[str, str]:
    """Name and id of the one project that the body refers to."""
    references = given.get("serviceEndpointProjectReferences") or []
    if len(references) != 1 or not (references[0].get("projectReference") or {}).get("id"):
        raise _lacks("serviceEndpointProjectReferences")
    return organisation.project(str(references[0]["projectReference"]["id"]))


def _check(given: Document) -> None:
    authorization = given.get("authorization") or {}
    parameters = authorization.get("parameters") or {}
    problems = {
        "name": not given.get("name"),
        "type": given.get("type") != "azurerm",
        "authorization.scheme": authorization.get("scheme") != _SCHEME,
        **{f"authorization.parameters.{one}": not parameters.get(one) for one in _NEEDED},
        "data.subscriptionId": not (given.get("data") or {}).get("subscriptionId"),
    }
    for what, wrong in problems.items():
        if wrong:
            raise _lacks(what)


def _lacks(what: str) -> AzureError:
    return bad_request(
        "InvalidServiceEndpointRequestException", f"The service connection's {what} is missing or wrong."
    )


def _organisation(cloud: Cloud, call: Call) -> Organisation:
    """The organisation of the path, for its members."""
    caller = call.who()
    found = cloud.organisations.get(call["organisation"].lower())
    if found is None:
        raise AzureError(
            404, "HostNotFoundException", f"TF400949: The organization {call['organisation']} was not found."
        )
    if caller.object_id not in found.members:
        raise AzureError(
            401,
            "UnauthorizedRequestException",
            f"TF400813: The user '{caller.object_id}' is not authorized to access this resource.",
        )
    return found


_ENDPOINTS = "_apis/serviceendpoint/endpoints"
_OF_PROJECT = f"/{{organisation}}/{{project}}/{_ENDPOINTS}"

ROUTES = (
    Route("GET", "/{organisation}/_apis/connectionData", connection_data, page="Connection Data - Get, 7.1-preview"),
    Route("GET", "/{organisation}/_apis/projects/{project}", show_project, page="Projects - Get, 7.1"),
    Route("GET", _OF_PROJECT, list_connections, page="Endpoints - Get Service Endpoints By Names, 7.1"),
    Route("POST", f"/{{organisation}}/{_ENDPOINTS}", create_connection, page="Endpoints - Create, 7.1"),
    Route(
        "POST",
        _OF_PROJECT,
        refresh_authentication,
        page="Endpoints - Get Service Endpoints With Refreshed Authentication, 7.1",
    ),
)
