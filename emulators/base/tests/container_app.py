"""An app with two revisions, as the stand-in provider's file holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulators.base.store import Store

APP, GROUP = "notes-reader", "rg-notes"
OLD, NEW = (f"{APP}--{suffix}" for suffix in ("aaaaaaa", "bbbbbbb"))
_ID = f"/subscriptions/44444444-4444-4444-8444-444444444444/resourceGroups/{GROUP}/providers/Microsoft.App"


def with_container_app(path: Path, held: int = 30) -> Store:
    """A cloud whose app leaves the older revision `held` percent of its calls."""
    weights = [
        {"latest_revision": True, "percentage": 100 - held},
        {"latest_revision": False, "revision_suffix": "aaaaaaa", "percentage": held},
    ]
    app: dict[str, Any] = {
        "id": f"{_ID}/containerApps/{APP}",
        "name": APP,
        "resource_group_name": GROUP,
        "location": "uksouth",
        "container_app_environment_id": f"{_ID}/managedEnvironments/cae-notes",
        "revision_mode": "Multiple",
        "latest_revision_name": NEW,
        "latest_revision_fqdn": f"{NEW}.calmsea.uksouth.azurecontainerapps.io",
        "secret": [{"name": "notes-key", "key_vault_secret_id": "https://kv.vault.azure.net/secrets/notes-key"}],
        "ingress": [
            {"external_enabled": True, "target_port": 8000, "fqdn": f"{APP}.example", "traffic_weight": weights}
        ],
        "template": _template("new"),
    }
    store = Store(path)
    store.put("azurerm_container_app", app)
    for number, (name, tag) in enumerate(((OLD, "old"), (NEW, "new")), start=1):
        made = {"id": f"{app['id']}|{name}", "app": app["id"], "name": name, "number": number}
        store.put("twin_container_app_revision", {**made, "template": _template(tag)})
    return store


def _template(tag: str) -> list[dict[str, Any]]:
    env = [{"name": "PORT", "value": "8000"}, {"name": "NOTES_KEY", "secret_name": "notes-key"}]
    container = {"name": "server", "image": f"acr.azurecr.io/notes-mcp:{tag}", "cpu": 0.5, "memory": "1Gi", "env": env}
    return [{"min_replicas": 1, "max_replicas": 4, "container": [container]}]
