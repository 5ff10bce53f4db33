from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
import tftest

from emulators import azurerm
from ops.servers.remove_server import without_entry
from ops.terraform import binary as terraform_binary
from ops.terraform import workspace
from tests.plan import change, servers
from tests.plan.bench import TERRAFORM, Bench

Planned = Callable[[int, str], tftest.TerraformPlanOutput]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write what is planned now into tests/plan/inventories")


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """For plans: what is applied here is only what they look up."""
    with _opened(tmp_path_factory.mktemp("plan")) as bench:
        yield bench


@pytest.fixture(scope="module")
def own_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """With a cloud of its own, for tests that apply and destroy."""
    with _opened(tmp_path_factory.mktemp("apply")) as bench:
        yield bench


@pytest.fixture(scope="module")
def applied(own_bench: Bench) -> Bench:
    """Production, applied."""
    for stage in (1, 2):
        change.apply(own_bench, stage, change.on_prod(own_bench))
    return own_bench


@contextmanager
def _opened(home: Path) -> Iterator[Bench]:
    workspace.copy(TERRAFORM, home / "terraform")
    (home / "state").mkdir()
    empty = home / "terraform.rc"
    empty.touch()
    # Told of the types in use only, as `invoke deploy` does it: a quarter of a plan's time.
    types = partial(azurerm.types_used, home, home / "state")
    with azurerm.serve(azurerm.Store(home / "cloud.json"), types=types) as attached:
        # Short-lived and small: Go's garbage collector would take a sixth of each plan.
        quiet = {"GOGC": "400", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        env = {**attached.env, **quiet, "TF_CLI_CONFIG_FILE": str(empty)}
        yield Bench(home, str(terraform_binary.find().path), env, attached.cloud)


@pytest.fixture(scope="session")
def planned(bench: Bench) -> Planned:
    """Plan of one stage in one environment or case; stage 2 is planned on an applied stage 1, as it is in life."""
    return _planner(bench)


@pytest.fixture(scope="session")
def as_recorded(
    planned: Planned, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planned]:
    """`planned`, with the servers for which inventories, costs and pictures are recorded.

    A server that somebody added since is in no record, and none gets wrong by it: `--regenerate` records it.
    """
    if request.config.getoption("--regenerate"):
        servers.record()
        yield planned
        return
    added = servers.not_recorded()
    if not added:
        yield planned
        return
    names = ", ".join(f"{server} of {environment}" for environment, found in added.items() for server in found)
    warnings.warn(
        f"inventories, docs/costs.md and pictures are compared without {names}, which they were not recorded with; to "
        "record what that costs, and read it: pytest tests/plan/test_stages.py --regenerate",
        stacklevel=1,
    )
    with _opened(tmp_path_factory.mktemp("recorded")) as bench:
        for environment, found in added.items():
            for server in found:
                path = bench.tfvars(environment)
                path.write_text(without_entry(path, server), encoding="utf-8")
        yield _planner(bench)


def _planner(bench: Bench) -> Planned:
    @cache
    def applied_stage1(case: str) -> None:
        _forget_state(bench.home)
        bench.apply(bench.stage(1), case=case)

    @cache
    def plan(stage: int, case: str) -> tftest.TerraformPlanOutput:
        if stage == 1:
            _forget_state(bench.home)
        else:
            applied_stage1(case)
        return bench.plan(bench.stage(stage), case=case)

    return plan


def _forget_state(home: Path) -> None:
    """The stages' state belongs to one environment at a time, and so does the cloud: some share a resource group."""
    for path in (*(home / "state").iterdir(), home / "cloud.json"):
        path.unlink(missing_ok=True)
