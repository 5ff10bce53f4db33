from __future__ import annotations

import base64
import hmac
import time
from typing import Any

import pytest
from gateway_auth.errors import TokenRefusedError
from gateway_auth.keys import KeyStore
from gateway_auth.testing import Signer
from gateway_auth.tokens import CLOCK_SKEW_SECONDS, MAX_TOKEN_CHARS, Expected, TokenVerifier
from joserfc import jwt
from joserfc.jwk import RSAKey

NOW = int(time.time())


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@pytest.fixture
def verifier(expected: Expected, keys: KeyStore) -> TokenVerifier:
    """Its clock stands still, so that these tests do not depend on when they run."""
    return TokenVerifier(expected, keys, clock=lambda: float(NOW))


async def test_gateway_token_is_accepted(verifier: TokenVerifier, mint: Signer) -> None:
    """The gateway's own token passes."""
    assert await verifier.verify(mint(exp=NOW + 60)) == NOW + 60 + CLOCK_SKEW_SECONDS


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.microsoftonline.com/other/v2.0"},
        {"iss": None},
        {"tid": "00000000-0000-4000-8000-00000000ffff"},
        {"tid": None},
        {"aud": "00000000-0000-4000-8000-0000000000aa"},  # the API app: a caller's own token
        {"aud": ["00000000-0000-4000-8000-000000000002"]},
        {"aud": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": NOW - CLOCK_SKEW_SECONDS - 1},
        {"nbf": NOW + CLOCK_SKEW_SECONDS + 60},
        {"nbf": "now"},
    ],
)
async def test_invalid_claims_get_401(claims: dict[str, Any], verifier: TokenVerifier, mint: Signer) -> None:
    """A token for someone else, from someone else or outside its lifetime is no token."""
    with pytest.raises(TokenRefusedError) as raised:
        await verifier.verify(mint(**claims))
    assert raised.value.status == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"oid": "00000000-0000-4000-8000-00000000ffff"},
        {"oid": None},
        {"roles": ["Mcp.Admin"]},
        {"roles": "Gateway.Invoke"},
        {"roles": None},
    ],
)
async def test_wrong_identity_or_role_gets_403(claims: dict[str, Any], verifier: TokenVerifier, mint: Signer) -> None:
    """A valid token of another identity, or without the role, is refused for what it is."""
    with pytest.raises(TokenRefusedError) as raised:
        await verifier.verify(mint(**claims))
    assert raised.value.status == 403


async def test_clock_skew_is_forgiven(verifier: TokenVerifier, mint: Signer) -> None:
    """Clocks may differ by a few seconds in both directions."""
    assert await verifier.verify(mint(exp=NOW - CLOCK_SKEW_SECONDS + 10)) == NOW + 10
    assert await verifier.verify(mint(nbf=NOW + CLOCK_SKEW_SECONDS - 10)) > NOW


async def test_other_key_with_the_same_id_gets_401(verifier: TokenVerifier, mint: Signer) -> None:
    """The key's id proves nothing."""
    other = RSAKey.generate_key(2048, {"kid": "key-1"})
    with pytest.raises(TokenRefusedError, match="signature") as raised:
        await verifier.verify(mint(key=other))
    assert raised.value.status == 401


async def test_unknown_key_gets_401(verifier: TokenVerifier, mint: Signer) -> None:
    """A key the issuer does not publish signs nothing."""
    with pytest.raises(TokenRefusedError, match="does not publish"):
        await verifier.verify(mint(header={"kid": "key-2"}))


async def test_symmetric_signature_with_the_public_key_gets_401(verifier: TokenVerifier, signing_key: RSAKey) -> None:
    """The public key is never used as a shared secret (RFC 8725, section 2.1)."""
    body = _encode(b'{"alg":"HS256","kid":"key-1"}') + "." + _encode(b"{}")
    # By hand, because joserfc refuses to sign with a public key.
    forged = hmac.digest(signing_key.as_pem(private=False), body.encode(), "sha256")
    with pytest.raises(TokenRefusedError, match="RS256"):
        await verifier.verify(f"{body}.{_encode(forged)}")


async def test_unsigned_token_gets_401(verifier: TokenVerifier) -> None:
    """`alg: none` is not a signature."""
    with pytest.raises(TokenRefusedError, match="RS256"):
        await verifier.verify("eyJhbGciOiJub25lIiwia2lkIjoia2V5LTEifQ.e30.")


async def test_critical_header_gets_401(verifier: TokenVerifier, signing_key: RSAKey) -> None:
    """An extension that must be understood and is not makes the token invalid (RFC 7515, section 4.1.11)."""
    token = jwt.encode({"alg": "RS256", "kid": "key-1"}, {"exp": NOW + 60}, signing_key)
    header = _encode(b'{"alg":"RS256","kid":"key-1","crit":["x"],"x":1}')
    with pytest.raises(TokenRefusedError) as raised:
        await verifier.verify(".".join([header, *token.split(".")[1:]]))
    assert raised.value.status == 401


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "e30.e30.", "W10.W10.W10", "e30.e30.e30.e30", "é.é.é"])
async def test_garbage_gets_401(token: str, verifier: TokenVerifier) -> None:
    """What is not a token is refused, whatever it is."""
    with pytest.raises(TokenRefusedError) as raised:
        await verifier.verify(token)
    assert raised.value.status == 401


async def test_oversized_token_gets_401(verifier: TokenVerifier) -> None:
    """Nothing that long is parsed."""
    with pytest.raises(TokenRefusedError, match="too long"):
        await verifier.verify("a" * (MAX_TOKEN_CHARS + 1))


async def test_verified_token_is_remembered_until_it_expires(expected: Expected, keys: KeyStore, mint: Signer) -> None:
    """Remembering a token never lengthens its life."""
    now = float(NOW)
    verifier = TokenVerifier(expected, keys, clock=lambda: now)
    token = mint(nbf=NOW, exp=NOW + 100)
    await verifier.verify(token)
    now = NOW + 99.0
    assert await verifier.verify(token) == NOW + 100.0 + CLOCK_SKEW_SECONDS
    now = NOW + 100.0 + CLOCK_SKEW_SECONDS
    with pytest.raises(TokenRefusedError, match="expired"):
        await verifier.verify(token)


async def test_refused_token_is_not_remembered(expected: Expected, keys: KeyStore, mint: Signer) -> None:
    """A token refused once is judged again, and refused again."""
    verifier = TokenVerifier(expected, keys)
    token = mint(oid="00000000-0000-4000-8000-00000000ffff")
    for _ in range(2):
        with pytest.raises(TokenRefusedError):
            await verifier.verify(token)
