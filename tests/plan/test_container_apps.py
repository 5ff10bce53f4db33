"""The local environment with its server as apps: what the stages refuse, and how apps come and go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ops.config import tfvars
from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.conftest import Planned

OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")
CONNECTIONS = {"admin": "read-write", "reader": "read-only"}


def given(bench: Bench, apps: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The local values, with the server as apps unless told otherwise."""
    values = tfvars.read(bench.tfvars("local"))
    values["mcp_servers"]["mongodb"] |= {"compute": "container-apps", "cpu": 0.5, "memory": 1, **changes}
    return values | ({"container_apps": apps} if apps else {})


@pytest.fixture(scope="module")
def apps(own_bench: Bench) -> Bench:
    """Both stages applied, with apps."""
    for stage in (1, 2):
        change.apply(own_bench, stage, given(own_bench))
    return own_bench


def one(bench: Bench, type_: str, **wanted: str) -> dict[str, Any]:
    """What is applied of that type with these values; there must be one."""
    (found,) = [
        values
        for values in bench.cloud.store.of_type(f"azurerm_{type_}")
        if all(values.get(name) == value for name, value in wanted.items())
    ]
    return dict(found)


def app(bench: Bench, tier: str) -> dict[str, Any]:
    return one(bench, "container_app", name=f"mongodb-{tier}")


@pytest.mark.parametrize("tier", list(CONNECTIONS))
def test_an_app_reads_its_own_secrets(apps: Bench, tier: str) -> None:
    """Both keys of its connection, by their versions, as itself and by a role on each; it uses the active one."""
    found, secrets = app(apps, tier), {f"cosmos-{CONNECTIONS[tier]}-{key}" for key in ("primary", "secondary")}
    (identity,) = found["identity"][0]["identity_ids"]
    assert identity.endswith(f"/id-mcp-local-mongodb-{tier}")
    assert {secret["name"]: secret["identity"] for secret in found["secret"]} == dict.fromkeys(secrets, identity)
    ids = [secret["key_vault_secret_id"] for secret in found["secret"]]
    assert all(re.fullmatch(r"https://[^/]+/secrets/[a-z-]+/[0-9a-f]{32}", id_) for id_ in ids), ids
    named = {v["name"]: v["secret_name"] for v in found["template"][0]["container"][0]["env"] if v.get("secret_name")}
    assert named == {"MONGODB_URI": f"cosmos-{CONNECTIONS[tier]}-primary"}
    principal = one(apps, "user_assigned_identity", name=f"id-mcp-local-mongodb-{tier}")["principal_id"]
    scopes = [
        role["scope"].rpartition("/")[2]
        for role in apps.cloud.store.of_type("azurerm_role_assignment")
        if role["principal_id"] == principal and "/secrets/" in role["scope"]
    ]
    assert sorted(scopes) == sorted(secrets)


def test_another_key_is_used_at_once(apps: Bench) -> None:
    """The other key of the same connection, which the app holds already."""
    values = given(apps)
    values["cosmos"] = {**values["cosmos"], "active_key": "secondary"}
    assert change.attempt(apps, 2, values) == ""
    env = app(apps, "reader")["template"][0]["container"][0]["env"]
    assert [v["secret_name"] for v in env if v["name"] == "MONGODB_URI"] == ["cosmos-read-only-secondary"]
    assert change.attempt(apps, 2, given(apps)) == ""


def test_no_secret_of_an_app_is_read(planned: Planned) -> None:
    """Azure reads the vault: neither plan nor state holds a value that an app refers to."""
    prior = planned(2, "container-apps")._raw["prior_state"]["values"]["root_module"]["resources"]
    looked_up = {resource["address"] for resource in prior if resource["mode"] == "data"}
    assert {address for address in looked_up if "azurerm_key_vault_secret." in address} == set()
    assert 'data.azurerm_key_vault_secrets.referenced["this"]' in looked_up


def test_the_names_of_apps_lead_to_their_environment(apps: Bench) -> None:
    """A zone of the domain that Azure chose, in which every name is at the environment's address."""
    environment = one(apps, "container_app_environment")
    zone = one(apps, "private_dns_zone", name=environment["default_domain"])
    record = one(apps, "private_dns_a_record", private_dns_zone_id=zone["id"])
    assert (record["name"], record["records"]) == ("*", [environment["static_ip_address"]])
    assert environment["infrastructure_subnet_id"].endswith("/subnets/snet-apps")


