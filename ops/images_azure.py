"""`push` to Azure Container Registry: build for linux/amd64 with Docker, push, and keep the digest."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from typing import Any

from ops import az
from ops.environment import ROOT, Environment
from ops.errors import ImageError, ToolError
from ops.images import Image, Pushed, tag_for

PLATFORM = "linux/amd64"  # what Azure Container Instances runs


def push(image: Image, environment: Environment) -> Pushed:
    """Builds, pushes the configured tag and the commit's tag; the digest is the registry's."""
    client = engine()
    repository = _reference(environment, image)
    az.run("acr", "login", "--name", environment.need("ACR_NAME"))
    built = _build(client, image, f"{repository}:{image.tag}")
    digests = {tag: _push_tag(client, built, repository, tag) for tag in tags(image, _commit())}
    return Pushed(image, digests[image.tag], built=True)


def tags(image: Image, commit: str | None) -> tuple[str, ...]:
    """The tags of one push: the one Terraform names, and the commit's."""
    return (image.tag, *((tag_for(commit),) if commit else ()))


def commands(image: Image, environment: Environment) -> list[str]:
    reference = f"{_reference(environment, image)}:{image.tag}"
    return [
        az.command("acr", "login", "--name", environment.need("ACR_NAME")),
        f"docker build --platform {PLATFORM} -t {reference} {image.source.folder}",
        f"docker push {reference}",
    ]


def pushed_digest(messages: Iterable[dict[str, Any]], reference: str) -> str:
    """The digest out of Docker's push messages; ImageError for what the registry refused."""
    digest = ""
    for message in messages:
        if "error" in message:
            raise ImageError(
                f"{reference} was not pushed: {message['error']}; check `az acr login` and the AcrPush role"
            )
        digest = (message.get("aux") or {}).get("Digest") or digest
    if not digest:
        raise ImageError(f"{reference} was pushed but the registry told no digest; push it again")
    return digest


def _reference(environment: Environment, image: Image) -> str:
    return f"{environment.need('ACR_NAME').lower()}.azurecr.io/{image.repository}"


def engine() -> Any:
    """The Docker engine's client; ToolError where none answers."""
    import docker

    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        raise ToolError(f"no Docker engine answers ({error}); start Docker Desktop or the docker service") from error
    return client


def _build(client: Any, image: Image, reference: str) -> Any:
    import docker

    try:
        built, _ = client.images.build(path=str(image.source.folder), tag=reference, platform=PLATFORM, rm=True)
    except (docker.errors.BuildError, docker.errors.APIError) as error:
        raise ImageError(
            f"{image.source.folder.name} was not built: {error}; `docker build` there shows it whole"
        ) from error
    return built


def _push_tag(client: Any, built: Any, repository: str, tag: str) -> str:
    import docker

    built.tag(repository, tag=tag)
    try:
        return pushed_digest(client.images.push(repository, tag=tag, stream=True, decode=True), f"{repository}:{tag}")
    except docker.errors.APIError as error:
        raise ImageError(f"{repository}:{tag} was not pushed: {error}; check the network and `az acr login`") from error


def _commit() -> str | None:
    answer = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None
