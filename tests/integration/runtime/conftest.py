"""A home of its own for each test, and a promise that nothing of it is left running."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.base.state import State
from twin import control
from twin.control import Progress, RuntimeConfig, Status
from twin.supervise import lock
from twin.supervise.plan import ROOT
from twin.supervise.ports import PortBook

FAKE_SUPERVISOR = "tests.integration.runtime.fake_platform"


class Platform:
    """A home whose supervisor runs fake parts: the plan is {name: behaviour}."""

    def __init__(self, home: Path) -> None:
        self.home = home
        book = PortBook(home / "test-ports.json")
        self.config = RuntimeConfig(gateway_port=book.port_for("gateway"), entra_port=book.port_for("entra"))
        self.write_state()
        self.wants(entra="serve", server="serve", gateway="serve")

    def write_state(self) -> None:
        """What is applied, as the last step of an apply writes it."""
        State(()).dump(self.home / "run" / "state.json")

    def wants(self, **behaviours: str) -> None:
        (self.home / "run" / "fake.json").write_text(json.dumps(behaviours))

    def start(self, timeout: float = 15, progress: Progress | None = None) -> Status:
        return control.start(self.home, self.config, progress, timeout, FAKE_SUPERVISOR)

    def status(self) -> Status:
        found = control.status(self.home)
        assert found is not None
        return found

    def pids(self) -> dict[str, int | None]:
        return {name: part.pid for name, part in self.status().parts.items()}


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield Platform(tmp_path)
    control.stop(tmp_path)
    assert lock.leftovers(tmp_path) == []
