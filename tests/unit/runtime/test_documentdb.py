"""A database without keys on the local platform: who is registered, whose tokens count, what containers are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.platform_state import GROUP, TENANT, Edit, build, fill_image_store
from twin.supervise.databases import users
from twin.supervise.documentdb import KeylessUri
from twin.supervise.plan import make_plan
from twin.supervise.settings import RuntimeConfig
from twin.supervise.spec import Plan, ProcessSpec

Resources = dict[str, dict[str, Any]]
CLUSTER = f"{GROUP}/providers/Microsoft.DocumentDB/mongoClusters/docdb-mcp"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.mongocluster.cosmos.azure.com"
PORTS = {"mongo": 21000, "aci-mongodb-admin-a": 21001, "aci-mongodb-reader-a": 21002, "aci-database-users": 21003}
TIERS = {"admin": 2, "reader": 3}


def client_id(tier: str) -> str:
    return f"c0000000-0000-4000-8000-00000000000{TIERS[tier]}"


def uri(tier: str) -> str:
    options = "tls=true&authMechanism=MONGODB-OIDC&retrywrites=false&maxIdleTimeMS=120000"
    return f"mongodb+srv://{client_id(tier)}@docdb-mcp.global.mongocluster.cosmos.azure.com/?{options}"


def keyless(resources: Resources) -> None:
    """The state of `build`, with a cluster in the place of the account, and the job that makes its users."""
    del resources["azurerm_cosmosdb_account.this"]
    resources["azurerm_mongo_cluster.this"] = {
        "id": CLUSTER,
        "name": "docdb-mcp",
        "public_network_access": "Disabled",
    }
    resources["azurerm_mongo_cluster_user.database"] = {"object_id": "D0000000-0000-4000-8000-000000000009"}
    endpoint = resources["azurerm_private_endpoint.database"]
    endpoint["private_service_connection"] = [
        {"private_connection_resource_id": CLUSTER, "subresource_names": ["MongoCluster"]}
    ]
    endpoint["private_dns_zone_group"] = [{"private_dns_zone_ids": [ZONE]}]
    resources["azurerm_private_dns_zone.database"] = {"id": ZONE, "name": ZONE.rpartition("/")[2]}
    resources["azurerm_private_dns_zone_virtual_network_link.database"]["private_dns_zone_id"] = ZONE
    for address, group in [(a, r) for a, r in resources.items() if a.startswith("azurerm_container_group.")]:
        tier = next(tier for tier in TIERS if tier in address)
        container = group["container"][0]
        container["secure_environment_variables"] = None
        container["environment_variables"] |= {"MONGODB_URI": uri(tier)}
    admin = next(r for a, r in resources.items() if a.startswith("azurerm_container_group.") and "admin" in a)
    job = json.loads(json.dumps(admin)) | {"name": "aci-database-users", "restart_policy": "OnFailure"}
    job["container"][0]["commands"] = ["python", "-m", "mongo_db_server.users"]
    resources["azurerm_container_group.users"] = job


def plan(home: Path, edit: Edit | None = None) -> Plan:
    def edited(resources: Resources) -> None:
        keyless(resources)
        if edit is not None:
            edit(resources)

    fill_image_store(home)
    config = RuntimeConfig(gateway_port=8080, entra_port=8081)
    return make_plan(build(edited), config, home, PORTS.__getitem__)


def settings(process: ProcessSpec) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads({**process.files, **process.live}[process.argv[-1]])
    return loaded


def test_the_database_believes_the_local_issuer(tmp_path: Path) -> None:
    """Its tokens' issuer is that of version 1, its keys are the issuer's own; who Azure registered is root."""
    mongo = plan(tmp_path).process("mongo")
    given = settings(mongo)
    assert given["oidc"] == {
        "issuer": f"https://sts.windows.net/{TENANT}/",
        "audience": "https://ossrdbms-aad.database.windows.net",
        "keys_url": f"http://127.0.0.1:8081/{TENANT}/discovery/v2.0/keys",
    }
    assert json.loads(mongo.live[given["users_file"]]) == [
        {"object_id": "d0000000-0000-4000-8000-000000000009", "role": "root"}
    ]


def test_containers_get_tokens_of_their_own_identity_only(tmp_path: Path) -> None:
    """A secret for each tier, which opens nothing but that tier's identity, and survives the next plan."""
    found = plan(tmp_path)
    hosts = settings(found.process("entra"))["identity_hosts"]
    for tier in TIERS:
        environment = found.process(f"aci-mongodb-{tier}-a").env
        assert environment["IDENTITY_ENDPOINT"] == "http://127.0.0.1:8081/msi/token"
        assert hosts[environment["IDENTITY_HEADER"]] == [client_id(tier)]
        assert environment["MONGODB_URI"] == (
            f"mongodb://{client_id(tier)}@127.0.0.1:21000/"
            "?authMechanism=MONGODB-OIDC&retrywrites=false&maxIdleTimeMS=120000"
        )
    assert len(hosts) == 3
    assert settings(plan(tmp_path).process("entra"))["identity_hosts"] == hosts


