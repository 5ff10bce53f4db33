from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ops.azure import az
from ops.errors import AzError, ToolError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in az's place, first on PATH."""
    path = tmp_path / "bin" / "az"
    path.parent.mkdir()
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
    return path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!{sys.executable}\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_answer_is_parsed(installed: Path) -> None:
    """az is asked for JSON, and its answer is data."""
    script(installed, "import json, sys; print(json.dumps({'asked': sys.argv[1:]}))")
    assert az.run("account", "show") == {"asked": ["account", "show", "--output", "json"]}


def test_silence_is_none(installed: Path) -> None:
    """Commands that print nothing answer None."""
    script(installed, "")
    assert az.run("acr", "update") is None


def test_words_are_no_answer(installed: Path) -> None:
    """`az acr login` answers in words whatever it is asked for; that is success."""
    script(installed, "print('Login Succeeded')")
    az.act("acr", "login", "--name", "acrmcp")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Please run 'az login' to setup account.", "run `az login`"),
        ("(AuthorizationFailed) The client does not have authorization", "lacks a role"),
        ("(RequestDisallowedByPolicy) Resource was disallowed", "Azure Policy"),
        ("The request may be blocked by network rules of storage account.", "the network does not let this machine in"),
        ("something new", "read what it says"),
    ],
)
def test_refusal(installed: Path, said: str, remedy: str) -> None:
    """What az refuses is one sentence with a remedy, and az's own words after it."""
    script(installed, f"import sys; sys.stderr.write({said!r}); sys.exit(1)")
    with pytest.raises(AzError) as caught:
        az.run("group", "create")
    assert remedy in str(caught.value)
    assert str(caught.value).endswith(said)


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without az the sentence says where to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="not on PATH"):
        az.run("version")
