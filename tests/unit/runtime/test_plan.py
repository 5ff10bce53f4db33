"""The plan: which processes an applied state asks for, and with what settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulators.base.errors import StateError
from emulators.base.state import Resource, State
from emulators.base.store import Store
from tests.unit.runtime.platform_state import DIGEST, Edit, build, fill_image_store, identity_id
from twin.errors import RuntimeFailure
from twin.supervise.databases import with_current_values
from twin.supervise.plan import make_plan
from twin.supervise.settings import RuntimeConfig
from twin.supervise.spec import Health, Plan, ProcessSpec

PORTS = {"mongo": 21000, "aci-mongodb-admin-a": 21001, "aci-mongodb-reader-a": 21002}
CONFIG = RuntimeConfig(gateway_port=8080, entra_port=8081)


def plan(home: Path, edit: Edit | None = None, config: RuntimeConfig = CONFIG) -> Plan:
    fill_image_store(home)
    return make_plan(build(edit), config, home, PORTS.__getitem__)


def settings(process: ProcessSpec) -> dict[str, Any]:
    """The configuration file that a part is started with."""
    loaded: dict[str, Any] = json.loads({**process.files, **process.live}[process.argv[-1]])
    return loaded


def users(mongo: ProcessSpec) -> list[dict[str, str]]:
    """Who may sign in at the database: in the one file that its process takes over while it runs."""
    loaded: list[dict[str, str]] = json.loads(mongo.live[settings(mongo)["users_file"]])
    return loaded


def test_one_process_per_part_and_container(tmp_path: Path) -> None:
    """The issuer, the database and the servers come before the gateway that needs them."""
    assert [process.name for process in plan(tmp_path).processes] == [
        "entra",
        "mongo",
        "aci-mongodb-admin-a",
        "aci-mongodb-reader-a",
        "gateway",
    ]


def test_container_runs_the_image_with_its_own_environment_only(tmp_path: Path) -> None:
    """Nothing of the machine's environment reaches a server, except what a container runtime provides."""
    process = plan(tmp_path).process("aci-mongodb-admin-a")
    assert process.argv == (str(tmp_path / "venv/bin/python"), "-m", "mongo_db_server")
    assert process.env == {
        "MCP_TIER": "admin",
        "MCP_ALLOWED_HOSTS": "mongodb-admin-a.mcp.internal:8000",
        "MONGODB_URI": "mongodb://cosmos-mcp:rw+key==@127.0.0.1:21000/"
        "?retrywrites=false&maxIdleTimeMS=120000&authMechanism=SCRAM-SHA-256",
        "HOST": "127.0.0.1",
        "PORT": "21001",
        "PYTHONPATH": "/code",
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{tmp_path}/venv/bin:/usr/bin:/bin",
        "HOME": str(tmp_path / "run/scratch/aci-mongodb-admin-a"),
        "LANG": "C.UTF-8",
    }


def test_external_mongodb_replaces_the_local_one(tmp_path: Path) -> None:
    """With MONGODB_URI nothing stands in for the database, and every tier gets that URI."""
    uri = "mongodb://somewhere.example:27017/"
    found = plan(tmp_path, config=RuntimeConfig(mongodb_uri=uri))
    assert "mongo" not in [process.name for process in found.processes]
    assert found.process("aci-mongodb-reader-a").env["MONGODB_URI"] == uri
    assert (found.mongodb_uri, found.external_mongodb) == (uri, True)


def test_in_docker_each_key_has_a_user_of_its_own(tmp_path: Path) -> None:
    """A MongoDB user has one password; the server's URI and the administrator's name the key's user."""
    found = plan(tmp_path, config=RuntimeConfig(mongo="docker", mongo_image="mongo:8.0"))
    process = found.process("mongo")
    assert process.argv[1:3] == ("-m", "twin.supervise.docker_mongo")
    assert process.health == Health("mongo", file=str(tmp_path / "run/mongo.ready"))
    given = settings(process)
    assert (given["home"], given["image"], given["port"], given["seed"]) == (str(tmp_path), "mongo:8.0", 21000, True)
    assert [(user["name"], user["role"]) for user in users(process)] == [
        ("cosmos-mcp.primary_key", "readWrite"),
        ("cosmos-mcp.secondary_key", "readWrite"),
        ("cosmos-mcp.primary_readonly_key", "read"),
        ("cosmos-mcp.secondary_readonly_key", "read"),
    ]
    assert found.process("aci-mongodb-reader-a").env["MONGODB_URI"] == (
        "mongodb://cosmos-mcp.primary_readonly_key:ro+key==@127.0.0.1:21000/"
        "?retrywrites=false&maxIdleTimeMS=120000&authMechanism=SCRAM-SHA-256&authSource=admin"
    )
    assert found.mongodb_uri.startswith("mongodb://cosmos-mcp.primary_key:rw%2Bkey%3D%3D@127.0.0.1:21000/")


