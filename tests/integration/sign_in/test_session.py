"""How long a person stays signed in, with real clients and a clock that is moved on."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastmcp import Client as FastMCPClient
from fastmcp.client.auth import OAuth
from mcp import Client as McpClient
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.support.browser import Browser
from tests.support.clocked_platform import Clocked, clocked
from tests.support.platform_under_test import Platform

HOUR = 3600
CALLBACK = "http://127.0.0.1:51111/callback"


@pytest.fixture
async def platform_on_a_clock(
    platform: Platform, local_only: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Clocked]:
    async with clocked(platform) as found:
        monkeypatch.setattr(time, "time", found.clock)  # the clients' own
        yield found


class Person:
    """Signs in whenever a browser is opened; `opened` counts."""

    def __init__(self, user: str = "admin") -> None:
        self.user, self.opened, self.asked = user, 0, ""

    def sign_in(self, url: str) -> str:
        """Return the address that the browser ends at, which nobody serves."""
        self.opened, self.asked = self.opened + 1, url
        browser = Browser()
        with contextlib.suppress(OSError):  # the address is all that is wanted
            browser.sign_in(url, self.user)
        return browser.opened[-1]


class Storage:
    """Where the SDK's client keeps what it got."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.information: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.information

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.information = client_info


class SdkSession:
    """A client made of the MCP SDK for Python; each call is a connection of its own with the same sign-in."""

    def __init__(self, endpoint: str, person: Person) -> None:
        self.endpoint, self.person, self.storage = endpoint, person, Storage()
        self._landed: dict[str, list[str]] = {}
        metadata = OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "client_name": "SDK"})
        self.auth = OAuthClientProvider(endpoint, metadata, self.storage, self._redirect, self._callback)

    async def _redirect(self, url: str) -> None:
        landed = await asyncio.to_thread(self.person.sign_in, url)
        self._landed = parse_qs(urlsplit(landed).query)

    async def _callback(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=self._landed["code"][0], state=self._landed["state"][0])

    async def call(self) -> Any:
        async with (
            httpx2.AsyncClient(auth=self.auth, timeout=30) as http,
            McpClient(streamable_http_client(self.endpoint, http_client=http)) as client,
        ):
            return await client.call_tool("whoami", {})


class FastMCPSession:
    """FastMCP's own client, which opens the browser and listens for the callback by itself."""

    def __init__(self, endpoint: str, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        self.endpoint = endpoint
        self.auth = OAuth(endpoint, callback_timeout=30)

        def open_browser(url: str) -> bool:
            def later() -> None:
                time.sleep(0.5)  # the callback server starts after the browser
                person.sign_in(url)

            threading.Thread(target=later, daemon=True).start()
            return True

        monkeypatch.setattr(webbrowser, "open", open_browser)

    async def call(self) -> Any:
        async with FastMCPClient(self.endpoint, auth=self.auth) as client:
            return await client.call_tool("whoami", {})


Start = Callable[[str, Person, pytest.MonkeyPatch], SdkSession | FastMCPSession]
CLIENTS: dict[str, Start] = {
    "mcp sdk": lambda endpoint, person, _: SdkSession(endpoint, person),
    "fastmcp": FastMCPSession,
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_session_outlives_its_access_token_without_a_browser(
    platform_on_a_clock: Clocked, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five hours in which an access token is good for one: a browser once, at the beginning."""
    person = Person()
    session = CLIENTS[client](platform_on_a_clock.endpoint, person, monkeypatch)
    assert not (await session.call()).is_error
    for passed in range(1, 6):
        platform_on_a_clock.clock.move(1.5 * HOUR)
        assert not (await session.call()).is_error
        assert (person.opened, platform_on_a_clock.refreshes()) == (1, passed)
    assert "offline_access" in parse_qs(urlsplit(person.asked).query)["scope"][0].split()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("why", ["revoked", "second factor", "over"])
async def test_where_a_refresh_is_refused_the_client_signs_in_again(
    platform_on_a_clock: Clocked, client: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entra ID's answers arrive as they are, so that the client opens a browser instead of giving up."""
    person = Person()
    session = CLIENTS[client](platform_on_a_clock.endpoint, person, monkeypatch)
    assert not (await session.call()).is_error
    platform_on_a_clock.clock.move(1.5 * HOUR if why != "over" else 91 * 24 * HOUR)
    if why == "revoked":
        platform_on_a_clock.change("admin", sessions_valid_from=platform_on_a_clock.clock())
    if why == "second factor":
        platform_on_a_clock.change("admin", needs_mfa=True)
    assert not (await session.call()).is_error
    assert (person.opened, platform_on_a_clock.refreshes()) == (2, 1)
