"""`push` to Azure Container Registry: build for linux/amd64 with Docker, push, and keep digest and papers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from ops.azure import az
from ops.config.environment import Environment
from ops.errors import ImageError
from ops.images import documents as images_papers
from ops.images import engine as images_engine
from ops.images import provenance as images_origin
from ops.images.catalog import Image, Pushed, tag_for
from ops.images.engine import PLATFORM, Built
from ops.images.provenance import UNKNOWN, Origin

_MOVING = ("latest", "main", "master", "edge", "stable")
_SEMANTIC = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")


def push(image: Image, environment: Environment, home: Path) -> Pushed:
    """Builds and pushes under every tag; the digest is the registry's, and the papers lie in `home`/images."""
    tags(image, images_origin.look(image.source.folder))  # before anything is built
    client = images_engine.connect()
    repository = reference(environment, image)
    az.act("acr", "login", "--name", environment.need("ACR_NAME"))
    built = images_engine.build(client, image, f"{repository}:{image.tag}", environment.settings.base_image)
    digests = {tag: images_engine.push(client, built.image, repository, tag) for tag in tags(image, built.origin)}
    write_papers(home, image, digests[image.tag], built)
    return Pushed(image, digests[image.tag], built=True)


def write_papers(home: Path, image: Image, digest: str, built: Built) -> None:
    given = {**built.arguments, "platform": PLATFORM}
    images_papers.write(home, image, digest, built.python, built.origin, parameters=given)


def tags(image: Image, origin: Origin) -> tuple[str, ...]:
    """The tag that Terraform names, the project's version, and the commit's; ImageError for a tag that moves.

    What no commit holds gets no commit's tag: it would name another content.
    """
    if image.tag in _MOVING:
        raise ImageError(
            f"image.tag of {image.server} is {image.tag!r}, which tells no two images apart; give it a version "
            "such as 0.1.0 in mcp_servers of terraform.tfvars"
        )
    commit = () if origin.dirty or origin.commit == UNKNOWN else (tag_for(origin.commit),)
    return tuple(dict.fromkeys((image.tag, *_version(image), *commit)))


def commands(image: Image, environment: Environment) -> list[str]:
    name = reference(environment, image)
    origin = images_origin.look(image.source.folder)
    given = images_engine.build_arguments(image, origin, environment.settings.base_image)
    arguments = " ".join(f"--build-arg {key}={value}" for key, value in given.items())
    wanted = tags(image, origin)
    return [
        az.command("acr", "login", "--name", environment.need("ACR_NAME")),
        f"docker build --platform {PLATFORM} -t {name}:{image.tag} {arguments} {image.source.folder}",
        *(f"docker tag {name}:{image.tag} {name}:{tag}" for tag in wanted if tag != image.tag),
        *(f"docker push {name}:{tag}" for tag in wanted),
    ]


def reference(environment: Environment, image: Image) -> str:
    """The image's name in the registry, without a tag."""
    return f"{environment.need('ACR_NAME').lower()}.azurecr.io/{image.repository}"


def _version(image: Image) -> tuple[str, ...]:
    """The version of the server's project, where it is one."""
    path = image.source.folder / "pyproject.toml"
    found = str(tomllib.loads(path.read_text(encoding="utf-8")).get("project", {}).get("version", ""))
    # A tag holds no plus sign ("OCI Distribution Specification", Pulling manifests).
    return (found.replace("+", "-"),) if _SEMANTIC.fullmatch(found) else ()
