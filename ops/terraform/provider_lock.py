"""`python -m ops.terraform.provider_lock [--mirror FOLDER]`: write `.terraform.lock.hcl` of both stages.

The hashes of the providers come from their registry, or from a folder of provider packages (laid out as `terraform
providers mirror` does it). Both stages are locked in a copy and written when both are done: a run that fails changes
nothing, and one that finds nothing new writes nothing. Newer versions: delete the two files first.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ops.config.environment import ROOT
from ops.errors import OpsError, ToolError
from ops.terraform import binary as terraform_binary

PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_arm64")
LOCK = ".terraform.lock.hcl"
STAGES = ("stage1", "stage2")
_PROVIDER = re.compile(r'^provider "([^"]+)" \{\n  version +?= "([^"]+)"', re.MULTILINE)
# A person's own variables must not decide what is locked, nor where modules are noted.
_STRAY = ("TF_DATA_DIR", "TF_CLI_ARGS", "TF_CLI_ARGS_get", "TF_CLI_ARGS_providers", "TF_REATTACH_PROVIDERS")

Run = Callable[[Sequence[str], Path], subprocess.CompletedProcess[str]]


def lock(terraform: Path, binary: Path, *, mirror: Path | None = None, run: Run | None = None) -> list[Path]:
    """The lock files that changed; ToolError where the registry is out of reach, or Terraform refuses."""
    source = [f"-fs-mirror={mirror.resolve()}"] if mirror else []
    command = ["providers", "lock", "-no-color", *source, *(f"-platform={name}" for name in PLATFORMS)]
    with tempfile.TemporaryDirectory(prefix="provider-lock-") as folder:
        copy = Path(folder) / "terraform"
        shutil.copytree(terraform, copy, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfplan"))
        for stage in STAGES:
            for arguments in (["get", "-no-color"], command):
                _done((run or _run)([str(binary), *arguments], copy / stage), mirror)
        locked = {terraform / stage / LOCK: (copy / stage / LOCK).read_text(encoding="utf-8") for stage in STAGES}
    _agree(locked)
    changed = [path for path, text in locked.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(locked[path], encoding="utf-8")
    return changed


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in _STRAY} | {"CHECKPOINT_DISABLE": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def _done(ended: subprocess.CompletedProcess[str], mirror: Path | None) -> None:
    if ended.returncode == 0:
        return
    said = " ".join(ended.stderr.split())
    if mirror:
        raise ToolError(
            f"{mirror} does not hold the providers for {', '.join(PLATFORMS)}; fill it with "
            f"`terraform providers mirror` for each of them (Terraform said: {said[-300:]})"
        )
    if "could not connect to registry.terraform.io" in said or "failed to request discovery document" in said:
        raise ToolError(
            "registry.terraform.io cannot be reached from this machine, and only it has the providers' hashes: run "
            "python -m ops.terraform.provider_lock where it can be (HTTPS_PROXY names a proxy), or give --mirror"
        )
    raise ToolError(f"terraform could not lock the providers: {said[-500:]}")


def versions(path: Path) -> dict[str, str]:
    """Return the version of each provider that a lock file names; nothing where there is no file."""
    return dict(_PROVIDER.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _agree(locked: dict[Path, str]) -> None:
    """Both stages run the same provider; a lock of one stage that is older than the other's would say otherwise."""
    versions: dict[str, set[str]] = {}
    for text in locked.values():
        for provider, version in _PROVIDER.findall(text):
            versions.setdefault(provider, set()).add(version)
    for provider, found in versions.items():
        if len(found) > 1:
            raise ToolError(
                f"the stages lock different versions of {provider} ({', '.join(sorted(found))}): delete both "
                f"{LOCK} and run python -m ops.terraform.provider_lock again"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.terraform.provider_lock", description=__doc__)
    parser.add_argument("--mirror", type=Path, help="a folder of provider packages, instead of the registry")
    given = parser.parse_args(arguments)
    try:
        changed = lock(ROOT / "terraform", terraform_binary.find().path, mirror=given.mirror)
    except OpsError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    for path in changed:
        sys.stdout.write(f"written: {path.relative_to(ROOT)}; commit it\n")
    if not changed:
        sys.stdout.write("both lock files are as they were\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
