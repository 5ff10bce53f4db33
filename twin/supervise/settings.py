"""What the person who runs the platform decides, as opposed to the applied state: `run/runtime.json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from emulators.base.files import read_json, write_json
from twin.errors import RuntimeFailure


@dataclass(frozen=True)
class RuntimeConfig:
    """`mongodb_uri` replaces the local MongoDB by one that already runs; `seed` fills an empty one with samples.

    `mongo`: a container of `mongo_image`, the stand-in, or (`auto`) the container where it can be had (see
    database_choice). `runtime`: what a container group becomes.

    `trace` lets the gateway keep the policy traces of recent requests; `console_port` is that of the platform's page,
    None for no page.
    """

    gateway_port: int = 8080
    entra_port: int = 8081
    mongodb_uri: str | None = None
    mongo: Literal["auto", "docker", "twin"] = "twin"
    mongo_image: str = "mongo:7.0"
    runtime: Literal["process", "docker"] = "process"
    seed: bool = True
    trace: bool = False
    console_port: int | None = None

    def __post_init__(self) -> None:
        if self.gateway_port == self.entra_port:
            raise RuntimeFailure(
                f"GATEWAY_PORT and ENTRA_PORT are both {self.gateway_port}; give each a port of its own"
            )
        if self.console_port is not None and self.console_port in (self.gateway_port, self.entra_port):
            raise RuntimeFailure(f"CONSOLE_PORT is the gateway's or the issuer's port {self.console_port}; change one")

    def save(self, home: Path) -> None:
        write_json(home / "run" / "runtime.json", asdict(self))

    @classmethod
    def load(cls, home: Path) -> RuntimeConfig:
        path = home / "run" / "runtime.json"
        stored = read_json(path)
        try:
            return cls(**stored)
        except TypeError as error:  # what is not an object, or has other names
            raise RuntimeFailure(f"{path} is missing or broken; run `invoke deploy`") from error
