"""The SBOM of an image (CycloneDX 1.6, JSON), made from the lock that the image was installed from.

It names the Python and Node packages; the image's pedigree names the commit and the base image. What the base itself
holds is in the base's own SBOM: take it from whoever publishes the base, or let a scanner read the image.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ops.errors import ImageError
from ops.images.provenance import UNKNOWN, Origin

if TYPE_CHECKING:
    from cyclonedx.model import HashType
    from cyclonedx.model.component import Component

FILE = "sbom.cdx.json"  # CycloneDX tools know *.cdx.json ("CycloneDX Specification Overview")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VERSION = re.compile(r"==([^=*,\s]+)$")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/schema/bom-1.6")


def document(
    repository: str,
    version: str,
    digest: str,
    lock: str,
    python: str,
    origin: Origin,
    arguments: Mapping[str, str],
    node: str = "",
) -> str:
    """Return the SBOM as JSON; the same image, lock and commit give the same text.

    `python` is the image's Python ("3.12.4"), `arguments` what the build was given, `node` a package-lock.json.
    ImageError for a lock with a line that pins no version or has no hash.
    """
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    image = _image(repository, version, digest, origin)
    facts = {
        "lock:sha256": hashlib.sha256(lock.encode()).hexdigest(),
        "python:version": python,
        "source:uncommitted-changes": str(origin.dirty).lower(),
        **{f"build:argument:{name}": value for name, value in arguments.items()},
    }
    identity = hashlib.sha256(f"{digest}\n{lock}\n{python}{node}".encode()).hexdigest()
    bom = Bom(
        components=[*packages(lock, python), *node_packages(node)],
        serial_number=uuid.uuid5(_NAMESPACE, identity),
        metadata=BomMetaData(
            component=image,
            timestamp=datetime.fromtimestamp(origin.epoch, UTC),
            properties=[Property(name=name, value=value) for name, value in facts.items()],
        ),
    )
    bom.register_dependency(image, bom.components)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1) + "\n"


def packages(lock: str, python: str) -> list[Component]:
    """Return what the lock installs on linux/amd64 with CPython `python`, by name."""
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    found = []
    for name, version, hashes in sorted(set(_pinned(lock, _environment(python)))):
        purl = PackageURL("pypi", name=name, version=version)
        # Not `hashes`, which are of the component itself: a lock allows several files, and one of them was installed.
        allowed = [Property(name="lock:file:sha256", value=value) for value in hashes]
        found.append(
            Component(
                type=ComponentType.LIBRARY,
                name=name,
                version=version,
                purl=purl,
                bom_ref=purl.to_string(),
                properties=allowed,
            )
        )
    return found


def node_packages(lock: str) -> list[Component]:
    """Return what a package-lock.json installs without development packages; ImageError for one without integrity."""
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    found = {}
    for place, entry in (json.loads(lock)["packages"] if lock else {}).items():
        if not place or entry.get("dev"):
            continue
        name, version, integrity = place.rpartition("node_modules/")[2], entry["version"], entry.get("integrity")
        if not integrity:
            raise ImageError(f"the lock's package {name} has no integrity; make package-lock.json again")
        scope, _, bare = name.rpartition("/")
        purl = PackageURL("npm", namespace=scope or None, name=bare, version=version)
        found[purl.to_string()] = Component(
            type=ComponentType.LIBRARY,
            name=name,
            version=version,
            purl=purl,
            bom_ref=purl.to_string(),
            properties=[Property(name="lock:file:integrity", value=integrity)],
        )
    return [found[reference] for reference in sorted(found)]


def _image(repository: str, version: str, digest: str, origin: Origin) -> Component:
    from cyclonedx.model import XsUri
    from cyclonedx.model.component import Commit, Component, ComponentType, Pedigree
    from packageurl import PackageURL

    purl = PackageURL("oci", name=repository, version=digest)
    base = Component(
        type=ComponentType.CONTAINER,
        name=origin.base,
        bom_ref=f"base:{origin.base}",
        hashes=_sha256(origin.base_digest),
    )
    commit = Commit(uid=origin.commit, url=XsUri(origin.repository) if origin.repository else None)
    pedigree = Pedigree(
        ancestors=[base] if origin.base != UNKNOWN else (), commits=[commit] if origin.commit != UNKNOWN else ()
    )
    return Component(
        type=ComponentType.CONTAINER,
        name=repository,
        version=version,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=_sha256(digest),
        pedigree=pedigree,
    )


def _sha256(digest: str) -> list[HashType]:
    from cyclonedx.model import HashAlgorithm, HashType

    value = digest.removeprefix("sha256:")
    is_digest = re.fullmatch(r"[0-9a-f]{64}", value)
    return [HashType(alg=HashAlgorithm.SHA_256, content=value)] if is_digest else []


def _environment(python: str) -> dict[str, str]:
    """Return the values of environment markers in the image ("Dependency specifiers", environment markers)."""
    return {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
    }


def _pinned(lock: str, environment: Mapping[str, str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for line in lock.replace("\\\n", " ").splitlines():
        text, hashes = line.split("--hash", 1)[0].strip(), tuple(_HASH.findall(line))
        if not text or text.startswith("#"):
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise ImageError(f"the lock's line {text!r} cannot be read ({error}); compile it again") from error
        pinned = _VERSION.search(str(requirement.specifier))
        if pinned is None or not hashes:
            raise ImageError(f"the lock's line {text!r} must pin one version with hashes; compile it again")
        if requirement.marker is None or requirement.marker.evaluate(dict(environment)):
            yield canonicalize_name(requirement.name), pinned[1], hashes
