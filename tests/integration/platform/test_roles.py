"""Roles per server: a second server, one of whose tiers has a role of its own, added and deployed by commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import own_platform
from tests.support.platform_under_test import Answer, Platform, request

pytestmark = [pytest.mark.usefixtures("local_only"), pytest.mark.minutes(1)]

NAME = "word-counter"
TIERS = {"admin": "Mcp.Admin", "reader": "Mcp.Read", "payroll": "Payroll.Read"}
GROUP = 'groups = {\n  payroll = { display_name = "MCP local payroll" }\n'
ROLES = """
roles = {
  "Mcp.Admin"    = { description = "May call reading and writing tools.", groups = ["admin"] }
  "Mcp.Read"     = { description = "May call reading tools only.", groups = ["reader"], reads = true }
  "Payroll.Read" = { description = "May count words.", groups = ["payroll"], reads = true }
}
"""


@pytest.fixture(scope="module")
def two_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A checkout's terraform/ and servers/, to which a server was added, one of whose tiers has a role of its own."""
    platform = own_platform.copied(tmp_path_factory.mktemp("two"), "servers")
    variables = own_platform.terraform(platform) / "environments" / platform.env / "terraform.tfvars"
    text = variables.read_text(encoding="utf-8").replace('access = "public"', 'access = "signed-in"')
    variables.write_text(text.replace("groups = {\n", GROUP) + ROLES, encoding="utf-8")
    platform.invoke("add-server", NAME, *(word for tier in TIERS.items() for word in ("--role", "=".join(tier))))
    with own_platform.deployed(platform):
        yield platform


def call(platform: Platform, user: str | None, method: str = "tools/list", **params: object) -> Answer:
    return platform.call(method, dict(params), user=user, url=platform.status["servers"][NAME]["url"])


@pytest.mark.parametrize("user", ["admin", "reader", "payroll"])
def test_who_may_calls_it(two_servers: Platform, user: str) -> None:
    """Signed in once, each tier answers, from its own process."""
    tools = {tool["name"] for tool in call(two_servers, user).json["result"]["tools"]}
    assert tools == {"about", "count-words"}
    about = call(two_servers, user, "tools/call", name="about", arguments={}).json["result"]
    assert about["structuredContent"] == {"server": NAME, "tier": user}


def registered(platform: Platform, user: str) -> set[str]:
    """The addresses that the closed registry shows to a person."""
    headers = {"Authorization": f"Bearer {platform.token(user)}"}
    answer = request(f"{platform.gateway}/v0.1/servers", headers=headers).json
    return {entry["server"]["remotes"][0]["url"] for entry in answer["servers"]}


def test_a_role_of_one_server_opens_that_one(two_servers: Platform) -> None:
    """Neither called nor seen by whoever holds it is the other server; `--as` takes the role's name as well."""
    seen = {user: registered(two_servers, user) for user in ("reader", "Payroll.Read")}
    urls = {name: server["url"] for name, server in two_servers.status["servers"].items()}
    assert seen == {"reader": set(urls.values()), "Payroll.Read": {urls[NAME]}}
    assert two_servers.call("tools/list", user="Payroll.Read", url=urls[NAME]).status == 200
    refused = two_servers.call("tools/list", user="Payroll.Read", url=urls["mongodb"])
    assert (refused.status, refused.json["error"]["message"]) == (
        403,
        "Your account is signed in but holds no role on this server: ask its owner for Mcp.Admin or Mcp.Read.",
    )


@pytest.mark.parametrize(("user", "status"), [("outsider", 403), (None, 401)])
def test_who_may_not_does_not(two_servers: Platform, user: str | None, status: int) -> None:
    """The gateway's rules are the first server's."""
    assert call(two_servers, user).status == status


def test_nobody_goes_round_the_gateway(two_servers: Platform) -> None:
    """The server itself refuses a caller's own token, and none."""
    direct = two_servers.status["servers"][NAME]["tiers"]["reader"] + "/mcp"
    for user in ("reader", None):
        assert two_servers.call("tools/list", user=user, url=direct).status == 401


def test_adding_it_again_changes_nothing(two_servers: Platform) -> None:
    """Neither the folder nor the entry."""
    variables = Path(two_servers.variables["TERRAFORM_DIR"]) / "environments/local/terraform.tfvars"
    before = variables.read_text(encoding="utf-8")
    two_servers.invoke("add-server", NAME)
    two_servers.invoke("add-server", NAME, "--role", "payroll=Payroll.Read", check=False)
    assert variables.read_text(encoding="utf-8") == before