def test_in_docker_a_wrong_key_stays_wrong(tmp_path: Path) -> None:
    """It gets no user that would let it in."""

    def rotate(resources: dict[str, dict[str, Any]]) -> None:
        resources["azurerm_cosmosdb_account.this"]["primary_readonly_key"] = "rotated"

    found = plan(tmp_path, rotate, RuntimeConfig(mongo="docker"))
    assert found.process("aci-mongodb-reader-a").env["MONGODB_URI"].startswith("mongodb://cosmos-mcp:ro+key==@")


def test_mongo_knows_every_key_with_its_role(tmp_path: Path) -> None:
    """One user name, four passwords: read-only keys stay read-only."""
    found = users(plan(tmp_path).process("mongo"))
    assert [(user["name"], user["password"], user["role"]) for user in found] == [
        ("cosmos-mcp", "rw+key==", "readWrite"),
        ("cosmos-mcp", "rw2", "readWrite"),
        ("cosmos-mcp", "ro+key==", "read"),
        ("cosmos-mcp", "ro2", "read"),
    ]


def test_gateway_and_issuer_share_the_identity_secret(tmp_path: Path) -> None:
    """The gateway may ask tokens for its own identities only, and the secret survives a second plan."""
    found = plan(tmp_path)
    secret = settings(found.process("gateway"))["identity_header"]
    assert settings(found.process("entra"))["identity_hosts"] == {secret: ["c0000000-0000-4000-8000-000000000001"]}
    assert settings(plan(tmp_path).process("gateway"))["identity_header"] == secret


def test_traces_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    """Their key is no other part's, and an untraced gateway leaves no address behind."""
    off, on = plan(tmp_path), plan(tmp_path, config=replace(CONFIG, trace=True))
    path = str(tmp_path / "run" / "trace.json")
    assert settings(off.process("gateway"))["trace"] == {}
    assert off.process("gateway").files[path] == "{}"
    given = settings(on.process("gateway"))
    assert given["trace"]["file"] == path
    assert path not in on.process("gateway").files
    assert len({given["trace"]["key"], given["identity_header"]}) == 2


def test_a_console_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """It sees the directory, and neither a password nor a database key."""
    assert "console" not in [process.name for process in plan(tmp_path).processes]
    console = plan(tmp_path, config=replace(CONFIG, console_port=8082)).process("console")
    assert (console.port, console.health) == (8082, Health("http", "/healthz"))
    seen = {entry["type"] for entry in json.loads(console.files[str(tmp_path / "run/state.console.json")])}
    assert "azuread_application" in seen
    assert not [type_ for type_ in seen if "password" in type_ or "cosmosdb" in type_ or "secret" in type_]


def test_parts_see_only_their_share_of_the_state(tmp_path: Path) -> None:
    """The gateway holds no database key, the issuer no policy."""
    found = plan(tmp_path)
    seen = {
        name: {
            entry["type"]
            for path, text in {**found.process(name).files, **found.process(name).live}.items()
            if "state" in path
            for entry in json.loads(text)
        }
        for name in ("gateway", "entra")
    }
    assert "azurerm_api_management_api" in seen["gateway"]
    assert "azuread_application" in seen["entra"]
    assert not {"azurerm_cosmosdb_account", "azurerm_container_group"} & (seen["gateway"] | seen["entra"])


def test_gateway_sees_only_the_secrets_it_names(tmp_path: Path) -> None:
    """The vault also holds connection strings."""
    files = plan(tmp_path).process("gateway").live
    state = json.loads(files[str(tmp_path / "run/state.gateway.json")])
    assert [e["address"] for e in state if e["type"] == "azurerm_key_vault_secret"] == [
        "azurerm_key_vault_secret.partner"
    ]


def change_api(resources: dict[str, dict[str, Any]]) -> None:
    resources["azurerm_api_management_api.mongodb"]["path"] = "other"


def change_environment(resources: dict[str, dict[str, Any]]) -> None:
    resources["azurerm_container_group.reader"]["container"][0]["environment_variables"]["LIMIT"] = "5"


def change_directory(resources: dict[str, dict[str, Any]]) -> None:
    resources["azuread_application.api"]["display_name"] = "renamed"


def change_keys(resources: dict[str, dict[str, Any]]) -> None:
    resources["azurerm_cosmosdb_account.this"]["secondary_key"] = "rotated"


