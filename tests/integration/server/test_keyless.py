"""A database without keys: a managed identity's token from the issuer, the database that believes it, two tiers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.server.conftest import ROOT, Running

TENANT = str(uuid.uuid4())
IDENTITIES = {name: (str(uuid.uuid4()), str(uuid.uuid4())) for name in ("database", "admin", "reader", "stranger")}
ROLES = {"admin": "readWrite", "reader": "read"}

CallWith = Callable[..., Awaitable[Callable[..., Awaitable[Any]]]]


def write(path: Path, document: Any) -> Path:
    path.touch(0o600)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Connection strings by identity; the machine has a managed identity endpoint while the tests run."""
    home, secret = tmp_path_factory.mktemp("keyless"), uuid.uuid4().hex
    identities = [{"name": n, "client_id": client, "principal_id": oid} for n, (client, oid) in IDENTITIES.items()]
    directory = write(home / "directory.json", {"tenant_id": TENANT, "identities": identities})
    hosts = {secret: [client for client, _ in IDENTITIES.values()]}
    settings = {"directory": str(directory), "data_dir": str(home / "entra"), "port": 0, "identity_hosts": hosts}
    command = [sys.executable, "-m"]
    config = str(write(home / "entra.json", settings))
    entra = Running([*command, "emulators.entra", "--config", config], dict(os.environ), home / "entra.log")
    issuer = f"http://127.0.0.1:{entra.port()}"
    oidc = {
        "issuer": f"https://sts.windows.net/{TENANT}/",
        "audience": "https://ossrdbms-aad.database.windows.net",
        "keys_url": f"{issuer}/{TENANT}/discovery/v2.0/keys",
    }
    users = [{"object_id": IDENTITIES["database"][1], "role": "root"}]
    config = str(write(home / "mongo.json", {"port": 0, "users": users, "oidc": oidc}))
    mongo = Running([*command, "emulators.mongodb", "--config", config], dict(os.environ), home / "mongo.log")
    port = mongo.port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDENTITY_ENDPOINT", f"{issuer}/msi/token")
        patch.setenv("IDENTITY_HEADER", secret)
        yield lambda name: f"mongodb://{IDENTITIES[name][0]}@127.0.0.1:{port}/?authMechanism=MONGODB-OIDC"
    mongo.stop()
    entra.stop()


def run_users_job(uri: str, users: dict[str, str]) -> subprocess.CompletedProcess[str]:
    sources = os.pathsep.join(str(folder) for folder in (ROOT / "servers").glob("*/src"))
    environment = {**os.environ, "PYTHONPATH": sources, "MONGODB_URI": uri, "MCP_DATABASE_USERS": json.dumps(users)}
    command = [sys.executable, "-m", "mongo_db_server.users"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module", autouse=True)
def with_tiers(keyless: Callable[[str], str]) -> None:
    """What the deployment does once: the database's administrator makes each tier's identity a user."""
    users = {IDENTITIES[name][1]: role for name, role in ROLES.items()}
    ended = run_users_job(keyless("database"), users)
    assert ended.returncode == 0, ended.stderr


async def test_the_admin_writes_and_the_reader_reads(call_with: CallWith, keyless: Callable[[str], str]) -> None:
    admin = await call_with(mongodb_uri=keyless("admin"))
    reader = await call_with(mongodb_uri=keyless("reader"), mcp_tier="reader")
    written = await admin("insert-many", database="shop", collection="orders", documents=[{"_id": 1, "total": 5}])
    assert not written.is_error, written.content
    found = await reader("find", database="shop", collection="orders")
    assert not found.is_error, found.content
    assert found.structured_content["documents"] == [{"_id": 1, "total": 5}]


async def test_the_reader_s_identity_cannot_write_whatever_its_server_offers(
    call_with: CallWith, keyless: Callable[[str], str]
) -> None:
    """An admin server that was given the reader's identity: the database refuses, not the tool list."""
    wrong = await call_with(mongodb_uri=keyless("reader"))
    refused = await wrong("insert-many", database="shop", collection="orders", documents=[{"_id": 2}])
    assert refused.is_error
    assert "does not allow this to the credential of this server" in refused.content[0].text


async def test_an_identity_without_a_role(call_with: CallWith, keyless: Callable[[str], str]) -> None:
    stranger = await call_with(mongodb_uri=keyless("stranger"))
    refused = await stranger("list-databases")
    assert refused.is_error
    assert "give its managed identity a role in the database" in refused.content[0].text


async def test_a_machine_that_gives_no_token(
    call_with: CallWith, keyless: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "of nobody")
    call = await call_with(mongodb_uri=keyless("admin"))
    refused = await call("list-databases")
    assert refused.is_error
    assert "got no token for its managed identity" in refused.content[0].text


async def test_the_job_repeats_and_changes_roles(call_with: CallWith, keyless: Callable[[str], str]) -> None:
    """A second run changes nothing; another role for an identity counts from its next sign-in."""
    _, stranger = IDENTITIES["stranger"]
    again = run_users_job(keyless("database"), {IDENTITIES["reader"][1]: "read", stranger: "read"})
    assert [json.loads(line)["change"] for line in again.stderr.splitlines()] == ["none", "created"]
    changed = run_users_job(keyless("database"), {stranger: "readWrite"})
    assert json.loads(changed.stderr)["change"] == "replaced"
    call = await call_with(mongodb_uri=keyless("stranger"))
    written = await call("insert-many", database="shop", collection="notes", documents=[{"_id": 1}])
    assert not written.is_error, written.content


@pytest.mark.parametrize(
    ("identity", "users", "says"),
    [
        ("database", {"not-an-id": "read"}, "object id"),
        ("database", {str(uuid.uuid4()): "root"}, "read or readWrite"),
        ("admin", {str(uuid.uuid4()): "read"}, "Unauthorized"),
    ],
)
def test_a_job_that_cannot(keyless: Callable[[str], str], identity: str, users: dict[str, str], says: str) -> None:
    ended = run_users_job(keyless(identity), users)
    assert ended.returncode == 2
    assert says in json.loads(ended.stderr)["message"]
