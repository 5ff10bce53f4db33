"""An issuer on paper: keys, discovery document, tokens."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from emulators.apim.tests.harness import NOW, GatewayHarness, ok

ISSUER = "http://issuer.test/tid/v2.0"
CONFIGURATION = f"{ISSUER}/.well-known/openid-configuration"
AUDIENCE = "api-client-id"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})


def publish(gateway: GatewayHarness, *keys: RSAKey, issuer: str = ISSUER, use: str = "sig") -> None:
    """Lets the issuer answer with these keys."""
    document = {"issuer": issuer, "jwks_uri": "http://issuer.test/keys"}
    published = [{**key.as_dict(private=False), "use": use} for key in keys or (KEY,)]
    gateway.backends.answers["http://issuer.test/keys"] = ok(json.dumps({"keys": published}).encode())
    gateway.backends.answers[CONFIGURATION] = ok(json.dumps(document).encode())


def claims(**changes: Any) -> dict[str, Any]:
    """A caller's claims; a change to None leaves one out."""
    found = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "tid": "tid",
        "exp": NOW + 3600,
        "nbf": NOW - 5,
        "sub": "s",
        "roles": ["r1", "r2"],
    }
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def sign(payload: dict[str, Any], key: RSAKey = KEY, **header: Any) -> str:
    """RS256 by hand: libraries refuse to sign some of the headers that attackers send."""
    protected = {"alg": "RS256", "kid": key.kid, **header}
    assert key.private_key is not None
    text = ".".join(encoded(json.dumps(part).encode()) for part in (protected, payload))
    return f"{text}.{encoded(key.private_key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
