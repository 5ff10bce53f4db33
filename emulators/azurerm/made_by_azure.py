"""What a service makes by itself when it is made: there before any create of it, which the providers then refuse.

Only what no provider removes again: azurerm deletes API Management's sample APIs and products after it has created
the service (`api_management_resource.go`), and overwrites its global policy (`api_management_policy_resource.go`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from emulators.azurerm.catalog import Values, catalog_of
from emulators.azurerm.ids import pairs_of
from emulators.azurerm.values import empty

Made = tuple[str, Values]

GROUPS = ("administrators", "developers", "guests")


def made_with(type_: str, values: Values) -> Iterator[Made]:
    """(type, configuration) of each object that comes with this one."""
    for made, arguments in MAKERS[type_](values) if type_ in MAKERS else ():
        yield made, {**empty(catalog_of(made).resource(made)["block"]), **arguments}


def _api_management(values: Values) -> Iterator[Made]:
    """The built-in groups, and Azure Monitor's logger (hashicorp/terraform-provider-azurerm#29050)."""
    where = {"resource_group_name": values["resource_group_name"], "api_management_name": values["name"]}
    for name in GROUPS:
        yield "azurerm_api_management_group", {**where, "name": name, "display_name": name.capitalize()}
    yield "azurerm_api_management_logger", {**where, "name": "azuremonitor"}


def _diagnostic_setting(values: Values) -> Iterator[Made]:
    """On API Management: Azure Monitor's diagnostic, which nobody made (Azure/apiops#176).

    Whether it is there even before that, with the service, is open.
    """
    pairs = pairs_of(str(values["target_resource_id"]))
    names = {collection.lower(): name for collection, name in pairs}
    if names.get("providers", "").lower() == "microsoft.apimanagement" and pairs[-1][0].lower() == "service":
        where = {"resource_group_name": names["resourcegroups"], "api_management_name": names["service"]}
        logger = {"api_management_logger_id": f"{values['target_resource_id']}/loggers/azuremonitor"}
        yield "azurerm_api_management_diagnostic", {**where, "identifier": "azuremonitor", **logger}


MAKERS: dict[str, Callable[[Values], Iterator[Made]]] = {
    "azurerm_api_management": _api_management,
    "azurerm_monitor_diagnostic_setting": _diagnostic_setting,
}
