"""Locks pin everything by hash and name no address that packages came from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = [
    ROOT / "requirements.txt",
    *sorted((ROOT / "requirements").glob("*.txt")),
    *ROOT.glob("servers/*/requirements.txt"),
]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_has_a_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w, -]+\])?==[^ ;\\]+", text, re.M)
    requirements = re.findall(r"^[a-zA-Z0-9]", text, re.M)
    assert len(pinned) == len(requirements) > 10
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text


def test_every_session_that_installs_has_a_lock() -> None:
    """A session in noxfile.py and its lock share one name."""
    sessions = re.findall(r'install\(session, "(\w+)"\)', (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    assert {path.stem for path in LOCKS[1:]} >= set(sessions)
