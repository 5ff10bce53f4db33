"""`python -m tools.pages.clients [--check]`: writes docs/clients.md, the table of MCP clients, from what tests replay.

`--check` writes nothing, and fails where the page is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ops.clients.registrations import REGISTRATIONS, Registration

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
_HEAD = """<!-- Generated: python -m tools.pages.clients -->
# Clients, and how each was tried

*Real run*: the program itself signs in, in `nox -s conformance`, where a headless Chromium presses the buttons; it
lists tools and calls one as a reader and as an administrator, and goes on after the access token's hour. Programs that
show tools to a model only (Claude Code, opencode) say there that they are connected. *Replay*: what the client is
publicly known to send at registration, authorization and the token endpoint is sent to the façade, in `nox -s plan`.
None of it ran on Azure.

*Known by*: the client's [metadata document](sign-in.md#what-to-know-about-the-steps), or registration. *Stays signed
in*: it asks for a refresh token, so a browser opens once and not every hour. What to do with each is on
[connect](connect.md).

| client | way | known by | entry of `mcp_clients` | stays signed in | source |
|---|---|---|---|---|---|
"""
# What could not run, and what stopped it.
_STOPPED = {
    "Gemini CLI 0.61.0": (
        "signs in from its own screen only (`/mcp auth`), after an account or an API key; replayed from its source"
    ),
    "GitHub Copilot CLI 1.0.102": "signs in to servers from its own screen only, after its vendor's account",
    "Cline 3.0.65, Qwen Code 0.24.4": "sign in to servers from their own screens only",
    "Crush 0.96.1": "its package fetches the program from GitHub when it is started",
    "mcpc 0.2.6 (Apify)": (
        "signed in, listed and called by hand; left out of the session, as most of its packages are for payments"
    ),
    "mcp-use 2.5.2": "570 MB of packages for one client on the MCP SDK for TypeScript, which runs",
    "LangChain, OpenAI Agents, Pydantic AI": (
        "bring no sign-in of their own: they take the MCP SDK for Python's, which runs"
    ),
    "VS Code, Cursor, Windsurf, Zed, Warp, Claude, ChatGPT, Copilot Studio, Foundry": (
        "neither on npm nor on PyPI, or a vendor's service"
    ),
}


def row(client: Registration) -> str:
    """Return one line of the table."""
    stays = {True: "yes", False: "no: a browser every hour", None: "not known"}[client.refreshes]
    by = {"document": "document", "registration": "registration"}[client.kind]
    served = f"`{client.entry}`" if client.entry else f"none: {client.remedy}"
    return "| " + " | ".join([client.title, client.way, by, served, stays, client.source]) + " |\n"


def page() -> str:
    """Return the page as it has to be."""
    stopped = "".join(f"| {name} | {why} |\n" for name, why in _STOPPED.items())
    foot = f"\n## Tried, and stopped\n\n| client | what stopped it |\n|---|---|\n{stopped}"
    return _HEAD + "".join(map(row, REGISTRATIONS.values())) + foot


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return 1 where `--check` finds it stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.pages.clients", description=__doc__)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    if not given.check:
        PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{'stale' if given.check else 'written'}: {PAGE.name}\n")
    return 1 if given.check else 0


if __name__ == "__main__":
    sys.exit(main())
