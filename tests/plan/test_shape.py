"""What holds the two stages and three environments together, and is written in more than one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops.config import tfvars
from tests.plan.bench import ENVIRONMENTS, MODULES, SHARED, TERRAFORM


def _declared(folder: Path) -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
    return set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("stage", [1, 2])
def test_what_both_stages_read_is_one_file(stage: int, name: str) -> None:
    """A link, not a copy: `git config core.symlinks true` where a checkout made it a text."""
    link = TERRAFORM / f"stage{stage}" / name
    assert link.is_symlink(), f"{link} is no link: see terraform/shared/README.md"
    assert link.readlink() == Path("../shared", name)


@pytest.mark.parametrize("stage", [1, 2])
def test_one_tfvars_serves_both_stages(stage: int) -> None:
    """Each stage knows every variable, with its type and rules, and none of its own: no warning, no untyped value."""
    assert _declared(TERRAFORM / f"stage{stage}") == _declared(TERRAFORM / "shared")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_values_are_declared(environment: str) -> None:
    """Terraform only warns about a misspelt name; the value would silently not apply."""
    given = tfvars.read(TERRAFORM / "environments" / environment / "terraform.tfvars")
    assert set(given) - _declared(TERRAFORM / "shared") == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_values_name_their_own_environment(environment: str) -> None:
    """`environment` is the folder's name: images.json is looked for there."""
    given = tfvars.read(TERRAFORM / "environments" / environment / "terraform.tfvars")
    assert given["environment"] == environment


@pytest.mark.parametrize("module", MODULES)
def test_modules_have_one_shape(module: str) -> None:
    """Who knows one module finds their way in every other."""
    files = {path.name for path in (TERRAFORM / "modules" / module).iterdir()}
    assert {"main.tf", "outputs.tf", "variables.tf", "terraform.tf", "README.md"} - files == set()


def test_only_values_name_a_server() -> None:
    """A second server is one entry in mcp_servers: no code knows the first by name."""
    code = [path for path in TERRAFORM.rglob("*.tf*") if "environments" not in path.parts and path.is_file()]
    names = [
        f"{_short(path)}: {line.strip()}"
        for path in code
        for line in _lines(path)
        if re.search(r'"mongodb(?!\+srv:)', line)
    ]
    assert names == []


def _lines(path: Path) -> list[str]:
    return [line.split("#")[0] for line in path.read_text(encoding="utf-8").splitlines() if "description" not in line]


def _short(path: Path) -> str:
    return str(path.relative_to(TERRAFORM))
