from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from gateway_auth.testing import AUTH_ENVIRONMENT, Signer
from mongo_db_server.limits import Limit, Limits
from mongo_db_server.server import build
from pymongo.asynchronous.mongo_client import AsyncMongoClient


@pytest.fixture(scope="session")
def mint() -> Signer:
    """Signs the gateway's token."""
    return Signer()


@pytest.fixture
def environment() -> dict[str, str]:
    return {**AUTH_ENVIRONMENT, "MONGODB_URI": "mongodb://user:s3cret@database.invalid:10255/?ssl=true"}


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
