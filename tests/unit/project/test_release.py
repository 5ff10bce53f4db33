"""One version, in pyproject.toml; who spells it as well agrees; a release finds its notes in the changelog."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import release
from tools.release import ReleaseError

ROOT = Path(__file__).parents[3]
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Something later.

## [1.2.3] - 2026-11-30

### Fixed

- A fault. See [the page](docs/x.md).

## [1.2.2]

## [1.2.1] - 2026-01-01

[Unreleased]: https://example.test/compare
[1.2.1]: https://example.test/1.2.1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tree with the version 1.2.3, copies of it, and an environment that stayed behind."""
    files = {
        "pyproject.toml": '[project]\nname = "p"\nversion = "1.2.3"\n\n[tool.x]\ntarget-version = "3.4.5"\n',
        "CHANGELOG.md": CHANGELOG,
        "README.md": "docker push r.azurecr.io/mongodb-mcp:1.2.3\nand terraform 1.11.0\n",
        "servers/mongo-db-server/pyproject.toml": '[project]\nversion = "1.2.3"\n',
        "terraform/environments/local/terraform.tfvars": 'image = { repository = "mongodb-mcp", tag = "1.2.3" }\n',
        "terraform/environments/dev/terraform.tfvars": 'image = { repository = "mongodb-mcp", tag = "1.2.3" }\n',
        "terraform/environments/prod/terraform.tfvars": 'image = { repository = "mongodb-mcp", tag = "1.1.0" }\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_nothing_in_this_repository_spells_another_version() -> None:
    """`python -m tools.release set` writes them all."""
    current = release.version()
    found = list(release.copies(ROOT))
    assert [copy for copy in found if copy.version != current] == []
    assert {"README.md", "servers/mongo-db-server/pyproject.toml"} <= {copy.path for copy in found}


def test_no_environment_deploys_what_is_not_released() -> None:
    """It may stay behind: what an environment runs is its owner's choice."""
    numbers = [tuple(map(int, copy.version.split("."))) for copy in release.copies(ROOT, [release.DEPLOYED])]
    assert numbers
    assert max(numbers) <= tuple(map(int, release.version().split(".")))


def test_the_changelog_has_this_version_and_what_comes_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "\n## [Unreleased]\n" in text
    assert release.notes(text, release.version()).startswith("### ")
    assert release.notes(text, "0.1.0")


def test_notes_are_one_section() -> None:
    """Without its heading, the next one, and the definitions of links at the end of the file."""
    assert release.notes(CHANGELOG, "1.2.3") == "### Fixed\n\n- A fault. See [the page](docs/x.md).\n"


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("1.2.2", "gives 1.2.2 no date; write `## [1.2.2] - YYYY-MM-DD`"),
        ("1.2.1", "says nothing about 1.2.1; write what changed"),
        ("2.0.0", "has no section 2.0.0; rename Unreleased"),
    ],
)
def test_a_release_without_notes_is_refused(wanted: str, sentence: str) -> None:
    with pytest.raises(ReleaseError, match=r"CHANGELOG\.md") as caught:
        release.notes(CHANGELOG, wanted)
    assert sentence in str(caught.value)


def test_a_tag_that_fits(project: Path) -> None:
    release.check("v1.2.3", project)


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2.4", "v1.2.3-rc1"])
def test_a_tag_that_is_not_the_version_is_refused(project: Path, tag: str) -> None:
    with pytest.raises(ReleaseError, match=f"the tag is {tag} and the version in pyproject.toml 1.2.3"):
        release.check(tag, project)


def test_a_copy_that_differs_is_refused(project: Path) -> None:
    """By file and line."""
    (project / "README.md").write_text("one\nmongodb-mcp:1.2.2\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"README\.md:2 says 1\.2\.2, and the version is 1\.2\.3; run "):
        release.check("v1.2.3", project)


def test_a_new_version_is_written_everywhere(project: Path) -> None:
    """What is no version of ours stays, and so does an environment that had stayed behind."""
    changed = release.write("1.3.0", project)
    assert changed == [
        "pyproject.toml",
        "servers/mongo-db-server/pyproject.toml",
        "README.md",
        "terraform/environments/local/terraform.tfvars",
        "terraform/environments/dev/terraform.tfvars",
    ]
    assert release.version(project) == "1.3.0"
    assert {copy.version for copy in release.copies(project)} == {"1.3.0"}
    assert "1.11.0" in (project / "README.md").read_text(encoding="utf-8")
    assert [copy.version for copy in release.copies(project, [release.DEPLOYED])] == ["1.3.0", "1.3.0", "1.1.0"]


def test_what_is_no_version_is_refused(project: Path) -> None:
    with pytest.raises(ReleaseError, match="give three numbers"):
        release.write("1.3", project)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on standard error and exit code 1 for what does not fit, 2 for what is not understood."""
    assert release.main(["version"]) == 0
    assert capsys.readouterr().out == f"{release.version()}\n"
    assert release.main(["check", "v0.0.0"]) == 1
    assert capsys.readouterr().err.startswith("error: the tag is v0.0.0")
    assert release.main([]) == 2
