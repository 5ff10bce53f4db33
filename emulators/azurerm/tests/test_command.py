"""`python -m emulators.azurerm`, for Terraform in any folder."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from emulators.azurerm.__main__ import STORE, main

PRINT = "import os; print(sorted(__import__('json').loads(os.environ['TF_REATTACH_PROVIDERS'])))"


def test_a_command_runs_with_both_providers_attached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([sys.executable, "-c", PRINT]) == 0
    names = json.loads(capfd.readouterr().out.replace("'", '"'))
    assert [name.rpartition("/")[2] for name in names] == ["azuread", "azurerm"]
    assert main([sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_a_store_that_cannot_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    STORE.parent.mkdir()
    STORE.write_text("{", encoding="utf-8")
    assert main([sys.executable, "-c", ""]) == 1
    assert capfd.readouterr().err.startswith("the stand-in cloud at .azurerm-emulator/cloud.json cannot be read")
    STORE.unlink()
    assert main(["/nowhere/terraform"]) == 127
    assert capfd.readouterr().err == "'/nowhere/terraform' cannot be run (No such file or directory)\n"


def test_ctrl_c_waits_for_the_command(tmp_path: Path) -> None:
    """However often it is pressed: Terraform saves its state, and asks the providers until then."""
    child = """
import os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: None)
for _ in range(2):
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(0.5)
sys.exit(7)
"""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["--store", str(tmp_path / "cloud.json"), sys.executable, "-c", child]) == 7
    finally:
        signal.signal(signal.SIGINT, before)
