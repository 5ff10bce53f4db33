"""The MCP registry API v0.1 as the apim module renders it, served by the local gateway: no socket.

Specification: modelcontextprotocol/registry, docs/reference/api/openapi.yaml, version 2025-12-01.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from emulators.apim.load import Loaded, load
from emulators.apim.tests import tokens
from emulators.apim.tests.harness import GatewayHarness, Reply, ok
from emulators.base.state import State
from tests.plan.bench import Bench
from tests.plan.served import header
from tests.plan.served import root as served_root
from tests.support.registry_schema import ERROR, SERVER, SERVERS, check

JSON = {"Content-Type": "application/json"}
SPACE = "net.azure-api.apim-served"
#: What descriptions can do to a policy, an expression, JSON, XML or a reader's eye; each is one visible line.
HOSTILE = {
    "quotes": '"}], "servers": [{"server": {"name": "evil/evil"}}] ' + "'",
    "expression": "@(context.Variables) @{ return 1; } \\@(1)",
    "named-values": "{{api-client-id}} {{public-base-url}} {{{{tenant-id}}}}",
    "cdata": "]]> <![CDATA[ x ]]> --> <!-- </set-variable><return-response/> &amp; &quot; &#64;(1)",
    "escapes": r"\u0022 \" \\ \n \u005c",
    "policies": '" /><set-variable name="answer" value="200{}" /><set-variable name="x" value="',
    "longest": "é" * 99 + "漢",
    "emoji": "🙂 fine, لغة and עברית are languages",
}
LISTINGS = {
    **{name: {"description": text, "title": text} for name, text in HOSTILE.items()},
    "mongodb": {"title": "MongoDB", "description": "Reads databases", "version": "1.4.0+build.7"},
}
#: For an address that the API does not have, though the server may be there.
ADDRESSES = "Not found: the addresses are /v0.1/servers, and below a server's name /versions and /versions/latest."
READ = sorted([*LISTINGS, "plain"])  # what Mcp.Read is a role of
NAMES = sorted([*READ, "payroll"])

Served = Callable[..., GatewayHarness]


@pytest.fixture(scope="module")
def applied(own_bench: Bench) -> Callable[[str, str], Loaded]:
    """The gateway by access and authorization, each applied once, over the one before."""
    root = served_root(own_bench, "policies")
    made: dict[tuple[str, str], Loaded] = {}

    def gateway(access: str, authorization: str) -> Loaded:
        if (access, authorization) not in made:
            values = {"access": access, "authorization": authorization, "listings": LISTINGS}
            (root / "given.auto.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
            own_bench.apply(root)
            made[access, authorization] = load(State.from_show_json(own_bench.show(root)))
        return made[access, authorization]

    return gateway


@pytest.fixture
def served(applied: Callable[[str, str], Loaded]) -> Served:
    def gateway(access: str, authorization: str = "app_roles") -> GatewayHarness:
        made = GatewayHarness(applied(access, authorization))
        tokens.publish(made)
        return made

    return gateway


@pytest.fixture
def public(served: Served) -> GatewayHarness:
    return served("public", "app_roles")


async def get(gateway: GatewayHarness, path: str = "", headers: dict[str, str] | None = None, **query: Any) -> Reply:
    text = f"?{urlencode(query, doseq=True)}" if query else ""
    return await gateway.send("GET", f"/v0.1/servers{path}{text}", headers or {})


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    check(reply.json, SERVERS)
    return [entry["server"]["name"].removeprefix(f"{SPACE}/") for entry in reply.json["servers"]]


async def test_every_server_and_no_other_is_listed(public: GatewayHarness) -> None:
    """As the specification has it, in the order of names; for everybody, and for caches."""
    reply = await get(public)
    assert names(reply) == NAMES
    assert (header(reply, "Content-Type"), header(reply, "Cache-Control")) == (
        "application/json",
        "public, max-age=300",
    )
    assert header(reply, "X-Content-Type-Options") == "nosniff"


async def test_a_server_is_described(public: GatewayHarness) -> None:
    """Name, title, description, version, address, and where people sign in: all that is said, to the letter."""
    reply = await get(public, f"/{SPACE}%2Fmongodb/versions/latest")
    check(reply.json, SERVER)
    base = "https://apim-served.azure-api.net"
    sign_in = {"type": "oauth2", "resource_metadata": f"{base}/.well-known/oauth-protected-resource/mongodb/mcp"}
    assert reply.json["server"] == {
        "name": f"{SPACE}/mongodb",
        "title": "MongoDB",
        "description": "Reads databases",
        "version": "1.4.0+build.7",
        "remotes": [{"type": "streamable-http", "url": f"{base}/mongodb/mcp"}],
        "_meta": {"io.modelcontextprotocol.registry/publisher-provided": {"sign-in": sign_in}},
    }
    metadata = await public.send("GET", sign_in["resource_metadata"].removeprefix(base))
    assert metadata.json["resource"] == reply.json["server"]["remotes"][0]["url"]


async def test_what_nobody_described_has_its_name(public: GatewayHarness) -> None:
    server = (await get(public, f"/{SPACE}%2Fplain/versions/latest")).json["server"]
    assert ("title" in server, server["description"], server["version"]) == (False, "MCP server plain", "0.0.0")


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_description_is_only_text(public: GatewayHarness, name: str) -> None:
    """It comes out as it was written, in its place, whatever it would mean to a policy, an expression, JSON or XML."""
    server = (await get(public, f"/{SPACE}%2F{name}/versions/latest")).json["server"]
    assert (server["title"], server["description"]) == (HOSTILE[name], HOSTILE[name])


@pytest.mark.parametrize("slash", ["%2F", "%2f", "/"])
@pytest.mark.parametrize("version", ["latest", "1.4.0+build.7", "1.4.0%2Bbuild.7"])
async def test_a_version_is_found(public: GatewayHarness, slash: str, version: str) -> None:
    """However the slash in a name arrives: whether API Management decodes it before is not documented."""
    reply = await get(public, f"/{SPACE}{slash}mongodb/versions/{version}")
    assert reply.status == 200
    check(reply.json, SERVER)


@pytest.mark.parametrize("end", ["", "/"])
async def test_the_versions_of_a_server_are_listed(public: GatewayHarness, end: str) -> None:
    assert names(await get(public, f"/{SPACE}%2Fmongodb/versions{end}")) == ["mongodb"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (f"/{SPACE}%2Fother/versions/latest", "Server not found"),
        (f"/{SPACE}%2Fmongo/versions/latest", "Server not found"),
        (f"/{SPACE}%2Fmongodb%20/versions/latest", "Server not found"),
        ("/com.example%2Fmongodb/versions/latest", "Server not found"),
        ("/mongodb/versions/latest", "Server not found"),
        (f"/{SPACE}%252Fmongodb/versions/latest", "Server not found"),
        (f"/{SPACE}%2Fmongodb", ADDRESSES),
        (f"/{SPACE}/mongodb/", ADDRESSES),
        (f"/{SPACE}%2Fmongodb/versions/latest/status", ADDRESSES),
        ("/versions/latest", ADDRESSES),
        (f"/{SPACE}%2Fmongodb/versions/1.4.0", "Server version not found"),
        (f"/{SPACE}%2Fmongodb/versions/Latest", "Server version not found"),
        (f"/{SPACE}%2Fmongodb/versions/%22%7D", "Server version not found"),
        (f"/{'a' * 3000}%2Fmongodb/versions/latest", "Server not found"),
    ],
)
async def test_what_is_not_there_is_404_in_json(public: GatewayHarness, path: str, says: str) -> None:
    reply = await get(public, path)
    check(reply.json, ERROR)
    assert (reply.status, reply.json["error"], header(reply, "Cache-Control")) == (404, says, "no-store")


@pytest.mark.parametrize("path", ["/v0.1", "/v0.1/", "/v0.1/publish", "/v0.1/ping", "/V0.1/other"])
async def test_the_rest_of_the_api_is_404_in_json(public: GatewayHarness, path: str) -> None:
    """With CORS, so that a page learns that it is not there rather than that the network is down."""
    reply = await public.send("GET", path, {"Origin": "https://example.com"})
    assert reply.status == 404
    if path not in ("/v0.1", "/v0.1/"):  # no operation has the API's own root
        check(reply.json, ERROR)
        assert reply.json["error"] == ADDRESSES
        assert header(reply, "Access-Control-Allow-Origin") == "*"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_published(public: GatewayHarness, method: str) -> None:
    for path in ("/v0.1/servers", "/v0.1/publish", f"/v0.1/servers/{SPACE}%2Fmongodb/versions/1.4.0"):
        reply = await public.send(method, path, JSON, b"{}")
        assert (reply.status, reply.json) == (404, {"statusCode": 404, "message": "Resource not found"})


async def test_head_is_get_without_a_body(public: GatewayHarness) -> None:
    for path in ("/v0.1/servers", f"/v0.1/servers/{SPACE}%2Fmongodb/versions/latest"):
        reply = await public.send("HEAD", path)
        assert (reply.status, reply.text, header(reply, "Content-Type")) == (200, "", "application/json")


@pytest.mark.parametrize("size", [1, 3, 4, 100, 101, 99999999999999999999])
async def test_pages_hold_every_server_once(public: GatewayHarness, size: int) -> None:
    """`nextCursor` goes back as it came, un-encoded, as VS Code sends it; no page holds more than 100."""
    found: list[str] = []
    cursor = ""
    for _ in range(len(NAMES) + 1):
        reply = await public.send("GET", f"/v0.1/servers?limit={size}" + (f"&cursor={cursor}" if cursor else ""))
        page = names(reply)
        assert 0 < len(page) <= size
        found += page
        cursor = reply.json["metadata"].get("nextCursor", "")
        if not cursor:
            break
    assert found == NAMES


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "mongo"}, ["mongodb"]),
        ({"search": "MONGO"}, ["mongodb"]),
        ({"search": "azure-api"}, NAMES),
        ({"search": "nothing like it"}, []),
        ({"search": '"}'}, []),
        ({"search": ".*"}, []),
        ({"search": "mongo", "limit": "1", "version": "latest"}, ["mongodb"]),
        ({"version": "1.4.0+build.7"}, ["mongodb"]),
        ({"version": "9.9.9"}, []),
        ({"version": "latest"}, NAMES),
        ({"updated_since": "2026-08-07T13:15:04.280Z"}, NAMES),
        ({"updated_since": "2026-08-07T13:15:04+02:00", "include_deleted": "true"}, NAMES),
        ({"unknown": "x"}, NAMES),
    ],
    ids=str,
)
async def test_a_list_is_filtered(public: GatewayHarness, query: dict[str, str], found: list[str]) -> None:
    """By a part of the name, by version. No time of change is kept, so what changed since one is everything."""
    assert names(await get(public, **query)) == found


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "1e3"},
        {"limit": ""},
        {"cursor": "nowhere"},
        {"cursor": f"{SPACE}/mongo"},
        {"updated_since": "yesterday"},
        {"updated_since": "2026-08-07"},
        {"search": ["a", "b"]},
        {"limit": ["1", "1"]},
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_400_in_json(public: GatewayHarness, query: dict[str, Any]) -> None:
    """The sentence names the parameter, and nothing of what was sent comes back."""
    reply = await get(public, **query)
    check(reply.json, ERROR)
    assert reply.status == 400
    assert next(iter(query)) in reply.json["error"] or "more than once" in reply.json["error"]
    if "limit" in reply.json["error"]:
        assert "100" in reply.json["error"]


@pytest.mark.parametrize(
    "path", ["/v0.1/servers", f"/v0.1/servers/{quote(f'{SPACE}/mongodb', safe='')}/versions/latest"]
)
async def test_pages_of_other_origins_may_read(public: GatewayHarness, path: str) -> None:
    """GitHub, "Configure an MCP registry for your organization or enterprise", CORS requirements (read 2026-11-30)."""
    origin = {"Origin": "vscode-file://vscode-app"}
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = await public.send("OPTIONS", path, {**origin, **asked})
    assert preflight.status == 200
    assert header(preflight, "Access-Control-Allow-Origin") == "*"
    assert {"GET", "OPTIONS"} <= set(header(preflight, "Access-Control-Allow-Methods").split(","))
    assert set(header(preflight, "Access-Control-Allow-Headers").lower().split(",")) == {
        "authorization",
        "content-type",
    }
    reply = await public.send("GET", path, origin)
    assert (reply.status, header(reply, "Access-Control-Allow-Origin")) == (200, "*")
    assert header(reply, "Access-Control-Allow-Credentials") == ""


async def test_one_address_cannot_ask_for_ever(public: GatewayHarness) -> None:
    statuses = [(await get(public)).status for _ in range(601)]
    assert (statuses[599], statuses[600]) == (200, 429)


async def test_where_it_is_off_nothing_is_served(served: Served) -> None:
    gateway = served("off", "app_roles")
    assert (await get(gateway)).status == 404
    assert (await gateway.send("GET", "/.well-known/oauth-protected-resource/v0.1/servers")).status == 404


def bearer(**changes: Any) -> dict[str, str]:
    """Of somebody who signed in; without roles, unless some are given."""
    return tokens.bearer(tokens.sign(tokens.claims(**{"oid": "o", "scp": "Mcp.Access", "roles": None, **changes})))


async def test_a_closed_one_asks_people_to_sign_in(served: Served) -> None:
    """As the servers do: 401, and where the sign-in is."""
    gateway = served("signed-in")
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        reply = await get(gateway, headers={"Origin": "https://example.com", **headers})
        check(reply.json, ERROR)
        assert (reply.status, header(reply, "Cache-Control")) == (401, "no-store")
        assert header(reply, "Access-Control-Allow-Origin") == "*"
        assert SPACE not in reply.text
        challenge = header(reply, "WWW-Authenticate")
        assert ("invalid_token" in challenge) is bool(headers)
    metadata = challenge.split('resource_metadata="')[1].split('"')[0].removeprefix("https://apim-served.azure-api.net")
    document = (await gateway.send("GET", metadata)).json
    assert document["resource"] == "https://apim-served.azure-api.net/v0.1/servers"


@pytest.mark.parametrize(("access", "status"), [("signed-in", 200), ("public", 400)])
async def test_a_closed_one_is_a_resource_that_people_sign_in_to(served: Served, access: str, status: int) -> None:
    """The façade knows it where it is closed, and only there."""
    gateway = served(access, "app_roles")
    gateway.backends.answers["http://issuer.test/tid/oauth2/v2.0/token"] = ok(b"{}", headers=JSON)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "r",
        "client_id": "desktop-client-id",
        "resource": "https://apim-served.azure-api.net/v0.1/servers",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await gateway.send("POST", "/oauth/token", headers, urlencode(form).encode())).status == status


@pytest.mark.parametrize(
    ("authorization", "claims", "seen"),
    [
        ("app_roles", {"roles": ["Mcp.Read"]}, READ),
        ("app_roles", {"roles": ["Mcp.Admin"]}, ["mongodb"]),
        ("app_roles", {"roles": ["Mcp.Admin"], "scp": None, "idtyp": "app"}, ["mongodb"]),
        ("groups", {"groups": ["group-of-readers"]}, READ),
        ("groups", {"groups": ["group-of-admins"]}, ["mongodb"]),
        ("groups", {"roles": ["Mcp.Read"], "scp": None, "idtyp": "app"}, READ),
        ("app_roles", {"roles": ["Payroll.Read"]}, ["payroll"]),
        ("app_roles", {"roles": ["Payroll.Write", "Mcp.Admin"]}, ["mongodb", "payroll"]),
        ("app_roles", {"roles": ["Payroll.Read", "Mcp.Read"]}, NAMES),
        ("groups", {"groups": ["group-of-auditors"]}, ["payroll"]),
        ("groups", {"groups": ["group-of-clerks"]}, NAMES),
    ],
    ids=str,
)
async def test_a_closed_one_shows_what_the_caller_may_call(
    served: Served, authorization: str, claims: dict[str, Any], seen: list[str]
) -> None:
    gateway = served("signed-in", authorization)
    reply = await get(gateway, headers=bearer(**claims))
    assert (names(reply), header(reply, "Cache-Control")) == (seen, "no-store")
    hidden = await get(gateway, f"/{SPACE}%2Fplain/versions/latest", bearer(**claims))
    assert hidden.status == (200 if "plain" in seen else 404)


@pytest.mark.parametrize(
    ("authorization", "claims"),
    [
        ("app_roles", {}),
        ("app_roles", {"roles": ["Mcp.Other"], "groups": ["group-of-readers"]}),
        ("app_roles", {"roles": ["Mcp.ReadAll", "Mcp.Rea", "mcp.read", "MCP.READ", "Payroll.Read.All", " Mcp.Read"]}),
        ("app_roles", {"roles": "Mcp.Admin Mcp.Read"}),
        ("app_roles", {"roles": ["Mcp.Read"], "scp": "Other.Scope"}),
        ("groups", {"roles": ["Mcp.Read"]}),
        ("groups", {"groups": ["another"]}),
        ("groups", {"hasgroups": "true"}),
    ],
    ids=str,
)
async def test_a_closed_one_refuses_who_may_call_nothing(
    served: Served, authorization: str, claims: dict[str, Any]
) -> None:
    reply = await get(served("signed-in", authorization), headers=bearer(**claims))
    assert reply.status == 403
    assert SPACE not in reply.text


async def test_unknown_metadata_is_404_that_a_page_can_read(public: GatewayHarness) -> None:
    """A client in a browser tries several addresses, and gives up where one looks like a network that is down."""
    for path in (
        "openid-configuration",
        "oauth-authorization-server/mongodb/mcp",
        "oauth-protected-resource/x/mcp",
        "x",
    ):
        for method in ("GET", "HEAD"):
            reply = await public.send(method, f"/.well-known/{path}", {"Origin": "https://example.com"})
            assert (reply.status, header(reply, "Access-Control-Allow-Origin")) == (404, "*"), path
            assert header(reply, "Content-Type") == "application/json"
