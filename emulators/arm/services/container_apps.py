"""Apps of Azure Container Apps and their revisions ("Microsoft.App"), as `az containerapp` asks for them.

The apps are those that Terraform made: the stand-in provider's file has them with their revisions, so that what is
deactivated here is so for the next look. Nothing runs here: no revision has a replica, and there are no logs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from emulators.arm.call import Answer, Call
from emulators.arm.cloud import Cloud, group_of
from emulators.arm.errors import AzureError, not_found
from emulators.arm.routing import Route
from emulators.arm.services.common import GROUP, listed
from emulators.base.store import Store, Values

TYPE = "Microsoft.App/containerApps"
_APP, _REVISION = "azurerm_container_app", "twin_container_app_revision"
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)  # when the first revision of an app was made; the next a minute later


def _apps(cloud: Cloud, group: str) -> list[Values]:
    applied = cloud.applied.of_type(_APP) if cloud.applied else []
    return [app for app in applied if str(app["resource_group_name"]).lower() == group.lower()]


def _app(cloud: Cloud, call: Call) -> tuple[Store, Values]:
    found = [app for app in _apps(cloud, call["group"]) if str(app["name"]).lower() == call["name"].lower()]
    if cloud.applied is None or not found:
        path = call.path[: call.path.lower().index("/containerapps/")] + f"/containerApps/{call['name']}"
        raise not_found(path, group_of(path))
    return cloud.applied, found[0]


def _revisions(store: Store, app: Values) -> list[Values]:
    return sorted((one for one in store.of_type(_REVISION) if one["app"] == app["id"]), key=lambda one: one["number"])


def _revision(cloud: Cloud, call: Call) -> tuple[Store, Values, Values]:
    store, app = _app(cloud, call)
    found = [one for one in _revisions(store, app) if str(one["name"]).lower() == call["revision"].lower()]
    if not found:
        raise AzureError(
            404, "RevisionNotFound", f"The revision '{call['revision']}' of '{app['name']}' was not found."
        )
    return store, app, found[0]


def _traffic(app: Values) -> list[dict[str, Any]]:
    ingress = (app.get("ingress") or [{}])[0]
    return [
        {"latestRevision": True, "weight": weight["percentage"]}
        if weight.get("latest_revision")
        else {"revisionName": f"{app['name']}--{weight['revision_suffix']}", "weight": weight["percentage"]}
        for weight in ingress.get("traffic_weight") or ()
    ]


def _weight(app: Values, revision: str) -> int:
    newest = app["latest_revision_name"]
    return sum(one["weight"] for one in _traffic(app) if one.get("revisionName", newest) == revision)


def _template(values: Values) -> dict[str, Any]:
    """What a revision runs, without the values of its environment, which nobody here asks for."""
    return {
        "containers": [
            {
                "name": container["name"],
                "image": container["image"],
                "resources": {"cpu": container.get("cpu"), "memory": container.get("memory")},
                "env": [
                    {"name": variable["name"], "secretRef": variable["secret_name"]}
                    if variable.get("secret_name")
                    else {"name": variable["name"], "value": variable.get("value") or ""}
                    for variable in container.get("env") or ()
                ],
            }
            for container in values.get("container") or ()
        ],
        "scale": {"minReplicas": values.get("min_replicas"), "maxReplicas": values.get("max_replicas")},
    }


def _document(app: Values) -> dict[str, Any]:
    """As "Container Apps - Get", 2025-07-01, has it, without what this project has no use for."""
    ingress = (app.get("ingress") or [None])[0]
    place = str(app["id"]).replace("/providers/Microsoft.App/", "/")
    return {
        "id": app["id"],
        "name": app["name"],
        "type": TYPE,
        "location": app.get("location"),
        "tags": app.get("tags") or {},
        "properties": {
            "provisioningState": "Succeeded",
            "managedEnvironmentId": app["container_app_environment_id"],
            "latestRevisionName": app["latest_revision_name"],
            "latestReadyRevisionName": app["latest_revision_name"],
            "latestRevisionFqdn": app.get("latest_revision_fqdn"),
            "eventStreamEndpoint": f"https://{app.get('location')}.azurecontainerapps.dev{place}/eventstream",
            "configuration": {
                "activeRevisionsMode": app["revision_mode"],
                "secrets": [{"name": secret["name"]} for secret in app.get("secret") or ()],
                "ingress": ingress
                and {
                    "fqdn": ingress.get("fqdn"),
                    "external": ingress.get("external_enabled"),
                    "targetPort": ingress.get("target_port"),
                    "traffic": _traffic(app),
                },
            },
            "template": _template(app["template"][0]),
        },
    }


def _revision_document(app: Values, revision: Values) -> dict[str, Any]:
    """As "Container Apps Revisions - Get Revision", 2025-07-01."""
    created = _FIRST + timedelta(minutes=int(revision["number"]))
    return {
        "id": f"{app['id']}/revisions/{revision['name']}",
        "name": revision["name"],
        "type": f"{TYPE}/revisions",
        "properties": {
            "createdTime": created.isoformat(),
            "active": bool(revision.get("active", True)),
            "trafficWeight": _weight(app, str(revision["name"])),
            "replicas": 0,
            "provisioningState": "Provisioned",
            "template": _template(revision["template"][0]),
        },
    }


def show(cloud: Cloud, call: Call) -> Answer:
    return Answer(_document(_app(cloud, call)[1]))


def list_apps(cloud: Cloud, call: Call) -> Answer:
    return listed([_document(app) for app in _apps(cloud, call["group"])])


def list_revisions(cloud: Cloud, call: Call) -> Answer:
    store, app = _app(cloud, call)
    return listed([_revision_document(app, revision) for revision in _revisions(store, app)])


def show_revision(cloud: Cloud, call: Call) -> Answer:
    _, app, revision = _revision(cloud, call)
    return Answer(_revision_document(app, revision))


def activate(cloud: Cloud, call: Call) -> Answer:
    return _set_active(cloud, call, active=True)


def deactivate(cloud: Cloud, call: Call) -> Answer:
    """Ends a revision, also one that has calls: Azure does not look at its weight."""
    return _set_active(cloud, call, active=False)


def _set_active(cloud: Cloud, call: Call, *, active: bool) -> Answer:
    store, _, revision = _revision(cloud, call)
    store.put(_REVISION, {**revision, "active": active})
    return Answer("Activate succeeded" if active else "Deactivate succeeded")  # azure-cli-extensions#5802


def list_replicas(cloud: Cloud, call: Call) -> Answer:
    """None: nothing runs here."""
    _revision(cloud, call)
    return listed([])


_PATH = f"{GROUP}/providers/{TYPE}/{{name}}"
_OF_REVISION = f"{_PATH}/revisions/{{revision}}"

ROUTES = (
    Route(
        "GET",
        f"{GROUP}/providers/{TYPE}",
        list_apps,
        f"{TYPE}/read",
        scope=GROUP,
        page="Container Apps - List By Resource Group, 2025-07-01",
    ),
    Route("GET", _PATH, show, f"{TYPE}/read", page="Container Apps - Get, 2025-07-01"),
    Route(
        "GET",
        f"{_PATH}/revisions",
        list_revisions,
        f"{TYPE}/revisions/read",
        scope=_PATH,
        page="Container Apps Revisions - List Revisions, 2025-07-01",
    ),
    Route(
        "GET",
        _OF_REVISION,
        show_revision,
        f"{TYPE}/revisions/read",
        scope=_PATH,
        page="Container Apps Revisions - Get Revision, 2025-07-01",
    ),
    Route(
        "POST",
        f"{_OF_REVISION}/activate",
        activate,
        f"{TYPE}/revisions/activate/action",
        scope=_PATH,
        page="Container Apps Revisions - Activate Revision, 2025-07-01",
    ),
    Route(
        "POST",
        f"{_OF_REVISION}/deactivate",
        deactivate,
        f"{TYPE}/revisions/deactivate/action",
        scope=_PATH,
        page="Container Apps Revisions - Deactivate Revision, 2025-07-01",
    ),
    Route(
        "GET",
        f"{_OF_REVISION}/replicas",
        list_replicas,
        f"{TYPE}/revisions/replicas/read",
        scope=_PATH,
        page="Container Apps Revision Replicas - List Replicas, 2025-07-01",
    ),
)
