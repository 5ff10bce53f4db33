"""An environment that is being changed: its workspace, its ports, and how a change reaches what runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from emulators.base.state import State
from ops import local_platform
from ops.checks import doctor
from ops.cli.steps import Runner, Step
from ops.clients import outputs
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.local_platform import Ports
from ops.rollout import health_check
from ops.terraform import workspace
from ops.terraform.workspace import Workspace
from twin import control


@dataclass(frozen=True)
class Session:
    """`ports`: the local platform's, None on Azure."""

    space: Workspace
    ports: Ports | None

    @property
    def environment(self) -> Environment:
        return self.space.environment

    @property
    def runner(self) -> Runner:
        return self.space.runner

    def read_outputs(self) -> Platform:
        """Read what is applied; locally, also leave it where the twin finds it. A dry run reads nothing."""
        return self.runner.run(Step(self._read_outputs, outputs.NOTHING))

    def publish(self) -> Platform:
        """Let what is applied now reach what runs: a local platform takes it over."""
        return self.runner.run(Step(self._publish, outputs.NOTHING))

    def check_health(self, groups: Sequence[str]) -> None:
        """Wait until these container groups, which were just replaced, serve."""
        if self.ports is None:
            health_check.check_azure(self.environment, groups, self._read_outputs, self.runner)
        else:
            self.runner.run(Step(self._check_local, None))

    def _read_outputs(self) -> Platform:
        if self.ports is None:
            shown = self.space.terraform.show(self.space.stage(2))
            return outputs.from_show_json(shown, self.environment.name)
        ask = self.space.terraform
        one, two = (
            done.result() for done in ask.side_by_side(*(partial(ask.show, stage) for stage in self.space.stages))
        )
        state = workspace.with_local_secrets(State.from_show_json(one, two), self.environment)
        state.dump(self.space.home / "run" / "state.json")
        platform = outputs.from_show_json(two, self.environment.name)
        outputs.save(platform, self.space.home)
        return platform

    def _publish(self) -> Platform:
        platform = self._read_outputs()
        if self.ports and control.status(self.space.home) is not None:
            local_platform.start_or_reload(self.environment, self.ports)
        return platform

    def _check_local(self) -> None:
        if self.ports and control.status(self.space.home) is not None:  # nobody is called while nothing runs
            health_check.check_local(self.environment, self.ports, self._read_outputs)


@contextmanager
def opened(environment: Environment, runner: Runner) -> Iterator[Session]:
    """Open an environment that is deployed; NotDeployedError where there is nothing to work on, but in a dry run."""
    ports = local_platform.choose_ports(environment, keep=not runner.dry_run) if environment.is_local else None
    if environment.is_local and not runner.dry_run and not (environment.home / "run" / "state.json").exists():
        raise outputs.not_deployed(environment.name)
    if not environment.is_local:
        runner.run(doctor.required(environment, ("settings", "terraform", "az", "subscription")))
    variables = ports.variables(environment) if ports else {}
    with runner.lock(environment.home), workspace.opened(environment, variables, runner=runner) as space:
        for stage in space.stages:
            space.terraform.init(stage)
        yield Session(space, ports)
