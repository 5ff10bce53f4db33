"""Sample incidents: some follow a deployment that was rolled back, others come out of the blue."""

from __future__ import annotations

import datetime as dt
import random

from emulators.mongodb.seed.services import made_id
from emulators.mongodb.values import Document

COUNT = 48
_CAUSES = {
    "deployment": ("error rate after release", "memory leak in new version", "broken migration"),
    "capacity": ("connection pool exhausted", "node out of disk", "queue backlog"),
    "dependency": ("upstream timeouts", "certificate expired", "DNS resolution failures"),
    "configuration": ("wrong feature flag", "missing secret", "network policy too strict"),
}
_START = dt.datetime(2026, 1, 10)


def make(chance: random.Random, catalogue: list[Document], deployed: list[Document]) -> list[Document]:
    """Incidents numbered in the order in which they were opened."""
    guilty = [item for item in deployed if item["status"] == "rolled-back" and item["environment"] == "prod"]
    teams = {service["_id"]: service["team"] for service in catalogue}
    opened = [_from_deployment(chance, item) for item in guilty[:COUNT]]
    while len(opened) < COUNT:
        moment = _START + dt.timedelta(minutes=chance.randrange(310 * 24 * 60))
        cause = chance.choice(("capacity", "dependency", "configuration"))
        opened.append(
            {"service": chance.choice(catalogue)["_id"], "cause": cause, "openedAt": moment, "deployment": None}
        )
    opened.sort(key=lambda item: item["openedAt"])
    return [_incident(chance, number, item, teams[item["service"]]) for number, item in enumerate(opened, 1)]


def _from_deployment(chance: random.Random, deployment: Document) -> Document:
    opened = deployment["finishedAt"] + dt.timedelta(minutes=chance.randrange(2, 45))
    return {
        "service": deployment["service"],
        "cause": "deployment",
        "openedAt": opened,
        "deployment": deployment["_id"],
    }


def _incident(chance: random.Random, number: int, start: Document, team: str) -> Document:
    severity = chance.choices((1, 2, 3), (1, 3, 4))[0]
    minutes = chance.randrange(12, 90) * (4 - severity)
    opened: dt.datetime = start["openedAt"]
    is_open = number > COUNT - 3
    acknowledged = opened + dt.timedelta(minutes=chance.randrange(1, 12))
    timeline = [{"at": opened, "event": "opened"}, {"at": acknowledged, "event": "acknowledged"}]
    resolved = None if is_open else opened + dt.timedelta(minutes=minutes)
    if resolved:
        timeline.append({"at": resolved, "event": "resolved"})
    return {
        "_id": made_id(chance, opened),
        "number": number,
        "title": f"{start['service']}: {chance.choice(_CAUSES[start['cause']])}",
        "service": start["service"],
        "team": team,
        "severity": severity,
        "status": "open" if is_open else "resolved",
        "cause": start["cause"],
        "deployment": start["deployment"],
        "openedAt": opened,
        "resolvedAt": resolved,
        "minutesToResolve": None if is_open else minutes,
        "timeline": timeline,
        "affectedCustomers": chance.randrange(0, 4000) // severity,
        "postmortem": {"done": severity < 3 and not is_open, "actions": chance.randrange(0, 6) if severity < 3 else 0},
    }
