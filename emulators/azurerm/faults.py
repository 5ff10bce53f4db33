"""Faults that Azure shows now and then, switched on by name: for tests of what goes on after them.

`serve(…, faults={"busy-api"})`, or the environment variable AZURERM_EMULATOR_FAULTS with the names, commas between.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field

from emulators.azurerm.catalog import Values
from emulators.azurerm.errors import ProviderError

VARIABLE = "AZURERM_EMULATOR_FAULTS"
#: Refuses one of two writes to the same API, once.
BUSY_API = "busy-api"
KNOWN = (BUSY_API,)
_PARTS_OF_AN_API = ("azurerm_api_management_api_operation_policy", "azurerm_api_management_api_policy")


@dataclass
class Faults:
    """`pending`: those that did not happen yet. Each happens once."""

    pending: set[str] = field(default_factory=set)
    _written: set[str] = field(default_factory=set)

    def before_write(self, type_: str, values: Values) -> None:
        """Raise ProviderError where a fault is due: the second part of an API that is written in this session."""
        if BUSY_API not in self.pending or type_ not in _PARTS_OF_AN_API:
            return
        api = f"{values['api_management_name']}/{values['api_name']}"
        if api not in self._written:
            self._written.add(api)
            return
        self.pending.remove(BUSY_API)
        # Azure/apiops#379, 2023-09-07: two writes side by side to one API.
        raise ProviderError(
            f"creating/updating a policy of API {api}: unexpected status 409 (409 Conflict) with error: "
            "PessimisticConcurrencyConflict: Operation on the API is in progress"
        )


def chosen(names: Collection[str] | None) -> Faults:
    """Return the named faults, else those of the environment variable; ProviderError for an unknown one."""
    wanted = set(os.environ.get(VARIABLE, "").split(",") if names is None else names) - {""}
    unknown = wanted - set(KNOWN)
    if unknown:
        raise ProviderError(f"{VARIABLE} names {', '.join(sorted(unknown))}; it knows {', '.join(KNOWN)}")
    return Faults(wanted)
