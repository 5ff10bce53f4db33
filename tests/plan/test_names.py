"""The names that both stages read. Azure renames nothing: another name is another object, and the old one is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plan.bench import Bench

SERVERS = {"notes": {"port": 8080, "slots": ["a", "b"], "tiers": {"reader": {"role": "Mcp.Read"}}}}
HUB = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones"


@pytest.fixture(scope="module")
def names(bench: Bench) -> Any:
    folder = bench.home / "terraform" / "root-names"
    folder.mkdir()

    def planned(**given: Any) -> dict[str, Any]:
        """Outputs of the module, for a deployment called `mcp-prod`."""
        module = {"source": "../modules/platform-names", "name": "mcp-prod", "environment": "prod", **given}
        root = {"module": {"names": module}, "output": {"names": {"value": "${module.names}"}}}
        (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
        outputs: dict[str, Any] = bench.plan(folder)._raw["planned_values"]["outputs"]["names"]["value"]
        return outputs

    return planned


def test_a_dev_center_s_name_is_short(names: Any) -> None:
    """Azure takes 26 characters; what is cut does not end with a hyphen."""
    assert names(name="mcp-of-a-long-platform-in-prod")["agents"]["dev_center"] == "dc-mcp-of-a-long-platform"


def test_names_are_for_good(names: Any) -> None:
    """What a deployment has is called this; a change here is a change of everybody's resources."""
    assert names(servers=SERVERS, tags={"owner": "team"}, private_dns={"registry": True, "state": True}) == {
        "tags": {"owner": "team", "deployment": "mcp-prod", "environment": "prod"},
        "identities": {key: f"id-mcp-prod-{key}" for key in ("gateway", "encryption", "database")},
        "network": {
            "virtual_network": "vnet-mcp-prod",
            "nat_gateway": "ng-vnet-mcp-prod",
            "nat_address": "pip-vnet-mcp-prod-nat",
            "dns_link": "link-mcp-prod",
            "subnets": {
                key: {"name": f"snet-{key}", "security_group": f"nsg-vnet-mcp-prod-{key}"}
                for key in ("apim", "containers", "endpoints")
            },
        },
        "agents": {
            "subnet": "snet-agents",
            "security_group": "nsg-vnet-mcp-prod-agents",
            "dev_center": "dc-mcp-prod",
            "project": "agents-mcp-prod",
            "pool": "mdp-mcp-prod",
        },
        "container_apps": {
            "environment": "cae-mcp-prod",
            "subnet": "snet-apps",
            "security_group": "nsg-vnet-mcp-prod-apps",
        },
        "private_endpoints": {
            key: f"pe-mcp-prod-{key}" for key in ("vault", "registry", "state", "cosmos", "documentdb")
        },
        "private_dns_zones": {
            "servers": "mcp.internal",
            "cosmos": "privatelink.mongo.cosmos.azure.com",
            "vault": "privatelink.vaultcore.azure.net",
            "registry": "privatelink.azurecr.io",
            "state": "privatelink.blob.core.windows.net",
        },
        "gateway": {
            "name": "apim-mcp-prod",
            "public_base_url": "https://apim-mcp-prod.azure-api.net",
            "host": "apim-mcp-prod.azure-api.net",
            "zone": "apim-mcp-prod.azure-api.net",
            "record": "@",
        },
        "tiers": {"notes-reader": {"server": "notes", "tier": "reader", "identity_name": "id-mcp-prod-notes-reader"}},
        "slots": {
            f"notes-reader-{slot}": {
                "name": f"notes-reader-{slot}",
                "fqdn": f"notes-reader-{slot}.mcp.internal",
                "url": f"http://notes-reader-{slot}.mcp.internal:8080",
                "server": "notes",
                "tier": "reader",
                "slot": slot,
                "role": "Mcp.Read",
                "connection": None,
                "port": 8080,
                "compute": "container-instances",
            }
            for slot in "ab"
        },
    }


def test_an_internal_gateway_is_found_in_a_zone_of_its_own(names: Any) -> None:
    """Its custom host wins over Azure's name; the zone is the host itself, and the record its apex."""
    found = names(gateway={"exposure": "internal", "custom_host_name": "mcp.example.com"})
    assert found["gateway"]["public_base_url"] == "https://mcp.example.com"
    assert (found["gateway"]["zone"], found["gateway"]["record"]) == ("mcp.example.com", "@")
    assert found["private_dns_zones"]["gateway"] == "mcp.example.com"


def test_zones_of_a_hub_are_used_and_not_made(names: Any) -> None:
    """Slots are named in the hub's zone, and an internal gateway's record is its host within the hub's domain."""
    found = names(
        servers=SERVERS,
        gateway={"exposure": "internal", "public_base_url": "https://mcp.corp.example:8443"},
        private_dns={"existing_zone_ids": {"servers": f"{HUB}/mcp.corp", "gateway": f"{HUB}/corp.example"}},
    )
    assert set(found["private_dns_zones"]) == {"cosmos", "vault"}
    assert found["slots"]["notes-reader-a"]["fqdn"] == "notes-reader-a.mcp.corp"
    assert found["gateway"]["host"] == "mcp.corp.example"
    assert (found["gateway"]["zone"], found["gateway"]["record"]) == ("corp.example", "mcp")


def test_a_database_that_is_not_there_has_no_zone(names: Any) -> None:
    """A zone costs money, and answers for nothing where its database is another one."""
    found = names(databases={"cosmos": False, "documentdb": True})
    assert found["private_dns_zones"]["documentdb"] == "privatelink.mongocluster.cosmos.azure.com"
    assert "cosmos" not in found["private_dns_zones"]
