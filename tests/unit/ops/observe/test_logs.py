from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ops.azure import az
from ops.config.environment import Environment
from ops.errors import AzError, NotDeployedError, UsageError
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


@pytest.fixture
def dev(make: Make) -> Environment:
    servers = {"mongodb": {"tiers": {"admin": {}, "reader": {}}}}
    return replace(make("dev"), variables={"mcp_servers": servers})


def test_on_azure_each_container_is_asked(
    dev: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The end of what each slot's container wrote, or of one's, by the slot's name or the group's."""
    asked: list[str] = []

    def text(*arguments: str) -> str:
        asked.append(" ".join(arguments))
        return "".join(f"line {number}\n" for number in range(30))

    monkeypatch.setattr(az, "text", text)
    logs.print_logs(dev)
    shown = "container logs --resource-group rg-mcp --name aci-mongodb-{}-a"
    assert asked == [shown.format("admin"), shown.format("reader")]
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (40, "mongodb-admin-a line 10", "mongodb-reader-a line 29")
    for part in ("mongodb-reader-a", "aci-mongodb-reader-a"):
        asked.clear()
        logs.print_logs(dev, part=part)
        assert asked == [shown.format("reader")]
    with pytest.raises(UsageError, match=r"mongodb-admin-a, mongodb-reader-a\. The gateway's log is in Log Analytics"):
        logs.print_logs(dev, part="gateway")


def test_each_replica_of_an_app_is_asked(
    dev: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every active revision: the newest may be the one that is not ready; one that ended meanwhile is left out."""
    servers = {"notes": {"compute": "container-apps", "tiers": {"reader": {}}}}
    environment = replace(dev, variables={"mcp_servers": servers})
    where = "--resource-group rg-mcp --name notes-reader"
    running = {
        "notes-reader--n1": ["notes-reader--n1-x", "notes-reader--n1-gone"],
        "notes-reader--n2": ["notes-reader--n2-y"],
    }

    def run(*arguments: str) -> list[dict[str, str]]:
        asked = " ".join(arguments)
        if asked == f"containerapp revision list {where}":
            return [{"name": name} for name in running]
        revision = asked.removeprefix(f"containerapp replica list {where} --revision ")
        return [{"name": name} for name in running[revision]]

    def text(*arguments: str) -> str:
        asked = " ".join(arguments)
        if "gone" in asked:
            running["notes-reader--n1"] = ["notes-reader--n1-x"]
            raise AzError("Azure failed")
        assert asked.startswith(f"containerapp logs show {where} --revision notes-reader--")
        assert asked.endswith(" --tail 300 --format text")
        return "ready\n"

    def refused(*_: str) -> str:
        raise AzError("you lack a role")

    monkeypatch.setattr(az, "run", run)
    monkeypatch.setattr(az, "text", text)
    logs.print_logs(environment)
    assert capsys.readouterr().out.splitlines() == ["notes-reader--n1-x ready", "notes-reader--n2-y ready"]
    monkeypatch.setattr(az, "text", refused)
    with pytest.raises(AzError, match="role"):
        logs.print_logs(environment)


def test_the_job_of_a_database_without_keys_has_a_log(make: Make) -> None:
    """What made the tiers users, or why it could not; there is no such job where no server uses one."""
    assert set(logs.chosen_groups(make("dev"), None)) == set()
    path = make("dev").folder / "terraform.tfvars"
    text = path.read_text(encoding="utf-8").replace('"cosmosdb-mongodb"', '"documentdb"')
    path.write_text(text, encoding="utf-8")
    assert logs.chosen_groups(make("dev"), "database-users") == {"database-users": "aci-database-users"}


def test_what_a_container_wrote_since() -> None:
    """Azure gives the whole log each time; a restarted container begins a new one."""
    assert logs.fresh("", "a\nb\n") == ["a", "b"]
    assert logs.fresh("a\n", "a\nb\n") == ["b"]
    assert logs.fresh("a\n", "a\n") == []
    assert logs.fresh("a\nb\n", "c\n") == ["c"]


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
