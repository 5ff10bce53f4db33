"""Which code a supervisor runs: after an edit or an upgrade, a reload would keep half of the old."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# The control plane and the Terraform provider are no processes of a platform.
_SUPERVISED = ("twin", *(f"emulators/{name}" for name in ("base", "apim", "entra", "mongodb")))


def code_fingerprint() -> str:
    """Changes when the interpreter does, or a module that a platform's processes run."""
    digest = hashlib.sha256(f"{sys.executable} {sys.version}".encode())
    files = (path for folder in _SUPERVISED for path in (_ROOT / folder).rglob("*.py"))
    for path in sorted(path for path in files if "tests" not in path.parts):
        stat = path.stat()
        digest.update(f"{path.relative_to(_ROOT)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
