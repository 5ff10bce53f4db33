"""What every day-2 task begins with: an environment that is deployed, its workspace, and how to publish a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ops.checks import doctor
from ops.clients.outputs import Platform, not_deployed
from ops.config import lock
from ops.config.environment import Environment
from ops.local import twin as twin_control
from ops.local.ports import Ports
from ops.rollout import deploy
from ops.rollout import rolling_update as rolling
from ops.terraform import binary as terraform_binary
from ops.terraform import workspace
from ops.terraform.workspace import Workspace
from twin import control


@dataclass(frozen=True)
class Running:
    """`chosen`: the local platform's ports, None on Azure."""

    space: Workspace
    chosen: Ports | None

    @property
    def environment(self) -> Environment:
        return self.space.environment

    @property
    def settle(self) -> Callable[[rolling.Wave], None]:
        return deploy.settling(self.space, self.chosen)

    def publish(self) -> Platform:
        """What is applied now reaches what runs; locally the twin takes it over."""
        reached = deploy.published(self.space) if self.chosen else deploy.applied(self.space)
        if self.chosen and control.status(self.space.home) is not None:
            twin_control.ensure(self.environment, self.chosen)
        return reached


@contextmanager
def opened(environment: Environment) -> Iterator[Running]:
    """NotDeployedError where there is nothing to work on."""
    chosen = twin_control.choose_ports(environment) if environment.is_local else None
    if environment.is_local and not (environment.home / "run" / "state.json").exists():
        raise not_deployed(environment.name)
    if not environment.is_local:
        doctor.require(environment, ("settings", "terraform", "az", "subscription"))
    variables = chosen.variables(environment) if chosen else {}
    with (
        lock.held(environment.home),
        workspace.opened(environment, terraform_binary.find(), variables) as space,
    ):
        for stage in space.stages:
            space.terraform.init(stage)
        yield Running(space, chosen)
