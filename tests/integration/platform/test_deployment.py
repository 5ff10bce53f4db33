"""Deploying is idempotent, survives interruption, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import ctrl_c, own_platform
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
    key = platform.mongodb_uri.rpartition("@")[0].rpartition(":")[2]  # empty where MONGODB_URI has none
    assert not key or key not in json.dumps(status)
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
                preexec_fn=ctrl_c.heed,
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


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, str]]:
    """A platform whose server has the database "documentdb", deployed while an API is busy; with what was said then."""
    twin = own_platform.copied(tmp_path_factory.mktemp("keyless"), AZURERM_EMULATOR_FAULTS="busy-api", MCP_MONGO="auto")
    own_platform.set_values(twin, own_platform.values(twin) | {"documentdb": {"name": "docdb-mcp-local"}})
    own_platform.change_server(twin, database="documentdb")
    try:
        yield twin, twin.invoke("deploy").stderr
    finally:
        twin.invoke("destroy", "--yes")


def test_a_busy_api_does_not_end_a_deployment(keyless: tuple[Platform, str]) -> None:
    """API Management refuses one of two writes to the same API: it is said, what is left is applied, and it serves."""
    twin, said = keyless
    assert "409 PessimisticConcurrencyConflict" in said
    assert twin.status["healthy"] is True


def test_a_database_without_keys_serves_both_tiers(keyless: tuple[Platform, str]) -> None:
    """The administrator's identity writes, the reader's reads; there is nothing to rotate."""
    twin, _ = keyless
    place = {"database": "keyless", "collection": "notes"}
    written = _tool(twin, "admin", "insert-many", **place, documents=[{"_id": 1, "note": "no key"}])
    assert "isError" not in written or not written["isError"], written
    found = _tool(twin, "reader", "find", **place)
    assert found["structuredContent"]["documents"] == [{"_id": 1, "note": "no key"}]
    assert "nothing to rotate" in twin.invoke("rotate", "--yes").stderr


def test_a_database_without_keys_finds_words_and_vectors(keyless: tuple[Platform, str]) -> None:
    """Text and vector searches through the gateway, which Cosmos DB's API does not have; the reader makes no index."""
    twin, _ = keyless
    place = {"database": "keyless", "collection": "articles"}
    articles = [
        {"_id": 1, "body": "searching by vectors", "vector": [1.0, 0.0]},
        {"_id": 2, "body": "reading by words", "vector": [0.6, 0.8]},
    ]
    vectors = {"kind": "vector-hnsw", "dimensions": 2, "similarity": "COS"}
    for tool, arguments in (
        ("insert-many", {"documents": articles}),
        ("create-index", {"keys": {"body": "text"}}),
        ("create-index", {"keys": {"vector": "cosmosSearch"}, "vector": vectors}),
    ):
        made = _tool(twin, "admin", tool, **place, **arguments)
        assert not made.get("isError"), made
    for user in ("admin", "reader"):
        worded = _tool(twin, user, "find", **place, filter={"$text": {"$search": "vector"}}, projection={"_id": 1})
        assert worded["structuredContent"]["documents"] == [{"_id": 1}]
        near = _tool(twin, user, "vector-search", **place, vector=[0.0, 1.0], path="vector", projection={"_id": 1})
        found = near["structuredContent"]["documents"]
        assert [row["document"] for row in found] == [{"_id": 2}, {"_id": 1}]
        assert found[0]["score"] > found[1]["score"]
    answer = twin.call("tools/call", {"name": "create-index", "arguments": {**place, "keys": {"a": 1}}}, user="reader")
    assert "error" in answer.json or answer.json["result"]["isError"] is True


# A password in an address, and what Azure calls its keys.
_KEY = re.compile(
    r"mongodb(\+srv)?://[^/@\s\"]*:[^/@\s\"]+@|AccountKey=|\"(primary|secondary)_(readonly_)?key\"|SCRAM-SHA-256"
)


def test_a_database_without_keys_leaves_none_anywhere(keyless: tuple[Platform, str]) -> None:
    """Not in a state, the vault, the environment of a process, or a log: there is none to be found."""
    twin, _ = keyless
    home = Path(twin.variables["TWIN_HOME"])
    files = [path for part in ("state", "run", "logs", "mongo", "entra") for path in (home / part).rglob("*")]
    texts = {str(path): path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()}
    texts["cloud"] = (home / "cloud.json").read_text(encoding="utf-8")
    for name, pid in twin.status["pids"].items():
        texts[f"environment of {name}"] = Path(f"/proc/{pid}/environ").read_text(encoding="utf-8", errors="replace")
    assert any("MONGODB_URI" in text for where, text in texts.items() if where.startswith("environment"))
    assert {where for where, text in texts.items() if _KEY.search(text)} == set()
    secrets = json.loads(texts["cloud"])["objects"].get("azurerm_key_vault_secret") or {}
    assert [name for name in secrets if "cosmos" in name] == []


def _tool(twin: Platform, user: str, tool: str, **arguments: object) -> dict[str, Any]:
    answer = twin.call("tools/call", {"name": tool, "arguments": arguments}, user=user)
    result: dict[str, Any] = answer.json["result"]
    return result


def _wait_for(log: Path) -> None:
    """Until Terraform has begun to write there."""
    deadline = time.monotonic() + 60
    while not log.exists():
        assert time.monotonic() < deadline, f"nothing wrote {log}"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
