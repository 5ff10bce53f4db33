"""A stand-in for the azurerm and azuread providers: the real schemas and rules, and a cloud that is a file.

Use `with serve(path) as served:` and run Terraform with `served.env` added to its environment, or run
`python -m emulators.azurerm --store PATH` and export what it prints.
"""

from __future__ import annotations

from emulators.azurerm.cloud import AZURE_CLI_CLIENT_ID, DEPLOYER_OBJECT_ID, TENANT_ID, USERS
from emulators.azurerm.server import Served, serve
from emulators.azurerm.store import Store
from emulators.azurerm.used import types_used

__all__ = ["AZURE_CLI_CLIENT_ID", "DEPLOYER_OBJECT_ID", "TENANT_ID", "USERS", "Served", "Store", "serve", "types_used"]
