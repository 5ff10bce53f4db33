"""What a server's containers get: an image, and secrets where Azure shows nothing. Stage 2 of the local environment."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tftest
from mongo_db_server.settings import Settings

from ops.config import tfvars
from tests.plan.bench import Bench
from tests.plan.inventory import resources

PINNED, OWN, PUSHED = (f"sha256:{digit * 64}" for digit in "abc")
PUSHED_FILE = {
    "mongodb": {
        "repository": "mongodb-mcp",
        "digest": PUSHED,
        "tag": "0.2.0",
        "slots": {"b": {"digest": OWN, "tag": "0.3.0"}},
    }
}

SECRET = """
data "azurerm_key_vault" "ours" {
  name                = "keyvault-mcp-local"
  resource_group_name = "rg-mcp-local"
}

resource "azurerm_key_vault_secret" "search" {
  name         = "search-key"
  key_vault_id = data.azurerm_key_vault.ours.id
  value        = "found in the vault"
}

provider "azurerm" {
  subscription_id = "00000000-0000-4000-8000-000000000001"
  features {}
}
"""


@pytest.fixture(scope="module")
def stage2(own_bench: Bench) -> Path:
    """Stage 1 is applied."""
    own_bench.apply(own_bench.stage(1), case="local")
    return own_bench.stage(2)


def given(stage2: Path, bench: Bench, **changes: Any) -> None:
    """Changes the server's entry for the plans that follow."""
    values = tfvars.read(bench.tfvars("local"))
    values["mcp_servers"]["mongodb"] |= changes
    (stage2 / "changed.auto.tfvars.json").write_text(json.dumps(values), encoding="utf-8")


# What Terraform sets itself, for every server.
PLATFORM_S = re.compile(r"PORT|HOST|MONGODB_URI|MCP_SERVER_NAME|MCP_TIER|MCP_CONNECTION|MCP_ALLOWED_HOSTS|MCP_AUTH_\w+")


def test_every_other_setting_of_the_server_can_be_given(bench: Bench) -> None:
    """Field, collection and tool rules, ceilings, confirmation: all that the platform does not set itself."""
    names = [name.upper() for name in Settings.model_fields]
    free = [name for name in names if not PLATFORM_S.fullmatch(name)]
    assert {"MCP_FIELDS_DENY", "MCP_CONFIRMATION_KEY", "MCP_TIME_MS_CEILING"} <= {*free}
    for holder, value in (("environment", "1000"), ("secrets", "a-secret")):
        values = tfvars.read(bench.tfvars("local"))
        values["mcp_servers"]["mongodb"][holder] = dict.fromkeys(free, value)
        assert bench.refusals(bench.variables("shared"), values) == []
        for name in {*names} - {*free}:
            values["mcp_servers"]["mongodb"][holder] = {name: value}
            (said,) = bench.refusals(bench.variables("shared"), values)
            assert said.startswith(f"{holder} in mcp_servers must not set")


@pytest.mark.parametrize(
    ("image", "pushed", "running"),
    [
        ({"tag": "0.1.0"}, {}, {"a": ":0.1.0", "b": ":0.1.0"}),
        ({"tag": "0.1.0"}, PUSHED_FILE, {"a": f"@{PUSHED}", "b": f"@{OWN}"}),
        ({"digest": PINNED}, PUSHED_FILE, {"a": f"@{PINNED}", "b": f"@{PINNED}"}),
    ],
    ids=["tag", "images.json", "pinned"],
)
def test_a_slot_s_image(
    own_bench: Bench, stage2: Path, image: dict[str, str], pushed: dict[str, Any], running: dict[str, str]
) -> None:
    """A pin in mcp_servers wins, then the slot's own digest in images.json, then the server's, then the tag."""
    given(stage2, own_bench, image={"repository": "mongodb-mcp", **image}, slots=["a", "b"])
    file = own_bench.tfvars("local").with_name("images.json")
    file.write_text(json.dumps(pushed), encoding="utf-8")
    try:
        planned = resources(own_bench.plan(stage2)._raw)
    finally:
        file.unlink()
    found = {
        slot: planned[f'module.servers["mongodb-reader-{slot}"].azurerm_container_group.this']["container"][0]["image"]
        for slot in ("a", "b")
    }
    assert found == {slot: f"acrmcplocal.azurecr.io/mongodb-mcp{reference}" for slot, reference in running.items()}


def test_a_missing_secret_stops_the_plan(own_bench: Bench, stage2: Path) -> None:
    """The error names the secret and the vault: nothing is made that would start without it."""
    given(stage2, own_bench, secrets={"SEARCH_KEY": "search-key", "RERANK_KEY": "search-key"})
    with pytest.raises(tftest.TerraformTestError) as failed:
        own_bench.plan(stage2)
    said = str(failed.value.cmd_error)
    assert "search-key" in said
    assert "keyvault-mcp-local" in said


def fill_the_vault(bench: Bench) -> None:
    """Put `search-key` there, if it is not."""
    root = bench.home / "terraform" / "root-secret"
    root.mkdir(exist_ok=True)
    (root / "main.tf").write_text(SECRET, encoding="utf-8")
    bench.apply(root)


def test_a_secret_is_in_the_secure_environment_only(own_bench: Bench, stage2: Path) -> None:
    """Under each of its names, beside the platform's own, and in no plain value."""
    given(stage2, own_bench, secrets={"SEARCH_KEY": "search-key", "RERANK_KEY": "search-key"})
    fill_the_vault(own_bench)
    planned = resources(own_bench.plan(stage2)._raw)
    for slot in ("mongodb-admin-a", "mongodb-reader-a"):
        group = planned[f'module.servers["{slot}"].azurerm_container_group.this']
        assert "found in the vault" not in json.dumps(group["container"][0]["environment_variables"])
        secure = group["container"][0].get("secure_environment_variables") or {}
        assert {name: secure.get(name) for name in ("SEARCH_KEY", "RERANK_KEY")} == dict.fromkeys(
            ("SEARCH_KEY", "RERANK_KEY"), "found in the vault"
        )


