"""Regenerating a key of a local platform's database: what `az cosmosdb keys regenerate` is in Azure.

`python -m twin.database_keys --home .twin/local --name ACCOUNT --resource-group GROUP --key-kind secondary`

The cloud (`cloud.json`) has the new value first; then the running platform, if there is one, takes it over: its
database lets the new key in, and the old one no more. Whoever is connected stays connected. Interrupted in between, the
cloud's value counts from the next start or deployment on, and nothing needs mending: repeating it makes another value.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emulators.base import account_keys
from emulators.base.errors import EmulatorError
from emulators.base.store import Store
from twin import control


def regenerate(home: Path, name: str, resource_group: str, kind: str) -> None:
    """`kind`: primary, primaryReadonly, secondary or secondaryReadonly.

    StoreError for an unknown account or kind, RuntimeFailure where what runs did not take the new key over.
    """
    account_keys.regenerate(Store(home / "cloud.json"), name, resource_group, kind)
    if control.status(home) is not None:
        control.reload(home)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.database_keys")
    parser.add_argument("--home", type=Path, required=True, help="the platform's folder, for example .twin/local")
    for option in ("--name", "--resource-group", "--key-kind"):
        parser.add_argument(option, required=True, help="as `az cosmosdb keys regenerate` takes it")
    given = parser.parse_args(arguments)
    try:
        regenerate(given.home, given.name, given.resource_group, given.key_kind)
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
