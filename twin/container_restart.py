"""Restarting a container group with another address, as Azure does in its maintenance, without anybody asking.

`python -m twin.container_restart --home .twin/local --name aci-mongodb-reader-a`

The cloud (`cloud.json`) has the group's new address first; then the running platform, if there is one, restarts the
group's process there. The A record still says the old address, so that the gateway does not reach the group: Terraform
sees the drift at its next plan, and `invoke heal` brings the record up to date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emulators.azurerm import addresses
from emulators.azurerm.cloud import Cloud
from emulators.base.errors import EmulatorError, StoreError
from emulators.base.store import Store
from twin import control

TYPE = "azurerm_container_group"


def restart(home: Path, name: str) -> str:
    """Return the group's new address; RuntimeFailure where what runs did not take it over, StoreError as in `move`."""
    address = move(home, name)
    if control.status(home) is not None:
        control.reload(home)
    return address


def move(home: Path, name: str) -> str:
    """Return the group's new address, which so far the cloud alone knows.

    StoreError for an unknown group or one without a subnet.
    """
    store = Store(home / "cloud.json")
    group = next((group for group in store.of_type(TYPE) if group["name"] == name), None)
    if group is None:
        names = ", ".join(sorted(str(group["name"]) for group in store.of_type(TYPE))) or "none"
        raise StoreError(f"the stand-in cloud has no container group {name!r}; it has: {names}")
    subnet = next(iter(group.get("subnet_ids") or ()), None)
    if subnet is None:
        raise StoreError(f"container group {name!r} is in no subnet, so its address is not of a network")
    address = addresses.move(Cloud(store), subnet, group["id"])
    store.update(TYPE, group["id"], {"ip_address": address})
    return address


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.container_restart")
    parser.add_argument("--home", type=Path, required=True, help="the platform's folder, for example .twin/local")
    parser.add_argument("--name", required=True, help="the container group, for example aci-mongodb-reader-a")
    given = parser.parse_args(arguments)
    try:
        address = restart(given.home.resolve(), given.name)
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{given.name} was restarted and has address {address}; `invoke heal` puts it into DNS\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
