"""The queries of workbook and alerts read what Azure documents and what the server really writes."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from ops.observe import watch
from tests.plan.kql import TABLES, Query, committed

QUERIES = [*committed(), Query("invoke watch", watch.QUERY.format(seconds=900, log="ContainerInstanceLog"))]
EVERY_QUERY = pytest.mark.parametrize("query", QUERIES, ids=[query.name for query in QUERIES])

TENANT, BACKEND, GATEWAY = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
ENVIRONMENT = {
    "MCP_TIER": "reader",
    "MCP_AUTH_ISSUER": ISSUER,
    "MCP_AUTH_JWKS_URI": f"{ISSUER}/keys",
    "MCP_AUTH_TENANT_ID": TENANT,
    "MCP_AUTH_AUDIENCE": BACKEND,
    "MCP_AUTH_GATEWAY_OBJECT_ID": GATEWAY,
    "MCP_ALLOWED_HOSTS": "slot",
    "MONGODB_URI": "mongodb://database.invalid",
}


@EVERY_QUERY
def test_a_query_reads_documented_columns(query: Query) -> None:
    """A misspelt table or column fails in the portal, at the moment when somebody needs the answer."""
    assert query.tables
    assert query.unknown == set(), f"not in tests/plan/documented/tables.yaml for {sorted(query.tables)}"


@EVERY_QUERY
def test_a_query_compares_with_documented_values(query: Query) -> None:
    """A misspelt reason or operation fails nowhere: it finds nothing, for good."""
    assert list(query.undocumented_values()) == []


def test_the_reader_of_queries_notices_what_is_wrong() -> None:
    """What the tests above rest on finds a wrong column, a wrong value, a field and a header."""
    query = Query(
        "wrong",
        """// ResponseCod in a comment is no column
        ApiManagementGatewayLogs
        | extend Call = parse_json(Url), Lower = tostring(parse_json(tolower(tostring(RequestHeaders)))["x-other"])
        | where LastErrorReason == "BackendConectionFailure" and ResponseCod == 500 and Call.tol == 1""",
    )
    assert query.unknown == {"Url", "ResponseCod"}
    assert list(query.undocumented_values()) == ["LastErrorReason: BackendConectionFailure"]
    assert (query.audit_fields, query.headers) == ({"tol"}, {("RequestHeaders", "x-other")})


def test_what_is_documented_is_used() -> None:
    """The table of schemas holds nothing that no query reads."""
    read = set.union(*(query.names for query in QUERIES))
    unused = {f"{t}.{c}" for t, table in TABLES.items() for c in table["columns"] if c not in read}
    assert unused - {f"{table}.TimeGenerated" for table in TABLES} == set()
    assert set(TABLES) - read == set()


class Databases:
    """As much of a database as one successful and one failing call need."""

    async def list_databases(self) -> AsyncIterator[dict[str, Any]]:
        async def found() -> AsyncIterator[dict[str, Any]]:
            yield {"name": "shop", "sizeOnDisk": 1}

        return found()

    def get_database(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError("the database is away")

    async def close(self) -> None:
        pass


@pytest.fixture
async def written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines that the server writes for a call that succeeds and one that fails, made through its front door."""
    from mongo_db_server import server, settings

    key = RSAKey.generate_key(2048, {"kid": "key"})
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(server, "connect", lambda *_: Databases())

    async def fetch() -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False)]}

    gate = server.http_app(settings.load(), fetch_keys=fetch)
    async with (
        gate._app._app.router.lifespan_context(gate._app._app),  # type: ignore[attr-defined]
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://slot") as client,
    ):
        for name, arguments in {
            "list-databases": {},
            "count": {"database": "shop", "collection": "orders"},
        }.items():
            call = {"name": name, "arguments": arguments}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
            answer = await client.post("/mcp", headers=_headers(key), json=body)
            assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]


def _headers(key: RSAKey) -> dict[str, str]:
    """As the gateway sends them."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "tid": TENANT,
        "aud": BACKEND,
        "oid": GATEWAY,
        "sub": GATEWAY,
        "azp": BACKEND,
        "idtyp": "app",
    }
    token = jwt.encode(
        {"alg": "RS256", "kid": "key"},
        {**claims, "roles": ["Gateway.Invoke"], "nbf": now, "iat": now, "exp": now + 60},
        key,
    )
    return {
        "authorization": f"Bearer {token}",
        "x-mcp-tier": "reader",
        "x-mcp-caller": "caller",
        "x-mcp-client": "client",
        "x-correlation-id": "request",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
    }


async def test_fields_of_the_audit_line_are_what_the_server_writes(written: list[dict[str, Any]]) -> None:
    """Every field that a query reads stands in the line of a call; those of a failure in that of a failed one."""
    calls = [line for line in written if line.get("event") == "call"]
    assert [line["outcome"] == "ok" for line in calls] == [True, False]
    read = set.union(*(query.audit_fields for query in QUERIES))
    assert read, "no query reads the audit line"
    assert read - set.union(*(set(line) for line in calls)) == set()


async def test_the_join_of_gateway_and_server_finds_its_line(written: list[dict[str, Any]]) -> None:
    """The gateway's id of a request is in each line that the server writes for it."""
    assert written
    assert {line.get("correlation_id") for line in written} == {"request"}
