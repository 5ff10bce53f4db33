"""The local environment through its whole life: apply, no second thoughts, a new image, destroy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ops.config import tfvars
from tests.plan import change, reporting
from tests.plan.bench import Bench
from tests.plan.inventory import resources

DIGEST = "sha256:" + "a" * 64


@pytest.fixture(scope="module")
def platform(own_bench: Bench) -> Bench:
    """Both stages applied, as `invoke deploy` does it."""
    for stage in (1, 2):
        own_bench.apply(own_bench.stage(stage), case="local")
    return own_bench


@pytest.mark.parametrize("stage", [1, 2])
def test_a_second_plan_changes_nothing(platform: Bench, stage: int) -> None:
    """What was applied is what is declared: the next plan is empty."""
    assert _changes(platform, stage) == {}


@pytest.mark.parametrize(
    ("tier", "connection"),
    [("admin", "primary_mongodb_connection_string"), ("reader", "primary_readonly_mongodb_connection_string")],
)
def test_each_tier_holds_its_own_connection(platform: Bench, tier: str, connection: str) -> None:
    """The reader's container cannot write, whatever its code does: it has the read-only key and no other."""
    applied = resources(_show(platform, 2))
    account = applied['module.database["this"].azurerm_cosmosdb_account.this']
    group = applied[f'module.servers["mongodb-{tier}-a"].azurerm_container_group.this']
    assert group["container"][0]["secure_environment_variables"] == {"MONGODB_URI": account[connection]}


@pytest.mark.parametrize("tier", ["admin", "reader"])
def test_servers_trust_the_gateway_and_nobody_else(platform: Bench, tier: str) -> None:
    """Who issues, for whom, who may call, and by which name: all as the same state says it elsewhere."""
    applied = resources(_show(platform, 2))
    identity = resources(_show(platform, 1))["module.gateway_identity.azurerm_user_assigned_identity.this"]
    named = {v["name"]: v["value"] for address, v in applied.items() if "_named_value." in address}
    group = applied[f'module.servers["mongodb-{tier}-a"].azurerm_container_group.this']
    backend = applied[f'module.apim.azurerm_api_management_backend.slot["mongodb-{tier}-a"]']
    told = group["container"][0]["environment_variables"]
    hosts = told.pop("MCP_ALLOWED_HOSTS").split(",")
    assert told == {
        "PORT": "8000",
        "MCP_SERVER_NAME": "mongodb",
        "MCP_TIER": tier,
        # Five seconds before the gateway's 120.
        "MCP_TIME_MS_CEILING": "115000",
        "MCP_TIME_MS_DEFAULT": "30000",
        "MCP_AUTH_ISSUER": named["entra-issuer"],
        "MCP_AUTH_JWKS_URI": f"{named['entra-authority']}/discovery/v2.0/keys",
        "MCP_AUTH_TENANT_ID": named["tenant-id"],
        "MCP_AUTH_AUDIENCE": applied["module.backend_app.azuread_application.this"]["client_id"],
        "MCP_AUTH_GATEWAY_OBJECT_ID": identity["principal_id"],
    }
    assert backend["url"].removeprefix("http://") in hosts


def test_what_servers_print_is_kept(platform: Bench) -> None:
    """Every container group's output goes to the workspace that the alerts and the workbook read, without its key."""
    applied = resources(_show(platform, 2))
    workspace = applied["module.monitoring.azurerm_log_analytics_workspace.this"]
    groups = [values for address, values in applied.items() if "azurerm_container_group." in address]
    kept = {
        setting["target_resource_id"]: {log["category"] for log in setting["enabled_log"]}
        for setting in reporting.settings(applied).values()
        if setting["log_analytics_workspace_id"] == workspace["id"]
    }
    assert {group["id"] for group in groups} == {id_ for id_, logs in kept.items() if "ContainerInstanceLog" in logs}
    assert [group["diagnostics"] for group in groups] == [[]] * len(groups)
    assert groups


def test_records_hold_the_addresses_that_the_settings_left(platform: Bench) -> None:
    """A diagnostic setting restarts its group, which then has another address: the first deployment writes that one."""
    applied = resources(_show(platform, 2))
    objects = json.loads((platform.home / "cloud.json").read_text(encoding="utf-8"))["objects"]
    now = {group["name"]: group["ip_address"] for group in objects["azurerm_container_group"].values()}
    records = {v["name"]: v["records"] for a, v in applied.items() if ".azurerm_private_dns_a_record." in a}
    created = {v["name"]: v["ip_address"] for a, v in applied.items() if "azurerm_container_group." in a}
    assert {f"aci-{name}": [address] for name, (address,) in records.items()} == {n: [a] for n, a in now.items()}
    assert all(created[name] != address for name, address in now.items())


def test_every_alert_reaches_somebody(platform: Bench) -> None:
    """Each alert, whatever its kind, calls the one action group, which has an address."""
    applied = resources(_show(platform, 2))
    (group,) = [values for address, values in applied.items() if ".azurerm_monitor_action_group." in address]
    alerts = {address: values for address, values in applied.items() if "alert" in address.split(".")[-2]}
    called = {address: str(values["action"]).count(group["id"]) for address, values in alerts.items()}
    assert group["email_receiver"]
    assert set(called.values()) == {1}, called
    assert len(alerts) > 8


