from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
sys.path.insert(0, str(POLICIES))  # as Checkov itself does for --external-checks-dir
os.environ.setdefault("LOG_LEVEL", "ERROR")

Verdicts = dict[str, set[str]]


@pytest.fixture(scope="session")
def scan() -> Callable[[Path, str], Verdicts]:
    """Runs one policy over a folder of HCL: {"passed": {address}, "failed": {address}}."""
    from checkov.runner_filter import RunnerFilter
    from checkov.terraform.runner import Runner

    def run(folder: Path, policy_id: str) -> Verdicts:
        report = Runner().run(
            root_folder=str(folder),
            external_checks_dir=[str(POLICIES)],
            runner_filter=RunnerFilter(checks=[policy_id]),
        )
        return {
            "passed": {record.resource for record in report.passed_checks},
            "failed": {record.resource for record in report.failed_checks},
        }

    return run
