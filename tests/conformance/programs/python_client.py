"""A client made of FastMCP or of the MCP SDK for Python: `python_client.py KIND ENDPOINT TOOL ARGUMENTS`.

Prints {"tools": [names], "answer": the tool's result}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from fastmcp import Client as FastMCPClient
from fastmcp.client.auth import OAuth
from mcp import Client as McpClient
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


class Memory:
    """Where the SDK keeps what it got."""

    tokens: OAuthToken | None = None
    information: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.information

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.information = client_info


class Callback(HTTPServer):
    """Listens on a free port; `query` is what the browser brought."""

    query: dict[str, list[str]]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _CallbackHandler)
        self.query = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/callback"

    def wait(self) -> AuthorizationCodeResult:
        while "code" not in self.query:
            self.handle_request()
        return AuthorizationCodeResult(code=self.query["code"][0], state=self.query["state"][0])


class _CallbackHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Callback)
        self.server.query = parse_qs(urlsplit(self.path).query)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>Signed in</h1>")

    def log_message(self, *_: object) -> None:
        return


async def with_sdk(endpoint: str, tool: str, arguments: dict[str, Any]) -> None:
    listener = Callback()
    metadata = OAuthClientMetadata.model_validate({"redirect_uris": [listener.url], "client_name": "SDK"})

    async def redirect(url: str) -> None:
        webbrowser.open(url)

    async def callback() -> AuthorizationCodeResult:
        return await asyncio.to_thread(listener.wait)

    auth = OAuthClientProvider(endpoint, metadata, Memory(), redirect, callback)
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        McpClient(streamable_http_client(endpoint, http_client=http)) as client,
    ):
        await use(client, tool, arguments)


async def with_fastmcp(endpoint: str, tool: str, arguments: dict[str, Any]) -> None:
    async with FastMCPClient(endpoint, auth=OAuth(callback_timeout=30)) as client:
        await use(client, tool, arguments)


async def use(client: Any, tool: str, arguments: dict[str, Any]) -> None:
    listed = await client.list_tools()
    answer = await client.call_tool(tool, arguments)
    names = [one.name for one in getattr(listed, "tools", listed)]
    sys.stdout.write(json.dumps({"tools": names, "answer": answer.structured_content}) + "\n")


if __name__ == "__main__":
    kind, endpoint, tool, given = sys.argv[1:]
    asyncio.run({"fastmcp": with_fastmcp, "sdk": with_sdk}[kind](endpoint, tool, json.loads(given)))
