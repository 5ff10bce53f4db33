from __future__ import annotations

import json

import pytest

from ops import connect
from ops.errors import UsageError
from tests.unit.ops.test_status import PLATFORM

URL = "http://127.0.0.1:8080/mongodb/mcp"


def test_vscode() -> None:
    """VS Code reads `servers` with a type."""
    _, text = connect.configuration(PLATFORM, "vscode")
    assert json.loads(text) == {"servers": {"mongodb": {"type": "http", "url": URL}}}


def test_cursor() -> None:
    """Cursor reads `mcpServers` with a URL."""
    _, text = connect.configuration(PLATFORM, "cursor")
    assert json.loads(text) == {"mcpServers": {"mongodb": {"url": URL}}}


@pytest.mark.parametrize("client", ["claude", "inspector"])
def test_command_lines_name_the_endpoint(client: str) -> None:
    """Clients that are configured by a command get one per server."""
    assert connect.configuration(PLATFORM, client)[1].endswith(URL)


def test_unknown_client() -> None:
    """An unknown client is refused with the known ones."""
    with pytest.raises(UsageError, match="vscode, claude, cursor, inspector"):
        connect.configuration(PLATFORM, "netscape")


def test_internal_gateway_is_out_of_a_cloud_clients_reach() -> None:
    """A client that calls from its vendor's network is refused where the gateway is internal; others are not."""
    with pytest.raises(UsageError, match="cannot reach an internal gateway"):
        connect.configuration(PLATFORM, "claude", exposure="internal")
    assert connect.configuration(PLATFORM, "vscode", exposure="internal")[1]
