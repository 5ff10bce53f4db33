"""Container groups as processes or containers: image, environment, ports, and what cannot be stood in for here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emulators.base.errors import EmulatorError
from emulators.base.state import Resource, State
from twin.errors import RuntimeFailure
from twin.supervise import databases, docker_server, documentdb, private_link, registry
from twin.supervise.spec import Health, Liveness, ProcessSpec

_GROUP = "azurerm_container_group"
_UNSUPPORTED = {
    "init_container": "init containers",
}


AZURE_DNS = "168.63.129.16"  # "What is IP address 168.63.129.16": it knows the zones that are linked to a network


@dataclass(frozen=True)
class PlanContext:
    """What a container meets when it starts: the image store, its MongoDB, and the ports that are free.

    `user_per_key`: the MongoDB is a container, whose users have one password each (see databases.users). `in_docker`:
    container groups become containers. `identity_for`: a group's way to tokens of its identities, as variables.
    """

    home: Path
    mongo_port: int
    external_mongodb: str | None
    port_for: Callable[[str], int]
    user_per_key: bool = False
    in_docker: bool = False
    identity_for: Callable[[Resource], Mapping[str, str]] = lambda _: {}


@dataclass(frozen=True)
class Container:
    """One planned container; `listens_on` is the port that production would see, `process.port` the local one.

    `cut_off`: account name → why the container has no way to that database.
    """

    group: Resource
    listens_on: int
    process: ProcessSpec
    cut_off: Mapping[str, str]

    @property
    def ip_address(self) -> str:
        return str(self.group.get("ip_address", ""))


def plan_containers(state: State, context: PlanContext) -> tuple[list[Container], dict[str, str]]:
    """All containers that can start, and for each group that cannot, why."""
    planned: list[Container] = []
    refused: dict[str, str] = {}
    for group in state.of_type(_GROUP):
        try:
            planned.extend(_plan_group(state, group, context))
        except EmulatorError as error:
            refused[group["name"]] = f"container group {group['name']} does not start: {error}"
    return planned, refused


def _plan_group(state: State, group: Resource, context: PlanContext) -> list[Container]:
    for block, what in _UNSUPPORTED.items():
        if group.get(block):
            raise RuntimeFailure(f"{what} ({block}) are not supported by the local platform")
    first, *others = group.get("container", ())
    behind = [_plan_container(state, group, other, f"{group['name']}.{other['name']}", context) for other in others]
    # Azure's containers of one group meet on localhost. Here each has a port of its own, which the first is told.
    local = {f"://127.0.0.1:{other.listens_on}": f"://127.0.0.1:{other.process.port}" for other in behind}
    return [_plan_container(state, group, first, group["name"], context, local), *behind]


def plan_container(state: State, group: Resource, context: PlanContext, name: str) -> Container:
    """The one container of a group as a replica of something else: called `name`, its port chosen when it starts."""
    return _plan_container(state, group, group["container"][0], name, replace(context, port_for=lambda _: 0))


def _plan_container(
    state: State,
    group: Resource,
    container: Mapping[str, Any],
    name: str,
    context: PlanContext,
    local: Mapping[str, str] | None = None,
) -> Container:
    if container.get("volume"):
        raise RuntimeFailure(f"volumes (container {container['name']}) are not supported by the local platform")
    image = registry.pull(state, group, container["image"], context.home / "images")
    listens_on = _port(container)
    port = context.port_for(name)
    liveness = _liveness(container, listens_on)
    scratch = context.home / "run" / "scratch" / name
    environment, cut_off = _environment(state, group, container, context)
    for there, here in (local or {}).items():
        environment = {key: re.sub(f"{re.escape(there)}(?![0-9])", here, value) for key, value in environment.items()}
    if image.foreign and not context.in_docker:
        raise RuntimeFailure(
            f"image {image.reference} runs in a container only; deploy with `--setting RUNTIME=docker`"
        )
    if context.in_docker:
        secret = frozenset({*(container.get("secure_environment_variables") or ()), "IDENTITY_HEADER"})
        # Of an image that somebody else publishes nobody knows what it answers, only that it does.
        health = Health("http", statuses=(100, 599)) if image.foreign else Health("http", _health_path(container))
        box = docker_server.Box(
            name, image.reference, tuple(container.get("commands") or image.entrypoint), port,
            {key: value for key, value in environment.items() if key not in secret},
            {key: value for key, value in environment.items() if key in secret},
            float(container.get("memory") or 0), listens_on if image.foreign else 0,
        )  # fmt: skip
        spec = docker_server.spec(box, health, group.get("restart_policy", "Always"), image.digest, context.home)
        return Container(
            group, listens_on, replace(spec, liveness=liveness, address=str(group.get("ip_address", ""))), cut_off
        )
    process = ProcessSpec(
        name=name,
        kind="server",
        argv=_command(container, image),
        port=port,
        health=Health("http", _health_path(container)),
        cwd=str(scratch),
        env={**environment, **_host_environment(image, scratch, port)},
        restart=group.get("restart_policy", "Always"),
        liveness=liveness,
        version=image.digest,
        address=str(group.get("ip_address", "")),
    )
    return Container(group, listens_on, process, cut_off)


def _port(container: Mapping[str, Any]) -> int:
    """The port the program listens on: its PORT if that is set, else the only port the container declares."""
    declared = [int(port["port"]) for port in container.get("ports") or ()]
    chosen = (container.get("environment_variables") or {}).get("PORT")
    if chosen:
        return int(chosen)
    if len(declared) != 1:
        raise RuntimeFailure(f"container {container['name']} declares {len(declared)} ports and sets no PORT; set PORT")
    return declared[0]


def _health_path(container: Mapping[str, Any]) -> str:
    """Where the container's own probes look, else where every server of this project answers."""
    for probe in ("readiness_probe", "liveness_probe"):
        for block in container.get(probe) or ():
            for request in block.get("http_get") or ():
                return str(request.get("path") or "/")
    return "/healthz"


