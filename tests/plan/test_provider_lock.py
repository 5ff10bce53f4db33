"""Lock files of both stages, written by real Terraform from a folder of packages that stands in for the registry."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.errors import ToolError
from ops.terraform import provider_lock
from tests.plan.bench import TERRAFORM, Bench

VERSIONS = {"azurerm": "5.2.0", "azuread": "3.9.0"}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Packages whose content is only their name: Terraform hashes them, and does not start them."""
    for name, version in VERSIONS.items():
        folder = tmp_path / "mirror" / "registry.terraform.io" / "hashicorp" / name
        folder.mkdir(parents=True)
        for platform in provider_lock.PLATFORMS:
            package = folder / f"terraform-provider-{name}_{version}_{platform}.zip"
            with zipfile.ZipFile(package, "w") as archive:
                archive.writestr(f"terraform-provider-{name}_v{version}", f"{name} for {platform}")
    return tmp_path / "mirror"


@pytest.fixture
def terraform(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform")))


def test_both_stages_are_locked_for_every_platform(bench: Bench, terraform: Path, mirror: Path) -> None:
    """One hash of each platform's package and provider; a second run finds nothing to write."""
    changed = provider_lock.lock(terraform, Path(bench.binary), mirror=mirror)
    assert changed == [terraform / stage / ".terraform.lock.hcl" for stage in ("stage1", "stage2")]
    texts = [path.read_text(encoding="utf-8") for path in changed]
    assert [re.findall(r'hashicorp/(\w+)" \{\n  version +?= "(.*)"', text) for text in texts] == [
        [("azurerm", "5.2.0")],
        [("azuread", "3.9.0"), ("azurerm", "5.2.0")],
    ]
    assert [text.count('"h1:') for text in texts] == [3, 6]
    assert not list(terraform.rglob(".terraform"))
    assert provider_lock.lock(terraform, Path(bench.binary), mirror=mirror) == []


def test_a_folder_without_a_platform_is_refused(bench: Bench, terraform: Path, mirror: Path) -> None:
    """Nothing is written, for neither stage: a lock that lacks a platform stops somebody's machine later."""
    next(mirror.rglob("*azuread*linux_arm64.zip")).unlink()
    with pytest.raises(ToolError, match="does not hold the providers for linux_amd64, linux_arm64, darwin_arm64"):
        provider_lock.lock(terraform, Path(bench.binary), mirror=mirror)
    assert not list(terraform.rglob(".terraform.lock.hcl"))


def test_an_unreachable_registry_is_one_sentence(terraform: Path) -> None:
    """What is not there, and where to run it instead; Terraform's own words are of Terraform 1.11."""
    said = (
        "\nError: Could not retrieve providers for locking\n\nTerraform failed to fetch the requested providers for "
        "linux_amd64 in order to\ncalculate their checksums: some providers could not be installed:\n- "
        "registry.terraform.io/hashicorp/azurerm: could not connect to\nregistry.terraform.io: failed to request "
        "discovery document: Get\n"
    )

    def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, int("lock" in command), "", said)

    with pytest.raises(ToolError, match=r"^registry\.terraform\.io cannot be reached from this machine"):
        provider_lock.lock(terraform, Path("terraform"), run=run)


def test_stages_that_disagree_are_refused(bench: Bench, terraform: Path, mirror: Path) -> None:
    """One stage's lock is of another day: the same objects would be read by two versions of the provider."""
    provider_lock.lock(terraform, Path(bench.binary), mirror=mirror)
    (terraform / "stage2" / provider_lock.LOCK).unlink()
    for package in mirror.rglob("*azurerm*.zip"):
        shutil.copy(package, package.with_name(package.name.replace("5.2.0", "5.3.0")))
    with pytest.raises(
        ToolError, match=r"different versions of registry.terraform.io/hashicorp/azurerm \(5.2.0, 5.3.0\)"
    ):
        provider_lock.lock(terraform, Path(bench.binary), mirror=mirror)
    assert not (terraform / "stage2" / provider_lock.LOCK).exists()
