from __future__ import annotations

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
