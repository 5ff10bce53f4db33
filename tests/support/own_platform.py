"""A local platform of a test's own: its home, its free ports, and a copy of the sources that the test may change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops.config import tfvars
from tests.support.platform_under_test import ROOT, Platform

_GENERATED = shutil.ignore_patterns(".terraform", "__pycache__")
# More calls than all tests make: three people call for every one of them.
NO_LIMIT = {"calls": 100_000, "period": 60}


def copied(folder: Path, *sources: str, **variables: str) -> Platform:
    """A platform that is not deployed yet, whose home and copy of terraform/ are in `folder`.

    `sources` are further folders to copy: with "servers" the platform's servers are the copied ones. `variables` go to
    every command.
    """
    for name in ("terraform", *sources):
        shutil.copytree(ROOT / name, folder / name, ignore=_GENERATED)
    places = {"terraform": "TERRAFORM_DIR", "servers": "SERVERS_DIR"}
    own = {places[name]: str(folder / name) for name in ("terraform", *sources)}
    home = {"TWIN_HOME": str(folder / "home")}
    return Platform("local", {**own, **home, "GATEWAY_PORT": "0", "ENTRA_PORT": "0", **variables})


@contextmanager
def deployed(platform: Platform) -> Iterator[Platform]:
    """Deployed, and destroyed at the end, also where the deployment failed half-way."""
    try:
        platform.invoke("deploy")
        yield platform
    finally:
        platform.invoke("destroy", "--yes")


def terraform(platform: Platform) -> Path:
    return Path(platform.variables["TERRAFORM_DIR"])


def values(platform: Platform) -> dict[str, Any]:
    """The variables of its environment."""
    return tfvars.read(_file(platform))


def set_values(platform: Platform, values: Mapping[str, Any]) -> None:
    """Writes the variables of its environment, for the next deployment.

    Into terraform.tfvars itself: the tasks pass it with -var-file, which wins over any *.auto.tfvars.json, and read it.
    Each value is JSON, which HCL takes as it is (HCL Native Syntax Specification, "Collection Values").
    """
    lines = [f"{name} = {json.dumps(value, indent=2)}\n" for name, value in values.items()]
    _file(platform).write_text("".join(lines), encoding="utf-8")


def change_server(platform: Platform, **changes: Any) -> None:
    """Changes the entry of the MongoDB server."""
    changed = values(platform)
    changed["mcp_servers"]["mongodb"] |= changes
    set_values(platform, changed)


def add_client(platform: Platform, name: str, **entry: Any) -> None:
    """Adds an entry to mcp_clients."""
    changed = values(platform)
    changed["mcp_clients"][name] = entry
    set_values(platform, changed)


def _file(platform: Platform) -> Path:
    return terraform(platform) / "environments" / platform.env / "terraform.tfvars"
