from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from ops.errors import ToolError
from ops.terraform import binary
from ops.terraform.binary import PINNED, checked, download


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("terraform", "#!/bin/sh\n")
    return made.getvalue()


def site(content: bytes, published: str) -> binary.Fetch:
    name = f"terraform_{PINNED}_{binary._platform()}.zip"

    def fetch(url: str) -> bytes:
        return f"{published}  {name}\n".encode() if url.endswith("SHA256SUMS") else content

    return fetch


@pytest.mark.parametrize("version", ["1.11.0", "1.11.4", "1.12.0-rc1", "2.0.0"])
def test_recent_enough(version: str) -> None:
    """The minimum, and anything later, is taken."""
    assert checked(Path("/bin/terraform"), version).version == version


@pytest.mark.parametrize("version", ["1.5.7", "1.10.5", "0.15.0"])
def test_too_old(version: str) -> None:
    """An old Terraform is refused with its version, its place, what is needed and what to do."""
    with pytest.raises(
        ToolError, match=rf"Terraform {version} at /bin/terraform is too old: 1.11.0 or later is needed"
    ):
        checked(Path("/bin/terraform"), version)


def test_download_is_verified_and_runs(tmp_path: Path) -> None:
    """An archive with its published checksum is unpacked, executable."""
    content = archive()
    target = tmp_path / PINNED / "terraform"
    download(target, site(content, hashlib.sha256(content).hexdigest()))
    assert target.stat().st_mode & 0o111
    assert [path.name for path in target.parent.iterdir()] == ["terraform"]


def test_wrong_checksum_installs_nothing(tmp_path: Path) -> None:
    """An archive that is not what was published leaves no file."""
    target = tmp_path / PINNED / "terraform"
    with pytest.raises(ToolError, match="does not have its published SHA-256"):
        download(target, site(archive(), "0" * 64))
    assert not target.exists()


def test_no_network(tmp_path: Path) -> None:
    """Without network and without Terraform there is one sentence with both ways out."""

    def fetch(url: str) -> bytes:
        raise OSError("Name or service not known")

    with pytest.raises(
        ToolError, match=r"not on PATH and .* cannot be reached .*; install Terraform 1.11.0 or later, or"
    ):
        download(tmp_path / "terraform", fetch)


def test_unpublished_platform(tmp_path: Path) -> None:
    """A machine for which there is no release is told so."""
    with pytest.raises(ToolError, match="HashiCorp publishes no"):
        download(tmp_path / "terraform", lambda url: b"")


def test_kept_release_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was downloaded once is not downloaded again."""
    monkeypatch.setenv("PATH", str(tmp_path))
    kept = tmp_path / "terraform" / PINNED / "terraform"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert binary.find(tools=tmp_path).path == kept


def test_broken_binary(tmp_path: Path) -> None:
    """A file that does not run is named."""
    broken = tmp_path / "terraform"
    broken.write_text("not a program", encoding="utf-8")
    broken.chmod(0o755)
    with pytest.raises(ToolError, match="does not run"):
        binary.version_of(broken)
