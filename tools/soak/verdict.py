"""Whether a soak kept its promises: what was acknowledged is compared with what the database holds."""

from __future__ import annotations

from typing import Any

import pymongo

from tests.support.memory import Memory
from tools.soak.clients import DATABASE, FULL, Observed


def complaints(observed: Observed, memory: Memory, uri: str) -> list[str]:
    """One sentence for each promise that was broken."""
    found = [f"an error that does not say to try again: {text}" for text in sorted(set(observed.unclear))[:10]]
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        database = client[DATABASE]
        there = set(database.written.distinct("_id"))
        lost = [identity for written in observed.inserted.values() for identity in written if identity not in there]
        counters = {row["_id"]: row["n"] for row in database.counters.find()}
    if lost:
        found.append(f"{len(lost)} acknowledged inserts are lost: {lost[:5]}")
    kept = there & set(observed.refused)
    if kept:
        found.append(f"{len(kept)} inserts that were refused are there: {sorted(kept)[:5]}")
    for number in observed.inserted:
        least, most = observed.raised[number], observed.raised[number] + observed.unknown[number]
        if not least <= counters.get(number, 0) <= most:
            found.append(
                f"client {number} raised its counter {least} to {most} times, and it is {counters.get(number)}"
            )
    if not any(FULL in text for text in observed.errors):
        found.append("no write met the full disk: nothing is shown by that")
    if memory.grew:
        found.append(f"memory grew: {memory.quarters()}")
    if observed.calls < 100 or not observed.written:
        found.append(f"only {observed.calls} calls were made: nothing is shown by that")
    return found
