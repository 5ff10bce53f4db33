"""A request to the token endpoint, after its form was parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from joserfc.jwk import KeySet

from emulators.entra.errors import EntraError


@dataclass(frozen=True)
class TokenRequest:
    """`assertion_keys` are the keys of the client assertion's issuer, or None where that issuer is not trusted."""

    tenant: str
    form: Mapping[str, str]
    origin: str | None = None
    assertion_keys: KeySet | None = None

    def get(self, name: str) -> str | None:
        return self.form.get(name) or None

    def need(self, name: str) -> str:
        """The parameter, or AADSTS900144."""
        value = self.get(name)
        if value is None:
            raise EntraError(900144, name=name)
        return value