@pytest.fixture
def images(apps: Bench) -> Iterator[Any]:
    """Writes images.json, which is gone afterwards, with what was applied of it."""
    path = apps.home / "terraform/environments/local/images.json"
    yield lambda **entry: path.write_text(json.dumps({"mongodb": {"repository": "mongodb-mcp", **entry}}))
    path.unlink()
    assert change.attempt(apps, 2, given(apps), refresh=False) == ""


def test_calls_go_where_images_json_says(apps: Bench, images: Any) -> None:
    """An earlier revision keeps its part of one tier's calls, though the newest runs another image; some are kept."""
    earlier = app(apps, "reader")["latest_revision_name"].rpartition("--")[2]
    images(digest=OLD, newest=NEW, traffic={"reader": {"revision": earlier, "weight": 60}})
    assert change.attempt(apps, 2, given(apps), refresh=False) == ""
    found = {tier: app(apps, tier) for tier in CONNECTIONS}
    weights = {
        tier: [
            (w["latest_revision"], w["revision_suffix"], w["percentage"]) for w in one["ingress"][0]["traffic_weight"]
        ]
        for tier, one in found.items()
    }
    assert weights["admin"] == [(True, None, 100)]
    assert sorted(weights["reader"], key=str) == [(False, earlier, 60), (True, None, 40)]
    for one in found.values():
        assert one["template"][0]["container"][0]["image"].endswith(f"/mongodb-mcp@{NEW}")
        assert one["max_inactive_revisions"] == 10


def test_a_missing_secret_stops_the_plan(apps: Bench) -> None:
    """An app's and a server elsewhere's: Azure reads them by itself, and would miss them half-way through the apply."""
    values = given(apps, secrets={"SEARCH_KEY": "search-key"})
    remote = {"url": "https://mcp.example.com/mcp", "credential": {"secret": "tickets-key"}}
    values["mcp_servers"]["tickets"] = {"remote": remote, "tiers": {"admin": {"role": "Mcp.Admin"}}}
    _, (said,) = change.refusals(apps, 2, values)
    assert said.startswith("The key vault keyvault-mcp-local holds no secret search-key, tickets-key, which ")
    names = ("search-key", "tickets-key")
    for name in names:
        held = {"id": f"/secrets/{name}", "name": name, "value": "not-read"}
        apps.cloud.store.put("azurerm_key_vault_secret", held)
    assert change.refusals(apps, 2, values) == ([], [])
    for name in names:
        apps.cloud.store.remove("azurerm_key_vault_secret", f"/secrets/{name}")


@pytest.mark.parametrize("changed", [{"subnet": "10.60.2.64/26"}, {"zone_redundant": True}], ids=str)
def test_an_environment_is_not_replaced(apps: Bench, changed: dict[str, Any]) -> None:
    """With every app in it: subnet and zones are chosen once."""
    _, sentences = change.refusals(apps, 1, given(apps, changed, scale={"minimum": 2}))
    assert [said.split(" (it is")[0] for said in sentences] == [
        "container_apps cannot change its subnet or zone_redundant"
    ]


def test_an_environment_stays_while_apps_run_in_it(apps: Bench) -> None:
    """Stage 1 comes first: the sentence names the apps and the setting for the deployment that takes them away."""
    groups = given(apps, compute="container-instances")
    _, (said,) = change.refusals(apps, 1, groups)
    assert said.startswith("The apps mongodb-admin, mongodb-reader still run in the Container Apps environment")
    assert "set container_apps.enabled = true" in said
    for stage in (1, 2):
        assert change.attempt(apps, stage, groups | {"container_apps": {"enabled": True}}) == ""
    group = f"/subscriptions/{groups['subscription_id']}/resourceGroups/{groups['resource_group_name']}"
    others = {"name": "billing", "resource_group_name": groups["resource_group_name"], "tags": {"deployment": "other"}}
    id_ = f"{group}/providers/Microsoft.App/containerApps/billing"
    apps.cloud.store.put("azurerm_container_app", {**others, "id": id_})
    assert change.attempt(apps, 1, groups) == ""
    assert apps.cloud.store.of_type("azurerm_container_app_environment") == []
