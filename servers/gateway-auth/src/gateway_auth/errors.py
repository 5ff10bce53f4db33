"""The package's errors: one sentence each, safe to show; none quotes a token or a secret.

GatewayAuthError
├── SettingsError            the environment is incomplete or malformed
├── TokenRefusedError        the request does not come from the gateway (401 or 403)
└── KeysUnavailableError     the issuer's signing keys could not be fetched (503)
"""

from __future__ import annotations


class GatewayAuthError(Exception):
    """Base of everything that this package raises; `str()` is one sentence for a person."""


class SettingsError(GatewayAuthError):
    """A setting is missing or malformed; the process should end with exit code 2."""


class TokenRefusedError(GatewayAuthError):
    """`status` is 401 for a missing or invalid token, 403 for a valid one that may not call this server."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class KeysUnavailableError(GatewayAuthError):
    """There are no keys to check a token with, so nobody is refused for his token."""
