"""What GitHub runs beside the pipelines: releases, the versions of Python, and updates of dependencies."""

from __future__ import annotations

import fnmatch
import itertools
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))


def read(path: Path) -> Any:
    """`on` stays a word: YAML 1.1 would make it true."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in document.items()}


RELEASE = read(GITHUB / "workflows" / "release.yml")


def scripts(workflow: Any) -> list[str]:
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    return [step["run"] for step in steps if "run" in step]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_scripts_are_bash_and_take_nothing_into_their_text(path: Path) -> None:
    """What a person typed, or a tag's name, comes as a variable: in a script's text it could be a command.

    The environment's name is one of a list (`type: choice`).
    """
    for script in scripts(read(path)):
        named = re.findall(r"\$\{\{\s*(.*?)\s*\}\}", script)
        assert set(named) <= {"inputs.environment", "inputs.environment || 'dev'"}, script
        checked = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_a_release_is_made_of_a_tag_and_in_order() -> None:
    """Nothing is pushed or released before the tag is checked and every gate has passed."""
    assert RELEASE["on"] == {"push": {"tags": ["v*"]}}
    needs = {name: job.get("needs") for name, job in RELEASE["jobs"].items()}
    assert needs == {
        "check": None,
        "validate": "check",
        "image": "validate",
        "wheels": "validate",
        "release": ["image", "wheels"],
    }
    assert 'python3 -m tools.release check "$GITHUB_REF_NAME"' in scripts(RELEASE)


def test_each_job_may_write_only_what_it_makes() -> None:
    written = {
        (name, scope)
        for name, job in RELEASE["jobs"].items()
        for scope, access in job.get("permissions", {}).items()
        if access == "write"
    }
    assert RELEASE["permissions"] == {"contents": "read"}
    assert written == {("image", "packages"), ("release", "contents"), ("validate", "security-events")}


def build_command() -> list[str]:
    (script,) = (script for script in scripts(RELEASE) if "buildx build" in script)
    joined = script.replace("\\\n", " ")
    (line,) = (line for line in joined.splitlines() if "buildx build" in line)
    return shlex.split(re.sub(r"\$\(.*?\)", "", line))


def test_the_image_has_sbom_and_provenance_and_says_what_it_is() -> None:
    """By the arguments that its Dockerfile takes; the digest is what is passed on."""
    command = build_command()
    assert {"--push", "--sbom=true", "--provenance=mode=max"} <= set(command)
    given = {value.partition("=")[0] for flag, value in itertools.pairwise(command) if flag == "--build-arg"}
    dockerfile = Path(ROOT, command[command.index("--file") + 1]).read_text(encoding="utf-8")
    taken = set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE))
    assert given == {"VERSION", "REVISION", "CREATED", "SOURCE_DATE_EPOCH"} <= taken
    assert "containerimage.digest" in "".join(scripts(RELEASE))


def test_the_build_context_holds_what_the_image_copies() -> None:
    """The Dockerfile's own paths, in the folder that the workflow builds from."""
    command = build_command()
    context, dockerfile = ROOT / command[-1], ROOT / command[command.index("--file") + 1]
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    assert copies
    assert [source for sources in copies for source in sources.split() if not (context / source).exists()] == []


def test_every_python_that_is_promised_is_tried() -> None:
    """From requires-python up to the newest."""
    workflow = read(GITHUB / "workflows" / "versions.yml")
    tried = workflow["jobs"]["unit"]["strategy"]["matrix"]["python"]
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert tried == ["3.11", "3.12", "3.13", "3.14"]
    assert promised == f">={tried[0]}"


MANIFESTS = {
    "pip": ("requirements*.txt", "*/requirements.txt", "requirements/*.txt"),
    "terraform": ("terraform/*/terraform.tf",),
    "npm": ("*package.json",),
    "docker": ("*Dockerfile",),
    "github-actions": (".github/actions/*",),
}
UPDATES = {entry["package-ecosystem"]: entry for entry in read(GITHUB / "dependabot.yml")["updates"]}


@pytest.mark.parametrize("ecosystem", MANIFESTS)
def test_every_folder_with_a_manifest_is_kept_up_to_date(ecosystem: str) -> None:
    """And no entry leads nowhere. The template of a server follows the MongoDB server's lock by hand."""
    parents = {path.parent.as_posix() for path in tracked(*MANIFESTS[ecosystem]) if "templates" not in path.parts}
    folders = {"/" if parent == "." else f"/{parent}" for parent in parents}
    patterns = UPDATES[ecosystem]["directories"]
    reached = {folder for folder in folders for pattern in patterns if matches(folder, pattern)}
    assert folders == reached
    idle = [pattern for pattern in patterns if not any(matches(folder, pattern) for folder in folders)]
    assert [pattern for pattern in idle if (ecosystem, pattern) != ("github-actions", "/")] == []


def matches(folder: str, pattern: str) -> bool:
    """A star stands for one folder ("Dependabot options reference", directories)."""
    return folder.count("/") == pattern.count("/") and fnmatch.fnmatch(folder, pattern)


@pytest.mark.parametrize("ecosystem", MANIFESTS)
def test_updates_come_together_and_not_at_once(ecosystem: str) -> None:
    """One pull request a week for each kind, of releases that are a week old."""
    entry = UPDATES[ecosystem]
    assert entry["schedule"] == {"interval": "weekly"}
    assert entry["cooldown"] == {"default-days": 7}
    assert [group["patterns"] for group in entry["groups"].values()] == [["*"]]
