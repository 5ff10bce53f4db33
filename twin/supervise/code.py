"""Which code a supervisor runs: after an edit or an upgrade, a reload would keep half of the old."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_NOT_SUPERVISED = {"arm", "provider"}  # the control plane and Terraform's provider: no process of a platform


def code_fingerprint() -> str:
    """Changes when the interpreter does, or a module that a platform's processes run."""
    digest = hashlib.sha256(f"{sys.executable} {sys.version}".encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        if path.relative_to(_PACKAGE).parts[0] in _NOT_SUPERVISED:
            continue
        stat = path.stat()
        digest.update(f"{path.relative_to(_PACKAGE)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
