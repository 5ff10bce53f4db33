"""What MCP clients are known to send when they register and sign in, each with its source.

Tests replay it, `connect` asks with it, and docs/clients.md is made of it (`python -m tools.pages.clients`). A port
that the client picks is one that it was seen with; where the rest of the body is not known, it is empty.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from emulators.apim.tracing_ring import PROBE_AGENT
from ops.clients import rate_limit

#: What Codex computes of a server's address; see `endpoint_id`.
ENDPOINT_ID = "{endpoint-id}"
#: The API's scope, which the metadata names.
SCOPE = "{scope}"
_TIMEOUT = 10.0  # seconds
#: A client ID metadata document, or a registration (RFC 7591).
Kind = Literal["document", "registration"]
#: Whether the program itself signs in (tests/conformance/test_programs.py), or what it is known to send is sent
#: (tests/plan/test_served_registration.py).
Way = Literal["real run", "replay"]
_NATIVE = {"application_type": "native", "token_endpoint_auth_method": "none"}


@dataclass(frozen=True)
class Registration:
    """One registration: `redirect_uris` as they are sent at once, `document` the client's metadata document, if known.

    `documented` are the redirect URIs in that document. `entry` is the shipped entry of `mcp_clients` that serves it;
    where it is empty, `remedy` says what to do. `authorize` and `refresh` are parameters beside or instead of those
    that MCP asks for at authorization and refresh; one that the client leaves out is None. `refreshes`: it asks for a
    refresh token and uses it; None where that is not known.
    """

    title: str
    entry: str
    redirect_uris: tuple[str, ...]
    source: str
    body: Mapping[str, Any] = field(default_factory=dict)
    document: str = ""
    documented: tuple[str, ...] = ()
    way: Way = "replay"
    refreshes: bool | None = None
    remedy: str = ""
    authorize: Mapping[str, str | None] = field(default_factory=dict)
    refresh: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        return "document" if self.document else "registration"

    def at(self, endpoint: str) -> Registration:
        """Return it as it is sent for this endpoint."""

        def filled(text: str) -> str:
            return text.replace(ENDPOINT_ID, endpoint_id(endpoint))

        return replace(
            self,
            redirect_uris=tuple(map(filled, self.redirect_uris)),
            document=filled(self.document),
            documented=tuple(map(filled, self.documented)),
        )


def endpoint_id(endpoint: str) -> str:
    """Return the first 9 bytes of the SHA-256 of an endpoint's URL in URL-safe base64, as Codex does."""
    return base64.urlsafe_b64encode(hashlib.sha256(endpoint.encode()).digest()[:9]).decode()


