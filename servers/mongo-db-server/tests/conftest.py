from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from mongo_db_server.keys import KeyStore
from mongo_db_server.limits import Limit, Limits
from mongo_db_server.server import build
from mongo_db_server.tokens import Expected
from pymongo.asynchronous.mongo_client import AsyncMongoClient

TENANT = "00000000-0000-4000-8000-000000000001"
BACKEND = "00000000-0000-4000-8000-000000000002"
GATEWAY = "00000000-0000-4000-8000-000000000003"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"

Mint = Callable[..., str]


STARTED = int(time.time())  # one moment for all tokens, however long the tests take


@pytest.fixture(scope="session")
def signing_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "key-1"})


@pytest.fixture
def expected() -> Expected:
    return Expected(ISSUER, TENANT, BACKEND, GATEWAY)


@pytest.fixture
def mint(signing_key: RSAKey) -> Mint:
    """Signs the gateway's token; keyword arguments replace claims, None removes one."""

    def mint(*, key: RSAKey = signing_key, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        usual = {
            "iss": ISSUER,
            "tid": TENANT,
            "aud": BACKEND,
            "oid": GATEWAY,
            "sub": GATEWAY,
            "azp": "00000000-0000-4000-8000-000000000004",
            "roles": ["Gateway.Invoke"],
            "iat": STARTED,
            "nbf": STARTED,
            "exp": STARTED + 3600,
        }
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "key-1", **(header or {})}, payload, key)

    return mint


@pytest.fixture
def key_set(signing_key: RSAKey) -> dict[str, Any]:
    return {"keys": [signing_key.as_dict(private=False)]}


@pytest.fixture
def fetch(key_set: dict[str, Any]) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    async def fetch() -> Mapping[str, Any]:
        return key_set

    return fetch


@pytest.fixture
def keys(fetch: Callable[[], Awaitable[Mapping[str, Any]]]) -> KeyStore:
    return KeyStore(fetch)


@pytest.fixture
def environment() -> dict[str, str]:
    return {
        "MCP_TIER": "reader",
        "MCP_AUTH_ISSUER": ISSUER,
        "MCP_AUTH_JWKS_URI": f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys",
        "MCP_AUTH_TENANT_ID": TENANT,
        "MCP_AUTH_AUDIENCE": BACKEND,
        "MCP_AUTH_GATEWAY_OBJECT_ID": GATEWAY,
        "MONGODB_URI": "mongodb://user:s3cret@database.invalid:10255/?ssl=true",
    }


@pytest.fixture
def use_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    """Replaces every variable the server reads."""

    def use(environment: Mapping[str, str]) -> None:
        import os

        for name in [name for name in os.environ if name.startswith(("MCP_", "MONGODB_", "OTEL_"))] + ["HOST", "PORT"]:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return use


@pytest.fixture
def limits() -> Limits:
    return Limits(
        documents=Limit(2, 5, "MCP_DOCUMENTS_CEILING"),
        bytes=Limit(1000, 2000, "MCP_BYTES_CEILING"),
        time_ms=Limit(1000, 2000, "MCP_TIME_MS_CEILING"),
        sample=10,
        write_batch=3,
        pipeline_stages=5,
    )


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    """The audit lines that `server_of` writes."""
    return []


@pytest.fixture
def server_of(limits: Limits, lines: list[dict[str, Any]]) -> Callable[..., Any]:
    """Builds the server of a tier. Its database client opens no connection before a call reaches the database."""

    def server_of(tier: Any, **more: Any) -> Any:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient("mongodb://database.invalid", connect=False)
        return build(client, name="mongodb", tier=tier, limits=limits, audit=lines.append, **more).mcp

    return server_of
