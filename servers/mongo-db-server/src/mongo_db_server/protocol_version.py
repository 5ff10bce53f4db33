"""A protocol version that nobody speaks, refused in words about what was sent.

The SDK takes every version that it does not know for one of those that carry themselves in `params._meta`, and misses
that there; a client that sent a header only reads of a member which it never heard of.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mcp_types import UNSUPPORTED_PROTOCOL_VERSION, UnsupportedProtocolVersionErrorData
from mcp_types.version import SUPPORTED_PROTOCOL_VERSIONS
from starlette.responses import JSONResponse

_HEADER = b"mcp-protocol-version"


def refusal(headers: Sequence[tuple[bytes, bytes]], body: bytes) -> JSONResponse | None:
    """Return 400 (MCP 2025-11-25, "Protocol Version Header") where the version is in the header only, and unknown.

    Else None: what names a version in `params._meta` too is the SDK's to judge, and so is what repeats the header.
    """
    given = [value.decode("latin-1") for name, value in headers if name == _HEADER]
    if len(given) != 1 or given[0] in SUPPORTED_PROTOCOL_VERSIONS:
        return None
    try:
        message: Any = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or _names_a_version(message.get("params")):
        return None
    identity = message.get("id")
    known = list(SUPPORTED_PROTOCOL_VERSIONS)
    error = {
        "code": UNSUPPORTED_PROTOCOL_VERSION,
        "message": f"The header MCP-Protocol-Version is {given[0][:40]!r}, which this server does not speak: "
        f"send one of {', '.join(known)}.",
        "data": UnsupportedProtocolVersionErrorData(supported=known, requested=given[0][:40]).model_dump(mode="json"),
    }
    plain = isinstance(identity, int | str) and not isinstance(identity, bool)
    return JSONResponse({"jsonrpc": "2.0", "id": identity if plain else None, "error": error}, 400)


def _names_a_version(params: Any) -> bool:
    meta = params.get("_meta") if isinstance(params, dict) else None
    return isinstance(meta, dict) and "io.modelcontextprotocol/protocolVersion" in meta
