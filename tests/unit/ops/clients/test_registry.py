from __future__ import annotations

from dataclasses import replace

from ops.clients import connect, registry
from tests.unit.ops.checks.test_status import PLATFORM


def test_each_client_is_told_the_address_without_a_path() -> None:
    """Clients add the API's path themselves (github/github-mcp-server#1291)."""
    rows = dict(registry.pointers(PLATFORM))
    assert rows.keys() == {"VS Code, one person", "VS Code, all machines", "GitHub Copilot"}
    assert all(PLATFORM.registry in text and "/v0.1" not in text for text in rows.values())
    assert '"chat.mcp.gallery.serviceUrl": "http://127.0.0.1:8080"' in rows["VS Code, one person"]


def test_where_there_is_none_nothing_is_said() -> None:
    assert registry.pointers(replace(PLATFORM, registry="")) == []


def test_a_machine_reads_it_too() -> None:
    assert connect.document(PLATFORM)["registry"] == PLATFORM.registry
