"""Tokens that somebody else, or nobody, should have signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

Claims = dict[str, Any]


def part(value: Any) -> str:
    """One segment of a compact JWS."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Forge:
    """`key` is the issuer's; `header` and `claims` are those of an administrator's valid token."""

    key: RSAKey
    header: Claims
    claims: Claims

    @classmethod
    def of(cls, home: Path, valid: str) -> Forge:
        kept = json.loads((home / "entra/keys.json").read_text(encoding="utf-8"))
        header, claims, _ = valid.split(".")
        return cls(RSAKey.import_key(kept["signing"][kept["current"]]), _read(header), _read(claims))

    def signed(self, header: Mapping[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
        """The valid token with these claims changed (None: left out), signed anew."""
        claims = {name: value for name, value in {**self.claims, **changes}.items() if value is not None}
        head = {name: value for name, value in {**self.header, **(header or {})}.items() if value is not None}
        return jwt.encode(head, claims, key or self.key, algorithms=[head["alg"]])

    def unsigned(self, alg: str, signature: str = "") -> str:
        return f"{part({**self.header, 'alg': alg})}.{part(self.claims)}.{signature}"

    def hmac_with_public_key(self, public: bytes) -> str:
        """RS256 taken for HS256: the public key as the shared secret (RFC 8725 section 2.1)."""
        signing = f"{part({**self.header, 'alg': 'HS256'})}.{part(self.claims)}"
        return f"{signing}.{part(hmac.new(public, signing.encode(), hashlib.sha256).digest())}"

    @property
    def pem(self) -> bytes:
        return bytes(self.key.as_pem(private=False))

    @property
    def now(self) -> int:
        return int(time.time())


def stranger() -> RSAKey:
    return RSAKey.generate_key(2048, auto_kid=True)


def elliptic() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


def _read(segment: str) -> Claims:
    found: Claims = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return found
