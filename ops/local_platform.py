"""The platform on this machine: the ports that its gateway, issuer and console listen on, and starting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ops.config.environment import Environment
from ops.config.settings import Settings
from ops.errors import BusyError
from twin import control
from twin.supervise.ports import PortBook, is_free
from twin.supervise.settings import RuntimeConfig

_HOST = "127.0.0.1"
CONSOLE_PORT = 8082


@dataclass(frozen=True)
class Ports:
    """`console` is None where the platform has no page of its own."""

    gateway: int
    entra: int
    console: int | None = None

    def variables(self, environment: Environment) -> dict[str, str]:
        """Return the `-var` arguments that differ from terraform.tfvars: none in the usual case."""
        urls = {
            "public_base_url": f"http://{_HOST}:{self.gateway}",
            "entra_authority": f"http://{_HOST}:{self.entra}",
        }
        return {name: url for name, url in urls.items() if environment.variables.get(name) != url}


def choose(environment: Environment, ours: frozenset[int] = frozenset(), *, keep: bool = True) -> Ports:
    """Choose ports: the settings decide, else the URLs in terraform.tfvars; 0 is any free port, kept with `keep`.

    `ours` are the ports on which this environment already listens.
    """
    book = PortBook(environment.home / "ports.json", ours, keep=keep)
    wanted = {
        "gateway": _wanted(environment.settings.gateway_port, environment.variables, "public_base_url"),
        "entra": _wanted(environment.settings.entra_port, environment.variables, "entra_authority"),
    }
    found = {name: port or book.port_for(name) for name, port in wanted.items()}
    return Ports(found["gateway"], found["entra"], _console(environment.settings, book, ours))


def _console(settings: Settings, book: PortBook, ours: frozenset[int]) -> int:
    """Choose the console's port; only `invoke status` tells its address, so a taken default is no reason to stop."""
    if settings.console_port:
        return settings.console_port
    asked = settings.console_port is not None or settings.gateway_port == 0  # 0: beside other platforms
    usual = not asked and (CONSOLE_PORT in ours or is_free(CONSOLE_PORT))
    return CONSOLE_PORT if usual else book.port_for("console")


def check_free(ports: Ports, ours: frozenset[int] = frozenset()) -> None:
    """Raise BusyError where another program listens; the sentence names the setting that picks another port."""
    listening = (("GATEWAY_PORT", ports.gateway), ("ENTRA_PORT", ports.entra), ("CONSOLE_PORT", ports.console))
    for setting, port in listening:
        if port is not None and port not in ours and not is_free(port):
            raise BusyError(
                f"port {port} on {_HOST} is taken by another program; stop it, or set {setting} to another port "
                "(0 picks a free one)"
            )
    if ports.gateway == ports.entra:
        raise BusyError(f"GATEWAY_PORT and ENTRA_PORT are both {ports.gateway}; give them different ports")
    if ports.console in (ports.gateway, ports.entra):
        raise BusyError(f"CONSOLE_PORT {ports.console} is the gateway's or the issuer's too; give it another port")


def _wanted(setting: int | None, variables: Mapping[str, object], url: str) -> int:
    return setting if setting is not None else urlsplit(str(variables.get(url) or "")).port or 0


def choose_ports(environment: Environment, *, keep: bool = True) -> Ports:
    """Return the ports to use; those on which this environment's own platform listens count as free."""
    return choose(environment, listening(environment), keep=keep)


def listening(environment: Environment) -> frozenset[int]:
    """Return the ports of the platform that runs now."""
    running = control.status(environment.home)
    return frozenset(part.port for part in running.parts.values() if part.port) if running else frozenset()


def config(environment: Environment, chosen: Ports) -> RuntimeConfig:
    """Return the settings that concern the runtime."""
    settings = environment.settings
    return RuntimeConfig(
        gateway_port=chosen.gateway,
        entra_port=chosen.entra,
        mongodb_uri=settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else None,
        mongo=settings.mongo,
        mongo_image=settings.mongo_image,
        runtime=settings.runtime,
        trace=settings.trace == "1",
        console_port=chosen.console,
    )


def start_or_reload(environment: Environment, chosen: Ports) -> bool:
    """Serve the state in `run/state.json`; True if the platform was started, False if it ran and was reloaded."""
    before = control.status(environment.home)
    after = control.start(environment.home, config(environment, chosen))
    return before is None or before.pid != after.pid