REGISTRATIONS: dict[str, Registration] = {
    "vscode": Registration(
        "VS Code",
        "desktop",
        (
            "https://insiders.vscode.dev/redirect",
            "https://vscode.dev/redirect",
            "http://127.0.0.1/",
            "http://127.0.0.1:33418/",
        ),
        "microsoft/vscode, src/vs/base/common/oauth.ts and src/vs/workbench/api/common/extHostAuthentication.ts; "
        "#278512, #260446",
        _NATIVE,
        "https://vscode.dev/oauth/client-metadata.json",
        ("http://127.0.0.1:33418/", "https://vscode.dev/redirect"),
        authorize={"state": "vscode://dynamicauthprovider/127.0.0.1/authorize?nonce=4fJq0b7c&windowId=1"},
    ),
    "vscode-six": Registration(
        "VS Code, the longer set",
        "desktop",
        (
            "https://insiders.vscode.dev/redirect",
            "https://vscode.dev/redirect",
            "http://localhost/",
            "http://127.0.0.1/",
            "http://localhost:33418/",
            "http://127.0.0.1:33418/",
        ),
        "microsoft/vscode#278512",
        _NATIVE,
    ),
    "vscode-old": Registration(
        "VS Code, older versions", "desktop", ("http://127.0.0.1:33418",), "contextstream/mcp-server#57"
    ),
    "claude-code": Registration(
        "Claude Code",
        "desktop",
        ("http://localhost:3118/callback",),
        "elmohq/elmo#684 (capture); anthropics/claude-code#37747, #42301",
        {"application_type": "native"},
        "https://claude.ai/oauth/claude-code-client-metadata",
        ("http://localhost/callback", "http://127.0.0.1/callback"),
        way="real run",
        refreshes=True,
        authorize={"prompt": "consent"},
    ),
    "claude-desktop": Registration(
        "Claude Code in the desktop app",
        "claude",
        ("claude://claude.ai/mcp-auth-callback/sdk",),
        "RevenueCat/ai-toolkit#58",
    ),
    "claude": Registration(
        "Claude, web and desktop",
        "claude",
        ("https://claude.ai/api/mcp/auth_callback",),
        "Claude Help Center, article 11503834; elmohq/elmo#684",
        document="https://claude.ai/oauth/mcp-oauth-client-metadata",
        documented=("https://claude.ai/api/mcp/auth_callback",),
    ),
    "cursor": Registration(
        "Cursor",
        "cursor",
        (
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback",
        ),
        "erp-mafia/accounted#2225; bytebase/bytebase#20510; cartesia-ai/cartesia-mcp#73",
        {"token_endpoint_auth_method": "none"},
    ),
    "cursor-old": Registration(
        "Cursor, older versions",
        "cursor",
        ("cursor://anysphere.cursor-mcp/oauth/callback",),
        "Cursor documentation, “MCP”; soflyy/agent-connector-for-wp#111",
        {"token_endpoint_auth_method": "none"},
    ),
    "inspector": Registration(
        "MCP Inspector, in the browser",
        "desktop",
        ("http://127.0.0.1:6274/oauth/callback",),
        "@modelcontextprotocol/inspector 2.12.0",
        {**_NATIVE, "client_name": "MCP Inspector"},
        way="real run",
        authorize={"prompt": "consent"},
    ),
    "inspector-cli": Registration(
        "MCP Inspector, command line",
        "desktop",
        ("http://127.0.0.1:6276/oauth/callback",),
        "@modelcontextprotocol/inspector 2.12.0",
        {**_NATIVE, "client_name": "MCP Inspector"},
        way="real run",
        refreshes=True,
        authorize={"prompt": "consent"},
    ),
    "inspector-old": Registration(
        "MCP Inspector before 2",
        "desktop",
        ("http://localhost:6274/oauth/callback", "http://localhost:6274/oauth/callback/debug"),
        "modelcontextprotocol/inspector#556",
    ),
    "codex": Registration(
        "Codex",
        "desktop",
        (f"http://127.0.0.1:37819/callback/{ENDPOINT_ID}",),
        "openai/codex, codex-rs/rmcp-client/src/perform_oauth_login.rs; #20237, #30460",
        {"application_type": "native"},
        f"https://chatgpt.com/oauth/codex/{ENDPOINT_ID}/client.json",
        (f"http://127.0.0.1/callback/{ENDPOINT_ID}", f"http://localhost/callback/{ENDPOINT_ID}"),
        way="real run",
        refreshes=True,
    ),
    "codex-old": Registration(
        "Codex before May 2026",
        "desktop",
        ("http://127.0.0.1:37819/callback",),
        "openai/codex#20237",
        document="https://chatgpt.com/oauth/codex/client.json",
        documented=("http://127.0.0.1/callback", "http://localhost/callback"),
    ),
    "gemini-cli": Registration(
        "Gemini CLI",
        "desktop",
        ("http://localhost:7777/oauth/callback",),
        "google-gemini/gemini-cli, packages/core/src/mcp/oauth-provider.ts",
        {
            "client_name": "Gemini CLI MCP Client",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "",
        },
        refresh={"scope": SCOPE},
    ),
    "mcp-remote": Registration(
        "mcp-remote",
        "desktop",
        ("http://localhost:3334/oauth/callback",),
        "geelen/mcp-remote, src/lib/node-oauth-client-provider.ts",
        {"token_endpoint_auth_method": "none", "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d"},
        way="real run",
        refreshes=True,
        authorize={"prompt": "consent"},
    ),
    "mcp-remote-host": Registration(
        "mcp-remote with --host 127.0.0.1",
        "desktop",
        ("http://127.0.0.1:3334/oauth/callback",),
        "punkpeye/mcp-remote#62",
    ),
    "opencode": Registration(
        "opencode",
        "desktop",
        ("http://127.0.0.1:19876/mcp/oauth/callback",),
        "anomalyco/opencode, packages/opencode/src/mcp/oauth-provider.ts; #7379",
        {"token_endpoint_auth_method": "none", "client_name": "OpenCode"},
        way="real run",
        refreshes=True,
        authorize={"prompt": "consent"},
    ),
    "goose": Registration(
        "goose",
        "desktop",
        ("http://127.0.0.1:41237/oauth_callback",),
        "aaif-goose/goose, crates/goose/src/oauth/mod.rs",
        {"client_name": "goose"},
        "https://goose-docs.ai/oauth/client-metadata.json",
        ("http://127.0.0.1/oauth_callback", "http://localhost/oauth_callback"),
    ),
    "mcporter": Registration(
        "mcporter",
        "desktop",
        ("http://127.0.0.1:41471/callback",),
        "mcporter 0.12.3",
        {"token_endpoint_auth_method": "none"},
        way="real run",
        refreshes=False,
    ),
    "typescript-sdk": Registration(
        "MCP SDK for TypeScript 1",
        "desktop",
        ("http://127.0.0.1:42259/callback",),
        "@modelcontextprotocol/sdk 1.32.2",
        {"token_endpoint_auth_method": "none"},
        way="real run",
        refreshes=False,
    ),
    "typescript-client": Registration(
        "MCP SDK for TypeScript 2",
        "desktop",
        ("http://127.0.0.1:44795/callback",),
        "@modelcontextprotocol/client 2.4.0",
        {"token_endpoint_auth_method": "none"},
        way="real run",
        refreshes=True,
    ),
    "python-sdk": Registration(
        "MCP SDK for Python",
        "desktop",
        ("http://127.0.0.1:40253/callback",),
        "mcp 2.3.0",
        way="real run",
        refreshes=True,
        authorize={"prompt": "consent"},
    ),
    "fastmcp": Registration(
        "FastMCP",
        "desktop",
        ("http://localhost:57167/callback",),
        "fastmcp, its own client",
        way="real run",
        refreshes=True,
        authorize={"prompt": "consent"},
    ),
    "zed": Registration(
        "Zed",
        "desktop",
        ("http://127.0.0.1:43210/callback",),
        "https://zed.dev/oauth/client-metadata.json, as others list it (2026-09)",
        document="https://zed.dev/oauth/client-metadata.json",
        documented=("http://127.0.0.1/callback",),
    ),
    "chatgpt": Registration(
        "ChatGPT",
        "chatgpt",
        ("https://chatgpt.com/connector_platform_oauth_redirect",),
        "OpenAI Apps SDK, “Authentication”; makeplane/plane-mcp-server#165; 1f916-ai/1f916#159 (2026-08)",
        document="https://chatgpt.com/oauth/client.json",
        documented=("https://chatgpt.com/connector_platform_oauth_redirect",),
        authorize={"ui_locales": "zh-CN"},
    ),
    "chatgpt-connector": Registration(
        "ChatGPT, a connector with an address of its own",
        "",
        ("https://chatgpt.com/connector/oauth/Cn8kP2aQ7d",),
        "BasedHardware/omi#8824; danielealbano/android-remote-control-mcp#166",
        remedy="add the address that it shows to the entry chatgpt",
    ),
    "copilot-studio": Registration(
        "Copilot Studio",
        "",
        ("https://global.consent.azure-apim.net/redirect/cr1a2-5fmongodb-5f0123456789abcdef",),
        "Microsoft Learn, “Connect your agent to an existing Model Context Protocol (MCP) server” (read 2026-11-30); "
        "tableau/tableau-mcp#866",
        remedy="an entry with the address that it shows",
    ),
    "foundry": Registration(
        "Microsoft Foundry, OAuth identity passthrough",
        "",
        ("https://global.consent.azure-apim.net/redirect/mcp-5ffoundry-5f0123456789abcdef",),
        "Microsoft Learn, “Set up authentication for Model Context Protocol (MCP) tools” (read 2026-11-30); "
        "microsoft-foundry/new-foundry-portal#109",
        authorize={"code_challenge": None, "code_challenge_method": None},
        remedy="its Microsoft Entra authentication instead: a service, not a person",
    ),
    "antigravity": Registration(
        "Antigravity",
        "antigravity",
        ("https://antigravity.google/oauth-callback",),
        "google-antigravity/antigravity-cli#480 (2026-06-23); makeplane/plane-mcp-server#164 (2026-06)",
    ),
    "warp": Registration(
        "Warp",
        "",
        ("warp://mcp/oauth2callback",),
        "warpdotdev/docs#422 (2026-07); warpdotdev/warp#9088",
        authorize={"resource": None},
        remedy="mcp-remote, as its vendor's page on known issues says: it leaves out `resource`",
    ),
    "windsurf": Registration(
        "Windsurf",
        "",
        ("windsurf://codeium.windsurf/oauth/callback",),
        "one server's tests only, which say that they were not tried with it (2026-09); not confirmed",
        remedy="an entry with the address that the refusal names",
    ),
}


def ask(gateway: str, client: Registration, *, waits: bool = True) -> str | None:
    """Return the client id that the façade answers a registration with, and an empty text where it refuses it.

    None where the gateway cannot be asked: it does not answer, or has no registration. `waits`: for its limit, once.
    """
    body = json.dumps({"client_name": client.title, **client.body, "redirect_uris": client.redirect_uris}).encode()
    request = urllib.request.Request(  # noqa: S310 - the platform's own URL
        f"{gateway}/oauth/register", body, {"Content-Type": "application/json", "User-Agent": PROBE_AGENT}
    )
    # What runs on this machine is reached directly, whatever proxy the environment names.
    direct = [urllib.request.ProxyHandler({})] if gateway.startswith("http://127.0.0.1:") else []
    try:
        with urllib.request.build_opener(*direct).open(request, timeout=_TIMEOUT) as answer:
            return str(json.load(answer)["client_id"])
    except urllib.error.HTTPError as error:
        with error:
            if waits and rate_limit.waited(error.code, dict(error.headers.items())):
                return ask(gateway, client, waits=False)
            return "" if error.code == 400 else None
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
