"""What is behind the front is called as whoever calls: with their token, and with nobody else's."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_headers
from gateway_auth import SettingsError
from gateway_auth.front import app
from gateway_auth.front.__main__ import application
from gateway_auth.front.settings import FrontSettings
from gateway_auth.testing import AUTH_ENVIRONMENT, Signer, gateway_headers

Running = Callable[[Any], AbstractAsyncContextManager[None]]
#: Calls a tool as the person with that token, or with none; returns the gateway's view of the answer.
Call = Callable[..., Awaitable[httpx2.Response]]
Front = Callable[..., AbstractAsyncContextManager[Call]]
PEOPLE = [f"token-of-{name}" for name in ("ada", "rae", "kim", "lee")]
BESIDE = "http://127.0.0.1:9000/mcp"
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Files", "version": "1"},
    "paths": {
        "/mine": {
            "get": {
                "operationId": "readMine",
                "parameters": [
                    {"name": name, "in": "header", "schema": {"type": "string"}} for name in ("Authorization", "X-As")
                ],
                "responses": {"200": {"description": "mine"}},
            }
        }
    },
}


def settings(**given: Any) -> FrontSettings:
    values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
    return FrontSettings(**values, mcp_server_name="files", mcp_front_identity="caller", **given)


class Api:
    """A protected API: it says whose token it was shown, keeps what it was asked, and sets a cookie."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.refuses: set[str] = set()

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        shown = request.headers["authorization"].removeprefix("Bearer ")
        await asyncio.sleep(0)  # others are asked meanwhile
        if shown in self.refuses:
            return httpx2.Response(401, headers={"www-authenticate": 'Bearer error="invalid_token"'})
        return httpx2.Response(200, json={"whose": shown}, headers={"set-cookie": f"session={shown}"})


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "files_server"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("FILES_KEY", "of-this-server")
    return folder.name


@asynccontextmanager
async def calling(gate: Any, mint: Signer) -> AsyncIterator[Call]:
    transport = httpx2.ASGITransport(app=gate)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

        async def call(token: str | None, name: str = "", arguments: Any = None) -> httpx2.Response:
            headers = gateway_headers(mint(), x_mcp_downstream_token=token, x_mcp_caller=f"id-{token}")
            accept = {"accept": "application/json, text/event-stream"}
            method = "tools/call" if name else "tools/list"
            params = {"name": name, "arguments": arguments or {}} if name else {}
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return await client.post("/mcp", headers=headers | accept, json=body)

        yield call


@pytest.fixture
def files(api: Api, package: str, mint: Signer, running: Running) -> Front:
    """The front of the API."""

    @asynccontextmanager
    async def start(*headers: str) -> AsyncIterator[Call]:
        gate = app.of_openapi(
            settings(mcp_front_egress="files.example"), package, ["readMine"], "https://files.example",
            dict.fromkeys(headers, "FILES_KEY"),
            fetch=mint.fetch, transport=httpx2.MockTransport(api),
        )  # fmt: skip
        async with running(gate), calling(gate, mint) as call:
            yield call

    return start


def whose(answer: httpx2.Response) -> Any:
    return answer.json()["result"]["structuredContent"]["whose"]


async def test_an_api_is_called_as_who_calls(files: Front, api: Api) -> None:
    """Many at once, each with their own token: no answer, cookie or credential is another's."""
    async with files("X-Api-Key") as call:
        for _ in range(2):
            answers = await asyncio.gather(*(call(token, "readMine") for token in PEOPLE * 5))
            assert [whose(answer) for answer in answers] == PEOPLE * 5
    assert not [request for request in api.asked if "cookie" in request.headers]
    assert {request.headers["x-api-key"] for request in api.asked} == {"of-this-server"}


async def test_an_argument_is_no_credential(files: Front, api: Api) -> None:
    """An operation may take a header of that name; what a caller says in it is replaced by what they may say."""
    async with files() as call:
        stolen = {"Authorization": "Bearer token-of-rae", "X-As": "rae"}
        assert whose(await call("token-of-ada", "readMine", stolen)) == "token-of-ada"
    (request,) = api.asked
    assert request.headers.get_list("authorization") == ["Bearer token-of-ada"]


async def test_nobody_is_called_for_nobody(files: Front, api: Api) -> None:
    """A call for which the gateway exchanged nothing is an error, and what is behind is not asked."""
    async with files() as call:
        await call("token-of-ada", "readMine")
        answer = (await call(None, "readMine")).json()
        assert "sent no token of yours" in json.dumps(answer)
    assert len(api.asked) == 1


@pytest.mark.parametrize("token", ["two words", "a,b", "a;b", '"quoted"', "Bearer x", "="])
async def test_what_is_no_token_is_refused(files: Front, api: Api, token: str) -> None:
    """Nothing but a token comes into the header (RFC 6750, section 2.1)."""
    async with files() as call:
        assert (await call(token, "readMine")).status_code == 403
    assert api.asked == []


