"""Policies as people write them in the portal: expressions without XML escapes."""

from __future__ import annotations

from emulators.apim.tests.harness import make_gateway


async def test_a_raw_policy_runs() -> None:
    """From raw text to an answer."""
    inbound = (
        '<set-variable name="x" value="@(context.Request.Headers.GetValueOrDefault("X-A", "none"))" />'
        '<choose><when condition="@((string)context.Variables["x"] == "1" && 1 < 2)"><return-response>'
        '<set-body>@((string)context.Variables["x"])</set-body></return-response></when></choose>'
    )
    assert (await make_gateway(inbound=inbound).send(headers={"X-A": "1"})).text == "1"
