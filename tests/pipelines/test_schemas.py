"""The published schemas (Azure Pipelines' own and schemastore's), as the package check-jsonschema carries them."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "emulators" / "apim"  # what other teams check their policies with
AZURE = [*sorted((ROOT / "pipelines").rglob("*.yml")), POLICIES / "ci" / "azure-pipelines.yml"]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = [*sorted((GITHUB / "actions").glob("*/action.yml")), POLICIES / "action.yml"]
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
CASES = [
    *((path, "azure-pipelines") for path in AZURE),
    *((path, "github-workflows") for path in WORKFLOWS),
    *((path, "github-actions") for path in ACTIONS),
    *((path, "github-issue-forms") for path in FORMS),
    (GITHUB / "ISSUE_TEMPLATE" / "config.yml", "github-issue-config"),
    (GITHUB / "dependabot.yml", "dependabot"),
]


@cache
def validator(name: str) -> Draft7Validator:
    text = resources.files("check_jsonschema.builtin_schemas.vendor").joinpath(f"{name}.json").read_text("utf-8")
    return Draft7Validator(json.loads(text))


def read(path: Path) -> Any:
    """`on` stays a word: YAML 1.1 would make it true."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in document.items()}


@pytest.mark.parametrize(("path", "schema"), CASES, ids=lambda value: str(getattr(value, "name", value)))
def test_the_schema_accepts_it(path: Path, schema: str) -> None:
    """Each file of pipelines/ and .github/, and the policy emulator's action and template."""
    assert [error.message[:300] for error in validator(schema).iter_errors(read(path))] == []


def test_there_is_something_of_each() -> None:
    """No schema goes without a file."""
    assert len(AZURE) >= 8
    assert len(WORKFLOWS) >= 5
    assert len(FORMS) >= 3
    assert len(ACTIONS) >= 2


@pytest.mark.parametrize(
    ("path", "schema", "wrong"),
    [
        (
            ROOT / "pipelines" / "azure-pipelines.yml",
            "azure-pipelines",
            {"stage": "x", "dependson": "plan", "jobs": []},
        ),
        (ROOT / ".github" / "workflows" / "deploy.yml", "github-workflows", {"runs_on": "ubuntu-24.04", "steps": []}),
    ],
    ids=["azure", "github"],
)
def test_the_schema_would_notice(path: Path, schema: str, wrong: dict[str, Any]) -> None:
    """A misspelt key is an error: the schema is not one that accepts everything."""
    document = read(path)
    if schema == "azure-pipelines":
        document["stages"].append(wrong)
    else:
        document["jobs"]["wrong"] = wrong
    assert not validator(schema).is_valid(document)
