"""Bad input ends in one sentence that names it, and a non-zero exit; nothing is half-applied."""

from __future__ import annotations

import shutil
import socket
import stat
from pathlib import Path

import pytest

from tests.support.platform_under_test import ROOT, Platform


@pytest.fixture
def fresh(tmp_path: Path) -> Platform:
    variables = {"TWIN_HOME": str(tmp_path / "home"), "GATEWAY_PORT": "0", "ENTRA_PORT": "0"}
    return Platform("local", variables)


def sentence(platform: Platform, *arguments: str) -> str:
    """The one line that a failing command prints on stderr."""
    done = platform.invoke(*arguments, check=False)
    assert done.returncode != 0, done.stdout
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert "Traceback" not in done.stderr
    return lines[-1]


def test_unknown_environment(fresh: Platform) -> None:
    said = sentence(fresh, "deploy", "--env", "staging")
    assert "staging" in said
    assert "local" in said


def test_malformed_storage_account(fresh: Platform) -> None:
    fresh.variables["MCP_STORAGE_ACCOUNT"] = "St_1"
    said = sentence(fresh, "plan", "--env", "dev")
    assert "STORAGE_ACCOUNT" in said
    assert "St_1" in said
    assert "3–24" in said


def test_port_taken(fresh: Platform) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        fresh.variables["GATEWAY_PORT"] = port
        said = sentence(fresh, "deploy")
    assert port in said
    assert "GATEWAY_PORT" in said
    assert not (Path(fresh.variables["TWIN_HOME"]) / "state" / "stage1.tfstate").exists()


def test_corrupt_tfvars(fresh: Platform, tmp_path: Path) -> None:
    copy = tmp_path / "terraform"
    shutil.copytree(ROOT / "terraform", copy, ignore=shutil.ignore_patterns(".terraform"))
    (copy / "environments" / "local" / "terraform.tfvars").write_text('name = "mcp-local\n')
    fresh.variables["TERRAFORM_DIR"] = str(copy)
    said = sentence(fresh, "deploy")
    assert "terraform.tfvars" in said


def test_terraform_too_old(fresh: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    old = tmp_path / "bin" / "terraform"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.2.9"}\'\n')
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    fresh.variables["PATH"] = f"{old.parent}{os.pathsep}{os.environ['PATH']}"
    said = sentence(fresh, "deploy")
    assert "1.2.9" in said


def test_push_of_an_unknown_server(fresh: Platform) -> None:
    said = sentence(fresh, "push", "--server", "nosuch")
    assert "nosuch" in said
    assert "mongodb" in said


def test_token_for_an_unknown_user(fresh: Platform) -> None:
    said = sentence(fresh, "token", "--as", "nobody")
    assert "nobody" in said
    assert "outsider" in said


def test_status_before_anything_is_deployed(fresh: Platform) -> None:
    """A valid object that says so, and a non-zero exit for scripts."""
    import json

    done = fresh.invoke("status", "--json", check=False)
    assert done.returncode != 0
    assert json.loads(done.stdout)["healthy"] is False
