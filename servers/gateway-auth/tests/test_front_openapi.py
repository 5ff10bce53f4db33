"""A REST API as tools behind the gate; the API is scripted, and everything between it and the caller is real."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from gateway_auth import SettingsError
from gateway_auth.front import app
from gateway_auth.front.settings import FrontSettings
from gateway_auth.testing import AUTH_ENVIRONMENT, Signer, gateway_headers

Called = Callable[..., Awaitable[tuple[Any, list[httpx2.Request]]]]
Running = Callable[[Any], AbstractAsyncContextManager[None]]
OPERATIONS = ["readItem", "putItem"]
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "paths": {
        "/items/{id}": {
            "get": {
                "operationId": "readItem",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "one"}},
            },
            "put": {
                "operationId": "putItem",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "put"}},
            },
            "delete": {"operationId": "deleteItem", "responses": {"200": {"description": "gone"}}},
        }
    },
}


async def large() -> AsyncIterator[bytes]:
    for _ in range(5):
        yield b"x" * 1000


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "things_server"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("THINGS_KEY", "Bearer its-own")
    return folder.name


@pytest.fixture
def called(mint: Signer, package: str, running: Running) -> Called:
    """Make a call as a reader; return the JSON-RPC answer, and what the API was asked."""

    async def call(method: str, **params: Any) -> tuple[Any, list[httpx2.Request]]:
        return await _call(mint, package, running, method, params)

    return call


async def _call(
    mint: Signer, package: str, running: Running, method: str, params: dict[str, Any]
) -> tuple[Any, list[httpx2.Request]]:
    asked: list[httpx2.Request] = []

    def api(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if request.url.path == "/v1/items/large":
            return httpx2.Response(200, content=large())
        if request.url.path == "/v1/items/moved":
            return httpx2.Response(302, headers={"location": "http://169.254.169.254/"})
        return httpx2.Response(200, json={"name": "one"})

    values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
    settings = FrontSettings(**values, mcp_server_name="things", mcp_front_reads=True, mcp_front_answer_bytes=4096)
    settings = settings.model_copy(update={"mcp_front_egress": params.pop("egress", "things.example")})
    gate = app.of_openapi(
        settings, package, OPERATIONS, "https://things.example/v1", {"Authorization": "THINGS_KEY"},
        fetch=mint.fetch, transport=httpx2.MockTransport(api),
    )  # fmt: skip
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = gateway_headers(mint()) | {"accept": "application/json, text/event-stream", "x-secret": "the caller's"}
    transport = httpx2.ASGITransport(app=gate)
    async with (
        running(gate),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        answer = await client.post("/mcp", headers=headers, json=body)
    return answer.json(), asked


async def test_an_operation_is_a_tool(called: Called) -> None:
    """It is called with this server's credential, and with nothing of the gateway's or the caller's."""
    answer, asked = await called("tools/call", name="readItem", arguments={"id": "1"})
    assert answer["result"]["structuredContent"] == {"name": "one"}
    (request,) = asked
    assert (request.method, str(request.url)) == ("GET", "https://things.example/v1/items/1")
    assert request.headers["authorization"] == "Bearer its-own"
    assert {name for name in request.headers if name.startswith(("x-", "mcp-"))} == set()
    assert "traceparent" not in request.headers


async def test_a_reader_has_the_safe_ones(called: Called) -> None:
    """Operations that were not chosen are nobody's, and of the others a reading tier has GET and HEAD."""
    listed, _ = await called("tools/list")
    assert [tool["name"] for tool in listed["result"]["tools"]] == ["readItem"]
    for name in ("putItem", "deleteItem"):
        answer, asked = await called("tools/call", name=name, arguments={"id": "1"})
        assert "not open to your role" in answer["error"]["message"]
        assert asked == []


@pytest.mark.parametrize(("item", "said"), [("large", "larger than 4096 bytes"), ("moved", "302")])
async def test_what_the_api_may_not(called: Called, item: str, said: str) -> None:
    """Answer more than allowed, or send the front elsewhere."""
    answer, asked = await called("tools/call", name="readItem", arguments={"id": item})
    assert answer["result"]["isError"]
    assert said in answer["result"]["content"][0]["text"]
    assert len(asked) == 1


@pytest.mark.parametrize("egress", ["", "other.example", "things.example:8443"])
async def test_an_api_that_is_not_in_the_entry_is_told_so(
    called: Called, egress: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The call fails with the sentence, the log has its line, and nothing is sent."""
    answer, asked = await called("tools/call", egress=egress, name="readItem", arguments={"id": "1"})
    sentence = "things.example:443 is not in egress of this server's entry in mcp_servers"
    assert answer["result"]["isError"]
    assert f"{sentence}; add it there" in answer["result"]["content"][0]["text"]
    assert f"[egress] the server behind called {sentence}: refused" in capfd.readouterr().err
    assert asked == []


@pytest.mark.parametrize(
    ("base", "variable", "sentence"),
    [
        ("http://things.example", "THINGS_KEY", "must be an https URL"),
        ("https://things.example", "NOT_SET", "NOT_SET is not set: give it to `secrets`"),
    ],
)
def test_what_is_missing_is_said_at_the_start(package: str, base: str, variable: str, sentence: str) -> None:
    values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
    settings = FrontSettings(**values, mcp_server_name="things")
    with pytest.raises(SettingsError, match=sentence):
        app.of_openapi(settings, package, OPERATIONS, base, {"Authorization": variable})
