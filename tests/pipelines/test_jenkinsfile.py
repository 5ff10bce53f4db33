"""The Jenkinsfile is Groovy, is a declarative pipeline, and does what the other two do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines import declarative

ROOT = Path(__file__).parents[2]
TEXT, HEAL = ((ROOT / "pipelines" / name).read_text(encoding="utf-8") for name in ("Jenkinsfile", "heal.Jenkinsfile"))


@pytest.mark.parametrize("text", [TEXT, HEAL], ids=["deploy", "heal"])
def test_it_is_a_declarative_pipeline(text: str) -> None:
    """Nothing to complain of."""
    assert declarative.syntax(text) == []
    assert declarative.structure(text) == []


def test_what_is_no_groovy_is_found() -> None:
    """With its line."""
    assert "Groovy does not parse it" in declarative.syntax("pipeline {\n  options {\n    timeout(time: 4\n  }\n}")[0]


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("stages {\n    stage('tools')", "stagez {\n    stage('tools')", "pipeline holds no section stagez"),
        ("steps {\n        sh 'python3", "step {\n        sh 'python3", "stage tools holds no section step"),
        (
            "when { triggeredBy 'TimerTrigger' }",
            "when { triggered 'TimerTrigger' }",
            "when of stage drift holds no triggered",
        ),
        ("always {\n          junit", "allways {\n          junit", "post of stage validate holds no allways"),
        ("agent { label \"${params.AGENTS ?: 'linux && azure'}\" }\n", "", "pipeline needs the section agent"),
    ],
)
def test_a_mistake_is_found(right: str, wrong: str, sentence: str) -> None:
    """Each is one that Jenkins would refuse."""
    assert right in TEXT
    assert sentence in " / ".join(declarative.structure(TEXT.replace(right, wrong, 1)))


def test_its_commands_are_the_projects() -> None:
    """Nothing but invoke and nox, what installs them, and the sign-in of the machine."""
    allowed = ("invoke ", "nox -s ", "pip install --require-hashes -r requirements.txt", "python3 -m venv .venv")
    commands = declarative.steps(TEXT)
    assert [command for command in commands if not command.startswith((*allowed, "az login --identity"))] == []
    assert len(commands) > 15
    assert declarative.steps(HEAL)[2:] == ["az login --identity", 'invoke heal --env "$ENVIRONMENT" --yes']