@pytest.mark.parametrize("stage", [1, 2])
def test_no_value_is_made_up_of_its_own_name(platform: Bench, stage: int) -> None:
    """What Azure decides has Azure's words: a filler such as `resolution-policy-1f2e3d4c` would be believed."""
    made_up = re.compile(r"([a-z]+(-[a-z]+)*)-[0-9a-f]{8}")

    def fillers(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from fillers(inner, f"{path}.{name}")
        elif isinstance(value, list):
            for inner in value:
                yield from fillers(inner, path)
        elif isinstance(value, str) and (found := made_up.fullmatch(value)):
            yield from [path] if found.group(1).replace("-", "_") == path.rsplit(".", 1)[-1] else []

    applied = resources(_show(platform, stage))
    assert [place for address, values in applied.items() for place in fillers(values, address)] == []


@pytest.mark.parametrize("stage", [1, 2])
def test_no_output_holds_a_secret(platform: Bench, stage: int) -> None:
    """Outputs land in pipeline logs: none contains a value of a database key, whatever it is called."""
    account = resources(_show(platform, 2))['module.database["this"].azurerm_cosmosdb_account.this']
    secrets = {value for name, value in account.items() if name.endswith(("_key", "_connection_string")) and value}
    outputs = json.dumps(_show(platform, stage)["values"]["outputs"])
    assert len(secrets) >= 8
    assert [secret for secret in secrets if json.dumps(secret)[1:-1] in outputs] == []


HELD = ("Mcp.Admin/admin", "Mcp.Read/reader")


def test_each_group_holds_the_role_of_its_tier(platform: Bench) -> None:
    """Administrators administer and readers read, by the ids that Entra goes by."""
    applied = resources(_show(platform, 2))
    api = applied["module.api_app.azuread_application.this"]
    roles = {role["id"]: role["value"] for role in api["app_role"]}
    groups = {applied[f'module.groups.azuread_group.this["{tier}"]']["object_id"]: tier for tier in ("admin", "reader")}
    held = [applied[f'module.api_app.azuread_app_role_assignment.this["{key}"]'] for key in HELD]
    found = {groups[one["principal_object_id"]]: roles[one["app_role_id"]] for one in held}
    assert found == {"admin": "Mcp.Admin", "reader": "Mcp.Read"}


def test_a_new_image_replaces_its_container_groups_and_nothing_else(platform: Bench) -> None:
    """A release touches the server's containers and their records; the gateway and the data stay."""
    file = platform.tfvars("local").with_name("images.json")
    file.write_text(json.dumps({"mongodb": {"repository": "mongodb-mcp", "digest": DIGEST, "tag": "0.2.0"}}))
    try:
        changes = _changes(platform, 2)
    finally:
        file.unlink()
    assert changes == {
        f'module.servers["mongodb-{tier}-a"].azurerm_{what}.this': action
        for tier in ("admin", "reader")
        for what, action in {"container_group": "replace", "private_dns_a_record": "update"}.items()
    } | {
        f'module.servers["mongodb-{tier}-a"].azurerm_monitor_diagnostic_setting.this["container-group"]': "replace"
        for tier in ("admin", "reader")
    }


def test_whatever_can_report_is_the_target_of_a_setting(platform: Bench) -> None:
    """Each setting listens to the resource that it is named after, and none is left out."""
    applied = {**resources(_show(platform, 1)), **resources(_show(platform, 2))}
    able = {values["id"] for address, values in applied.items() if reporting.type_of(address) in reporting.REPORTS}
    assert {values["target_resource_id"] for values in reporting.settings(applied).values()} == able


@pytest.mark.parametrize("stage", [1, 2])
def test_an_environment_that_wrote_no_generation_down_is_a_classic_one(platform: Bench, stage: int) -> None:
    """It is older than the v2 tiers: another kind of gateway would replace the one that people call."""
    before = change.Snapshot(platform)
    (path,) = (path for path in (platform.home / "state").iterdir() if path.name == f"stage{stage}.tfstate")
    state = json.loads(path.read_text(encoding="utf-8"))
    (made,) = (one for one in state["resources"] if one.get("name") == "as_made")
    for side in ("input", "output"):
        noted = made["instances"][0]["attributes"][side]
        del noted["value"]["gateway_generation"], noted["type"][1]["gateway_generation"]
    path.write_text(json.dumps(state), encoding="utf-8")
    values = tfvars.read(platform.tfvars("local"))
    values["apim"] = {**values["apim"], "sku_name": "StandardV2_1"}
    try:
        _, sentences = change.refusals(platform, stage, values)
    finally:
        before.restore()
    assert [said.partition(":")[0] for said in sentences] == [
        "apim.sku_name cannot change between the classic and the v2 tiers, here from classic to StandardV2_1"
    ]


def test_destroy_takes_everything_away(platform: Bench) -> None:
    """After destroying both stages nothing is left in the state."""
    for stage in (2, 1):
        platform.destroy(platform.stage(stage), case="local")
        assert "root_module" not in _show(platform, stage).get("values", {})


def _show(bench: Bench, stage: int) -> dict[str, Any]:
    return bench.show(bench.stage(stage))


def _changes(bench: Bench, stage: int) -> dict[str, str]:
    plan = bench.plan(bench.stage(stage), case="local")
    named = {
        "create": "create",
        "update": "update",
        "delete,create": "replace",
        "create,delete": "replace",
        "delete": "delete",
    }
    actions = {address: ",".join(change["change"]["actions"]) for address, change in plan.resource_changes.items()}
    return {address: named[taken] for address, taken in actions.items() if taken not in ("no-op", "read")}
