from __future__ import annotations

import json
from typing import Any

import pytest
from mcp_types.version import SUPPORTED_PROTOCOL_VERSIONS
from mongo_db_server import protocol_version

ENVELOPE = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2031-01-01"}}


def answer(version: str | list[str], message: Any) -> dict[str, Any] | None:
    """What is said to it; None where the SDK is asked."""
    sent = version if isinstance(version, list) else [version]
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    refused = protocol_version.refusal([(b"mcp-protocol-version", one.encode()) for one in sent], body)
    if refused is None:
        return None
    assert refused.status_code == 400
    found: dict[str, Any] = json.loads(bytes(refused.body))
    return found


def request(**more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/list", **more}


@pytest.mark.parametrize("version", ["2023-01-01", "2031-01-01", "banana", "", "x" * 500, "é"])
@pytest.mark.parametrize("more", [{}, {"params": {}}, {"params": {"_meta": {"progressToken": 1}}}, {"params": []}])
def test_a_version_that_nobody_speaks_is_named(version: str, more: dict[str, Any]) -> None:
    """With those that are spoken, in words and as data; nothing is said of a member that was not sent."""
    found = answer(version, request(**more))
    assert found is not None
    assert (found["id"], found["error"]["code"]) == (7, -32022)
    assert found["error"]["message"].startswith("The header MCP-Protocol-Version is ")
    assert found["error"]["data"]["supported"] == list(SUPPORTED_PROTOCOL_VERSIONS)
    assert all(spoken in found["error"]["message"] for spoken in SUPPORTED_PROTOCOL_VERSIONS)
    assert "_meta" not in json.dumps(found)
    assert len(json.dumps(found)) < 800


@pytest.mark.parametrize("identity", [None, True, {"a": 1}, 1.5])
def test_the_id_is_one_of_json_rpc(identity: Any) -> None:
    found = answer("banana", request(id=identity))
    assert found is not None
    assert found["id"] is None


@pytest.mark.parametrize("version", SUPPORTED_PROTOCOL_VERSIONS)
def test_a_version_that_is_spoken_is_the_sdks(version: str) -> None:
    assert answer(version, request()) is None


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ([], request()),
        (["banana", "banana"], request()),
        ("2031-01-01", request(params=ENVELOPE)),
        ("banana", []),
        ("banana", b"no JSON"),
        ("banana", b"[" * 5000),
    ],
)
def test_the_rest_is_the_sdks(version: str | list[str], message: Any) -> None:
    """No version, two, one that stands in the message too, or no message at all."""
    assert answer(version, message) is None
