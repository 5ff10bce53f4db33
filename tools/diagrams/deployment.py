"""The order of a deployment, with what each stage makes, as `prod` plans it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tools.diagrams.plans import DiagramError, Plans
from tools.diagrams.svg import WIDTH, Canvas

# What each module is for, in the words of the picture.
WORDS = {
    "network": "network",
    "role_assignments": "role assignments",
    "key_vault": "Key Vault",
    "key_vault_endpoint": "endpoint of the vault",
    "registry": "registry",
    "registry_endpoint": "endpoint of the registry",
    "server_identities": "identities of the servers",
    "gateway_identity": "identity of the gateway",
    "apim": "API Management",
    "api_app": "the API's registration",
    "backend_app": "the backend's registration",
    "client_apps": "the clients' registrations",
    "groups": "groups",
    "monitoring": "monitoring",
    "database": "database",
    "database_endpoint": "endpoint of the database",
    "servers": "container groups",
    "azurerm_private_dns_zone": "private DNS zones",
    "azurerm_private_dns_zone_virtual_network_link": "links of the zones",
    "azurerm_key_vault_secret": "connection strings",
}


def draw(stages: Sequence[Plans]) -> str:
    """The SVG, from the plan of stage 1 and the plan of stage 2."""
    canvas = Canvas(
        "A deployment, step by step",
        "Gates, then stage 1, the images, stage 2 and a smoke test, each with what it makes.",
    )
    width = WIDTH - 64.0
    steps = [
        (
            "nox",
            [f"{_sessions()}: no Azure needed; what fails here fails the same in the pipeline"],
            "plain",
        ),
        ("Stage 1: what stage 2 must find in force", _made(stages[0]), "identity"),
        ("Images", ["built from servers/<name>, pushed to the registry, pinned by digest in images.json"], "server"),
        ("Stage 2: everything else", _made(stages[1]), "gateway"),
        ("Smoke test", ["calls as admin, reader, outsider and nobody, and compares what each may do"], "person"),
    ]
    y = 24.0
    for position, (title, lines, kind) in enumerate(steps):
        box = canvas.box(32, y, width, title, lines, kind)
        y = box.bottom + 34
        if position + 1 < len(steps):
            canvas.arrow((WIDTH / 2, box.bottom), (WIDTH / 2, y))
    canvas.text(32, y - 8, "Drawn from the plans of environments/prod.", "note")
    return canvas.render(y + 8)


def _sessions() -> str:
    """What `nox` runs when it is not told what."""
    text = (Path(__file__).parents[2] / "noxfile.py").read_text(encoding="utf-8")
    found = re.search(r"^nox\.options\.sessions = \[(.*?)\]", text, re.MULTILINE)
    if not found:
        raise DiagramError("noxfile.py names no default sessions; the deployment picture shows them")
    return found.group(1).replace('"', "")


def _made(plans: Plans) -> list[str]:
    counts: Counter[str] = plans.counts()
    parts = [f"{WORDS.get(name, name)} ({number})" for name, number in sorted(counts.items(), key=lambda x: (-x[1], x))]
    return [f"{sum(counts.values())} resources: {', '.join(parts)}"]
