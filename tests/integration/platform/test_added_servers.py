"""Servers beside the first, added by commands: one of whose tiers has a role of its own, and two elsewhere.

One of these acts as its caller, at an API that judges the tokens it is shown; those from other sources are in
tests/servers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.exceptions import MCPError

from emulators.base.well_known import PEOPLE
from tests.support import own_platform
from tests.support.platform_under_test import Answer, Platform, request
from tests.support.protected_api import SCOPE, ProtectedApi
from tests.support.remote_server import RemoteServer

pytestmark = [pytest.mark.usefixtures("local_only"), pytest.mark.minutes(1)]

ADA, RAE, _ = PEOPLE
RECORDS = {ADA: "of Ada", RAE: "of Rae"}
KEY = "what-the-vendor-gave"
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
def elsewhere() -> Iterator[RemoteServer]:
    with RemoteServer(KEY) as server:
        yield server


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtectedApi]:
    with ProtectedApi(tmp_path_factory.mktemp("added") / "home", RECORDS) as api:
        yield api


@pytest.fixture(scope="module")
def added(elsewhere: RemoteServer, protected: ProtectedApi) -> Iterator[Platform]:
    """A checkout's terraform/ and servers/, to which all were added."""
    folder = protected.document.parent
    (folder / "home-secrets.json").write_text(json.dumps({"vendor-key": KEY}), encoding="utf-8")
    platform = own_platform.copied(folder, "servers")
    variables = own_platform.terraform(platform) / "environments" / platform.env / "terraform.tfvars"
    text = variables.read_text(encoding="utf-8").replace('access = "public"', 'access = "signed-in"')
    variables.write_text(text.replace("groups = {\n", GROUP) + ROLES, encoding="utf-8")
    platform.invoke("add-server", NAME, *(word for tier in TIERS.items() for word in ("--role", "=".join(tier))))
    platform.invoke("add-server", "vendor", "--remote", elsewhere.url, "--header", "Authorization=vendor-key")
    platform.invoke("add-server", "me", "--remote", f"{protected.url}/mcp", "--as-caller", SCOPE)
    reader = '    tiers = {\n      reader = { role = "Mcp.Read", tools = { allow = ["me"] } }\n'
    before, own, entry = variables.read_text(encoding="utf-8").partition("  me = {\n")
    variables.write_text(before + own + entry.replace("    tiers = {\n", reader, 1), encoding="utf-8")
    with own_platform.deployed(platform):
        yield platform


@asynccontextmanager
async def client(platform: Platform, server: str, user: str, mode: Any = "auto") -> Any:
    """A stock client, signed in as one person."""
    url = platform.status["servers"][server]["url"]
    transport = StreamableHttpTransport(url, headers={"Authorization": f"Bearer {platform.token(user)}"})
    async with Client(transport, mode=mode) as connected:
        yield connected


def call(platform: Platform, user: str | None, method: str = "tools/list", **params: object) -> Answer:
    return platform.call(method, dict(params), user=user, url=platform.status["servers"][NAME]["url"])


@pytest.mark.parametrize("user", ["admin", "reader", "payroll"])
def test_who_may_calls_it(added: Platform, user: str) -> None:
    """Signed in once, each tier answers, from its own process."""
    tools = {tool["name"] for tool in call(added, user).json["result"]["tools"]}
    assert tools == {"about", "count-words"}
    about = call(added, user, "tools/call", name="about", arguments={}).json["result"]
    assert about["structuredContent"] == {"server": NAME, "tier": user}


def registered(platform: Platform, user: str) -> set[str]:
    """The addresses that the closed registry shows to a person."""
    headers = {"Authorization": f"Bearer {platform.token(user)}"}
    answer = request(f"{platform.gateway}/v0.1/servers", headers=headers).json
    return {entry["server"]["remotes"][0]["url"] for entry in answer["servers"]}


def test_a_role_of_one_server_opens_that_one(added: Platform) -> None:
    """Neither called nor seen by whoever holds it is the other server; `--as` takes the role's name as well."""
    seen = {user: registered(added, user) for user in ("reader", "Payroll.Read")}
    urls = {name: server["url"] for name, server in added.status["servers"].items()}
    assert seen == {"reader": set(urls.values()), "Payroll.Read": {urls[NAME]}}
    assert added.call("tools/list", user="Payroll.Read", url=urls[NAME]).status == 200
    refused = added.call("tools/list", user="Payroll.Read", url=urls["mongodb"])
    assert (refused.status, refused.json["error"]["message"]) == (
        403,
        "Your account is signed in but holds no role on this server: ask its owner for Mcp.Admin or Mcp.Read.",
    )


