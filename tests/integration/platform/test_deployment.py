"""Deploying is idempotent, survives interruption, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.platform_under_test import ROOT, Platform

pytestmark = pytest.mark.usefixtures("local_only")


def test_status_prints_the_documented_object(platform: Platform) -> None:
    status = platform.status
    assert status["healthy"] is True
    assert status["env"] == "local"
    assert status["endpoint"] == f"{status['gateway']}/mongodb/mcp" == status["servers"]["mongodb"]["url"]
    assert set(status["servers"]["mongodb"]["tiers"]) == {"admin", "reader"}
    assert status["authority"].endswith(f"/{status['tenant_id']}/v2.0")
    assert status["scope"].startswith("api://")
    assert status["scope"].endswith("/Mcp.Access")
    assert status["mongodb_uri"].startswith("mongodb://")
    assert {"gateway", "entra"} <= set(status["pids"])
    for pid in status["pids"].values():
        os.kill(pid, 0)


def test_a_second_deploy_changes_nothing(platform: Platform) -> None:
    before = platform.status["pids"]
    again = platform.invoke("deploy")
    assert "nothing changed" in again.stdout + again.stderr
    del platform.__dict__["status"]
    assert platform.status["pids"] == before


def test_interrupted_deploy_is_finished_by_the_next_and_destroy_leaves_nothing(tmp_path: Path) -> None:
    """SIGINT while Terraform is at stage 1, then at stage 2, then one more deploy: healthy. Destroyed: nothing left."""
    home = tmp_path / "home"
    twin = Platform("local", {"TWIN_HOME": str(home), "GATEWAY_PORT": "0", "ENTRA_PORT": "0"})
    command = [sys.executable, "-m", "invoke", "deploy", "--env", "local"]
    try:
        for stage in (1, 2):
            started = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **twin.variables},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_heed_sigint,
            )
            _wait_for(home / f"logs/terraform-stage{stage}.log")
            os.killpg(started.pid, signal.SIGINT)
            assert started.wait(60) == 130, "the deployment was over before it was interrupted"
        twin.invoke("deploy")
        pids = twin.status["pids"].values()
        assert twin.status["healthy"] is True
    finally:
        twin.invoke("destroy", "--yes")
    assert [pid for pid in pids if _alive(pid)] == []
    assert not home.exists()


def test_a_busy_api_does_not_end_a_deployment(tmp_path: Path) -> None:
    """API Management refuses one of two writes to the same API: it is said, what is left is applied, and it serves."""
    home = {"TWIN_HOME": str(tmp_path / "home"), "GATEWAY_PORT": "0", "ENTRA_PORT": "0"}
    twin = Platform("local", {**home, "AZURERM_EMULATOR_FAULTS": "busy-api"})
    try:
        done = twin.invoke("deploy")
        assert "409 PessimisticConcurrencyConflict" in done.stderr
        assert twin.status["healthy"] is True
    finally:
        twin.invoke("destroy", "--yes")


def _wait_for(log: Path) -> None:
    """Until Terraform has begun to write there."""
    deadline = time.monotonic() + 60
    while not log.exists():
        assert time.monotonic() < deadline, f"nothing wrote {log}"
        time.sleep(0.02)


def _heed_sigint() -> None:
    """A background job starts with SIGINT ignored, and its children inherit that: not what a terminal does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
