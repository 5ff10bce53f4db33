from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops.config import lock
from ops.errors import BusyError


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run is refused with the first one's process id, and may go when that has ended."""
    home = tmp_path / "home"
    with lock.held(home), pytest.raises(BusyError, match=rf"process {os.getpid()}"), lock.held(home):
        pytest.fail("both runs hold the lock")
    with lock.held(home):
        assert home.stat().st_mode & 0o777 == 0o700


def test_homes_are_independent(tmp_path: Path) -> None:
    """Two environments do not wait for each other."""
    with lock.held(tmp_path / "a"), lock.held(tmp_path / "b"):
        assert (tmp_path / "b" / "lock").exists()
