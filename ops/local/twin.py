"""What the tasks ask of the twin's runtime, in their own words."""

from __future__ import annotations

from ops.config.environment import Environment
from ops.local import ports
from ops.local.ports import Ports
from twin import control
from twin.supervise.settings import RuntimeConfig


def choose_ports(environment: Environment, *, keep: bool = True) -> Ports:
    """The ports to use; those on which this environment's own platform listens count as free."""
    return ports.choose(environment, listening(environment), keep=keep)


def listening(environment: Environment) -> frozenset[int]:
    """The ports of the platform that runs now."""
    running = control.status(environment.home)
    return frozenset(part.port for part in running.parts.values() if part.port) if running else frozenset()


def config(environment: Environment, chosen: Ports) -> RuntimeConfig:
    """The settings that concern the runtime."""
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


def ensure(environment: Environment, chosen: Ports) -> bool:
    """Serving the state in `run/state.json`: started, or reloaded where it ran already; True if it was started."""
    before = control.status(environment.home)
    after = control.start(environment.home, config(environment, chosen))
    return before is None or before.pid != after.pid
