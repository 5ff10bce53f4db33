from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
sys.path.insert(0, str(POLICIES))  # as Checkov itself does for --external-checks-dir
os.environ.setdefault("LOG_LEVEL", "ERROR")

Verdicts = dict[str, set[str]]


@pytest.fixture(scope="session", autouse=True)
def _registered() -> None:
    """Each policy once: Checkov would register all of them again with every run that is given their folder."""
    for path in sorted(POLICIES.glob("[A-Z]*.py")):
        importlib.import_module(path.stem)


@pytest.fixture(scope="session")
def scan() -> Callable[[Path, str], Verdicts]:
    """Runs one policy over a folder's HCL: {"passed": {address}, "failed": {address}}."""
    from checkov.runner_filter import RunnerFilter
    from checkov.terraform.runner import Runner

    def run(folder: Path, policy_id: str) -> Verdicts:
        runner_filter = RunnerFilter(checks=[policy_id])
        return _verdicts(Runner().run(str(folder), runner_filter=runner_filter))

    return run


@pytest.fixture(scope="session")
def scan_plans() -> Callable[[Sequence[Path], str], Verdicts]:
    """Runs one policy over plan documents that belong together."""
    from checkov.runner_filter import RunnerFilter
    from checkov.terraform.plan_runner import Runner

    def run(documents: Sequence[Path], policy_id: str) -> Verdicts:
        files = [str(document) for document in documents]
        runner_filter = RunnerFilter(checks=[policy_id])
        return _verdicts(Runner().run(None, files=files, runner_filter=runner_filter))

    return run


def _verdicts(report: object) -> Verdicts:
    return {
        verdict: {_address(record.resource) for record in getattr(report, f"{verdict}_checks")}
        for verdict in ("passed", "failed")
    }


def _address(resource: str) -> str:
    """Of a module call, one address for all its instances; Checkov leaves `module.` out."""
    return resource if "." in resource else f"module.{resource.partition('[')[0]}"
