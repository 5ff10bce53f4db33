"""Building with a Docker engine and pushing from it; refusals in one sentence.

`docker buildx` builds where the docker program has it, and BuildKit's provenance is kept beside the image. It is not
pushed with it, and neither is an SBOM of BuildKit's: an image with attestations is an OCI index, which Azure Container
Instances has refused to pull as InaccessibleImage (n8n-io/n8n issue 5394, 2023-02-07; DependencyTrack/dependency-track
issue 2535, 2023-02-28). Elsewhere the engine's own classic builder builds, through its SDK.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ops.cli.steps import Step
from ops.errors import ImageError, ToolError
from ops.images import progress, provenance
from ops.images.catalog import Image
from ops.images.provenance import Origin

PLATFORM = "linux/amd64"  # what Azure Container Instances runs
_BASE = re.compile(r"^\s*ARG\s+BASE_IMAGE=(\S+)", re.MULTILINE)
_PYTHON = ["python", "-c", "import platform; print(platform.python_version())"]
# The metadata file then has the whole provenance ("docker buildx build", --metadata-file).
_WHOLE_PROVENANCE = {"BUILDX_METADATA_PROVENANCE": "max"}

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
    """An image in the engine; `python` is its interpreter's version, `arguments` what the build was given.

    `predicate`: BuildKit's provenance, empty where the classic builder built.
    """

    image: Any
    origin: Origin
    python: str
    arguments: Mapping[str, str]
    predicate: Mapping[str, Any] = field(default_factory=dict)


def connect() -> Any:
    """Return the Docker engine's client; ToolError where none answers."""
    import docker

    try:
        client = docker.from_env(timeout=600)  # seconds: a silent RUN of a build
        client.ping()
    except docker.errors.DockerException as error:
        raise ToolError(f"no Docker engine answers ({error}); start Docker Desktop or the docker service") from error
    return client


def has_buildx() -> bool:
    """Whether the docker program has buildx. No engine is asked."""
    try:
        return subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def build(image: Image, reference: str, metadata: Path, base: str | None = None) -> Step[Built]:
    """Return the step that builds the server for linux/amd64 as `reference`, on its own base or on `base`.

    `metadata`: the file that buildx writes its result to. ImageError says what failed.
    """
    origin = provenance.find_origin(*image.source.folders)
    arguments = build_arguments(image, origin, base)
    chosen = base or default_base(image.source.dockerfile.read_text(encoding="utf-8"))
    options = ["--platform", PLATFORM, "-t", reference]
    options += [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]

    def act() -> Built:
        client = connect()
        with translated(f"{image.source.folder.name} was not built"):
            network = _network(client)
            if buildx:
                _run_buildx([*command, *(["--network", network] if network else []), *where], image)
                predicate = _predicate(metadata)
                found = replace(origin, base=chosen, base_digest=_material(predicate))
            else:
                _build_classic(client, image, reference, arguments, network)
                predicate, found = {}, _on_base(client, origin, chosen)
            built = client.images.get(reference)
            python = client.containers.run(
                built.id, _PYTHON[1:], entrypoint=_PYTHON[:1], network_disabled=True, remove=True
            )
        return Built(built, found, python.decode().strip(), {**arguments, "platform": PLATFORM}, predicate)

    buildx = has_buildx()
    where = ["-f", str(image.source.dockerfile), str(image.source.context)]
    if buildx:
        command = ["docker", "buildx", "build", "--load", "--provenance=false", "--progress=plain"]
        command += ["--metadata-file", str(metadata), *options]
    else:
        command = ["docker", "build", *options]
    prefix = "".join(f"{name}={value} " for name, value in _WHOLE_PROVENANCE.items()) if buildx else ""
    return Step(act, Built(None, origin, "", arguments), (f"{prefix}{shlex.join([*command, *where])}",))


def build_arguments(image: Image, origin: Origin, base: str | None) -> dict[str, str]:
    """Return what the Dockerfile's ARGs get; the same folder at the same commit gets the same."""
    given = {
        "SOURCE_DATE_EPOCH": str(origin.epoch),
        "VERSION": image.tag,
        "REVISION": origin.revision,
        "CREATED": provenance.timestamp(origin.epoch),
    }
    return {**given, **({"BASE_IMAGE": base} if base else {})}


