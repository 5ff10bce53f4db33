"""What a part must show before it counts as serving."""

from __future__ import annotations

from pathlib import Path

from twin.supervise import health
from twin.supervise.spec import Health


async def test_a_part_that_is_being_prepared_is_not_asked(tmp_path: Path) -> None:
    """MongoDB answers before its users are there."""
    assert await health.check(Health("mongo", file=str(tmp_path / "ready")), 1) == "is being prepared"


async def test_a_prepared_part_is_asked(tmp_path: Path) -> None:
    (tmp_path / "ready").touch()
    assert await health.check(Health("mongo", file=str(tmp_path / "ready")), 1) == "nothing listens on port 1"