READS = {"role": "Mcp.Read", "connection": "read-only"}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"tools": {"allow": ["find"], "deny": ["list-*"]}}, {}),
        (
            {"tools": {"allow": ["find", "count"], "deny": ["list-*"], "resources": True}},
            {"MCP_TOOLS_ALLOW": "find,count", "MCP_TOOLS_DENY": "list-*"},
        ),
    ],
)
def test_a_server_is_told_its_lists_where_something_is_open_beside_them(
    own_bench: Bench, stage2: Path, changes: dict[str, Any], wanted: dict[str, str]
) -> None:
    """Elsewhere the gateway keeps to them alone, and a change of a list replaces nothing."""
    given(stage2, own_bench, tiers={"reader": READS | changes})
    assert {name: value for name, value in environment(own_bench, stage2).items() if "TOOLS" in name} == wanted


def test_a_front_is_told_what_it_needs(own_bench: Bench, stage2: Path) -> None:
    """What the server behind it may see, by name; its bounds; and that a tier for readers goes by hints and lists."""
    tiers = {"reader": READS | {"tools": {"allow": ["a", "b*"]}}}
    given(
        stage2,
        own_bench,
        tiers=tiers,
        front={"idle": 900},
        environment={"REGION": "eu"},
        timeout=60,
        egress=["*.example.com", "api.test:8443"],
    )
    found = {name: value for name, value in environment(own_bench, stage2).items() if name.startswith("MCP_FRONT_")}
    assert found == {
        "MCP_FRONT_ENVIRONMENT": "REGION,MONGODB_URI",
        "MCP_FRONT_EGRESS": "*.example.com,api.test:8443",
        "MCP_FRONT_SESSIONS": "shared",
        "MCP_FRONT_PROCESSES": "16",
        "MCP_FRONT_IDLE_SECONDS": "900",
        "MCP_FRONT_ANSWER_BYTES": "4194304",
        "MCP_FRONT_SECONDS": "55",
        "MCP_FRONT_READS": "true",
        "MCP_FRONT_RESOURCES": "false",
        "MCP_FRONT_PROMPTS": "false",
        "MCP_FRONT_TOOLS_ALLOW": "a,b*",
        "MCP_FRONT_TOOLS_DENY": "",
    }


def test_an_image_of_somebody_else_stands_behind_the_front(own_bench: Bench, stage2: Path) -> None:
    """A second container without a port; what the entry gives goes to it alone, and the gate's settings do not.

    The front is told as whom it calls it.
    """
    fill_the_vault(own_bench)
    behind = {"image": f"ghcr.io/owner/charts@{PINNED}", "port": 9001, "memory": 2}
    tiers = {"reader": READS}
    as_caller = {"identity": "caller", "downstream": {"scope": "https://graph.microsoft.com/User.Read"}}
    given(
        stage2,
        own_bench,
        tiers=tiers,
        front={"upstream": behind},
        environment={"REGION": "eu"},
        secrets={"KEY": "search-key"},
        **as_caller,
    )
    planned = resources(own_bench.plan(stage2)._raw)
    front, upstream = planned['module.servers["mongodb-reader-a"].azurerm_container_group.this']["container"]
    assert (upstream["image"], upstream["memory"]) == (f"acrmcplocal.azurecr.io/owner/charts@{PINNED}", 2)
    assert (upstream["environment_variables"], upstream["ports"]) == ({"REGION": "eu", "PORT": "9001"}, [])
    assert (upstream.get("liveness_probe") or [], len(front["liveness_probe"])) == ([], 1)
    told = front["environment_variables"]
    assert told["MCP_FRONT_URL"] == "http://127.0.0.1:9001/mcp"
    assert (told["MCP_FRONT_ENVIRONMENT"], told["MCP_FRONT_IDENTITY"]) == ("", "caller")
    assert "REGION" not in told
    assert not front.get("secure_environment_variables")
    assert upstream["secure_environment_variables"]["KEY"] == "found in the vault"


def test_a_permission_that_is_not_offered_stops_the_plan(own_bench: Bench, stage2: Path) -> None:
    """The sentence names the API and what it lacks: else the first caller would be the one to find out."""
    given(stage2, own_bench, identity="caller", downstream={"scope": "https://graph.microsoft.com/Never.Read"})
    with pytest.raises(tftest.TerraformTestError) as failed:
        own_bench.plan(stage2)
    said = " ".join(re.sub(r"[│╷╵]", " ", str(failed.value.cmd_error)).split())
    assert "Microsoft Graph offers no delegated permission Never.Read, which downstream.scope" in said


@pytest.mark.parametrize(("connection", "told"), [("read-only", None), ("read-write", "read-write")])
def test_a_tier_is_told_what_its_name_does_not_say(
    own_bench: Bench, stage2: Path, connection: str, told: str | None
) -> None:
    """The MongoDB server takes `reader` for one that reads, unless it is told that its connection writes."""
    given(stage2, own_bench, tiers={"reader": {"role": "Mcp.Admin", "connection": connection}})
    assert environment(own_bench, stage2).get("MCP_CONNECTION") == told


def environment(bench: Bench, stage2: Path) -> dict[str, str]:
    """The plain variables of the reader's container."""
    planned = resources(bench.plan(stage2)._raw)
    container = planned['module.servers["mongodb-reader-a"].azurerm_container_group.this']["container"][0]
    return dict(container["environment_variables"])
