from __future__ import annotations

from typing import Any

from emulators.apim.elements import Element, element
from emulators.apim.errors import MissingReference
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run
from emulators.apim.urls import parse_base


@element(
    "set-backend-service",
    title="Set backend service",
    sections=frozenset({"inbound", "backend"}),
    attributes="base-url backend-id",
    partial="no Service Fabric attributes, no Dapr",
)
def set_backend_service(element: Element) -> Run:
    element.no_children()
    if element.has("base-url") == element.has("backend-id"):
        element.invalid("<set-backend-service> needs either base-url or backend-id", "backend-id")
        return lambda context: None
    return _by_id(element) if element.has("backend-id") else _by_url(element)


def _by_id(element: Element) -> Run:
    value = element.value("backend-id")
    known = element.builder.references.backends
    if value.literal is not None and value.literal not in known:
        message = f"there is no backend {value.literal!r}: add an azurerm_api_management_backend"
        element.report(MissingReference(message, where=element.where, name=value.literal))

    def run(context: Context) -> None:
        backend: Any = context.services.backends.get(value.text(context))
        if backend is None:
            raise Failure(500, "BackendNotFound", f"Backend with id '{value.text(context)}' could not be found.")
        context.request.base, context.request.backend_id = backend.url, backend.id

    return run


def _by_url(element: Element) -> Run:
    value = element.value("base-url")
    fixed = None
    if value.literal is not None:
        fixed = parse_base(value.literal)
        if fixed is None:
            element.invalid(f"'base-url' must be an absolute http or https URL, not {value.literal!r}", "base-url")

    def run(context: Context) -> None:
        base = fixed or parse_base(value.text(context))
        if base is None:
            raise Failure(500, "BackendUrlInvalid", f"'{value.text(context)}' is not an absolute URL.")
        context.request.base, context.request.backend_id = base, None

    return run
