"""Container groups as processes: image, environment, ports, and what a local process cannot stand in for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.errors import RuntimeFailure, TwinError
from twin.state import Resource, State
from twin.supervise import databases, registry
from twin.supervise.spec import Health, ProcessSpec

_UNSUPPORTED = {
    "init_container": "init containers",
    "dns_config": "its own DNS servers",
}


@dataclass(frozen=True)
class Surroundings:
    """What a container meets when it starts: the image store, its MongoDB, and the ports that are free."""

    home: Path
    mongo_port: int
    external_mongodb: str | None
    port_for: Callable[[str], int]


@dataclass(frozen=True)
class Container:
    """One planned container; `listens_on` is the port that production would see, `process.port` the local one."""

    group: Resource
    listens_on: int
    process: ProcessSpec

    @property
    def ip_address(self) -> str:
        return str(self.group.get("ip_address", ""))


def plan_containers(state: State, around: Surroundings) -> tuple[list[Container], dict[str, str]]:
    """All containers that can start, and for each group that cannot, why."""
    planned: list[Container] = []
    refused: dict[str, str] = {}
    for group in state.of_type("azurerm_container_group"):
        try:
            planned.extend(_plan_group(state, group, around))
        except TwinError as error:
            refused[group["name"]] = f"container group {group['name']} does not start: {error}"
    return planned, refused


def _plan_group(state: State, group: Resource, around: Surroundings) -> list[Container]:
    for block, what in _UNSUPPORTED.items():
        if group.get(block):
            raise RuntimeFailure(f"{what} ({block}) are not supported by the local platform")
    containers = group.get("container", ())
    return [_plan_container(state, group, container, len(containers) == 1, around) for container in containers]


def _plan_container(
    state: State, group: Resource, container: Mapping[str, Any], alone: bool, around: Surroundings
) -> Container:
    if container.get("volume"):
        raise RuntimeFailure(f"volumes (container {container['name']}) are not supported by the local platform")
    name = group["name"] if alone else f"{group['name']}.{container['name']}"
    image = registry.pull(state, group, container["image"], around.home / "images")
    listens_on = _port(container)
    port = around.port_for(name)
    scratch = around.home / "run" / "scratch" / name
    process = ProcessSpec(
        name=name,
        kind="server",
        argv=_command(container, image),
        port=port,
        health=Health("http", "/healthz"),
        cwd=str(scratch),
        env={**_environment(state, container, around), **_host_environment(image, scratch, port)},
        restart=group.get("restart_policy", "Always"),
        version=image.digest,
    )
    return Container(group, listens_on, process)


def _port(container: Mapping[str, Any]) -> int:
    """The port the program listens on: its PORT if that is set, else the only port the container declares."""
    declared = [int(port["port"]) for port in container.get("ports") or ()]
    chosen = (container.get("environment_variables") or {}).get("PORT")
    if chosen:
        return int(chosen)
    if len(declared) != 1:
        raise RuntimeFailure(f"container {container['name']} declares {len(declared)} ports and sets no PORT; set PORT")
    return declared[0]


def _command(container: Mapping[str, Any], image: registry.Image) -> tuple[str, ...]:
    command = tuple(container.get("commands") or image.entrypoint)
    if command[0] not in ("python", "python3"):
        raise RuntimeFailure(f"command {command[0]!r} is not in the local image, which holds `python` only")
    return (image.python, *command[1:])


def _environment(state: State, container: Mapping[str, Any], around: Surroundings) -> dict[str, str]:
    secure = container.get("secure_environment_variables") or {}
    plain = container.get("environment_variables") or {}
    return {**plain, **{name: _secret(state, value, around) for name, value in secure.items()}}


def _secret(state: State, value: str, around: Surroundings) -> str:
    uri = databases.MongoUri.parse(value)
    if uri is None or databases.account_of(uri, state) is None:
        return value
    return around.external_mongodb or uri.at(around.mongo_port)


def _host_environment(image: registry.Image, scratch: Path, port: int) -> dict[str, str]:
    """What the container runtime itself would provide, plus the loopback address and a port of its own."""
    return {
        "PATH": f"{Path(image.python).parent}:/usr/bin:/bin",
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join(image.path),
        "PYTHONUNBUFFERED": "1",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
