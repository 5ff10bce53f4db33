"""Find Terraform, or fetch the pinned release into the project's own folder.

What is verified of a download: the archive's SHA-256 against the `SHA256SUMS` that HashiCorp publishes beside it, both
over HTTPS. The OpenPGP signature of that file is not checked.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ops.config.environment import ROOT
from ops.errors import ToolError

PINNED = "1.11.4"
# The oldest that the gates have run with; the language of the roots needs 1.9 (`required_version`).
MINIMUM = (1, 11, 0)
_RELEASES = "https://releases.hashicorp.com/terraform"
_TIMEOUT = 30.0

Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Binary:
    path: Path
    version: str


def find(*, tools: Path = ROOT / ".tools", fetch: Fetch | None = None) -> Binary:
    """Return Terraform from PATH, else from `.tools`, else downloaded there; ToolError when too old or out of reach."""
    on_path = shutil.which("terraform")
    if on_path:
        return checked(Path(on_path), version_of(Path(on_path)))
    kept = tools / "terraform" / PINNED / "terraform"
    if not kept.exists():
        download(kept, fetch or _fetch)
    return Binary(kept, PINNED)


def checked(path: Path, version: str) -> Binary:
    """Raise ToolError when that version is too old."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version.split("-")[0])[:3])
    if numbers < MINIMUM:
        needed = ".".join(map(str, MINIMUM))
        raise ToolError(
            f"Terraform {version} at {path} is too old: {needed} or later is needed; upgrade it, or take it off PATH "
            f"and the tasks fetch {PINNED} themselves"
        )
    return Binary(path, version)


def version_of(path: Path) -> str:
    """Return what `terraform version` says, remembered per binary because asking takes a quarter of a second."""
    stamp = f"{path.resolve()}:{path.stat().st_mtime_ns}:{path.stat().st_size}"
    memo = ROOT / ".tools" / "terraform-version.json"
    try:
        remembered = json.loads(memo.read_text(encoding="utf-8"))
        if remembered["stamp"] == stamp:
            return str(remembered["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing usable is remembered: ask
    version = _ask(path)
    memo.parent.mkdir(parents=True, exist_ok=True)
    memo.write_text(json.dumps({"stamp": stamp, "version": version}), encoding="utf-8")
    return version


def _ask(path: Path) -> str:
    try:
        answer = subprocess.run([str(path), "version", "-json"], capture_output=True, text=True, timeout=30, check=True)
        return str(json.loads(answer.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(f"{path} does not run ({error}); reinstall Terraform or take it off PATH") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{path} did not tell its version; reinstall Terraform or take it off PATH") from error


def download(target: Path, fetch: Fetch) -> None:
    """Put the pinned release at `target`; nothing is left there unless its checksum is the published one."""
    archive = f"terraform_{PINNED}_{_platform()}.zip"
    base = f"{_RELEASES}/{PINNED}"
    try:
        sums = fetch(f"{base}/terraform_{PINNED}_SHA256SUMS").decode()
        content = fetch(f"{base}/{archive}")
    except OSError as error:
        raise ToolError(
            f"Terraform is not on PATH and {_RELEASES} cannot be reached ({error}); install Terraform "
            f"{'.'.join(map(str, MINIMUM))} or later, or connect to the network"
        ) from error
    published = _published(sums, archive)
    if hashlib.sha256(content).hexdigest() != published:
        raise ToolError(f"{archive} does not have its published SHA-256 {published}; nothing was installed, try again")
    _unpack(content, target)


def _published(sums: str, archive: str) -> str:
    for line in sums.splitlines():
        digest, _, name = line.partition("  ")
        if name.strip() == archive:
            return digest
    raise ToolError(f"HashiCorp publishes no {archive}; install Terraform for this machine yourself")


def _unpack(content: bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        archive = Path(folder) / "terraform.zip"
        archive.write_bytes(content)
        with zipfile.ZipFile(archive) as opened:
            unpacked = Path(opened.extract("terraform", folder))
        unpacked.chmod(0o755)
        unpacked.replace(target)


def _platform() -> str:
    system = platform.system().lower()
    machine = platform.machine().lower()
    architecture = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, machine)
    return f"{system}_{architecture}"


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - the scheme is fixed above
        content: bytes = answer.read()
    return content


def main() -> int:
    """Print the path, for other tools' use."""
    try:
        sys.stdout.write(f"{find().path}\n")
    except ToolError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
