"""`python -m tools.fuzz [COUNT] [--seed N]`: generated calls of every tool, with scope and field rules on, both tiers.

Promised: no crash, no hang, no 5xx, nothing read that a rule keeps back, nothing written by the reader tier, and flat
memory. The same seed makes the same calls. `python -m tools.fuzz policies` and `… members` are two other sessions, of
the policy emulator: policies.py and members.py.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from contextlib import closing
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["policies"]:
        from tools.fuzz import policies

        return policies.main(given[1:])
    if given[:1] == ["members"]:
        from tools.fuzz import members

        return members.main(given[1:])
    return _calls(given)


def _calls(arguments: list[str]) -> int:
    from tests.support import server_process
    from tools.fuzz.run import Fuzz, say

    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=50_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    given = parser.parse_args(arguments)
    say(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        mongo = server_process.MongoEmulator(Path(folder))
        mongo.start()
        try:
            with closing(server_process.Issuer()) as issuer:
                outcome = asyncio.run(Fuzz(mongo.uri, given.seed, say).run(given.count, issuer))
        finally:
            mongo.stop()
    say(f"{outcome.calls} calls; {dict(sorted(outcome.statuses.items()))}; {dict(outcome.answers.most_common())}")
    say(f"memory in MiB, by quarter: {', '.join(f'{part:.0f}' for part in outcome.memory.quarters())}")
    for finding in outcome.findings:
        say(f"FOUND {finding}")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
