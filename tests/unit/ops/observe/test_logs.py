from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import NotDeployedError, UsageError
from ops.observe import logs
from tests.unit.ops.conftest import Make


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / f"{name}.log" for name in ("gateway", "entra")}
    for name, path in found.items():
        path.write_text("".join(f"{name} {number}\n" for number in range(30)), encoding="utf-8")
    return found


def test_unknown_part(files: dict[str, Path]) -> None:
    """A part without a log is refused with those that have one."""
    with pytest.raises(UsageError, match="entra, gateway"):
        logs.chosen(files, "nope")


def test_no_logs_yet() -> None:
    """Before the first deployment there is nothing to show."""
    with pytest.raises(NotDeployedError, match="invoke deploy"):
        logs.chosen({}, None)


def test_end_of_each_log(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """The last lines, each with its part's name."""
    folder = make().home / "logs"
    folder.mkdir(parents=True)
    (folder / "gateway.log").write_text("one\ntwo\n", encoding="utf-8")
    logs.print_logs(make())
    assert capsys.readouterr().out.splitlines() == ["gateway      one", "gateway      two"]


def test_azure_logs_are_elsewhere(make: Make) -> None:
    """On Azure the task says where the logs are."""
    with pytest.raises(UsageError, match="Log Analytics"):
        logs.print_logs(make("dev"))


def test_following_shows_whole_new_lines_once(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A line that is still being written waits for its end; a rotated log is read from its start."""
    path = files["gateway"]
    position = path.stat().st_size
    with path.open("a", encoding="utf-8") as file:
        file.write("whole\nhal")
    position = logs.more("gateway", path, position)
    with path.open("a", encoding="utf-8") as file:
        file.write("f\n")
    position = logs.more("gateway", path, position)
    path.write_text("rotated\n", encoding="utf-8")
    logs.more("gateway", path, position)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["whole", "half", "rotated"]
