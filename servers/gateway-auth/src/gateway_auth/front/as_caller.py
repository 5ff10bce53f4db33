"""What is behind the front called as the person who calls, with the token that the gateway exchanged for them."""

from __future__ import annotations

from collections.abc import Generator

import httpx2
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR

from gateway_auth.caller import CALLER, Caller


class AsCaller(httpx2.Auth):
    """Sends one caller's token as `Authorization: Bearer …` (RFC 6750, section 2.1), in place of any that is there.

    `caller`: whose request this is for; without one, whoever's it is when a request is sent. MCPError where the gateway
    sent no token: nothing is called as nobody.
    """

    def __init__(self, caller: Caller | None = None) -> None:
        self._caller = caller

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        caller = self._caller or CALLER.get()
        request.headers["authorization"] = f"Bearer {token_of(caller)}"
        response = yield request
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            caller.refusal.said = True  # revoked or expired: the gateway gives the next call a new one


def token_of(caller: Caller) -> str:
    """Return the caller's token for what is behind. MCPError where there is none."""
    if not caller.downstream_token:
        raise MCPError(INTERNAL_ERROR, "The gateway sent no token of yours for what is behind this server.")
    return caller.downstream_token