def default_base(dockerfile: str) -> str:
    """Return the value that BASE_IMAGE has when nobody gives one."""
    found = _BASE.search(dockerfile)
    return found[1] if found else provenance.UNKNOWN


def push(built: Built, reference: str, repository: str, tag: str) -> Step[str]:
    """Return the step that pushes one tag of what was built as `reference`; its result is the registry's digest."""
    name = f"{repository}:{tag}"

    def act() -> str:
        with translated(f"{name} was not pushed"):
            built.image.tag(repository, tag=tag)
            messages = connect().images.push(repository, tag=tag, stream=True, decode=True)
            return pushed_digest(progress.push(messages, name), name)

    tagged = [] if name == reference else [f"docker tag {reference} {name}"]
    return Step(act, "sha256:(new)", (*tagged, f"docker push {name}"))


def pushed_digest(messages: Iterable[dict[str, Any]], reference: str) -> str:
    """Return the digest out of Docker's push messages; ImageError for what the registry refused."""
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
    """Raise errors of the SDK, and of the HTTP library below it, as ImageError."""
    import docker
    from requests.exceptions import RequestException

    try:
        yield
    except (docker.errors.DockerException, RequestException, OSError) as error:
        raise ImageError(f"{what}: {explained(str(error))}") from error


def explained(said: str) -> str:
    """Return what helps, where that is known; then what the engine or the registry said, on one line."""
    text = " ".join(said.split())[:500]
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, text, re.IGNORECASE):
            return f"{remedy}; Docker says: {text}"
    return f"{text}; `docker build` or `docker push` by hand shows it whole"


def _run_buildx(command: list[str], image: Image) -> None:
    process = subprocess.Popen(
        command,
        env={**os.environ, **_WHOLE_PROVENANCE},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    last = ""
    for line in progress.buildx(process.stderr or ()):
        last = line if line.startswith("ERROR") else last or line
    if process.wait():
        raise ImageError(f"{image.source.folder.name} was not built: {explained(last)}")


def _build_classic(
    client: Any, image: Image, reference: str, arguments: Mapping[str, str], network: str | None
) -> None:
    messages = client.api.build(
        path=str(image.source.context),
        dockerfile=image.source.dockerfile.relative_to(image.source.context).as_posix(),
        tag=reference,
        platform=PLATFORM,
        buildargs=dict(arguments),
        network_mode=network,
        rm=True,
        forcerm=True,
        decode=True,
    )
    for message in progress.build(messages):
        if "error" in message:
            raise ImageError(f"{image.source.folder.name} was not built: {explained(str(message['error']))}")


def _predicate(metadata: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(metadata.read_text(encoding="utf-8")).get("buildx.build.provenance") or {}
    return found


def _material(predicate: Mapping[str, Any]) -> str:
    """Return the digest of the first image among what BuildKit built from; "unknown" where it names none."""
    definition = predicate.get("buildDefinition") or {}
    materials = definition.get("resolvedDependencies") or predicate.get("materials") or ()
    images = (one for one in materials if str(one.get("uri", "")).startswith("pkg:docker/"))
    found = next((one["digest"]["sha256"] for one in images if "sha256" in (one.get("digest") or {})), "")
    return f"sha256:{found}" if found else provenance.UNKNOWN


def _network(client: Any) -> str | None:
    """Return "host" for an engine without a bridge, or that forwards nothing: packages are fetched while building."""
    bridged = any(network.name == "bridge" for network in client.networks.list())
    return None if bridged and client.info().get("IPv4Forwarding", True) else "host"


def _on_base(client: Any, origin: Origin, base: str) -> Origin:
    with translated(f"the base image {base} was not found"):
        found = client.images.get(base)
    digests = found.attrs.get("RepoDigests") or ()
    return replace(origin, base=base, base_digest=digests[0].rpartition("@")[2] if digests else str(found.id))
