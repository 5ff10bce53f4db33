"""`python -m twin.supervise.docker_mongo --config FILE`: the database of one home as a container.

Stays in the foreground for as long as the container runs, so that it is supervised as every other part is; prints the
container's log, `ready mongo <port>` when users and sample data are there, and removes the container on SIGTERM.

FILE: home, image, port, users_file (of a JSON list [{name, password, role}], read again on SIGHUP: see live.py), seed,
ready (a file that exists while the database is ready), engine (see docker_engine.environment).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulators.base import live
from twin.errors import RuntimeFailure
from twin.supervise import docker_engine, docker_prepare
from twin.supervise.docker_container import ADMINISTRATOR, Containers
from twin.supervise.docker_volume import Volume

if TYPE_CHECKING:
    from pymongo import MongoClient


@dataclass(frozen=True)
class Config:
    home: Path
    image: str
    port: int
    users_file: Path
    seed: bool
    ready: Path
    engine: Mapping[str, str]

    @classmethod
    def load(cls, path: Path) -> Config:
        given = json.loads(path.read_text(encoding="utf-8"))
        paths = {name: Path(given[name]) for name in ("home", "ready", "users_file")}
        return cls(**{**given, **paths})


Prepare = Callable[[Config, Volume, Any], None]
"""Called with the container that was started."""


def serve(config: Config, engine: Any, changed: threading.Event, prepare: Prepare | None = None) -> None:
    """Until the container ends (RuntimeFailure) or a signal raises SystemExit; either way it is removed.

    `changed` is set when the users file was written anew. `prepare` fills a database that has just started.
    """
    containers = Containers(engine, config.home)
    config.ready.unlink(missing_ok=True)
    containers.remove()
    volume = _volume(config, containers)
    try:
        container = containers.create(config.image, config.port, volume.password)
        with docker_engine.translated("the database's container was started"):
            container.start()
        threading.Thread(target=_print_log, args=(container,), daemon=True).start()
        (prepare or prepare_database)(config, volume, container)
        threading.Thread(target=_follow_users, args=(config, volume, changed), daemon=True).start()
        config.ready.touch()
        sys.stdout.write(f"ready mongo {config.port}\n")
        sys.stdout.flush()
        with docker_engine.translated("the database's container was watched"):
            code = container.wait(timeout=None)["StatusCode"]
        raise RuntimeFailure(f"the database's container ended with exit code {code}")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked once is enough: what follows must be done
        config.ready.unlink(missing_ok=True)
        containers.remove()


def _volume(config: Config, containers: Containers) -> Volume:
    """The home's own, or a new one where there is none or its first preparation was interrupted."""
    volume = Volume.load(config.home)
    if volume is not None and volume.prepared:
        return volume
    containers.remove_volumes()
    return Volume.fresh(config.home, config.engine)


def prepare_database(config: Config, volume: Volume, container: Any) -> None:
    def alive() -> bool:
        container.reload()
        return str(container.status) in ("created", "running")

    with _administrator(config, volume) as client:
        docker_prepare.await_answer(client, alive)
        take_users(config, client.admin)
        if config.seed and not volume.prepared:
            docker_prepare.plant(client)
    volume.is_prepared(config.home)


def take_users(config: Config, admin: Any) -> None:
    """Lets in whom the users file names, and nobody else; who is connected stays connected."""
    text = config.users_file.read_text(encoding="utf-8")
    docker_prepare.set_users(admin, json.loads(text), ADMINISTRATOR)
    live.confirm(config.users_file, text)


def _follow_users(config: Config, volume: Volume, changed: threading.Event) -> None:
    from pymongo.errors import PyMongoError

    while changed.wait():
        changed.clear()
        try:
            with _administrator(config, volume) as client:
                take_users(config, client.admin)
        except (
            PyMongoError,
            OSError,
            ValueError,
        ) as error:
            # Not confirmed, so whoever waits for the change is told.
            sys.stderr.write(f"the users stay as they were: {error}\n")


def _administrator(config: Config, volume: Volume) -> MongoClient[dict[str, Any]]:
    from pymongo import MongoClient

    return MongoClient(
        "127.0.0.1",
        config.port,
        username=ADMINISTRATOR,
        password=volume.password,
        authMechanism="SCRAM-SHA-256",
        serverSelectionTimeoutMS=1000,
        directConnection=True,
    )


def _print_log(container: Any) -> None:
    with contextlib.suppress(Exception):  # it ends with the container, in one way or another
        for line in container.logs(stream=True, follow=True):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.supervise.docker_mongo")
    parser.add_argument("--config", type=Path, required=True)
    config = Config.load(parser.parse_args().config)
    changed = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, lambda *_: changed.set())
    try:
        serve(config, docker_engine.connect(config.engine), changed)
    except RuntimeFailure as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
