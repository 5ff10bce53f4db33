"""The base image where none can be pulled: Debian with Python, by debootstrap, kept in `.twin/` for the next run.

It trusts whom this machine trusts, because pip fetches the server's packages inside it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUITE = "bookworm"
NAME = f"mcp-base:{SUITE}"
PACKAGES = "python3,python3-venv,ca-certificates"
MIRROR = "http://deb.debian.org/debian"
_BUNDLE = Path("etc/ssl/certs/ca-certificates.crt")


def archive(folder: Path = ROOT / ".twin" / "bases") -> Path:
    """A tar of the root file system; made where there is none. RuntimeError where it cannot be made."""
    tar = folder / f"{SUITE}.tar"
    if tar.exists():
        return tar
    if not shutil.which("debootstrap"):
        raise RuntimeError("debootstrap is not on PATH; `nox -s image` installs Debian's")
    root = folder / SUITE
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root), MIRROR],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise RuntimeError(f"debootstrap failed: {' | '.join(made.stdout.splitlines()[-3:])}")
    for waste in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(root / waste)
    own = Path("/") / _BUNDLE
    if own.exists():
        (root / _BUNDLE).unlink(missing_ok=True)
        shutil.copyfile(own, root / _BUNDLE)
    (root / "etc/pip.conf").write_text(f"[global]\ncert = /{_BUNDLE}\n", encoding="utf-8")
    partial = tar.with_suffix(".partial")
    subprocess.run(["tar", "--directory", str(root), "--create", "--file", str(partial), "."], check=True)
    partial.replace(tar)
    shutil.rmtree(root)
    return tar
