from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from gateway_auth.keys import KeyStore
from gateway_auth.testing import BACKEND, GATEWAY, ISSUER, TENANT, Signer
from gateway_auth.tokens import Expected
from joserfc.jwk import RSAKey


@pytest.fixture(scope="session")
def mint() -> Signer:
    """Signs the gateway's token."""
    return Signer()


@pytest.fixture
def signing_key(mint: Signer) -> RSAKey:
    return mint.key


@pytest.fixture
def key_set(mint: Signer) -> dict[str, Any]:
    return mint.key_set


@pytest.fixture
def expected() -> Expected:
    return Expected(ISSUER, TENANT, BACKEND, GATEWAY)


@pytest.fixture
def keys(mint: Signer) -> KeyStore:
    return KeyStore(mint.fetch)


@pytest.fixture
def running() -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Run an ASGI application from its start to its end."""
    return _running


@asynccontextmanager
async def _running(gate: Any) -> AsyncIterator[None]:
    """The application between its start and its end, as a server drives it (ASGI, "Lifespan Protocol")."""
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(gate({"type": "lifespan"}, asked.get, said.put))
    await asked.put({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    yield
    await asked.put({"type": "lifespan.shutdown"})
    assert (await said.get())["type"] == "lifespan.shutdown.complete"
    await task
