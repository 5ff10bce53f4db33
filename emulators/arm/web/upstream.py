"""Requests passed on, as they are, to a process on this machine: Azurite, and the issuer."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import aiohttp
from starlette.requests import Request
from starlette.responses import Response
from yarl import URL

_OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "date", "server"}
)


def headers_of(request: Request) -> dict[str, str]:
    """Those that go on; production's Host stays, by which the process knows the account or itself."""
    return {k: v for k, v in request.headers.items() if k not in ("connection", "content-length")}


def target_of(request: Request) -> str:
    path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
    return f"{path}?{query}" if query else path


async def send(
    origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext | bool = True
) -> Response:
    """The answer, redirects included. aiohttp.ClientError where nobody answers."""
    async with (
        aiohttp.ClientSession(auto_decompress=False, trust_env=False) as client,
        client.request(
            method,
            URL(f"{origin}{target}", encoded=True),
            data=body or None,
            headers=headers,
            ssl=tls,
            skip_auto_headers=("User-Agent", "Content-Type"),
            allow_redirects=False,
        ) as answer,
    ):
        content = await answer.read()
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _OF_THE_CONNECTION}
        if method == "HEAD" and "Content-Length" in answer.headers:
            kept["content-length"] = answer.headers["Content-Length"]
        return Response(content, answer.status, kept)
