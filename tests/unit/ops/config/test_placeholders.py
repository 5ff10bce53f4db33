from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ops.checks import doctor
from ops.checks.prerequisites import Note
from ops.config import environment as environments
from ops.config import placeholders
from ops.config.environment import ROOT, Environment
from ops.errors import SettingError
from tests.unit.ops.conftest import Make


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """`dev` as it is in version control."""
    monkeypatch.delenv("TERRAFORM_DIR", raising=False)
    return environments.load("dev")


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_shipped_files_are_refused(name: str) -> None:
    """By name and file, all at once; `doctor` says NO."""
    environment = environments.load(name)
    with pytest.raises(SettingError) as caught:
        placeholders.require_none(environment, pipeline=True)
    said = str(caught.value)
    assert f"subscription_id in terraform/environments/{name}/terraform.tfvars is '00000000-" in said
    assert f"ADO_ORG in terraform/environments/{name}/settings.env is 'your-organisation'" in said
    assert f"ADO_PROJECT in terraform/environments/{name}/settings.env is 'your-project'" in said
    assert "apim.publisher_email" in said
    with pytest.raises(SettingError, match="subscription_id"):
        doctor.CHECKS["placeholders"].run(environment)


def test_the_address_that_terraform_runs_from_is_one(shipped: Environment) -> None:
    """203.0.113.7 is an address of the documentation (RFC 5737): the vault would let nobody in."""
    assert any(found.startswith("deployer_ip_rules in ") for found in placeholders.find(shipped))


def test_deploying_needs_no_pipeline(shipped: Environment) -> None:
    """Whoever deploys from a laptop has no Azure DevOps organisation."""
    assert not [found for found in placeholders.find(shipped) if "ADO_" in found]


def test_a_copy_is_refused_too(make: Make, terraform_dir: Path) -> None:
    """What counts is the value, not the file that it was shipped in."""
    text = (ROOT / "terraform/environments/dev/terraform.tfvars").read_text(encoding="utf-8")
    folder = terraform_dir / "environments" / "staging"
    folder.mkdir()
    (folder / "terraform.tfvars").write_text(text, encoding="utf-8")
    found = list(placeholders.find(make("staging", ADO_ORG="your-organisation"), pipeline=True))
    assert any(said.startswith("subscription_id in terraform/environments/staging/terraform.tfvars") for said in found)
    assert found[-1] == "ADO_ORG in --setting is 'your-organisation'"


_MARKED = re.compile(r"^\s*(\w+)\s*=\s*(.+?)\s*# <-", re.MULTILINE)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_marked_value_is_told(name: str) -> None:
    """What the shipped files mark with `# <-` is somebody's own: `doctor` refuses it, or says that it is as shipped."""
    text = (ROOT / f"terraform/environments/{name}/terraform.tfvars").read_text(encoding="utf-8")
    environment = environments.load(name)
    found = [*placeholders.find(environment), *placeholders.shipped_names(environment)]
    told = {step for said in found for step in said.partition(" ")[0].split(".")}
    # A group without members is told by the check `groups`.
    marked = [one for one, value in _MARKED.findall(text) if "members = []" not in value]
    assert marked
    assert [one for one in marked if one not in told] == []


def test_a_shipped_name_stands_in_nobody_s_way(make: Make) -> None:
    """Whoever came first has it; Azure's own answer is the check `names`."""
    environment = make("dev")
    assert list(placeholders.shipped_names(environment)) == []
    taken = replace(environment, variables={**environment.variables, "name": "mcp-pod-dev", "acr_name": "acrmcppoddev"})
    said = doctor.CHECKS["placeholders"].run(taken)
    assert isinstance(said, Note)
    assert "name = 'mcp-pod-dev', acr_name = 'acrmcppoddev': choose your own" in said
    assert said.startswith("none left; as shipped, and each unique")


def test_own_values_are_none(make: Make) -> None:
    assert list(placeholders.find(make("dev", ADO_ORG="contoso"), pipeline=True)) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("203.0.113.0/24", True),
        ("198.51.100.9", True),
        ("2001:db8::1", True),
        ("20.50.1.7", False),
        ("0.0.0.0/0", False),
        ("platform@example.com", True),
        ("platform@myexample.com", False),
        ("https://mcp.example.org", True),
        ("your-project", True),
        ("on-your-own", False),
        ("00000000-0000-0000-0000-000000000000", True),
        ("00000000-0000-4000-8000-000000000001", False),
    ],
)
def test_what_is_one(value: str, expected: bool) -> None:
    assert placeholders.is_placeholder(value) is expected


def test_an_organisation_is_asked_for_by_bootstrap_only(make: Make) -> None:
    """Whoever deploys from a laptop has none: `doctor` says so, and goes on with what comes after."""
    said = doctor.CHECKS["placeholders"].run(make("dev", ADO_ORG="your-organisation"))
    assert "ADO_ORG" in said
    assert said.startswith("none that a deployment asks for")