@pytest.mark.parametrize(("user", "status"), [("outsider", 403), (None, 401)])
def test_who_may_not_does_not(added: Platform, user: str | None, status: int) -> None:
    """The gateway's rules are the first server's."""
    assert call(added, user).status == status


def test_nobody_goes_round_the_gateway(added: Platform) -> None:
    """The server itself refuses a caller's own token, and none."""
    direct = added.status["servers"][NAME]["tiers"]["reader"] + "/mcp"
    for user in ("reader", None):
        assert added.call("tools/list", user=user, url=direct).status == 401


def test_adding_it_again_changes_nothing(added: Platform) -> None:
    """Neither the folder nor the entry."""
    variables = Path(added.variables["TERRAFORM_DIR"]) / "environments/local/terraform.tfvars"
    before = variables.read_text(encoding="utf-8")
    added.invoke("add-server", NAME)
    added.invoke("add-server", NAME, "--role", "payroll=Payroll.Read", check=False)
    assert variables.read_text(encoding="utf-8") == before


def test_a_server_elsewhere(added: Platform, elsewhere: RemoteServer) -> None:
    """Its tools that only read are the readers', its sessions are whose they are, and no token of ours reaches it."""

    async def call() -> tuple[set[str], list[str]]:
        async with client(added, "vendor", "admin", "legacy") as admin, client(added, "vendor", "reader") as reader:
            await admin.call_tool("tell", {"text": "mine"})
            shown = {tool.name for tool in await reader.list_tools()}
            with pytest.raises(MCPError, match="not open to your role"):
                await reader.call_tool("tell", {"text": "theirs"})
            answers = [await admin.call_tool("recall"), await reader.call_tool("recall")]
            return shown, [answer.content[0].text for answer in answers]

    begun = len(elsewhere.seen)
    assert asyncio.run(call()) == ({"recall"}, ["mine", "nothing"])
    sent = elsewhere.seen[begun:]
    session = next(headers["mcp-session-id"] for headers in sent if "mcp-session-id" in headers)
    url = added.status["servers"]["vendor"]["url"]
    taken = added.call("tools/list", user="reader", url=url, headers={"Mcp-Session-Id": session})
    assert (taken.status, {headers["authorization"] for headers in sent}) == (404, {f"Bearer {KEY}"})
    assert [name for headers in sent for name in headers if name.startswith("x-mcp-")] == []
    assert "eyJ" not in json.dumps(sent)
    assert added.status["servers"]["vendor"]["remote"] == elsewhere.url


def test_a_server_that_acts_as_its_caller(added: Platform, protected: ProtectedApi) -> None:
    """Each person reads their own record, with one token for all of their calls; a revoked one is asked for anew."""
    url = added.status["servers"]["me"]["url"]

    def read(user: str) -> Answer:
        return added.call("tools/call", {"name": "me", "arguments": {}}, user=user, url=url)

    def record(user: str) -> Any:
        return read(user).json["result"]["structuredContent"]["record"]

    for _ in range(2):
        assert [record("admin"), record("reader")] == list(RECORDS.values())
    held = {person: protected.tokens(person)[-1] for person in RECORDS}
    assert [protected.tokens(person)[-2:] for person in RECORDS] == [[token, token] for token in held.values()]
    assert {added.token("admin"), added.token("reader")}.isdisjoint(one.token for one in protected.shown)
    protected.revoked = {held[ADA]}
    assert read("admin").status == 502
    assert [record("admin"), record("reader")] == list(RECORDS.values())
    assert [protected.tokens(person)[-1] == held[person] for person in RECORDS] == [False, True]
    stolen = {"Authorization": f"Bearer {held[RAE]}"}
    assert added.call("tools/list", url=url, headers=stolen).status == 401
    assert added.call("tools/list", user="outsider", url=url).status == 403


def test_its_credential_is_in_no_state_and_no_log(added: Platform) -> None:
    """Terraform names the secret and does not read it; what the gateway reads instead is the local vault's."""
    home = Path(added.variables["TWIN_HOME"])
    holders = [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert {path.relative_to(home).as_posix() for path in holders} == {
        "cloud.json",
        "run/state.json",
        "run/state.gateway.json",
    }
