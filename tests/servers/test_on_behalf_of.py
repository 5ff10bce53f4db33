"""Servers that act as their caller, on a running platform: from a folder of ours, a REST API behind a front, elsewhere.

Each reads the record of who calls at an API that judges the tokens it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.base.well_known import PEOPLE
from tests.support import own_platform
from tests.support.platform_under_test import Answer, Platform, request
from tests.support.protected_api import SCOPE, ProtectedApi
from twin import control

ADA, RAE, _ = PEOPLE
RECORDS = {ADA: "of Ada", RAE: "of Rae"}
#: The tool of each server that reads the record.
TOOLS = {"folder": "mine", "graph": "GetMe", "elsewhere": "me"}
GRANT = "azuread_service_principal_delegated_permission_grant"
OWN_TOOL = '''
    @mcp.tool(name="mine", annotations=READS)
    async def mine() -> dict[str, str]:
        """The record of who calls."""
        caller = CALLER.get()
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.get("URL/me", headers={"Authorization": f"Bearer {caller.downstream_token}"})
        caller.refusal.said = answer.status_code == 401
        return {"record": answer.raise_for_status().json()["record"]}
'''


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtectedApi]:
    with ProtectedApi(tmp_path_factory.mktemp("behalf") / "home", RECORDS) as made:
        yield made


@pytest.fixture(scope="module")
def platform(api: ProtectedApi) -> Iterator[Platform]:
    """Deployed with the three, added by commands alone; the deployment ends with the smoke test of all."""
    folder = api.document.parent
    made = own_platform.copied(folder, "servers")
    own_platform.change_server(made, rate_limit=own_platform.NO_LIMIT)
    tiers = ("--role", "admin=Mcp.Admin", "--role", "reader=Mcp.Read")
    made.invoke("add-server", "folder", "--as-caller", SCOPE, *tiers)
    tools = folder / "servers/folder/src/folder_server/tools.py"
    text = tools.read_text(encoding="utf-8") + OWN_TOOL.replace("URL", api.url)
    imports = "import httpx2\nfrom fastmcp import FastMCP\nfrom gateway_auth import CALLER\n"
    tools.write_text(text.replace("from fastmcp import FastMCP\n", imports), encoding="utf-8")
    document = ("--openapi", str(api.document), "--operation", "GetMe")
    made.invoke("add-server", "graph", *document, "--as-caller", SCOPE, *tiers)
    made.invoke("add-server", "elsewhere", "--remote", f"{api.url}/mcp", "--as-caller", SCOPE)
    values = own_platform.values(made)
    values["mcp_servers"]["elsewhere"]["tiers"]["reader"] = {"role": "Mcp.Read", "tools": {"allow": ["me"]}}
    own_platform.set_values(made, values)
    with own_platform.deployed(made):
        assert made.status["healthy"]  # asked once, as it calls servers too
        yield made


def call(platform: Platform, server: str, user: str | None, **headers: str) -> Answer:
    given = {"name": TOOLS[server], "arguments": {}}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return platform.call("tools/call", given, user=user, url=platform.status["servers"][server]["url"], headers=sent)


def record(answer: Answer) -> Any:
    assert answer.status == 200, answer.text
    return answer.json["result"]["structuredContent"]["record"]


def consent(platform: Platform, only: str | None) -> None:
    """What an administrator consented to, for everybody or for one person: changed in the directory that runs."""
    home = Path(platform.variables["TWIN_HOME"])
    path = home / "run" / "state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    grants = [one for one in _resources(state) if one["type"] == GRANT and "User.Read" in one["values"]["claim_values"]]
    assert len(grants) == 1
    grants[0]["values"]["user_object_id"] = only
    path.write_text(json.dumps(state), encoding="utf-8")
    control.reload(home)


def _resources(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "type" in tree and "values" in tree:
            yield tree
        for value in tree.values():
            yield from _resources(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _resources(value)


@pytest.mark.parametrize("server", TOOLS)
def test_each_person_reads_their_own_record(platform: Platform, api: ProtectedApi, server: str) -> None:
    """In turns, each with one token for all of their calls, and never with what their client sent to the gateway."""
    begun = len(api.shown)
    for _ in range(3):
        assert record(call(platform, server, "admin")) == RECORDS[ADA]
        assert record(call(platform, server, "reader")) == RECORDS[RAE]
    shown = api.shown[begun:]
    assert {one.why for one in shown} == {""}
    assert len({one.token for one in shown}) == 2
    assert {platform.token("admin"), platform.token("reader")}.isdisjoint(one.token for one in shown)
    sent = json.dumps([one.headers for one in shown])
    assert platform.token("admin") not in sent
    assert platform.token("reader") not in sent
    assert "cookie" not in {name for one in shown for name in one.headers}
    assert not [name for one in shown for name in one.headers if name.startswith("x-mcp-")]


def test_verify_tries_the_exchange(platform: Platform) -> None:
    """Of each of them, as a person who may call it."""
    found = {one["name"]: one for one in json.loads(platform.invoke("verify", "--json").stdout)["checks"]}
    assert (found["exchange"]["verdict"], found["exchange"]["text"]) == (
        "pass",
        "elsewhere, folder, graph: called as a person",
    )


@pytest.mark.parametrize("server", TOOLS)
def test_nobody_says_whose_token_it_is(platform: Platform, api: ProtectedApi, server: str) -> None:
    """Ada has a token of Rae's for the API, and gives it in every way that a client has; she reads her own record."""
    assert record(call(platform, server, "reader")) == RECORDS[RAE]
    stolen = api.tokens(RAE)[-1]
    for name in ("X_Mcp_Downstream_Token", "x_mcp_downstream_token", "X_Mcp_Caller", "Cookie", "X_Authorization"):
        assert record(call(platform, server, "admin", **{name: stolen})) == RECORDS[ADA]
    assert api.tokens(ADA)[-1] == api.shown[-1].token


