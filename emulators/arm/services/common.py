"""What several services share: lists, filters, resource documents, their routes, and what goes with a resource."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import bad_request
from emulators.arm.routing import Handler, Route

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourcegroups/{{group}}"

_EQUAL = re.compile(r"(\w+)\s+eq\s+(?:guid)?'([^']*)'", re.IGNORECASE)


def listed(rows: Sequence[Any]) -> Answer:
    return Answer({"value": list(rows)})


def equalities(text: str, known: set[str]) -> dict[str, str]:
    """`a eq 'x' and b eq 'y'` as a mapping. A filter of another form is refused: ignoring it would show too much."""
    if not text:
        return {}
    found = dict(_EQUAL.findall(text))
    rest = re.sub(r"[\s()]|and", "", _EQUAL.sub("", text))
    if rest or set(found) - known:
        raise bad_request("InvalidFilterInQueryString", f"The local control plane cannot evaluate the filter {text!r}.")
    return found


def resource(cloud: Cloud, call: Call, type_: str, properties: Document, **more: Any) -> Document:
    """The document of a tracked resource; the path's own spelling is its id."""
    given = call.document()
    location = str(given.get("location") or "").lower().replace(" ", "")
    return {
        "id": call.path,
        "name": call["name"],
        "type": type_,
        "location": location,
        "tags": given.get("tags") or {},
        "properties": properties,
        **more,
    }


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def merged(old: Document, new: Document) -> Document:
    """`new` over `old`, objects key by key: what PATCH does."""
    both = dict(old)
    for key, value in new.items():
        inner = both.get(key)
        both[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return both


def forget(cloud: Cloud, gone: Document) -> None:
    """What lies outside Resource Manager and goes with a resource; a vault is kept as a deleted one."""
    kind = gone["type"].lower()
    if kind == "microsoft.managedidentity/userassignedidentities":
        cloud.tenant.remove_identity(gone["id"])
    elif kind == "microsoft.keyvault/vaults":
        cloud.deleted_vaults[gone["name"].lower()] = {**gone, "_deleted": cloud.clock()}
    elif kind == "microsoft.storage/storageaccounts":
        cloud.keys.pop(gone["name"], None)


def show(cloud: Cloud, call: Call) -> Answer:
    return Answer(cloud.get(call.path))


def delete(cloud: Cloud, call: Call) -> Answer:
    """200, or 204 where there was nothing."""
    gone = cloud.remove(call.path)
    for document in gone:
        forget(cloud, document)
    return Answer(status=200 if gone else 204)


def crud(type_: str, put: Handler, update: Handler | None = None, *, pages: str, version: str) -> tuple[Route, ...]:
    """The routes of a resource type that lives in resource groups: list (twice), show, put, delete, perhaps patch.

    `pages`: the reference's name for the type, whose pages are called `<pages> - Get` and so on.
    """

    def list_all(cloud: Cloud, call: Call) -> Answer:
        return listed(list(cloud.of_type(type_, call.path.split("/providers/")[0])))

    one = f"{GROUP}/providers/{type_}/{{name}}"
    everywhere, here = f"{SUBSCRIPTION}/providers/{type_}", f"{GROUP}/providers/{type_}"
    read, write = f"{type_}/read", f"{type_}/write"

    def page(operation: str) -> str:
        return f"{pages} - {operation}, {version}"

    routes = (
        Route("GET", everywhere, list_all, read, scope=SUBSCRIPTION, page=page("List")),
        Route("GET", here, list_all, read, scope=GROUP, page=page("List By Resource Group")),
        Route("GET", one, show, read, page=page("Get")),
        Route("PUT", one, put, write, page=page("Create Or Update")),
        Route("DELETE", one, delete, f"{type_}/delete", page=page("Delete")),
    )
    return routes if update is None else (*routes, Route("PATCH", one, update, write, page=page("Update")))
