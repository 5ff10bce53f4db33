"""Signing keys, and the key that seals refresh tokens: kept in `data_dir`, so that clients do not notice a restart."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, RSAKey

from emulators.base.errors import EmulatorError

FILE = "keys.json"
PUBLISHED = 3
"""Previous, current and next key: like Entra ID, the next one is published before it signs anything."""


class KeyRing:
    """RS256 keys with rollover, a sealing key, and the salt of pairwise subjects."""

    def __init__(self, path: Path | None, signing: list[RSAKey], current: int, secret: bytes) -> None:
        self._path = path
        self._signing = signing
        self._current = current
        self._secret = secret
        self._sealing = OctKey.import_key(hashlib.sha256(b"seal" + secret).digest())

    @classmethod
    def open(cls, data_dir: Path) -> KeyRing:
        """Reads the keys of `data_dir`, or makes them there with mode 0600."""
        path = data_dir / FILE
        if not path.exists():
            try:
                data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                why = f"data_dir {data_dir} cannot be made ({error.strerror}); choose another folder"
                raise EmulatorError(why) from error
            made = cls(path, [_new_key(), _new_key()], 0, secrets.token_bytes(32))
            made._save(made._signing, made._current)
            return made
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            signing = [RSAKey.import_key(key) for key in kept["signing"]]
            return cls(path, signing, int(kept["current"]), base64.b64decode(kept["secret"]))
        except (OSError, ValueError, KeyError, JoseError) as error:
            raise EmulatorError(
                f"the issuer's keys at {path} cannot be read ({error}); delete the file to make new ones"
            ) from error

    @classmethod
    def in_memory(cls) -> KeyRing:
        return cls(None, [_new_key(), _new_key()], 0, secrets.token_bytes(32))

    def rotate(self) -> None:
        """Rolls over: the published next key signs from now on, and a new next one is published.

        EmulatorError where the keys cannot be kept, as on a full disk; then nothing has changed.
        """
        signing = [*self._signing, _new_key()][-PUBLISHED:]
        current = len(signing) - 2
        try:
            self._save(signing, current)
        except OSError as error:
            raise EmulatorError(
                f"the signing keys stay as they were: {self._path} cannot be written ({error})"
            ) from error
        self._signing, self._current = signing, current

    def sign(self, claims: Mapping[str, Any]) -> str:
        key = self._signing[self._current]
        return jwt.encode({"typ": "JWT", "alg": "RS256", "kid": key.kid}, dict(claims), key)

    def public(self) -> list[dict[str, Any]]:
        """The JWKS entries. Entra ID gives no `alg` there, so neither does this."""
        return [{**key.as_dict(private=False), "use": "sig", "x5t": key.kid} for key in self._signing]

    def seal(self, payload: Mapping[str, Any]) -> str:
        """Encrypts a small record into an opaque token (JWE, A256GCM); nothing is stored."""
        text = json.dumps(payload, separators=(",", ":"))
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, text, self._sealing)

    def unseal(self, token: str) -> dict[str, Any] | None:
        """The record that `seal` took, or None for anything else."""
        try:
            opened = jwe.decrypt_compact(token, self._sealing, algorithms=["dir", "A256GCM"])
            payload = json.loads(opened.plaintext or b"")
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        return payload if isinstance(payload, dict) else None

    def pairwise(self, application: str, principal_id: str) -> str:
        """`sub` of a user: stable per application, unlike `oid` ("ID token claims reference")."""
        digest = hashlib.sha256(self._secret + f"|{application}|{principal_id}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _save(self, signing: list[RSAKey], current: int) -> None:
        if self._path is None:
            return
        document = {
            "signing": [{**key.as_dict(private=True), "kid": key.kid} for key in signing],
            "current": current,
            "secret": base64.b64encode(self._secret).decode(),
        }
        partial = self._path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
        partial.replace(self._path)


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, auto_kid=True)
