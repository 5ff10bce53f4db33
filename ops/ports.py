"""Which ports the local gateway and issuer listen on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ops.environment import Environment
from ops.errors import BusyError
from twin.supervise.ports import PortBook, is_free

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    gateway: int
    entra: int

    def variables(self, environment: Environment) -> dict[str, str]:
        """The `-var` arguments that differ from terraform.tfvars: none in the usual case."""
        urls = {
            "public_base_url": f"http://{_HOST}:{self.gateway}",
            "entra_authority": f"http://{_HOST}:{self.entra}",
        }
        return {name: url for name, url in urls.items() if environment.variables.get(name) != url}


def choose(environment: Environment, ours: frozenset[int] = frozenset()) -> Ports:
    """The settings decide, else the URLs in terraform.tfvars; 0 picks a free port once and keeps it.

    `ours` are the ports on which this environment already listens.
    """
    book = PortBook(environment.home / "ports.json", ours)
    wanted = {
        "gateway": _wanted(environment.settings.gateway_port, environment.variables, "public_base_url"),
        "entra": _wanted(environment.settings.entra_port, environment.variables, "entra_authority"),
    }
    return Ports(**{name: port or book.port_for(name) for name, port in wanted.items()})


def check_free(ports: Ports, ours: frozenset[int] = frozenset()) -> None:
    """BusyError where another program listens; the sentence names the setting that picks another port."""
    for setting, port in (("GATEWAY_PORT", ports.gateway), ("ENTRA_PORT", ports.entra)):
        if port not in ours and not is_free(port):
            raise BusyError(
                f"port {port} on {_HOST} is taken by another program; stop it, or set {setting} to another port "
                "(0 picks a free one)"
            )
    if ports.gateway == ports.entra:
        raise BusyError(f"GATEWAY_PORT and ENTRA_PORT are both {ports.gateway}; give them different ports")


def _wanted(setting: int | None, variables: Mapping[str, object], url: str) -> int:
    return setting if setting is not None else urlsplit(str(variables.get(url) or "")).port or 0
