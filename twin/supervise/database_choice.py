"""Which MongoDB a local platform has: the one at MONGODB_URI, a container, or the stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from twin.errors import RuntimeFailure
from twin.supervise import docker_engine, docker_volume
from twin.supervise.settings import RuntimeConfig


@dataclass(frozen=True)
class Choice:
    """`text` is one line for people: which database it is, and why not a better one."""

    kind: Literal["uri", "docker", "twin"]
    text: str


def choose(config: RuntimeConfig, home: Path, *, keyless: bool = False) -> Choice:
    """Looks, and starts nothing. RuntimeFailure where Docker must be used (asked for, or has the data) and cannot,
    or where a MongoDB is asked for that cannot serve a database without keys.

    A home keeps the database that it began with, unless a setting names another: data must not seem to vanish because
    an image came or an engine went. `keyless`: a server has the database "documentdb", whose sign-in MongoDB lacks.
    """
    insisted = config.mongo == "docker" or docker_volume.holds_data(home)
    if keyless and (config.mongodb_uri or insisted):
        given = "the MongoDB at MONGODB_URI" if config.mongodb_uri else "a container of MongoDB"
        remedy = "unset MONGODB_URI" if config.mongodb_uri else "choose the stand-in with `--setting MONGO=twin`"
        raise RuntimeFailure(
            f'a server has the database "documentdb", and {given} cannot check tokens of Entra ID; {remedy}'
        )
    if config.mongodb_uri:
        return Choice("uri", "the one at MONGODB_URI")
    if config.mongo == "twin":
        return Choice("twin", "emulators.mongodb (MONGO=twin)")
    if keyless:
        return Choice("twin", "emulators.mongodb: a container of MongoDB cannot check tokens of Entra ID")
    missing = docker_engine.missing(config.mongo_image, docker_engine.environment())
    if missing and insisted:
        raise RuntimeFailure(
            f"the database of this platform is a container of {config.mongo_image}, but {missing};"
            " mend that, or choose the stand-in, which has data of its own, with `--setting MONGO=twin`"
        )
    if missing:
        return Choice("twin", f"emulators.mongodb: {missing}")
    if not insisted and (home / "mongo").exists():
        return Choice("twin", "emulators.mongodb, which this platform began with (another: --setting MONGO=docker)")
    return Choice("docker", f"a container of {config.mongo_image}")
