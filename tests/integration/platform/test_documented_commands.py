"""The documented Terraform commands, as written, with the stand-in provider attached by hand."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.platform_under_test import ROOT

VAR_FILE = "-var-file=../environments/dev/terraform.tfvars"
# The state account of the documented `init` does not exist here: the state stays on this machine.
LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What `python -m emulators.azurerm` tells a person to export, while it serves."""
    store = tmp_path_factory.mktemp("provider") / "cloud.json"
    _seed_resource_group(store)
    serving = subprocess.Popen(
        [sys.executable, "-m", "emulators.azurerm", "--store", str(store)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert serving.stdout is not None
    exported = ""
    while not exported.startswith("export "):
        exported = serving.stdout.readline()
        assert exported, "the provider ended before it printed what to export"
    name, value = re.fullmatch(r"export (\w+)='(.*)'\n", exported).groups()  # type: ignore[union-attr]
    try:
        yield {**os.environ, name: value, "CHECKPOINT_DISABLE": "1"}
    finally:
        serving.send_signal(signal.SIGINT)
        assert serving.wait(60) == 0


def _seed_resource_group(store: Path) -> None:
    """Step 1's `az group create`."""
    from emulators.azurerm import Store, seed
    from ops.config import environment

    dev = environment.load("dev")
    seed(
        Store(store),
        "azurerm_resource_group",
        {"name": dev.need("RESOURCE_GROUP"), "location": dev.need("LOCATION")},
        subscription_id=dev.need("SUBSCRIPTION_ID"),
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("checkout") / "terraform"
    shutil.copytree(ROOT / "terraform", copy, symlinks=True, ignore=shutil.ignore_patterns(".terraform"))
    return copy


def terraform(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [shutil.which("terraform") or _fetched(), *arguments, "-no-color"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"terraform {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _fetched() -> str:
    found = subprocess.run(
        [sys.executable, "-m", "ops.terraform.binary"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_validate_needs_no_backend(checkout: Path, attached: dict[str, str], stage: str) -> None:
    folder = checkout / stage
    terraform(folder, attached, "init", "-backend=false")
    assert "Success! The configuration is valid." in terraform(folder, attached, "validate")


def test_plan_and_apply_of_both_stages_need_no_other_file(checkout: Path, attached: dict[str, str]) -> None:
    """`cd terraform/stage2 && terraform plan -var-file=../environments/dev/terraform.tfvars`, without warnings."""
    for stage in ("stage1", "stage2"):
        folder = checkout / stage
        (folder / "backend_override.tf").write_text(LOCAL_BACKEND)
        terraform(folder, attached, "init", "-reconfigure")
        planned = terraform(folder, attached, "plan", VAR_FILE)
        assert re.search(r"Plan: \d+ to add, 0 to change, 0 to destroy\.", planned)
        assert "Warning" not in planned
        terraform(folder, attached, "apply", VAR_FILE, "-auto-approve")
        assert "No changes." in terraform(folder, attached, "plan", VAR_FILE)
