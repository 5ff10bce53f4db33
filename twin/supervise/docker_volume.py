"""What the home remembers of its database in Docker: `run/mongo.volume.json`.

Its volume outlives the container, and both may outlive the home (`rm -r`): then nobody knows the password any more, so
a volume without this file is nobody's and is made anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from emulators.base.files import read_json, write_json


@dataclass(frozen=True)
class Volume:
    """`password` is that of the container's administrator; `prepared`: it has its users and, if wanted, sample data.

    `engine` says where the engine is (see docker_engine.environment): a later shell may have other variables.
    """

    password: str
    engine: Mapping[str, str]
    prepared: bool = False

    @classmethod
    def load(cls, home: Path) -> Volume | None:
        """None where there is none, and where the file is damaged: a volume without its password is nobody's."""
        try:
            return cls(**read_json(_path(home)))
        except TypeError:
            return None

    @classmethod
    def fresh(cls, home: Path, engine: Mapping[str, str]) -> Volume:
        volume = cls(secrets.token_urlsafe(24), engine)
        volume.save(home)
        return volume

    def is_prepared(self, home: Path) -> None:
        replace(self, prepared=True).save(home)

    def save(self, home: Path) -> None:
        write_json(_path(home), asdict(self))


def holds_data(home: Path) -> bool:
    volume = Volume.load(home)
    return volume is not None and volume.prepared


def forget(home: Path) -> None:
    _path(home).unlink(missing_ok=True)


def _path(home: Path) -> Path:
    return home / "run" / "mongo.volume.json"
