"""Sample deployments of the services, over 2026."""

from __future__ import annotations

import datetime as dt
import random

from emulators.mongodb.seed.services import made_id
from emulators.mongodb.values import Document

COUNT = 360
_START = dt.datetime(2026, 1, 5, 8, 0)
_PEOPLE = ("m.lindqvist", "a.rahman", "g.okafor", "y.tanaka", "l.romano", "n.berg", "e.petrova", "t.oliveira", "p.nair")
_STEPS = ("build", "test", "scan", "push", "rollout")


def make(chance: random.Random, catalogue: list[Document]) -> list[Document]:
    """Deployments in the order of their start; important services are deployed more often."""
    weights = [4 - service["tier"] for service in catalogue]
    builds = {service["_id"]: chance.randrange(120, 900) for service in catalogue}
    moments = sorted(_START + dt.timedelta(minutes=chance.randrange(316 * 24 * 60)) for _ in range(COUNT))
    return [_deployment(chance, moment, chance.choices(catalogue, weights)[0], builds) for moment in moments]


def _deployment(chance: random.Random, moment: dt.datetime, service: Document, builds: dict[str, int]) -> Document:
    name = service["_id"]
    builds[name] += 1
    status = chance.choices(("succeeded", "failed", "rolled-back"), (87, 8, 5))[0]
    steps = _steps(chance, status)
    seconds = sum(step["seconds"] for step in steps)
    return {
        "_id": made_id(chance, moment),
        "service": name,
        "environment": chance.choices(("prod", "staging"), (3, 1))[0],
        "version": f"{2 + builds[name] // 400}.{builds[name] // 10 % 40}.{builds[name] % 10}",
        "commit": f"{chance.getrandbits(160):040x}",
        "author": chance.choice(_PEOPLE),
        "status": status,
        "strategy": chance.choice(("rolling", "rolling", "blue-green", "canary")),
        "startedAt": moment,
        "finishedAt": moment + dt.timedelta(seconds=seconds),
        "durationSeconds": seconds,
        "steps": steps,
        "change": {
            "files": chance.randrange(1, 60),
            "additions": chance.randrange(1, 1500),
            "deletions": chance.randrange(0, 700),
        },
        "approvedBy": None if service["tier"] == 3 else chance.choice(_PEOPLE),
    }


def _steps(chance: random.Random, status: str) -> list[Document]:
    """The steps that ran; a failed deployment ends at the step that failed."""
    last = chance.randrange(len(_STEPS)) if status == "failed" else len(_STEPS) - 1
    return [
        {"name": step, "ok": status != "failed" or number < last, "seconds": chance.randrange(20, 420)}
        for number, step in enumerate(_STEPS[: last + 1])
    ]
