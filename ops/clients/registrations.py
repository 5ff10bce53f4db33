"""What MCP clients are publicly known to send when they register, each with its source.

Tests replay it; `connect` asks with it. A port that the client picks is one that it was seen with; where the rest of
the body is not known, it is empty.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.apim.tracing_ring import PROBE_AGENT

#: What Codex computes of a server's address; see `endpoint_id`.
ENDPOINT_ID = "{endpoint-id}"
_TIMEOUT = 10.0  # seconds
_NATIVE = {"application_type": "native", "token_endpoint_auth_method": "none"}


@dataclass(frozen=True)
class Registration:
    """One registration: `redirect_uris` as they are sent at once, `document` the client's metadata document, if known.

    `documented` are the redirect URIs in that document. `entry` is the shipped entry of `mcp_clients` that serves it,
    or empty where each connection has an address of its own, which an administrator adds.
    """

    title: str
    entry: str
    redirect_uris: tuple[str, ...]
    source: str
    body: Mapping[str, Any] = field(default_factory=dict)
    document: str = ""
    documented: tuple[str, ...] = ()

    def at(self, endpoint: str) -> Registration:
        """Return it as it is sent for this endpoint."""

        def filled(text: str) -> str:
            return text.replace(ENDPOINT_ID, endpoint_id(endpoint))

        return Registration(
            self.title,
            self.entry,
            tuple(map(filled, self.redirect_uris)),
            self.source,
            self.body,
            filled(self.document),
            tuple(map(filled, self.documented)),
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
        "microsoft/vscode, src/vs/base/common/oauth.ts; #278512, #260446",
        _NATIVE,
        "https://vscode.dev/oauth/client-metadata.json",
        ("http://127.0.0.1:33418/", "https://vscode.dev/redirect"),
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
    ),
    "inspector-cli": Registration(
        "MCP Inspector, command line",
        "desktop",
        ("http://127.0.0.1:6276/oauth/callback",),
        "@modelcontextprotocol/inspector 2.12.0",
        {**_NATIVE, "client_name": "MCP Inspector"},
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
        {"token_endpoint_auth_method": "none", "client_name": "Gemini CLI MCP Client"},
    ),
    "mcp-remote": Registration(
        "mcp-remote",
        "desktop",
        ("http://localhost:3334/oauth/callback",),
        "geelen/mcp-remote, src/lib/node-oauth-client-provider.ts",
        {"token_endpoint_auth_method": "none", "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d"},
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
        "OpenAI Apps SDK, “Authentication”; makeplane/plane-mcp-server#165",
        document="https://chatgpt.com/oauth/client.json",
        documented=("https://chatgpt.com/connector_platform_oauth_redirect",),
    ),
    "chatgpt-connector": Registration(
        "ChatGPT, a connector with an address of its own",
        "",
        ("https://chatgpt.com/connector/oauth/Cn8kP2aQ7d",),
        "BasedHardware/omi#8824; danielealbano/android-remote-control-mcp#166",
    ),
    "copilot-studio": Registration(
        "Copilot Studio",
        "",
        ("https://global.consent.azure-apim.net/redirect/cr1a2-5fmongodb-5f0123456789abcdef",),
        "Microsoft Learn, “Connect your agent to an existing MCP server”; tableau/tableau-mcp#866",
    ),
}


def ask(gateway: str, client: Registration) -> str | None:
    """Return the client id that the façade answers a registration with, and an empty text where it refuses it.

    None where the gateway cannot be asked: it does not answer, or has no registration.
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
            return "" if error.code == 400 else None
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
