"""Sample services and what each costs a month."""

from __future__ import annotations

import datetime as dt
import random

from bson import Decimal128, ObjectId

from emulators.mongodb.values import Document

# (name, team, tier, language, what it depends on)
_SERVICES = (
    ("api-gateway", "edge", 1, "go", ("identity", "rate-limiter")),
    ("rate-limiter", "edge", 1, "rust", ()),
    ("web-frontend", "edge", 2, "typescript", ("api-gateway",)),
    ("identity", "identity", 1, "csharp", ("audit-log",)),
    ("user-profiles", "identity", 2, "csharp", ("identity",)),
    ("audit-log", "identity", 1, "go", ("event-bus",)),
    ("checkout", "payments", 1, "java", ("pricing", "payment-router", "inventory")),
    ("payment-router", "payments", 1, "java", ("fraud-scoring", "ledger")),
    ("ledger", "payments", 1, "java", ()),
    ("fraud-scoring", "payments", 2, "python", ("feature-store",)),
    ("pricing", "commerce", 1, "go", ("catalogue",)),
    ("catalogue", "commerce", 2, "typescript", ("search",)),
    ("inventory", "commerce", 1, "go", ("event-bus",)),
    ("recommendations", "commerce", 3, "python", ("feature-store", "catalogue")),
    ("search", "commerce", 2, "java", ()),
    ("event-bus", "data", 1, "rust", ()),
    ("feature-store", "data", 2, "python", ("warehouse",)),
    ("warehouse", "data", 2, "python", ()),
    ("reporting", "data", 3, "python", ("warehouse",)),
    ("build-runner", "developer-experience", 2, "go", ("artifact-store",)),
    ("artifact-store", "developer-experience", 2, "go", ()),
    ("mcp-platform", "developer-experience", 2, "python", ("identity", "api-gateway")),
    ("status-page", "reliability", 3, "typescript", ()),
    ("alert-router", "reliability", 1, "go", ("event-bus",)),
)
_OWNERS = {
    "edge": ("Mira Lindqvist", "Tomás Oliveira"),
    "identity": ("Aisha Rahman", "Jonas Weber"),
    "payments": ("Grace Okafor", "Henrik Dahl"),
    "commerce": ("Yuki Tanaka", "Priya Nair"),
    "data": ("Luca Romano", "Zofia Kowalska"),
    "developer-experience": ("Noah Berg", "Camille Laurent"),
    "reliability": ("Elena Petrova", "Samuel Adeyemi"),
}
REGIONS = ("westeurope", "northeurope", "swedencentral", "uksouth")


def made_id(chance: random.Random, moment: dt.datetime) -> ObjectId:
    """An ObjectId of that moment, which does not change from run to run."""
    seconds = int((moment - dt.datetime(1970, 1, 1)).total_seconds())
    return ObjectId(seconds.to_bytes(4, "big") + chance.getrandbits(64).to_bytes(8, "big"))


def make(chance: random.Random) -> list[Document]:
    """Services, with `_id` their name."""
    return [_service(chance, *entry) for entry in _SERVICES]


def _service(chance: random.Random, name: str, team: str, tier: int, language: str, needs: tuple[str, ...]) -> Document:
    created = dt.datetime(2023, 1, 9) + dt.timedelta(days=chance.randrange(900), hours=chance.randrange(8, 18))
    return {
        "_id": name,
        "team": team,
        "owners": [
            {"name": owner, "role": role} for owner, role in zip(_OWNERS[team], ("lead", "on-call"), strict=True)
        ],
        "tier": tier,
        "language": language,
        "dependsOn": list(needs),
        "regions": sorted(chance.sample(REGIONS, {1: 4, 2: 2, 3: 1}[tier])),
        "replicas": {"min": 4 - tier, "max": (4 - tier) * chance.choice((2, 3, 4))},
        "slo": {
            "availability": {1: 99.95, 2: 99.9, 3: 99.5}[tier],
            "p95Milliseconds": chance.choice((80, 120, 200, 350)) * tier,
        },
        "tags": sorted(
            {
                "customer-facing" if tier == 1 else "internal",
                language,
                chance.choice(("pci", "gdpr", "batch", "stateless")),
            }
        ),
        "repository": f"https://git.example/{team}/{name}",
        "createdAt": created,
        "deprecated": name in ("reporting",),
    }


def costs(chance: random.Random, catalogue: list[Document]) -> list[Document]:
    """One document for each service and month of 2026's twelve months up to October."""
    months = [dt.datetime(2025 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(12)]
    rows = []
    for service in catalogue:
        base = len(service["regions"]) * service["replicas"]["max"] * chance.uniform(18, 42)
        for number, month in enumerate(months):
            compute = base * (1 + number * 0.015) * chance.uniform(0.94, 1.08)
            parts = {
                "compute": compute,
                "storage": compute * chance.uniform(0.05, 0.3),
                "network": compute * chance.uniform(0.02, 0.12),
            }
            rounded = {name: round(value, 2) for name, value in parts.items()}
            rows.append(
                {
                    "_id": made_id(chance, month),
                    "service": service["_id"],
                    "month": month,
                    "amount": Decimal128(f"{sum(rounded.values()):.2f}"),
                    "breakdown": {name: Decimal128(f"{value:.2f}") for name, value in rounded.items()},
                    "currency": "EUR",
                }
            )
    return rows
