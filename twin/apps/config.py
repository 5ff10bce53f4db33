"""What the ingress serves: apps, their revisions and the weights between them, as `run/apps.json` says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twin.errors import RuntimeFailure
from twin.supervise.spec import Health, Liveness, ProcessSpec

LATEST = ""
"""The revision of a weight that is the newest ready one's."""


@dataclass(frozen=True)
class Scale:
    """Replicas at least and at most; calls a second for each; seconds of less load before one goes.

    `grace`: seconds that a replica has for the calls that it works on when it goes.
    """

    minimum: int
    maximum: int
    concurrent: int
    cooldown: float
    grace: float


@dataclass(frozen=True)
class Revision:
    """One revision: the process of a replica, whose port is chosen when it starts, and how many there are."""

    name: str
    process: ProcessSpec
    scale: Scale

    @property
    def suffix(self) -> str:
        return self.name.rpartition("--")[2]


@dataclass(frozen=True)
class App:
    """`revisions` from the oldest to the newest. `weights`: suffix of a revision, or LATEST, to percent."""

    name: str
    host: str
    revisions: tuple[Revision, ...]
    weights: Mapping[str, int]


@dataclass(frozen=True)
class Config:
    """`port` answers the platform's own questions, `tls_port` the gateway's calls, with `certificate` (key inside)."""

    home: Path
    port: int
    tls_port: int
    certificate: Path
    apps: tuple[App, ...]
    text: str = ""

    @classmethod
    def load(cls, path: Path) -> Config:
        """RuntimeFailure for a file that cannot be read."""
        try:
            text = path.read_text(encoding="utf-8")
            values = json.loads(text)
            return cls(
                home=Path(values["home"]),
                port=int(values["port"]),
                tls_port=int(values["tls_port"]),
                certificate=Path(values["certificate"]),
                apps=tuple(_app(app) for app in values["apps"]),
                text=text,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RuntimeFailure(f"the ingress's settings at {path} cannot be read ({error})") from error


def written(apps: tuple[App, ...]) -> list[dict[str, Any]]:
    """The apps as the settings file holds them."""
    return [asdict(app) for app in apps]


def _app(values: Mapping[str, Any]) -> App:
    revisions = (Revision(r["name"], _process(r["process"]), Scale(**r["scale"])) for r in values["revisions"])
    return App(values["name"], values["host"], tuple(revisions), values["weights"])


def _process(values: Mapping[str, Any]) -> ProcessSpec:
    liveness = values.get("liveness")
    return ProcessSpec(
        **{
            **values,
            "argv": tuple(values["argv"]),
            "more_ports": tuple(values["more_ports"]),
            "health": _health(values["health"]),
            "liveness": Liveness(**{**liveness, "health": _health(liveness["health"])}) if liveness else None,
        }
    )


def _health(values: Mapping[str, Any]) -> Health:
    return Health(**{**values, "statuses": tuple(values["statuses"])})
