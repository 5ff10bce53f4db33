"""Tokens of a managed identity, as PyMongo asks for them: the identity's endpoint is not reached here."""

from __future__ import annotations

from dataclasses import dataclass

import azure.identity
import pytest
from mongo_db_server import identity
from pymongo.auth_oidc import OIDCCallbackContext


@dataclass
class Token:
    token: str


class Credential:
    """Keeps its token, as azure-identity does."""

    made = 0

    def __init__(self, **_: object) -> None:
        type(self).made += 1
        self._token = Token(f"token {self.made}")

    def get_token(self, *_: str) -> Token:
        return self._token


def test_a_token_that_is_asked_for_again_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyMongo keeps what it was given until the database refuses it. A new one in half a minute, not for each call."""
    clock = [1000.0]
    Credential.made = 0
    monkeypatch.setattr(azure.identity, "ManagedIdentityCredential", Credential)
    tokens = identity.ManagedIdentityTokens(lambda: clock[0])
    context = OIDCCallbackContext(timeout_seconds=60, username="", version=1)

    def asked(at: float) -> str:
        clock[0] = at
        return tokens.fetch(context).access_token

    assert [asked(at) for at in (1000.0, 1001.0, 1029.0)] == ["token 1"] * 3
    assert [asked(at) for at in (1031.0, 1032.0, 1060.0)] == ["token 2"] * 3
    assert asked(1062.0) == "token 3"
