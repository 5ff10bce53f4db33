"""The schemas of the local provider have the versions that the Terraform code asks for."""

from __future__ import annotations

import re
from pathlib import Path

from emulators.azurerm.catalog import load

REPOSITORY = Path(__file__).parents[2]
CONSTRAINT = re.compile(r'source\s*=\s*"hashicorp/(azurerm|azuread)"\s*version\s*=\s*"~> (\d+)\.(\d+)"')


def test_versions_satisfy_every_constraint() -> None:
    """Terraform does not check the version of a provider that it attaches to, so this does."""
    asked = [
        (path, *match)
        for path in sorted((REPOSITORY / "terraform").glob("*/terraform.tf"))
        for match in CONSTRAINT.findall(path.read_text(encoding="utf-8"))
    ]
    assert {name for _, name, _, _ in asked} == {"azurerm", "azuread"}
    for path, name, major, minor in asked:
        have = tuple(map(int, load(name).version.split(".")))
        assert have[0] == int(major), path
        assert have[1] >= int(minor), path
