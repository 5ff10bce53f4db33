"""What clients are offered, as the last deployment wrote it: `run/platform.json` in the platform's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Offer:
    """`gateway` is its public URL, `authority` the issuer with /v2.0; maps are by server and by `mcp_clients` name."""

    gateway: str
    endpoints: Mapping[str, str]
    authority: str
    tenant_id: str
    scope: str
    client_ids: Mapping[str, str]
    #: Seconds for which the gateway leaves a backend alone after failures, the longest of all; 0 without breakers.
    breaker_seconds: float = 0.0
    #: Where the MCP registry answers, without the /v0.1/servers that clients add; empty where it is off.
    registry: str = ""

    @property
    def client_id(self) -> str:
        """The client that people's own tools sign in with: `desktop`, where there is one."""
        return self.client_ids.get("desktop") or next(iter(self.client_ids.values()), "")


def save(offer: Offer, home: Path) -> None:
    path = _file(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(asdict(offer), indent=1), encoding="utf-8")


def load(home: Path) -> Offer | None:
    """None before a deployment ended, and where the file is damaged: the next deployment writes it anew."""
    try:
        found = Offer(**json.loads(_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    texts = (found.gateway, found.authority, found.tenant_id, found.scope, found.registry)
    maps = (found.endpoints, found.client_ids)
    whole = all(isinstance(text, str) for text in texts) and all(isinstance(found_map, dict) for found_map in maps)
    return found if whole else None


def damage(home: Path) -> str:
    """Return one sentence where the file is there and `load` cannot use it; empty otherwise."""
    if load(home) or not _file(home).exists():
        return ""
    return f"{_file(home)} is damaged: it does not say what was deployed; run `invoke deploy`, which writes it anew"


def _file(home: Path) -> Path:
    return home / "run" / "platform.json"