async def test_a_token_that_is_refused_is_told_to_the_gateway(files: Front, api: Api) -> None:
    """It forgets it by that header; the calls of others, before and after, do not say so."""
    api.refuses = {"token-of-ada"}
    async with files() as call:
        first, second, third = [await call(token, "readMine") for token in (PEOPLE[1], PEOPLE[0], PEOPLE[1])]
    said = [answer.headers.get("x-mcp-downstream-refused") for answer in (first, second, third)]
    assert said == [None, "1", None]
    assert (second.json()["result"]["isError"], whose(third)) == (True, PEOPLE[1])


def test_one_header_has_one_credential(package: str) -> None:
    """The caller's token and a key of the server's cannot both stand in it, however it is spelled."""
    with pytest.raises(SettingsError, match="--header sets Authorization"):
        app.of_openapi(settings(), package, ["readMine"], "https://files.example", {"authorization": "FILES_KEY"})


def test_a_process_cannot_be_told_who_calls() -> None:
    """What speaks over standard input and output is refused, and told what else to do."""
    with pytest.raises(SettingsError, match="host it as an image that speaks HTTP"):
        application(["--", "uvx", "files"], settings())


@pytest.fixture
def behind() -> Any:
    """Somebody else's server, whose tools differ by who asks."""
    mcp: FastMCP[Any] = FastMCP("behind")

    @mcp.tool
    async def whose() -> dict[str, str]:
        shown = get_http_headers(include_all=True).get("authorization", "")
        await asyncio.sleep(0)
        return {"whose": shown.removeprefix("Bearer ")}

    inner = mcp.http_app(path="/mcp", host_origin_protection=False)
    seen: list[Any] = []

    async def protected(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            seen.append(headers)
            token = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
            if token not in PEOPLE:
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await inner(scope, receive, send)

    return protected, seen


async def test_a_server_beside_is_called_as_who_calls(mint: Signer, running: Running, behind: Any) -> None:
    """Each request carries their token, from the first one on; without one it is not called, and it is ready."""
    server, seen = behind
    gate = app.of_address(settings(), BESIDE, mint.fetch, lambda: httpx2.ASGITransport(app=server))
    async with running(server), running(gate), calling(gate, mint) as call:
        answers = await asyncio.gather(*(call(token, "whose") for token in PEOPLE * 2))
        assert [whose(answer) for answer in answers] == PEOPLE * 2
        shown = {headers[b"authorization"].decode() for headers in seen}
        assert shown == {f"Bearer {token}" for token in PEOPLE}
        assert not [name for headers in seen for name in headers if name.startswith(b"x-mcp-")]
        before = len(seen)
        assert "sent no token of yours" in (await call(None, "whose")).text
        assert len(seen) == before
        refused = await call("token-of-a-stranger", "whose")
        assert refused.headers["x-mcp-downstream-refused"] == "1"
        transport = httpx2.ASGITransport(app=gate)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            assert (await client.get("/readyz")).status_code == 200


async def test_what_one_is_shown_is_not_kept_for_another(mint: Signer, running: Running) -> None:
    """A tool that is there for one person only is not there for the next, whoever listed tools before."""
    mcp: FastMCP[Any] = FastMCP("behind")

    @mcp.tool
    def salaries() -> str:
        return "secret"

    @mcp.tool
    def weather() -> str:
        return "fine"

    inner = mcp.http_app(path="/mcp", host_origin_protection=False, stateless_http=True, json_response=True)

    async def for_ada(scope: Any, receive: Any, send: Any) -> None:
        async def less(message: Any) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                document = json.loads(message["body"])
                if tools := document.get("result", {}).get("tools"):
                    document["result"]["tools"] = [tool for tool in tools if tool["name"] != "salaries"]
                    message = {**message, "body": json.dumps(document).encode().ljust(len(message["body"]))}
            await send(message)

        is_ada = scope["type"] != "http" or (b"authorization", b"Bearer token-of-ada") in scope["headers"]
        await inner(scope, receive, send if is_ada else less)

    gate = app.of_address(settings(), BESIDE, mint.fetch, lambda: httpx2.ASGITransport(app=for_ada))
    async with running(inner), running(gate), calling(gate, mint) as call:
        names = {
            token: [tool["name"] for tool in (await call(token)).json()["result"]["tools"]] for token in PEOPLE[:2]
        }
        assert names == {"token-of-ada": ["salaries", "weather"], "token-of-rae": ["weather"]}
        await call("token-of-ada")
        refused = (await call("token-of-rae", "salaries")).text
        assert "not open to your role" in refused
