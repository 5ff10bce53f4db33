from __future__ import annotations

from contextlib import closing

from tests.support.server_process import Issuer
from tools.fuzz.run import Fuzz


async def test_a_few_generated_calls_break_no_promise(mongodb_uri: str) -> None:
    """What `nox -s fuzz` does with 50,000 calls holds for the first few, always the same ones."""
    with closing(Issuer()) as issuer:
        outcome = await Fuzz(mongodb_uri, 7, lambda line: None).run(400, issuer)
    assert outcome.findings == []
    assert outcome.calls >= 400
    assert set(outcome.answers) == {"tool error", "result", "refused before it was a call"}
