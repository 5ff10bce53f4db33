"""The Docker engine of this machine, if it has one: asked briefly, never waited for, and never told to pull."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twin.errors import RuntimeFailure

BRIEF = 2.0  # seconds for a question; an engine that is there answers in milliseconds
SLOW = 30.0  # seconds for creating and removing on a busy machine
SOCKET = Path("/var/run/docker.sock")
_VARIABLES = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


def environment() -> dict[str, str]:
    """The variables that say where the engine is, for processes that get no others."""
    return {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)}


def connect(where: Mapping[str, str], timeout: float = SLOW) -> Any:
    """The engine's client; RuntimeFailure where none answers on this machine. `where`: see `environment`."""
    _require_here(where)
    # 0.2 s to import, which machines without Docker need not spend.
    import docker

    with translated("the Docker engine was asked"):
        client = docker.from_env(timeout=BRIEF, environment=dict(where))  # asks for its version
        client.api.timeout = timeout
        return client


def missing(image: str, where: Mapping[str, str]) -> str:
    """Why a container of `image` cannot be had here and now, as the end of a sentence; empty where it can."""
    try:
        client = connect(where, BRIEF)
    except RuntimeFailure as error:
        return str(error)
    from docker.errors import ImageNotFound

    try:
        with translated(f"Docker was asked for {image}"):
            client.images.get(image)
    except RuntimeFailure as error:
        if isinstance(error.__cause__, ImageNotFound):
            return f"Docker has no image {image} (`docker pull {image}`, then `invoke deploy --setting MONGO=docker`)"
        return str(error)
    finally:
        client.close()
    return ""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Docker's errors, and those of the HTTP library below it, as RuntimeFailure."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        raise RuntimeFailure(f"{what}, and that failed: {' '.join(str(error).split())[:300]}") from error


def _require_here(where: Mapping[str, str]) -> None:
    """Ports are published on the engine's machine, so an engine elsewhere is of no use."""
    host = urlsplit(where.get("DOCKER_HOST", ""))
    if not host.scheme and not SOCKET.exists():
        raise RuntimeFailure("no Docker engine is here (no DOCKER_HOST, no /var/run/docker.sock)")
    if host.scheme not in ("", "unix", "npipe") and host.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise RuntimeFailure("DOCKER_HOST names another machine, whose ports are not ours")
