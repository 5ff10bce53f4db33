from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from gateway_auth.errors import KeysUnavailableError
from gateway_auth.keys import (
    MAX_AGE_SECONDS,
    MAX_STALE_SECONDS,
    MIN_INTERVAL_SECONDS,
    MIN_INTERVAL_WITHOUT_KEYS_SECONDS,
    KeyStore,
)
from joserfc.jwk import ECKey, RSAKey


class Issuer:
    """Serves whatever key set it holds, counts, and fails on demand."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.fetched = 0
        self.down = False

    async def __call__(self) -> Mapping[str, Any]:
        self.fetched += 1
        if self.down:
            raise OSError("connection refused")
        return self.document


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer(key_set: dict[str, Any]) -> Issuer:
    return Issuer(key_set)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(issuer: Issuer, clock: Clock) -> KeyStore:
    return KeyStore(issuer, clock)


async def test_keys_are_fetched_once(store: KeyStore, issuer: Issuer) -> None:
    """A known key costs the issuer nothing."""
    for _ in range(3):
        assert await store.get("key-1") is not None
    assert issuer.fetched == 1


async def test_unknown_key_refreshes_at_a_limited_rate(store: KeyStore, issuer: Issuer, clock: Clock) -> None:
    """Invented key ids cannot make this server hammer the issuer."""
    await store.get("key-1")
    for _ in range(5):
        assert await store.get("invented") is None
    assert issuer.fetched == 1
    clock.now += MIN_INTERVAL_SECONDS
    assert await store.get("invented") is None
    assert issuer.fetched == 2


async def test_rolled_key_is_found(store: KeyStore, issuer: Issuer, clock: Clock) -> None:
    """A key the issuer has added since is used without a restart."""
    await store.get("key-1")
    new = RSAKey.generate_key(2048, {"kid": "key-2"})
    issuer.document = {"keys": [new.as_dict(private=False)]}
    clock.now += MIN_INTERVAL_SECONDS
    assert await store.get("key-2") is not None
    assert await store.get("key-1") is None


async def test_withdrawn_key_is_forgotten_with_age(store: KeyStore, issuer: Issuer, clock: Clock) -> None:
    """A key the issuer no longer publishes stops working when the set has aged."""
    await store.get("key-1")
    issuer.document = {"keys": [RSAKey.generate_key(2048, {"kid": "key-2"}).as_dict(private=False)]}
    clock.now += MAX_AGE_SECONDS + 1
    assert await store.get("key-1") is None


async def test_keys_survive_an_issuer_that_is_down(
    store: KeyStore, issuer: Issuer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """An issuer that cannot be reached has not withdrawn its keys: they stay in use, and the log says how long."""
    await store.get("key-1")
    issuer.down = True
    clock.now += MAX_AGE_SECONDS + 1
    assert await store.get("key-1") is not None
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.WARNING, "gateway_auth.keys")
    assert record.getMessage() == (
        "the issuer's signing keys could not be refreshed (OSError: connection refused); those fetched 43201 s ago "
        "stay in use for 215999 s"
    )


async def test_keys_that_cannot_be_refreshed_are_not_good_for_ever(
    store: KeyStore, issuer: Issuer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that was withdrawn meanwhile must not stay good here alone; when the issuer is back, so is the server."""
    await store.get("key-1")
    issuer.down = True
    clock.now += MAX_STALE_SECONDS
    assert await store.get("key-1") is not None
    clock.now += MIN_INTERVAL_SECONDS
    with pytest.raises(KeysUnavailableError):
        await store.get("key-1")
    assert "they are not trusted any longer" in caplog.records[-1].getMessage()
    issuer.down = False
    clock.now += MIN_INTERVAL_SECONDS
    assert await store.get("key-1") is not None


async def test_a_slow_issuer_delays_one_request_only(key_set: dict[str, Any], clock: Clock) -> None:
    """While one request refreshes keys that have aged, the others use what is there."""
    answer = asyncio.Event()

    async def slow() -> Mapping[str, Any]:
        await answer.wait()
        return key_set

    store = KeyStore(slow, clock)
    answer.set()
    await store.get("key-1")
    answer.clear()
    clock.now += MAX_AGE_SECONDS + 1
    first = asyncio.create_task(store.get("key-1"))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(store.get("key-1"), 10) is not None
    assert not first.done()
    answer.set()
    assert await first is not None


async def test_no_keys_at_all_is_not_a_bad_token(store: KeyStore, issuer: Issuer, clock: Clock) -> None:
    """Without keys nobody is judged; they are fetched when the issuer is back."""
    issuer.down = True
    with pytest.raises(KeysUnavailableError, match="MCP_AUTH_JWKS_URI"):
        await store.get("key-1")
    issuer.down = False
    with pytest.raises(KeysUnavailableError):
        await store.get("key-1")
    assert issuer.fetched == 1
    clock.now += MIN_INTERVAL_WITHOUT_KEYS_SECONDS
    assert await store.get("key-1") is not None


async def test_only_rsa_signing_keys_count(signing_key: RSAKey) -> None:
    """Encryption keys, other kinds of key and malformed ones sign nothing."""
    good = signing_key.as_dict(private=False)
    document = {
        "keys": [
            good,
            {**good, "kid": "encryption", "use": "enc"},
            {**good, "kid": "other-algorithm", "alg": "RS512"},
            {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "elliptic"},
            {"kty": "RSA", "kid": "malformed", "n": "!", "e": "AQAB"},
        ]
    }
    store = KeyStore(Issuer(document), Clock())
    assert await store.get("key-1") is not None
    for kid in ("encryption", "other-algorithm", "elliptic", "malformed"):
        assert await store.get(kid) is None