@pytest.mark.parametrize("server", TOOLS)
def test_a_token_is_good_where_it_was_issued_for(platform: Platform, api: ProtectedApi, server: str) -> None:
    """What was exchanged opens no server here, what the client sent opens no API, and nothing goes round."""
    record(call(platform, server, "admin"))
    exchanged = api.tokens(ADA)[-1]
    assert call(platform, server, None, Authorization=f"Bearer {exchanged}").status == 401
    assert call(platform, server, None).status == 401
    assert call(platform, server, "outsider").status == 403
    headers = {"Authorization": f"Bearer {platform.token('admin')}"}
    assert request(f"{api.url}/me", headers=headers).status == 401
    assert api.shown[-1].why.startswith("issuer, audience")
    for direct in platform.status["servers"][server].get("tiers", {}).values():
        for token in (exchanged, platform.token("admin")):
            sent = {"Authorization": f"Bearer {token}", "X-Mcp-Downstream-Token": exchanged, "X-Mcp-Caller": ADA}
            assert platform.call("tools/list", url=f"{direct}/mcp", headers=sent).status == 401


@pytest.mark.parametrize("server", TOOLS)
def test_a_revoked_token_is_asked_for_anew(platform: Platform, api: ProtectedApi, server: str) -> None:
    """One call fails, which says nothing of the token; the next has a new one. The other person keeps theirs."""
    assert record(call(platform, server, "admin")) == RECORDS[ADA]
    assert record(call(platform, server, "reader")) == RECORDS[RAE]
    api.revoked, kept = {api.tokens(ADA)[-1]}, api.tokens(RAE)[-1]
    failed = call(platform, server, "admin")
    assert failed.status == 502 or failed.json["result"]["isError"], failed.text
    assert not [value for value in (failed.text, *failed.headers.values()) if api.shown[-1].token in value]
    assert {"www-authenticate", "x-mcp-downstream-refused"}.isdisjoint(failed.headers)
    assert record(call(platform, server, "admin")) == RECORDS[ADA]
    assert record(call(platform, server, "reader")) == RECORDS[RAE]
    assert api.tokens(RAE)[-1] == kept
    assert api.tokens(ADA)[-1] not in api.revoked


def test_no_token_is_written_down(platform: Platform, api: ProtectedApi) -> None:
    """Neither in a log nor in a state, of the gateway, the issuer or a server."""
    home = Path(platform.variables["TWIN_HOME"])
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert len({one.token for one in api.shown}) > 6
    assert not [one.token for one in api.shown if one.token and one.token.encode() in written]


@pytest.mark.parametrize("server", TOOLS)
def test_who_did_not_consent_is_told_so(platform: Platform, api: ProtectedApi, server: str) -> None:
    """From the next sign-in on, with a sentence and no challenge, as no sign-in would help; others go on."""
    assert record(call(platform, server, "reader")) == RECORDS[RAE]
    consent(platform, ADA)
    try:
        platform.forget_tokens()
        asked = len(api.shown)
        refused = call(platform, server, "reader")
        assert (refused.status, "www-authenticate" in refused.headers) == (403, False)
        assert SCOPE in refused.json["error"]["message"]
        assert "administrator" in refused.json["error"]["message"]
        assert len(api.shown) == asked
        assert record(call(platform, server, "admin")) == RECORDS[ADA]
    finally:
        consent(platform, None)
    assert record(call(platform, server, "reader")) == RECORDS[RAE]
