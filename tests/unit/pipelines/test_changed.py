"""`nox -s emulators` is skipped for a pull request that changes nothing it depends on, and only then."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import noxfile
from tests.support.pipeline_expressions import read

ROOT = Path(__file__).parents[3]

SERVICES = {
    "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
    "GITHUB_BASE_REF": "main",
    "CHANGE_TARGET": "main",
}


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@tests.example"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def commit(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("changed", encoding="utf-8")
    git("add", path)
    git("commit", "--quiet", "--message", path)


@pytest.fixture(autouse=True)
def _pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone whose branch left `main` before `main` went on; no service says anything yet."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch", "main")
    commit("emulators/apim/load.py")
    git("switch", "--quiet", "--create", "topic")
    git("switch", "--quiet", "main")
    commit("emulators/entra/keys.py")
    git("update-ref", "refs/remotes/origin/main", "main")
    git("switch", "--quiet", "topic")
    for name in SERVICES:
        monkeypatch.delenv(name, raising=False)


class Skipped(Exception):
    """Nox ends a session so."""


class Session:
    """What the session does before it installs anything."""

    posargs: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.logged: list[str] = []

    def skip(self, reason: str) -> None:
        raise Skipped(reason)

    def log(self, line: str) -> None:
        self.logged.append(line)

    def install(self, *_: str, **__: object) -> None:
        raise StopIteration


def run() -> Session:
    """The session, up to its first installation; Skipped where it ends before that."""
    session = Session()
    with pytest.raises(StopIteration):
        noxfile.emulators.func(session)
    return session


@pytest.mark.parametrize(("name", "value"), SERVICES.items())
def test_a_pull_request_that_changes_no_emulator_skips_them(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each service; what `main` changed meanwhile is not the pull request's."""
    commit("docs/network.md")
    monkeypatch.setenv(name, value)
    with pytest.raises(Skipped, match="no change against main in emulators, requirements,"):
        run()


@pytest.mark.parametrize(
    "path",
    ["emulators/apim/load.py.new", "requirements/emulators.txt", "requirements.txt", "pyproject.toml", "noxfile.py"],
)
def test_a_change_that_they_depend_on_runs_them(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the log names it."""
    commit(path)
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    assert run().logged == [f"changed against main: {path}"]


def test_outside_of_a_pull_request_they_run() -> None:
    """On `main`, by a timer, on a laptop."""
    commit("docs/network.md")
    assert run().logged == []


def test_what_git_cannot_compare_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shallow clone has no target branch."""
    monkeypatch.setenv("GITHUB_BASE_REF", "elsewhere")
    assert run().logged == ["git cannot compare with elsewhere"]


def test_the_gates_run_in_a_full_clone() -> None:
    """Otherwise git cannot compare, and they would always run."""
    azure = read(ROOT / "pipelines" / "azure-pipelines.yml")
    github = read(ROOT / ".github" / "workflows" / "validate.yml")
    first = azure["stages"][0]["jobs"][0]["steps"][0]
    assert first == {"checkout": "self", "fetchDepth": "0"}
    checkouts = [
        step for job in github["jobs"].values() for step in job["steps"] if "checkout@" in step.get("uses", "")
    ]
    assert [step["with"]["fetch-depth"] for step in checkouts] == ["0"] * len(checkouts)
