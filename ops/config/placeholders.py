"""Values of the shipped files that can be nobody's: whoever deploys puts their own there.

They are recognised by what they are, not by where they stand, so a copy of the shipped files for another environment is
found too: the zero GUID, `your-…`, addresses that are kept for documentation (RFC 5737, RFC 3849), and example.com and
its sisters (RFC 2606).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.config.environment import Environment
from ops.config.settings import AZURE, RULES
from ops.errors import SettingError

_ZERO = "00000000-0000-0000-0000-000000000000"
_DOCUMENTATION = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
_EXAMPLE = re.compile(r"(^|[@./])example\.(com|net|org)\b")
_YOURS = re.compile(r"^(your-|<your)")
#: Of the shipped files: Azure has one of each in the world, so whoever deploys them first has them.
_SHIPPED_NAME = re.compile(r"^(acr|keyvault-|cosmos-)?mcp-?pod-?(dev|prod)$")
_NAMES = ("name", "acr_name", "key_vault_name", "cosmos_account_name")
#: Settings that only `invoke bootstrap` asks for, and only where a pipeline of Azure DevOps deploys.
PIPELINE = ("ADO_ORG", "ADO_PROJECT", "SERVICE_CONNECTION_NAME")


def require_none(environment: Environment, *, pipeline: bool = False) -> None:
    """Raise SettingError that names each placeholder and its file; `pipeline`: those of PIPELINE too."""
    found = list(find(environment, pipeline=pipeline))
    if found:
        raise SettingError(f"{'; '.join(found)}: shipped as a placeholder, put your own there")


def find(environment: Environment, *, pipeline: bool = False) -> Iterator[str]:
    """Yield a phrase for each: its name, its value and its file."""
    folder = f"terraform/environments/{environment.name}"
    for path, value in _strings(environment.variables, ""):
        if is_placeholder(value):
            yield f"{path} in {folder}/terraform.tfvars is {value!r}"
    for name in AZURE:
        one = environment.given.get(name)
        wanted = pipeline or name not in PIPELINE
        if (
            one
            and wanted
            and is_placeholder(one.value)
            and not (RULES[name].tfvar and one.source == "terraform.tfvars")
        ):
            where = f"{folder}/{one.source}" if one.source == "settings.env" else one.source
            yield f"{name} in {where} is {one.value!r}"


def shipped_names(environment: Environment) -> Iterator[str]:
    """Yield a phrase for each name that is as shipped. Azure takes it once; `doctor` says so, nothing refuses it."""
    for name in _NAMES:
        value = environment.variables.get(name)
        if isinstance(value, str) and _SHIPPED_NAME.match(value):
            yield f"{name} = {value!r}"


def is_placeholder(value: str) -> bool:
    return value == _ZERO or bool(_YOURS.match(value) or _EXAMPLE.search(value)) or _is_documentation(value)


def _is_documentation(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return any(network.version == kept.version and network.subnet_of(kept) for kept in _DOCUMENTATION)  # type: ignore[arg-type]


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every string with its path, as `apim.publisher_email` or `deployer_ip_rules`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _strings(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _strings(inner, path)
