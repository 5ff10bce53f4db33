"""What a caller without the right token is told: RFC 6750 challenges, RFC 9728 metadata, JSON-RPC errors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.platform_under_test import Answer, Platform, request


def challenge(answer: Answer) -> dict[str, str]:
    header = answer.headers["www-authenticate"]
    assert header.startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


def test_no_token_is_challenged_with_metadata_that_resolves(platform: Platform) -> None:
    """401 names an absolute metadata URL; its document names this endpoint, and who issues tokens for it."""
    answer = platform.call("tools/list")

    assert answer.status == 401
    challenged = challenge(answer)
    assert challenged["scope"] == platform.status["scope"]
    assert "error" not in challenged
    metadata = request(challenged["resource_metadata"], headers={"Origin": "https://client.example"})
    assert metadata.status == 200
    assert metadata.headers["access-control-allow-origin"] == "*"
    assert metadata.json["resource"] == platform.endpoint
    assert metadata.json["scopes_supported"] == [platform.status["scope"]]
    assert metadata.json["authorization_servers"] == [platform.gateway]


def test_root_metadata_names_the_only_server(platform: Platform) -> None:
    root = request(f"{platform.gateway}/.well-known/oauth-protected-resource")
    assert (root.status, root.json["resource"]) == (200, platform.endpoint)


def test_metadata_ignores_the_host_header(platform: Platform) -> None:
    """URLs come from public-base-url: a forged Host cannot send a client elsewhere."""
    url = f"{platform.gateway}/.well-known/oauth-protected-resource/mongodb/mcp"
    forged = request(url, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert forged.json["resource"] == platform.endpoint
    assert "evil" not in platform.call("tools/list", headers={"Host": "evil.example"}).headers["www-authenticate"]


@pytest.mark.parametrize("value", ["Bearer", "Bearer nonsense", "Basic YTpi", "Bearer a.b.c"])
def test_a_broken_token_is_an_invalid_token(platform: Platform, value: str) -> None:
    answer = platform.call("tools/list", headers={"Authorization": value})
    assert answer.status == 401
    assert challenge(answer)["error"] == "invalid_token"


def test_a_tampered_token_is_refused(platform: Platform) -> None:
    """One changed character of the payload breaks the signature."""
    head, body, signature = platform.token("reader").split(".")
    changed = body[:-2] + ("A" if body[-2] != "A" else "B") + body[-1]
    answer = platform.call("tools/list", headers={"Authorization": f"Bearer {head}.{changed}.{signature}"})
    assert answer.status == 401


def test_outsider_gets_a_plain_403(platform: Platform) -> None:
    """Signed in but without a role: 403 without a challenge, since no other scope would help (facts: mcp 2.3.0)."""
    answer = platform.call("tools/list", user="outsider", id="abc")
    assert answer.status == 403
    assert "www-authenticate" not in answer.headers
    assert_json_rpc_error(answer, id="abc")
    assert "Mcp.Read" in answer.json["error"]["message"]


def test_errors_on_mcp_are_json_rpc_and_carry_the_id(platform: Platform) -> None:
    answer = platform.call("tools/list", id=41)
    assert answer.status == 401
    assert_json_rpc_error(answer, id=41)


def test_foreign_origin_is_refused(platform: Platform) -> None:
    """A web page cannot call with a person's token (MCP, Streamable HTTP: DNS rebinding)."""
    answer = platform.call("tools/list", user="admin", headers={"Origin": "https://evil.example"})
    assert answer.status == 403


def test_every_answer_carries_a_correlation_id(platform: Platform) -> None:
    answers = [platform.call("tools/list"), platform.call("tools/list", user="admin")]
    ids = [answer.headers["x-correlation-id"] for answer in answers]
    assert len(set(ids)) == 2


def test_spoofed_headers_change_nothing(platform: Platform) -> None:
    """A reader who claims to be an admin in X-Mcp-* stays a reader."""
    spoofed = {"X-Mcp-Tier": "admin", "X-Mcp-Caller": "somebody-else", "X-Mcp-Client": "somebody-else"}
    answer = platform.call("tools/list", user="reader", headers=spoofed)
    assert answer.status == 200
    assert "delete-many" not in {tool["name"] for tool in result(answer)["tools"]}


def assert_json_rpc_error(answer: Answer, id: Any) -> None:
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json["jsonrpc"] == "2.0"
    assert answer.json["id"] == id
    assert isinstance(answer.json["error"]["code"], int)


def result(answer: Answer) -> Any:
    return answer.json["result"]
