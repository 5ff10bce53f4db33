"""Images by Docker: pushed to Azure Container Registry, or kept in this machine's engine (setting RUNTIME=docker).

With the setting REGISTRY=acr a local platform's image also goes to ACR_NAME and is known by the registry's digest, as
on Azure; without, by the engine's own id.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from ops.azure import az, network
from ops.cli.steps import Runner, Step
from ops.config.environment import Environment
from ops.errors import AzError, ImageError
from ops.images import engine, local_store, provenance
from ops.images.catalog import Image, Pushed, tag_for
from ops.images.engine import Built
from ops.images.provenance import UNKNOWN, Origin

_MOVING = ("latest", "main", "master", "edge", "stable")
_SEMANTIC = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")


def push(image: Image, environment: Environment, home: Path, runner: Runner) -> Pushed:
    """Build and push under every tag; the digest is the registry's, and the SBOM lies in `home`/images."""
    wanted = tags(image, provenance.find_origin(*image.source.folders))  # before anything is built
    repository = repository_name(environment, image)
    reference = f"{repository}:{image.tag}"
    login = ("acr", "login", "--name", environment.need("ACR_NAME"))
    runner.run(Step(lambda: _sign_in(environment, login), None, (az.command(*login),)))
    built = _build(image, environment, home, runner, reference)
    digests = {tag: runner.run(engine.push(built, reference, repository, tag)) for tag in wanted}
    _describe(home, image, digests[image.tag], built, runner)
    return Pushed(image, digests[image.tag], built=True)


def _sign_in(environment: Environment, login: tuple[str, ...]) -> None:
    """Sign in to the registry; ToolError says where to run this instead if its network does not let this machine in."""
    try:
        az.act(*login)
    except AzError as error:
        if error.kind != "network":
            raise
        raise network.refusal(environment, f"registry {environment.need('ACR_NAME')}", error) from error


def keep(image: Image, environment: Environment, home: Path, runner: Runner) -> Pushed:
    """Build an image for this machine's containers, and note its name where the twin looks for it."""
    repository = repository_name(environment, image)
    if environment.settings.registry == "acr":
        digest = push(image, environment, home, runner).digest
        reference = f"{repository}@{digest}"
    else:
        built = _build(image, environment, home, runner, f"{repository}:{image.tag}")
        digest = reference = "sha256:(new)" if runner.dry_run else str(built.image.id)
        _describe(home, image, digest, built, runner)
    is_new = runner.run(Step(lambda: local_store.note(home, image, digest, reference), True))
    return Pushed(image, digest, built=is_new)


def tags(image: Image, origin: Origin) -> tuple[str, ...]:
    """Return the tag that Terraform names, the project's version, and the commit's; ImageError for a tag that moves.

    What no commit holds gets no commit's tag: it would name another content.
    """
    if image.tag in _MOVING:
        raise ImageError(
            f"image.tag of {image.server} is {image.tag!r}, which tells no two images apart; give it a version "
            "such as 0.1.0 in mcp_servers of terraform.tfvars"
        )
    commit = () if origin.dirty or origin.commit == UNKNOWN else (tag_for(origin.commit),)
    return tuple(dict.fromkeys((image.tag, *_version(image), *commit)))


def repository_name(environment: Environment, image: Image) -> str:
    """Return the image's name in the registry, without a tag."""
    return f"{environment.need('ACR_NAME').lower()}.azurecr.io/{image.repository}"


def _build(image: Image, environment: Environment, home: Path, runner: Runner, reference: str) -> Built:
    metadata = home / "images" / image.repository / "buildx.json"
    runner.run(Step(lambda: metadata.parent.mkdir(parents=True, exist_ok=True), None))
    return runner.run(engine.build(image, reference, metadata, environment.settings.base_image))


def _describe(home: Path, image: Image, digest: str, built: Built, runner: Runner) -> None:
    def act() -> None:
        local_store.describe(home, image, digest, built.python, built.origin, built.arguments, built.predicate)

    runner.run(Step(act, None))


def _version(image: Image) -> tuple[str, ...]:
    """Return the version of the server's project, where it is one."""
    path = image.source.folder / "pyproject.toml"
    found = str(tomllib.loads(path.read_text(encoding="utf-8")).get("project", {}).get("version", ""))
    # A tag holds no plus sign ("OCI Distribution Specification", Pulling manifests).
    return (found.replace("+", "-"),) if _SEMANTIC.fullmatch(found) else ()
