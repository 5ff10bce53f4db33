"""A container group's containers at the Docker engine: closed as tightly as the image allows, found by their labels."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulators.base.files import make_folder, read_json, write_json
from twin.errors import RuntimeFailure
from twin.supervise import docker_engine
from twin.supervise.docker_engine import translated

_HOME, _PART = "mcp-twin.servers-of", "mcp-twin.part"
_SECRETS = "/run/secrets/environment"
_STOP = 4  # seconds; less than the supervisor waits for us
_PROCESSES = 256
_NUMBER = re.compile(r"[1-9]\d*(:[1-9]\d*)?")  # of a user: a name could be root's in the image's /etc/passwd
_NOBODY = "65534:65534"
_GIB = 1024**3
# Secrets come as a file, for `docker inspect` shows every variable to whoever may ask the engine. No shell is needed.
_START = f"import json,os,sys;os.environ.update(json.load(open({_SECRETS!r})));os.execvp(sys.argv[1],sys.argv[1:])"


@dataclass(frozen=True)
class Box:
    """One container: `secrets` are the variables that nobody may read from outside; `memory` in GiB, 0: no limit.

    `foreign`: the port on which an image that somebody else publishes listens; 0 for one of ours, which is told `port`.
    """

    name: str
    reference: str
    command: tuple[str, ...]
    port: int
    environment: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    memory: float = 0
    foreign: int = 0


class Boxes:
    """What one home's container groups have at the engine. Nothing else of the engine is touched."""

    def __init__(self, engine: Any, home: Path) -> None:
        self._engine, self._home = engine, home

    def create(self, box: Box) -> Any:
        """A container that is not started yet; its image is pulled where the engine has it not."""
        self._require_linux()
        config = self._image(box.reference).attrs.get("Config") or {}
        if box.foreign:
            settings = foreign_options(box, config, self._home)
        else:
            settings = options(box, user_of(config, box.reference), _secrets_file(self._home, box), self._home)
        with translated(f"a container of {box.reference} was created"):
            return self._engine.containers.create(box.reference, **settings)

    def remove(self, part: str = "") -> bool:
        """Stops and removes the containers of one part, or of all; whether there were any."""
        labels = [f"{_HOME}={self._home}", *([f"{_PART}={part}"] if part else [])]
        with translated("a server's container was removed"):
            found = self._engine.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
            for container in found:
                container.stop(timeout=_STOP)
                container.remove(v=True, force=True)
        return bool(found)

    def _image(self, reference: str) -> Any:
        from docker.errors import ImageNotFound

        try:
            with translated(f"Docker was asked for {reference}"):
                return self._engine.images.get(reference)
        except RuntimeFailure as error:
            if not isinstance(error.__cause__, ImageNotFound):
                raise
        with translated(f"{reference} was pulled"):
            return self._engine.images.pull(reference)

    def _require_linux(self) -> None:
        """The servers meet the twin on this machine's loopback, which only an engine right on it shares."""
        with translated("the Docker engine was asked"):
            system = str(self._engine.info().get("OperatingSystem", ""))
        if "Docker Desktop" in system:
            raise RuntimeFailure(
                f"{system} runs containers in a machine of its own, whose loopback is not ours;"
                " deploy with `--setting RUNTIME=process`, or use a Docker engine on Linux"
            )


def options(box: Box, user: str, secrets: Path, home: Path) -> dict[str, Any]:
    """How the container is made: no root, nothing to write to, no capability, no way to gain one."""
    return {
        **_closed(box, user, home),
        "entrypoint": ["python", "-c", _START],
        "command": list(box.command),
        "environment": {**box.environment, "HOST": "127.0.0.1", "PORT": str(box.port)},
        "volumes": {str(secrets): {"bind": _SECRETS, "mode": "ro"}},
        "network_mode": "host",
    }


def foreign_options(box: Box, config: Mapping[str, Any], home: Path) -> dict[str, Any]:
    """How a container of somebody else's image is made: started as it is, reached from this machine alone.

    RuntimeFailure where it wants secrets: there may be no program in it that could read them from a file, and variables
    are what `docker inspect` shows.
    """
    if box.secrets:
        raise RuntimeFailure(
            f"{box.name} gets {', '.join(sorted(box.secrets))} from the vault, and a local container of "
            f"{box.reference} could have it as a variable only, which `docker inspect` shows; leave `secrets` out of "
            "its entry here"
        )
    named = str(config.get("User") or "")
    return {
        **_closed(box, named if _NUMBER.fullmatch(named) else _NOBODY, home),
        "command": list(box.command) or None,
        "environment": dict(box.environment),
        "ports": {f"{box.foreign}/tcp": ("127.0.0.1", box.port)},
        "tmpfs": {"/tmp": ""},  # noqa: S108 - of the container
    }


def _closed(box: Box, user: str, home: Path) -> dict[str, Any]:
    return {
        "name": f"mcp-twin-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}-{box.name}",
        "labels": {_HOME: str(home), _PART: box.name},
        "user": user,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": _PROCESSES,
        **({"mem_limit": int(box.memory * _GIB)} if box.memory else {}),
    }


def user_of(config: Mapping[str, Any], reference: str) -> str:
    """The image's own user, who must be a number above 0: a name could be root's in the image's /etc/passwd."""
    user = str(config.get("User") or "")
    if not _NUMBER.fullmatch(user):
        raise RuntimeFailure(
            f"image {reference} runs as {user or 'root'!r}; give it a user by number, e.g. USER 10001:10001"
        )
    return user


def remember(home: Path, engine: Mapping[str, str]) -> None:
    """Where the engine is, for whoever has to clean up with other variables."""
    write_json(_path(home), dict(engine))


def stop_leftovers(home: Path) -> bool:
    """Removes containers that outlived their supervisor; RuntimeFailure where the engine no longer answers."""
    engine = read_json(_path(home))
    if not isinstance(engine, dict):
        return False
    removed = Boxes(docker_engine.connect(engine), home).remove()
    _path(home).unlink(missing_ok=True)
    return removed


def _secrets_file(home: Path, box: Box) -> Path:
    """Readable by the container's user, who has no name here; on this machine only its folder's owner comes to it."""
    folder = home / "run" / "secrets" / box.name
    make_folder(str(folder))
    folder.parent.chmod(0o700)
    path = folder / "environment.json"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(dict(box.secrets)), encoding="utf-8")
    path.chmod(0o444)
    return path


def _path(home: Path) -> Path:
    return home / "run" / "containers.json"
