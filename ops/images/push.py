"""`invoke push`: every server's image into the environment's registry, and its digest to where Terraform reads it."""

from __future__ import annotations

from collections.abc import Sequence

from ops.cli import output
from ops.config import lock
from ops.config.environment import Environment
from ops.images import acr as images_azure
from ops.images import catalog as images
from ops.images import docker_runtime as images_docker
from ops.images import local_store as images_local
from ops.images.catalog import Image, Pushed
from ops.terraform import workspace
from ops.terraform.workspace import Workspace


def push(environment: Environment, server: str | None = None, *, dry_run: bool = False, yes: bool = False) -> None:
    """Builds what changed, puts it into the registry, and writes its digest where Terraform reads it."""
    wanted = images.decide(environment, server)
    if dry_run:
        for line in commands(environment, wanted):
            output.data(line)
        return
    with lock.held(environment.home):
        if not environment.is_local:
            names = ", ".join(f"{image.repository}:{image.tag}" for image in wanted)
            output.confirm(f"Build and push {names} to {environment.need('ACR_NAME')}?", yes=yes)
        push_all(workspace.described(environment, {}), wanted)


def commands(environment: Environment, wanted: Sequence[Image]) -> list[str]:
    if environment.is_local and environment.settings.runtime == "docker":
        return [line for image in wanted for line in images_docker.commands(image, environment)]
    if environment.is_local:
        return [line for image in wanted for line in images_local.commands(image)]
    return [line for image in wanted for line in images_azure.commands(image, environment)]


def push_all(space: Workspace, wanted: Sequence[Image]) -> list[Pushed]:
    pushed = []
    for image in wanted:
        with output.step(f"image {image.repository}") as result:
            done = _push_one(space, image)
            result.append(f"{'built' if done.built else 'unchanged'} {done.digest[:19]}")
            pushed.append(done)
    images.record(space.images_file, pushed)
    return pushed


def _push_one(space: Workspace, image: Image) -> Pushed:
    if space.environment.is_local and space.environment.settings.runtime == "docker":
        return images_docker.push(image, space.environment, space.home)
    if space.environment.is_local:
        return images_local.push(image, space.home)
    return images_azure.push(image, space.environment, space.home)