def test_a_new_key_reaches_the_database_without_a_restart(tmp_path: Path) -> None:
    """The running process takes the users over: a restart would cut the calls that use the other key."""
    before, after = plan(tmp_path).process("mongo"), plan(tmp_path, change_keys).process("mongo")
    assert before.fingerprint == after.fingerprint
    assert [user["password"] for user in users(after)] == ["rw+key==", "rotated", "ro+key==", "ro2"]


def test_keys_and_addresses_are_the_clouds_as_they_are_now(tmp_path: Path) -> None:
    """Terraform's state learns them with the next apply; the database goes by the account, the gateway by the group."""
    state = build(None)
    account = state.one("azurerm_cosmosdb_account")
    cloud = Store(tmp_path / "cloud.json")
    cloud.put(account.type, {"id": account["id"], "secondary_key": "regenerated", "name": "ignored"})
    current = with_current_values(state, tmp_path).one("azurerm_cosmosdb_account")
    assert current.values == {**account.values, "secondary_key": "regenerated"}
    type_ = "azurerm_container_group"
    state = State((Resource(f"{type_}.a", type_, {"id": "/a", "ip_address": "10.0.1.4"}),))
    cloud.put(type_, {"id": "/a", "ip_address": "10.0.1.99"})
    assert with_current_values(state, tmp_path).one(type_)["ip_address"] == "10.0.1.99"
    assert with_current_values(state, tmp_path / "none") == state


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (None, set()),
        (change_environment, {"aci-mongodb-reader-a"}),
        (change_api, set()),
        (change_directory, set()),
        (change_keys, set()),
    ],
)
def test_a_change_restarts_only_what_it_concerns(tmp_path: Path, edit: Edit | None, changed: set[str]) -> None:
    before = {process.name: process.fingerprint for process in plan(tmp_path).processes}
    after = {process.name: process.fingerprint for process in plan(tmp_path, edit).processes}
    assert {name for name in before if before[name] != after[name]} == changed


@pytest.mark.parametrize(
    ("edit", "changed"), [(change_api, {"gateway"}), (change_directory, {"entra"}), (change_keys, {"mongo"})]
)
def test_a_change_that_a_running_process_takes_over(tmp_path: Path, edit: Edit, changed: set[str]) -> None:
    before = {process.name: process.live for process in plan(tmp_path).processes}
    after = {process.name: process.live for process in plan(tmp_path, edit).processes}
    assert {name for name in before if before[name] != after[name]} == changed


def test_another_port_of_the_gateway_is_another_process(tmp_path: Path) -> None:
    before = plan(tmp_path).process("gateway").fingerprint
    assert plan(tmp_path, config=replace(CONFIG, gateway_port=8090)).process("gateway").fingerprint != before


def test_a_new_digest_restarts_its_servers(tmp_path: Path) -> None:
    """Pushing the same tag again changes the image, and that is a change of the process."""
    before = plan(tmp_path).process("aci-mongodb-admin-a").fingerprint
    fill_image_store(tmp_path, digest="sha256:" + "cd" * 32)
    after = make_plan(build(), CONFIG, tmp_path, PORTS.__getitem__).process("aci-mongodb-admin-a").fingerprint
    assert before != after


def test_image_by_digest_needs_no_tag(tmp_path: Path) -> None:
    def pin(resources: dict[str, dict[str, Any]]) -> None:
        container = resources["azurerm_container_group.admin"]["container"][0]
        container["image"] = f"acrmcp.azurecr.io/mongodb-mcp@{DIGEST}"

    assert plan(tmp_path, pin).refused == {}


def test_system_identity_is_not_handed_out(tmp_path: Path) -> None:
    """Only identities that are attached to the gateway are served: detaching it stops the tokens."""

    def detach(resources: dict[str, dict[str, Any]]) -> None:
        resources["azurerm_api_management.this"]["identity"] = [{"identity_ids": [identity_id("id-other")]}]

    hosts = settings(plan(tmp_path, detach).process("entra"))["identity_hosts"]
    assert list(hosts.values()) == [[]]


def test_stage_one_alone_is_no_platform(tmp_path: Path) -> None:
    def without_gateway(resources: dict[str, dict[str, Any]]) -> None:
        del resources["azurerm_api_management.this"]

    with pytest.raises(StateError, match="0 azurerm_api_management"):
        plan(tmp_path, without_gateway)


def test_two_groups_of_one_name_are_refused(tmp_path: Path) -> None:
    def duplicate(resources: dict[str, dict[str, Any]]) -> None:
        resources["azurerm_container_group.reader"]["name"] = "aci-mongodb-admin-a"

    with pytest.raises(RuntimeFailure, match="two processes are called 'aci-mongodb-admin-a'"):
        plan(tmp_path, duplicate)
