"""The papers of the project say what the code does: hooks, development container, owners, forms."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import noxfile

ROOT = Path(__file__).parents[3]
PAPERS = (
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "SECURITY.md",
    ".editorconfig",
    ".gitattributes",
    ".github/CODEOWNERS",
    ".github/pull_request_template.md",
)


@pytest.fixture(scope="module")
def sessions() -> Any:
    return noxfile


def container() -> Any:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", PAPERS)
def test_it_is_there_and_says_something(name: str) -> None:
    assert (ROOT / name).stat().st_size > 300


def test_the_hooks_are_the_checks_of_lint(sessions: Any) -> None:
    """In their order, each by the session itself: there is no second list of arguments to drift."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    assert {hook["id"]: hook["entry"] for hook in repository["hooks"]} == {
        name: f"nox -R -s lint -- {name}" for name in sessions.LINT
    }
    assert [hook["id"] for hook in repository["hooks"]] == list(sessions.LINT)
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in repository["hooks"])


def test_one_version_of_python_is_developed_on() -> None:
    """The oldest that is promised: what is newer is found out by `versions.yml`, what is missing at once."""
    pinned = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == f">={pinned}"
    assert project["tool"]["mypy"]["python_version"] == pinned
    assert f"python:{pinned}-" in container()["image"]


def test_the_development_container_brings_what_the_sessions_look_for() -> None:
    """Terraform as old as the project accepts, Node 20 or newer, an engine, the Azure CLI; tools by hash."""
    features = {name.rpartition("/")[2].partition(":")[0]: options for name, options in container()["features"].items()}
    assert {"terraform", "node", "docker-in-docker", "azure-cli"} <= set(features)
    assert tuple(map(int, features["terraform"]["version"].split("."))) >= (1, 11)
    assert int(features["node"]["version"]) >= 20
    assert "--require-hashes -r requirements.txt" in container()["postCreateCommand"]


def test_owners_own_folders_that_exist() -> None:
    text = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0][0] == "*"
    assert [path for path, *_ in lines[1:] if not (ROOT / path.strip("/")).is_dir()] == []
    assert all(owners and all(owner.startswith("@") for owner in owners) for _, *owners in lines)


def test_contributing_names_every_session() -> None:
    """A session that is not in its table is not found by who looks there."""
    command = [sys.executable, "-m", "nox", "--list", "--json"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    named = set(re.findall(r"^\| `([a-z]+)` \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {session["session"] for session in json.loads(listed.stdout)} <= named


LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
LINKED = sorted([*ROOT.glob("*.md"), *(ROOT / ".github").glob("*.md")])


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_no_link_of_a_paper_leads_nowhere(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()] == []
