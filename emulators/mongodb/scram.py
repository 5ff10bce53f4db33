"""SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, with several passwords for one user name.

Users without a password are identities, who sign in with a token instead (see oidc.py); they are kept here too.

Cosmos DB has one user name with two read-write and two read-only keys. All credentials share one salt and iteration
count, so the server's first message fits each of them; the client's proof then shows which password it knows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass

from emulators.mongodb.config import User
from emulators.mongodb.errors import CommandError

MECHANISM = "SCRAM-SHA-256"
ITERATIONS = 15_000  # MongoDB's default for SCRAM-SHA-256


@dataclass(frozen=True)
class _Credential:
    user: User
    stored_key: bytes
    server_key: bytes


def _prepared(password: str) -> str:
    """SASLprep (RFC 4013), which leaves printable ASCII as it is: keys need not wait for PyMongo's whole client."""
    if password.isascii() and password.isprintable():
        return password
    from pymongo.saslprep import saslprep

    return str(saslprep(password))


class Credentials:
    """The users' derived keys, and the users they were derived from: what stays is not derived again."""

    def __init__(self, users: Iterable[User]) -> None:
        self.salt = os.urandom(28)
        self._by_name: dict[str, list[_Credential]] = {}
        self._identities: dict[str, User] = {}
        self._required = False
        self.replace(users)

    def replace(self, users: Iterable[User]) -> None:
        """From now on these users may sign in, and nobody else.

        Who has signed in stays so, and a sign-in under way goes on: the salt that it was given holds. A server that
        asked for a password once asks for ever, even where no user is left.
        """
        known = {held.user: held for all_held in self._by_name.values() for held in all_held}
        fresh: dict[str, list[_Credential]] = {}
        users = list(users)
        self._identities = {user.name: user for user in users if not user.password}
        for user in (user for user in users if user.password):
            fresh.setdefault(user.name, []).append(known.get(user) or self._derive(user))
        self._by_name = fresh
        self._required = self._required or bool(users)

    def __bool__(self) -> bool:
        return self._required

    def identity(self, object_id: str) -> User | None:
        """The administrator that Azure registered under this object id."""
        return self._identities.get(object_id)

    def identities(self) -> list[User]:
        return list(self._identities.values())

    def _derive(self, user: User) -> _Credential:
        password = _prepared(user.password).encode()
        salted = hashlib.pbkdf2_hmac("sha256", password, self.salt, ITERATIONS)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        return _Credential(user, hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256"))

    def matching(self, name: str, proof: bytes, auth_message: bytes) -> tuple[User, bytes] | None:
        """The user whose password made the proof, and the server's signature for it."""
        for credential in self._by_name.get(name, ()):
            signature = hmac.digest(credential.stored_key, auth_message, "sha256")
            client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=False))
            if len(proof) == len(signature) and hmac.compare_digest(
                hashlib.sha256(client_key).digest(), credential.stored_key
            ):
                return credential.user, hmac.digest(credential.server_key, auth_message, "sha256")
        return None


def failed() -> CommandError:
    return CommandError(18, "Authentication failed.")


class Conversation:
    """One sign-in: `first` answers the client's first message, `final` its proof."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._name = self._nonce = self._client_bare = self._server_first = ""

    def first(self, payload: bytes) -> bytes:
        header, _, bare = _text(payload).partition(",,")
        if header != "n":
            raise failed()  # channel binding and authorization identities are not offered
        fields = _fields(bare)
        if "m" in fields or not fields.get("n") or not fields.get("r"):
            raise failed()
        self._name = fields["n"].replace("=2C", ",").replace("=3D", "=")
        self._nonce = fields["r"] + base64.b64encode(os.urandom(24)).decode()
        self._client_bare = bare
        salt = base64.b64encode(self._credentials.salt).decode()
        self._server_first = f"r={self._nonce},s={salt},i={ITERATIONS}"
        return self._server_first.encode()

    def final(self, payload: bytes) -> tuple[User, bytes]:
        """The user who signed in and the server's last message; AuthenticationFailed (18) for anything amiss."""
        without_proof, separator, proof = _text(payload).rpartition(",p=")
        fields = _fields(without_proof)
        if not separator or fields.get("r") != self._nonce or fields.get("c") != "biws":
            raise failed()
        auth_message = f"{self._client_bare},{self._server_first},{without_proof}".encode()
        try:
            found = self._credentials.matching(self._name, base64.b64decode(proof, validate=True), auth_message)
        except binascii.Error:
            raise failed() from None
        if found is None:
            raise failed()
        return found[0], b"v=" + base64.b64encode(found[1])


def _text(payload: bytes) -> str:
    try:
        if not isinstance(payload, bytes):  # of a number `bytes` would make as many zeros
            raise failed()
        return payload.decode()
    except UnicodeDecodeError:
        raise failed() from None


def _fields(message: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in message.split(",") if "=" in part)
