"""Images that somebody else publishes, `front.upstream.image` of an entry: imported by digest, never built.

On Azure the registry fetches them itself (`az acr import`); the local platform's container engine pulls them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.azure import az
from ops.cli.steps import Step
from ops.config.environment import Environment
from ops.errors import ToolError, UsageError
from ops.images import engine, local_store
from ops.terraform.workspace import Workspace
from twin.errors import RuntimeFailure
from twin.supervise import docker_engine

# As terraform/shared/variables-servers.tf has it.
_REFERENCE = re.compile(
    r"(?P<registry>[a-z0-9.-]+\.[a-z0-9-]+(:[0-9]+)?)/(?P<repository>[a-z0-9._-]+(/[a-z0-9._-]+)*)"
    r"@(?P<digest>sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Upstream:
    """The image behind one server's front: where it is published, and under which name the own registry has it."""

    server: str
    reference: str
    repository: str
    digest: str


def parse(server: str, reference: str) -> Upstream:
    """Return the image; UsageError for one without registry or digest."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise UsageError(
            f"image {reference!r} of {server} must be REGISTRY/REPOSITORY@sha256:<64 hexadecimal digits>, such as "
            "ghcr.io/owner/name@sha256:…: a tag may be given to another image tomorrow"
        )
    return Upstream(server, reference, found["repository"], found["digest"])


def wanted(environment: Environment) -> list[Upstream]:
    """Return the images that entries of mcp_servers name."""
    found = {name: _of(entry) for name, entry in environment.servers.items()}
    return [parse(name, str(upstream.get("image", ""))) for name, upstream in found.items() if upstream]


def require_engine(environment: Environment) -> None:
    """Raise ToolError where the local platform would have to run such an image and cannot; nothing is changed yet."""
    images = wanted(environment) if environment.is_local else []
    if not images:
        return
    first = f"{images[0].server} is the image {images[0].reference.partition('@')[0]}"
    if environment.settings.runtime != "docker":
        raise ToolError(
            f"{first}, and the local platform runs images in a container engine only: deploy with `--setting "
            "RUNTIME=docker` on a machine with Docker, or Podman's socket in DOCKER_HOST; or deploy that server to "
            "Azure only"
        )
    try:
        docker_engine.connect(docker_engine.environment()).close()
    except RuntimeFailure as error:
        raise ToolError(
            f"{first}, which needs a container engine: {error}; start Docker, or name Podman's socket in DOCKER_HOST"
        ) from error


def import_all(space: Workspace) -> None:
    """Bring what entries name into the environment's registry; what is there already stays."""
    for image in wanted(space.environment):
        with space.runner.progress(f"image {image.repository}") as result:
            result.append(_keep(space, image) if space.environment.is_local else _import(space, image))


def _import(space: Workspace, image: Upstream) -> str:
    registry = space.environment.need("ACR_NAME")
    held = f"{image.repository}@{image.digest}"
    show = ("acr", "repository", "show", "--name", registry, "--image", held)
    if space.runner.run(Step(lambda: az.find(*show), None)):
        return f"there {image.digest[:19]}"
    # A copy of the manifest alone, without a tag: nothing but the digest names it ("az acr import", --repository).
    copied = ("acr", "import", "--name", registry, "--source", image.reference, "--repository", image.repository)
    space.runner.run(az.step(*copied))
    return f"imported {image.digest[:19]}"


def _keep(space: Workspace, image: Upstream) -> str:
    def act() -> bool:
        client = docker_engine.connect(docker_engine.environment(), timeout=600)
        with engine.translated(f"{image.reference}, which front.upstream of {image.server} names, cannot be pulled"):
            client.images.pull(image.reference)
        return local_store.note_foreign(space.home, image.repository, image.digest, image.reference)

    is_new = space.runner.run(Step(act, True, (f"docker pull {image.reference}",)))
    return f"{'pulled' if is_new else 'unchanged'} {image.digest[:19]}"


def _of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (entry.get("front") or {}).get("upstream") or {}
    return found
