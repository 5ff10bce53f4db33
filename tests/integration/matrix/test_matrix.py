"""Client × protocol version × way to sign in × identity: who sees which tools, who is refused, and with which status.

What a cell cannot be is in IMPOSSIBLE, with its reason; the test at the end sees that no cell is left out silently.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from tests.integration.matrix import callers, modes
from tests.integration.matrix.modes import IDENTITIES, MODES, PEOPLE, VERSIONS, WAYS, WRITING, Deployed, outcome

copied, deployed_as = modes.copied, modes.deployed_as  # fixtures

pytestmark = [pytest.mark.usefixtures("local_only"), pytest.mark.minutes(2)]

CLIENTS = {"fastmcp": callers.fastmcp, "sdk": callers.sdk, "raw": callers.raw}
IMPOSSIBLE = {
    ("fastmcp", "2025-06-18"): "FastMCP offers the newest version of the handshake's generation and no older one",
    ("sdk", "2025-06-18"): "the SDK's client offers the newest version of the handshake's generation and no older one",
    **modes.IMPOSSIBLE,
}
ALL = [
    *itertools.product(MODES, CLIENTS, VERSIONS, WAYS, PEOPLE),
    *itertools.product(MODES, CLIENTS, VERSIONS, ["own"], set(IDENTITIES) - set(PEOPLE)),
]


def why_not(mode: str, client: str, version: str, way: str, identity: str) -> str | None:
    found = (IMPOSSIBLE.get(pair) for pair in ((client, version), (way, mode), (identity, mode)))
    return next((reason for reason in found if reason), None)


CELLS = sorted(cell for cell in ALL if why_not(*cell) is None)
# One test has one token: mode, way and identity; its cells are the clients and versions that use it.
TOKENS = sorted({(mode, way, identity) for mode, _, _, way, identity in CELLS})


@pytest.mark.parametrize(("mode", "way", "identity"), TOKENS)
async def test_every_client_of_every_version(
    deployed_as: Callable[[str], Deployed], mode: str, way: str, identity: str
) -> None:
    """With one token, every client and version sees the tools of the tier, or gets the one right status."""
    deployed = deployed_as(mode)
    wanted = IDENTITIES[identity]
    for _, client, version, _, _ in [cell for cell in CELLS if (cell[0], cell[3], cell[4]) == (mode, way, identity)]:
        seen = await CLIENTS[client](deployed.platform.endpoint, deployed.token(way, identity), version)
        assert outcome(seen) == wanted, f"{client} on {version}: {seen}"
        assert isinstance(seen, int) or wanted == "writes" or not seen & WRITING


def test_no_cell_is_left_out_silently() -> None:
    """Every cell is tried, or has its reason; and each reason is needed."""
    reasons = [why_not(*cell) for cell in ALL]
    assert len(CELLS) + sum(1 for reason in reasons if reason) == len(ALL)
    assert set(IMPOSSIBLE.values()) == {reason for reason in reasons if reason}
