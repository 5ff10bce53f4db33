"""Which resources report to Log Analytics, and which have to: see documented/diagnostics.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

_DOCUMENTED = yaml.safe_load((Path(__file__).parent / "documented/diagnostics.yaml").read_text(encoding="utf-8"))
REPORTS: dict[str, str] = _DOCUMENTED["reports"]
DOES_NOT: dict[str, str] = _DOCUMENTED["does_not"]

_SETTING = "azurerm_monitor_diagnostic_setting.this["


def type_of(address: str) -> str:
    """Resource type in an address such as `module.x["a.b"].azurerm_y.this["c"]`."""
    bare = address[: address.rindex("[")] if address.endswith("]") else address
    return bare.rsplit(".", 2)[-2]


def unlisted(addresses: Iterable[str]) -> set[str]:
    """Types of which nobody has said whether they report."""
    types = {type_of(address) for address in addresses}
    return {type_ for type_ in types if type_ not in REPORTS and not type_.startswith(tuple(DOES_NOT))}


def to_report(addresses: Iterable[str]) -> Counter[str]:
    """How many resources of each kind have to report."""
    return Counter(REPORTS[type_] for type_ in map(type_of, addresses) if type_ in REPORTS)


def settings(planned: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Diagnostic settings by their address."""
    return {address: values for address, values in planned.items() if _SETTING in address}


def reporting(planned: Mapping[str, Mapping[str, Any]]) -> Counter[str]:
    """How many settings there are of each kind, with which their key in Terraform begins."""
    return Counter(address.split('"')[-2].split("/")[0] for address in settings(planned))
