"""A stand-in for the azurerm and azuread providers: the real schemas and rules, and a cloud that is a file.

Use `with serve(path) as served:` and run Terraform with `served.env` added to its environment, or run
`python -m emulators.azurerm` and export what it prints.
"""

from __future__ import annotations

from emulators.azurerm.lifecycle import seed
from emulators.azurerm.server import Served, serve
from emulators.azurerm.used import types_used
from emulators.base.store import Store

__all__ = ["Served", "Store", "seed", "serve", "types_used"]
