"""A REST API as tools: the chosen operations of an OpenAPI document, by FastMCP's own provider, behind the gate."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
from fastmcp import FastMCP
from fastmcp.server.providers.openapi import MCPType, OpenAPITool
from mcp_types import ToolAnnotations

from gateway_auth.errors import SettingsError
from gateway_auth.front.as_caller import AsCaller
from gateway_auth.front.bounded import Bounded
from gateway_auth.front.egress import Hosts, Reached

if TYPE_CHECKING:
    from fastmcp.utilities.openapi import HTTPRoute

    from gateway_auth.front.settings import FrontSettings

FILE = "openapi.json"
_READS = frozenset({"GET", "HEAD"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def server(
    settings: FrontSettings,
    package: str,
    operations: Sequence[str],
    base_url: str,
    headers: Mapping[str, str],
    transport: httpx2.AsyncBaseTransport | None = None,
) -> FastMCP[Any]:
    """Return a server whose tools are the operations of `package`'s openapi.json, each by its operationId.

    `headers` maps a header's name to the variable that holds its value, a credential of this server. With
    MCP_FRONT_IDENTITY=caller each request carries the caller's own token in Authorization. Raises SettingsError for a
    variable that is not set, an address that is not https (http on loopback), or two credentials in Authorization.
    """
    as_caller = settings.mcp_front_identity == "caller"
    if as_caller and any(name.lower() == "authorization" for name in headers):
        raise SettingsError(
            "MCP_FRONT_IDENTITY is caller, and --header sets Authorization, which carries the caller's token then; "
            "name another header, or leave it out."
        )
    document = json.loads((resources.files(package) / FILE).read_text(encoding="utf-8"))
    reached = Reached(transport or httpx2.AsyncHTTPTransport(), Hosts(settings.mcp_front_egress))
    client = httpx2.AsyncClient(
        base_url=_checked(base_url),
        headers={"user-agent": "gateway-auth", **_credentials(headers)},
        timeout=settings.mcp_front_seconds,
        follow_redirects=False,
        auth=AsCaller() if as_caller else None,
        transport=Bounded(reached, settings.mcp_front_answer_bytes, strips=True),
    )

    def kind(route: HTTPRoute, _default: MCPType) -> MCPType:
        return MCPType.TOOL if route.operation_id in operations else MCPType.EXCLUDE

    def annotate(route: HTTPRoute, component: Any) -> None:
        # RFC 9110, section 9.2.1: GET and HEAD are safe. Of the others nobody knows.
        if isinstance(component, OpenAPITool):
            component.annotations = ToolAnnotations(read_only_hint=route.method.upper() in _READS)

    return FastMCP.from_openapi(
        document,
        client,
        name=settings.mcp_server_name,
        route_map_fn=kind,
        mcp_component_fn=annotate,
        mcp_names={operation: operation for operation in operations},
        validate_output=False,  # whether an answer fits its schema is the caller's business
    )


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise SettingsError(f"--base-url {url!r} must be an https URL (http only on loopback).")
    return url


def _credentials(headers: Mapping[str, str]) -> dict[str, str]:
    for variable in headers.values():
        if not os.environ.get(variable):
            raise SettingsError(f"{variable} is not set: give it to `secrets` of the server's entry in mcp_servers.")
    return {header: os.environ[variable] for header, variable in headers.items()}
