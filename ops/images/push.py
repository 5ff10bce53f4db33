"""`invoke push`: every server's image into the environment's registry, and its digest to where Terraform reads it."""

from __future__ import annotations

from collections.abc import Sequence

from ops.cli.steps import Runner
from ops.config.environment import Environment
from ops.images import catalog, docker_images, images_json, local_store, upstream
from ops.images.catalog import Image, Pushed
from ops.terraform import workspace
from ops.terraform.workspace import Workspace


def push(environment: Environment, runner: Runner, server: str | None = None) -> None:
    """Build what changed, put it into the registry, and write its digest where Terraform reads it."""
    wanted = catalog.decide(environment, server)
    upstream.require_engine(environment)
    with runner.lock(environment.home):
        if not environment.is_local:
            names = ", ".join(f"{image.repository}:{image.tag}" for image in wanted)
            runner.confirm(f"Build and push {names} to {environment.need('ACR_NAME')}?")
        space = workspace.locate(environment, {}, runner=runner)
        push_all(space, wanted)
        upstream.import_all(space)


def push_all(space: Workspace, wanted: Sequence[Image]) -> list[Pushed]:
    """Push these images and write their digests into images.json."""
    pushed = []
    for image in wanted:
        with space.runner.progress(f"image {image.repository}") as result:
            done = _push_one(space, image)
            result.append(f"{'built' if done.built else 'unchanged'} {done.digest[:19]}")
            pushed.append(done)
    entries = {done.image.server: done.entry() for done in pushed}
    images_json.update(space.images_file, entries, space.runner)
    return pushed


def _push_one(space: Workspace, image: Image) -> Pushed:
    environment, runner = space.environment, space.runner
    if not environment.is_local:
        return docker_images.push(image, environment, space.home, runner)
    if environment.settings.runtime == "docker":
        return docker_images.keep(image, environment, space.home, runner)
    return local_store.push(image, space.home, runner)
