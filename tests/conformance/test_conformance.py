"""The public MCP conformance suite, on the server itself and through the gateway, which must make no difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import suite

RESULTS = Path("results/conformance")


@pytest.mark.parametrize("version", suite.VERSIONS)
async def test_everything_required_passes_with_and_without_the_gateway(
    version: str, direct_url: str, gateway_url: str
) -> None:
    """Each scenario that the protocol version requires passes, and says the same of both ways, check by check."""
    direct = await suite.run(direct_url, version, RESULTS / f"{version}-direct")
    through = await suite.run(gateway_url, version, RESULTS / f"{version}-gateway")
    assert suite.failures(direct) == set()
    assert suite.failures(through) == set()
    assert through == direct
