"""One home's `mongo` container and its volume, at the Docker engine. Nothing else of the engine is touched."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

from twin.supervise import docker_engine, docker_volume
from twin.supervise.docker_engine import translated
from twin.supervise.docker_volume import Volume

ADMINISTRATOR = "twin-administrator"
_LABEL = "mcp-twin.home"
_SECRET = "mongo-administrator"  # noqa: S105  # a file's name
_STOP = 4  # seconds; less than the supervisor waits for us


class Containers:
    """What one home has at the engine: found by its label, whoever started it."""

    def __init__(self, engine: Any, home: Path) -> None:
        self._engine = engine
        self._labels = {_LABEL: str(home)}
        self._mine = {"label": f"{_LABEL}={home}"}
        self.name = f"mcp-twin-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"

    def create(self, image: str, port: int, password: str) -> Any:
        """A container that is not started yet, for 127.0.0.1:`port`; the image must be here, it is never pulled."""
        with translated(f"a container of {image} was created"):
            container = self._engine.containers.create(
                image,
                ["mongod", "--auth", "--quiet"],
                name=self.name,
                labels=self._labels,
                ports={"27017/tcp": ("127.0.0.1", port)},
                volumes={self._volume(): {"bind": "/data/db", "mode": "rw"}},
                environment={
                    "MONGO_INITDB_ROOT_USERNAME": ADMINISTRATOR,
                    "MONGO_INITDB_ROOT_PASSWORD_FILE": f"/{_SECRET}",
                },
            )
            # Not as a variable, which `docker inspect` shows, nor mounted: the image's user could not read our file.
            container.put_archive("/", _archive(password))
        return container

    def remove(self) -> bool:
        """Stops and removes the home's containers, with their anonymous volumes; whether there were any."""
        with translated("the database's container was removed"):
            found = self._engine.containers.list(all=True, filters=self._mine, ignore_removed=True)
            for container in found:
                container.stop(timeout=_STOP)
                container.remove(v=True, force=True)
        return bool(found)

    def remove_volumes(self) -> None:
        with translated("the database's volume was removed"):
            for volume in self._engine.volumes.list(filters=self._mine):
                volume.remove(force=True)

    def _volume(self) -> str:
        self._engine.volumes.create(self.name, labels=self._labels)
        return self.name


def stop_leftovers(home: Path) -> bool:
    """Removes a container that outlived its supervisor; RuntimeFailure where the engine no longer answers."""
    volume = Volume.load(home)
    return volume is not None and _of(home, volume).remove()


def discard(home: Path) -> None:
    """Removes the container and the data; RuntimeFailure where the engine no longer answers."""
    volume = Volume.load(home)
    if volume is not None:
        containers = _of(home, volume)
        containers.remove()
        containers.remove_volumes()
        docker_volume.forget(home)


def _of(home: Path, volume: Volume) -> Containers:
    return Containers(docker_engine.connect(volume.engine), home)


def _archive(password: str) -> bytes:
    """A tar with the one file that the image's entry point reads, as whatever user it runs."""
    content = password.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo(_SECRET)
        member.size, member.mode = len(content), 0o444
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