def _liveness(container: Mapping[str, Any], listens_on: int) -> Liveness | None:
    """The container's own probe, executed as Container Instances does; without one, a hung container is left alone.

    "Configure liveness probes" (2018-06-08, as of 2026 the same): it behaves like Kubernetes' one, whose defaults are
    10 s, 1 s and 3 failures, and for which 200 to 399 is well ("Configure Liveness, Readiness and Startup Probes").
    """
    name = container["name"]
    for probe in container.get("liveness_probe") or ():
        requests = probe.get("http_get") or ()
        if not requests:
            raise RuntimeFailure(f"liveness probes by command (container {name}) are not supported locally")
        request = requests[0]
        if request.get("http_headers") or str(request.get("scheme") or "http").lower() != "http":
            raise RuntimeFailure(f"liveness probes with https or headers (container {name}) are not supported locally")
        if (port := int(request.get("port") or listens_on)) != listens_on:
            raise RuntimeFailure(
                f"the liveness probe of container {name} asks port {port} and the server listens on {listens_on}, so "
                "it would be restarted for ever; give both the same port"
            )
        return Liveness(
            Health("http", str(request.get("path") or "/"), statuses=(200, 399)),
            delay=float(probe.get("initial_delay_seconds") or 0),
            period=float(probe.get("period_seconds") or 10),
            timeout=float(probe.get("timeout_seconds") or 1),
            failures=int(probe.get("failure_threshold") or 3),
        )
    return None


def _command(container: Mapping[str, Any], image: registry.Image) -> tuple[str, ...]:
    if not image.python:
        raise RuntimeFailure("its image was built for Docker; run `invoke push`, which builds the local one")
    command = tuple(container.get("commands") or image.entrypoint)
    if command[0] not in ("python", "python3"):
        raise RuntimeFailure(f"command {command[0]!r} is not in the local image, which holds `python` only")
    return (image.python, *command[1:])


def _environment(
    state: State, group: Resource, container: Mapping[str, Any], context: PlanContext
) -> tuple[dict[str, str], dict[str, str]]:
    """The container's own variables with its databases' addresses made local, and the databases it cannot reach."""
    found: dict[str, str] = {}
    cut_off: dict[str, str] = {}
    for variables in ("environment_variables", "secure_environment_variables"):
        found |= container.get(variables) or {}
    for name, value in list(found.items()):
        if keyless := documentdb.KeylessUri.parse(value):
            found |= {name: _at_cluster(state, group, keyless, context, cut_off), **context.identity_for(group)}
            continue
        uri = databases.MongoUri.parse(value)
        account = databases.account_of(uri, state) if uri else None
        if uri is None or account is None:
            continue
        try:
            subnet_id = next(iter(group.get("subnet_ids", ())), "")
            private_link.require_database(state, account, subnet_id, name_servers=_name_servers(group))
            user = databases.user_of(account, uri) if context.user_per_key else None
            found[name] = context.external_mongodb or uri.at(context.mongo_port, user)
        except RuntimeFailure as error:
            found[name] = uri.nowhere()
            cut_off[account["name"]] = f"{group['name']} cannot reach its database: {error}"
    return found, cut_off


def _at_cluster(
    state: State, group: Resource, uri: documentdb.KeylessUri, context: PlanContext, cut_off: dict[str, str]
) -> str:
    """The address made local; at a closed port, with a line in `cut_off`, where the container has no way to it."""
    cluster = uri.cluster(state)
    if cluster is None:
        cut_off[uri.host] = f"{group['name']} cannot reach its database: no applied cluster is called {uri.host}"
        return uri.nowhere()
    try:
        subnet_id = next(iter(group.get("subnet_ids", ())), "")
        private_link.require_cluster(state, cluster, subnet_id, name_servers=_name_servers(group))
    except RuntimeFailure as error:
        cut_off[cluster["name"]] = f"{group['name']} cannot reach its database: {error}"
        return uri.nowhere()
    return uri.at(context.mongo_port)


def _name_servers(group: Resource) -> tuple[str, ...]:
    """The servers that the group asks instead of Azure's; none where it asks Azure's."""
    return tuple(server for server in group.block("dns_config").get("nameservers") or () if server != AZURE_DNS)


def _host_environment(image: registry.Image, scratch: Path, port: int) -> dict[str, str]:
    """What the container runtime itself would provide, plus the loopback address and a port of its own."""
    return {
        "PATH": f"{Path(image.python).parent}:/usr/bin:/bin",
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join(image.path),
        "PYTHONUNBUFFERED": "1",
        **({"MCP_FRONT_PATH": ":".join(image.programs)} if image.programs else {}),
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
