"""What happens in Azure behind Terraform's back, written into the stand-in cloud's file with nothing but Python."""

from __future__ import annotations

import json
from pathlib import Path


def move_container(path: Path, name: str) -> None:
    """What Azure may do at a restart: another address than the one that Terraform wrote into DNS."""
    cloud = json.loads(path.read_text(encoding="utf-8"))
    moved = next(group for group in cloud["objects"]["azurerm_container_group"].values() if group["name"] == name)
    moved["ip_address"] = moved["ip_address"].rpartition(".")[0] + ".200"
    path.write_text(json.dumps(cloud), encoding="utf-8")
