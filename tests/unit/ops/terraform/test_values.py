"""Values are judged by Terraform itself, before anything is planned, and without Azure."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from ops.config import environment as environments
from ops.config import tfvars
from ops.config.environment import Environment
from ops.errors import SettingError
from ops.terraform import values

BASE = (environments.ROOT / "terraform/environments/dev/terraform.tfvars").read_text(encoding="utf-8")


def environment(tmp_path: Path, old: str = "", new: str = "") -> Environment:
    """The shipped dev, with one piece of its text replaced."""
    assert old in BASE
    source = environments.ROOT / "terraform"
    (tmp_path / "stage2").mkdir()
    for file in (source / "stage2").glob("variables*.tf"):
        (tmp_path / "stage2" / file.name).symlink_to(file.resolve())
    folder = tmp_path / "environments" / "dev"
    folder.mkdir(parents=True)
    (folder / "terraform.tfvars").write_text(BASE.replace(old, new, 1), encoding="utf-8")
    found = environments.load("dev")
    given = tfvars.read(folder / "terraform.tfvars", tmp_path / "cache")
    return replace(found, terraform_dir=tmp_path, variables=given)


@pytest.mark.parametrize("name", environments.known(environments.ROOT / "terraform"))
def test_shipped_values_are_valid(name: str, tmp_path: Path) -> None:
    values.require_valid(environments.load(name), tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"Developer_1"', '"Developer_2"', r"tfvars:\d+\): apim.sku_name must be Developer_1, Premium_<1-99>"),
        ("sku_name ", "skuname ", r"apim.skuname is unknown.*did you mean sku_name\?"),
        ("uris = [", "uri = [", r'"desktop": attribute "redirect_uris" is required'),
        (
            "connection =",
            "connects =",
            r"mongodb.tiers.admin.connects is unknown.*did you mean connection",
        ),
        ("deployer_access ", "deployer_acess ", "did you mean deployer_access"),
        ("port     = 8000", 'port = "eighty"', r"tfvars:\d+\): mcp_servers.mongodb.port: a number is required"),
        ('"cosmosdb-mongodb"', '"documentdb"', r"environments/dev/terraform.tfvars\): documentdb.name must"),
    ],
)
def test_a_value_that_no_rule_accepts_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """A broken rule with its line; a misspelt name with the nearest right one, however deep it lies."""
    given = environment(tmp_path, old, new)
    with pytest.raises(SettingError, match=sentence) as caught:
        values.require_valid(given, tmp_path / "cache")
    said = str(caught.value).replace(str(given.folder / "terraform.tfvars"), "")
    assert tempfile.gettempdir() not in said
    assert "variables-" not in said


def test_what_was_valid_is_remembered_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = environment(tmp_path)
    values.require_valid(found, tmp_path / "cache")
    monkeypatch.setattr(values.binary, "find", lambda: pytest.fail("Terraform was asked again"))
    values.require_valid(found, tmp_path / "cache")
    file = found.folder / "terraform.tfvars"
    file.write_text(file.read_text(encoding="utf-8") + "\n# another text\n", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception):
        values.require_valid(found, tmp_path / "cache")


def test_free_names_and_elements_of_lists_are_looked_into() -> None:
    """A map takes any name; of a set, whose order Terraform changes, each element's names count."""
    given = {"tags": {"any": "x"}, "rules": [{"priority": 1}, {"prio": 2}], "plain": ["b", "a"]}
    became = {"tags": {"any": "x"}, "rules": [{"priority": 2}, {"priority": 1}], "plain": ["a", "b"]}
    assert [one.partition(" ")[0] for one in values._dropped(given, became)] == ["rules[].prio"]
