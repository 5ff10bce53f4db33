"""Building with a Docker engine (its SDK, the classic builder), and pushing from it; refusals in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ops.errors import ImageError, ToolError
from ops.images import progress as images_progress
from ops.images import provenance as images_origin
from ops.images.catalog import Image
from ops.images.provenance import Origin

PLATFORM = "linux/amd64"  # what Azure Container Instances runs
_BASE = re.compile(r"^\s*ARG\s+BASE_IMAGE=(\S+)", re.MULTILINE)
_PYTHON = ["python", "-c", "import platform; print(platform.python_version())"]

# What engines and registries say → what helps. The first that is found wins.
_REMEDIES = (
    (r"no space left on device|disk quota exceeded", "the disk is full; `docker system prune` frees what nothing uses"),
    (
        r"unauthorized|authentication required|denied|no basic auth|401",
        "the registry knows no such sign-in; check `az acr login` and the AcrPush role",
    ),
    (r"toomanyrequests|429", "the registry asks for patience; try again in some minutes"),
    (r"manifest unknown|manifest for .* not found|not found: manifest", "there is no such image; check its name"),
    (
        r"no such host|connection refused|i/o timeout|TLS handshake|x509|Bad Gateway|network is unreachable",
        "the registry cannot be reached; check the network, its proxy and whom the engine trusts",
    ),
    (r"cannot connect to the docker daemon|Connection aborted", "the Docker engine went away; start it again"),
)


@dataclass(frozen=True)
class Built:
    """An image in the engine; `python` is its interpreter's version, `arguments` what the build was given."""

    image: Any
    origin: Origin
    python: str
    arguments: Mapping[str, str]


def connect() -> Any:
    """The Docker engine's client; ToolError where none answers."""
    import docker

    try:
        client = docker.from_env(timeout=600)  # seconds: a silent RUN of a build
        client.ping()
    except docker.errors.DockerException as error:
        raise ToolError(f"no Docker engine answers ({error}); start Docker Desktop or the docker service") from error
    return client


def build(client: Any, image: Image, reference: str, base: str | None = None) -> Built:
    """Builds the folder for linux/amd64 as `reference`, on its own base or on `base`. ImageError says what failed."""
    origin = images_origin.look(image.source.folder)
    arguments = build_arguments(image, origin, base)
    with translated(f"{image.source.folder.name} was not built"):
        messages = client.api.build(
            path=str(image.source.folder),
            tag=reference,
            platform=PLATFORM,
            buildargs=dict(arguments),
            network_mode=_network(client),
            rm=True,
            forcerm=True,
            decode=True,
        )
        _finish(images_progress.build(messages), image)
        built = client.images.get(reference)
        python = client.containers.run(
            built.id, _PYTHON[1:], entrypoint=_PYTHON[:1], network_disabled=True, remove=True
        )
    chosen = base or default_base((image.source.folder / "Dockerfile").read_text(encoding="utf-8"))
    return Built(built, _on_base(client, origin, chosen), python.decode().strip(), arguments)


def build_arguments(image: Image, origin: Origin, base: str | None) -> dict[str, str]:
    """What the Dockerfile's ARGs get; the same folder at the same commit gets the same."""
    given = {
        "SOURCE_DATE_EPOCH": str(origin.epoch),
        "VERSION": image.tag,
        "REVISION": origin.revision,
        "CREATED": images_origin.timestamp(origin.epoch),
    }
    return {**given, **({"BASE_IMAGE": base} if base else {})}


def default_base(dockerfile: str) -> str:
    """The value that BASE_IMAGE has when nobody gives one."""
    found = _BASE.search(dockerfile)
    return found[1] if found else images_origin.UNKNOWN


def push(client: Any, built: Any, repository: str, tag: str) -> str:
    """Pushes one tag, layer by layer; the digest is the registry's own word."""
    reference = f"{repository}:{tag}"
    with translated(f"{reference} was not pushed"):
        built.tag(repository, tag=tag)
        messages = client.images.push(repository, tag=tag, stream=True, decode=True)
        return pushed_digest(images_progress.push(messages, reference), reference)


def pushed_digest(messages: Iterable[dict[str, Any]], reference: str) -> str:
    """The digest out of Docker's push messages; ImageError for what the registry refused."""
    digest = ""
    for message in messages:
        if "error" in message:
            raise ImageError(f"{reference} was not pushed: {explained(str(message['error']))}")
        digest = (message.get("aux") or {}).get("Digest") or digest
    if not digest:
        raise ImageError(f"{reference} was pushed but the registry told no digest; push it again")
    return digest


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Errors of the SDK, and of the HTTP library below it, as ImageError."""
    import docker
    from requests.exceptions import RequestException

    try:
        yield
    except (docker.errors.DockerException, RequestException, OSError) as error:
        raise ImageError(f"{what}: {explained(str(error))}") from error


def explained(said: str) -> str:
    """What helps, where that is known; then what the engine or the registry said, on one line."""
    text = " ".join(said.split())[:500]
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, text, re.IGNORECASE):
            return f"{remedy}; Docker says: {text}"
    return f"{text}; `docker build` or `docker push` by hand shows it whole"


def _finish(messages: Iterable[dict[str, Any]], image: Image) -> None:
    for message in messages:
        if "error" in message:
            raise ImageError(f"{image.source.folder.name} was not built: {explained(str(message['error']))}")


def _network(client: Any) -> str | None:
    """Packages are fetched while building; an engine without a bridge, or that forwards nothing, has no other way."""
    bridged = any(network.name == "bridge" for network in client.networks.list())
    return None if bridged and client.info().get("IPv4Forwarding", True) else "host"


def _on_base(client: Any, origin: Origin, base: str) -> Origin:
    with translated(f"the base image {base} was not found"):
        found = client.images.get(base)
    digests = found.attrs.get("RepoDigests") or ()
    return replace(origin, base=base, base_digest=digests[0].rpartition("@")[2] if digests else str(found.id))
