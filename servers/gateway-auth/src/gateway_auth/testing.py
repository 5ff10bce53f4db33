"""For tests of servers: tokens as the gateway sends them, signed by a key of the test's own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

TENANT = "00000000-0000-4000-8000-000000000001"
BACKEND = "00000000-0000-4000-8000-000000000002"
GATEWAY = "00000000-0000-4000-8000-000000000003"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
STARTED = int(time.time())  # one moment for all tokens, however long the tests take

AUTH_ENVIRONMENT = {
    "MCP_TIER": "reader",
    "MCP_AUTH_ISSUER": ISSUER,
    "MCP_AUTH_JWKS_URI": f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys",
    "MCP_AUTH_TENANT_ID": TENANT,
    "MCP_AUTH_AUDIENCE": BACKEND,
    "MCP_AUTH_GATEWAY_OBJECT_ID": GATEWAY,
}


class Signer:
    """One key: `key_set` is what its issuer publishes, and calling it signs a token."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "key-1"})
        self.key_set = {"keys": [self.key.as_dict(private=False)]}

    async def fetch(self) -> Mapping[str, Any]:
        return self.key_set

    def __call__(self, *, key: RSAKey | None = None, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """The gateway's token; keyword arguments replace claims, None removes one."""
        usual = {
            "iss": ISSUER,
            "tid": TENANT,
            "aud": BACKEND,
            "oid": GATEWAY,
            "sub": GATEWAY,
            "azp": "00000000-0000-4000-8000-000000000004",
            "roles": ["Gateway.Invoke"],
            "iat": STARTED,
            "nbf": STARTED,
            "exp": STARTED + 3600,
        }
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "key-1", **(header or {})}, payload, key or self.key)


def gateway_headers(token: str, **replaced: str | None) -> dict[str, str]:
    """What the gateway adds to a request; keyword arguments replace headers, None removes one."""
    usual = {
        "authorization": f"Bearer {token}",
        "x-mcp-tier": "reader",
        "x-mcp-caller": "caller-1",
        "x-mcp-client": "client-1",
        "x-correlation-id": "request-1",
    }
    given = usual | {name.replace("_", "-"): value for name, value in replaced.items()}
    return {name: value for name, value in given.items() if value is not None}
