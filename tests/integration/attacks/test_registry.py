"""The MCP registry, attacked on the running platform. What descriptions try: tests/plan/test_served_registry.py."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.support.platform_under_test import Platform, request
from tests.support.raw_http import exchange
from tests.support.registry_schema import ERROR, SERVERS, check

#: What no answer of the registry may hold.
SECRETS = (
    "mongodb://",
    "access_token",
    "secret",
    "tier",
    "role",
    "Mcp.Admin",
    "Mcp.Read",
    "internal",
    "digest",
    "image",
)


def servers(platform: Platform) -> str:
    return f"{platform.gateway}/v0.1/servers"


def test_the_registry_lists_what_is_hosted_and_nothing_else(platform: Platform) -> None:
    """Names and descriptions: nothing of how a server is made, who may call it, and what is behind it."""
    answer = request(servers(platform))
    check(answer.json, SERVERS)
    hosted = {server["url"] for server in platform.status["servers"].values()}
    assert {entry["server"]["remotes"][0]["url"] for entry in answer.json["servers"]} == hosted
    assert [word for word in SECRETS if word.lower() in answer.text.lower().replace("right role", "")] == []


INJECTED = [
    '"}],"x":[{"',
    "@(context.Variables)",
    "{{api-client-id}}",
    "</set-body><set-body>",
    "\r\nX-Injected: 1",
    "\x00",
    "\u202e",
    "%s%n",
    "' or 1=1 --",
    ".*" * 200,
    "(a+)+$",
    "x" * 6000,
]


@pytest.mark.parametrize("parameter", ["search", "cursor", "version", "limit", "updated_since", "unknown"])
def test_no_parameter_comes_back_or_means_anything(platform: Platform, parameter: str) -> None:
    """A list or a refusal, in JSON, and in neither what was sent."""
    for text in INJECTED:
        answer = request(f"{servers(platform)}?{parameter}={quote(text, safe='')}")
        assert answer.status in (200, 400), answer.text
        check(answer.json, SERVERS if answer.status == 200 else ERROR)
        assert "x-injected" not in answer.headers
        assert text not in answer.text


PATHS = [
    "/v0.1/servers/%2e%2e/%2e%2e/mongodb/mcp",
    "/v0.1/servers/..%2fmongodb%2fmcp/versions/latest",
    "/v0.1/servers/localhost%2F..%2Fmongodb/versions/latest",
    "/v0.1/servers/localhost%2Fmongodb%00/versions/latest",
    "/v0.1/servers/localhost%5Cmongodb/versions/latest",
    "/v0.1/servers/localhost%2Fmongodb/versions/..%2flatest",
    "/v0.1/servers/localhost%2Fmongodb/versions/%7B%7Bapi-client-id%7D%7D",
    "/v0.1/servers/localhost//mongodb/versions/latest",
    "/v0.1//servers",
    "/v0.1/servers;x=1",
    "/v0.1/../mongodb/mcp",
]


def test_no_path_leads_past_it(platform: Platform) -> None:
    """Sent as it stands, which libraries would tidy."""
    for path in PATHS:
        answer = exchange(platform.gateway, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.statuses[0] in (400, 401, 404), (path, answer.text)
        assert "streamable-http" not in answer.text, path


def test_no_header_decides_an_address(platform: Platform) -> None:
    """The addresses are the platform's, whatever the request says of itself."""
    said = "evil.example"
    for name in ("Host", "X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded"):
        answer = request(servers(platform), headers={name: f"host={said}" if name == "Forwarded" else said})
        assert answer.status in (200, 404)
        assert said not in answer.text


def test_nothing_is_published(platform: Platform) -> None:
    document = json.dumps({"name": "evil/evil", "description": "x", "version": "1.0.0"}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {platform.token('admin')}"}
    for path in ("/v0.1/publish", "/v0.1/servers", "/v0.1/servers/localhost%2Fmongodb/versions/0.2.0"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert request(f"{platform.gateway}{path}", document, headers, method).status == 404
    assert "evil" not in request(servers(platform)).text