def test_a_second_slot_changes_nothing_for_the_issuer(tmp_path: Path) -> None:
    """Groups of one identity share its secret: the issuer is not restarted for them."""

    def another(resources: Resources) -> None:
        reader = next(r for a, r in resources.items() if a.startswith("azurerm_container_group.") and "reader" in a)
        resources["azurerm_container_group.reader_b"] = {**reader, "name": "aci-database-users"}
        del resources["azurerm_container_group.users"]

    assert plan(tmp_path, another).process("entra").fingerprint == plan(tmp_path).process("entra").fingerprint


def test_a_job_runs_to_its_end(tmp_path: Path) -> None:
    """Its own command in place of the image's, and once more only where it failed."""
    job = plan(tmp_path).process("aci-database-users")
    assert job.argv[1:] == ("-m", "mongo_db_server.users")
    assert job.restart == "OnFailure"


def no_endpoint(resources: Resources) -> None:
    del resources["azurerm_private_endpoint.database"]


def endpoint_of_another_kind(resources: Resources) -> None:
    resources["azurerm_private_endpoint.database"]["private_service_connection"][0]["subresource_names"] = ["MongoDB"]


def zone_not_linked(resources: Resources) -> None:
    del resources["azurerm_private_dns_zone_virtual_network_link.database"]


def no_cluster(resources: Resources) -> None:
    del resources["azurerm_mongo_cluster.this"]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (no_endpoint, "has no azurerm_private_endpoint for MongoCluster"),
        (endpoint_of_another_kind, "has no azurerm_private_endpoint for MongoCluster"),
        (zone_not_linked, "has no name in the containers' network"),
        (no_cluster, "no applied cluster is called"),
    ],
)
def test_a_cluster_that_azure_would_not_reach(tmp_path: Path, edit: Edit, says: str) -> None:
    """The server starts, meets nobody at the address, and the status says why."""
    found = plan(tmp_path, edit)
    assert "@127.0.0.1:1/" in found.process("aci-mongodb-reader-a").env["MONGODB_URI"]
    assert [why for what, why in found.unreachable.items() if "reader" in what and says in why]


@pytest.mark.parametrize(
    "text",
    [
        "mongodb://id@docdb.global.mongocluster.cosmos.azure.com/?authMechanism=MONGODB-OIDC",
        "mongodb+srv://id@docdb.global.mongocluster.cosmos.azure.com/?authMechanism=SCRAM-SHA-256",
        "mongodb+srv://id@cluster.example.com/?authMechanism=MONGODB-OIDC",
        "id",
    ],
)
def test_other_addresses_are_left_alone(text: str) -> None:
    """Another MongoDB with tokens, or one with a password, is not ours to stand in for."""
    assert KeylessUri.parse(text) is None


def test_without_a_cluster_no_token_counts(tmp_path: Path) -> None:
    """The platform of a Cosmos DB account is what it was."""
    fill_image_store(tmp_path)
    found = make_plan(build(), RuntimeConfig(), tmp_path, PORTS.__getitem__)
    assert "oidc" not in settings(found.process("mongo"))
    assert "IDENTITY_HEADER" not in found.process("aci-mongodb-reader-a").env
    assert len(users(build())) == 4
