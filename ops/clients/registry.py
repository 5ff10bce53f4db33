"""Where clients are pointed at the platform's MCP registry: what is typed into which setting."""

from __future__ import annotations

import json

from ops.clients.outputs import Platform


def pointers(platform: Platform) -> list[tuple[str, str]]:
    """Return, by client, its setting with the registry's address; empty where the registry is off.

    The address has no path: clients add /v0.1/servers. VS Code, "Manage AI settings in enterprise environments"
    (2026-03-25); GitHub, "Configure MCP server access for your organization or enterprise" (read 2026-11-30).
    """
    if not platform.registry:
        return []
    setting = json.dumps({"chat.mcp.gallery.serviceUrl": platform.registry}).strip("{}")
    return [
        ("VS Code, one person", f"{setting} in settings.json; then search @mcp in Extensions"),
        ("VS Code, all machines", f"policy McpGalleryServiceUrl = {platform.registry}"),
        ("GitHub Copilot", f"AI controls or Copilot policies, MCP Registry URL = {platform.registry}"),
    ]
