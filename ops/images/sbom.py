"""The bill of materials of an image (CycloneDX 1.6, JSON), made from the lock that the image was installed from.

It names the Python packages and the base image. What the base itself holds is the base's own bill: take it from whoever
publishes the base, or let a scanner read the image.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ops.errors import ImageError
from ops.images.provenance import Origin, timestamp

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VERSION = re.compile(r"==([^=*,\s]+)$")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/schema/bom-1.6")


@dataclass(frozen=True)
class Package:
    """One pinned line of a lock; `hashes` are those of all its files, of which one was installed."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def packages(lock: str, python: str) -> list[Package]:
    """What the lock installs on linux/amd64 with CPython `python` ("3.12.4"), by name; ImageError for a loose line."""
    around = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
    }
    return sorted(_wanted(lock, around), key=lambda package: package.name)


def _wanted(lock: str, around: Mapping[str, str]) -> Iterator[Package]:
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
        if requirement.marker is None or requirement.marker.evaluate(dict(around)):
            yield Package(canonicalize_name(requirement.name), pinned[1], hashes)


def bill(repository: str, version: str, digest: str, lock: str, python: str, origin: Origin) -> dict[str, Any]:
    """The document; the same image, lock and commit give the same bytes."""
    reference = f"pkg:oci/{repository}@{digest.replace(':', '%3A')}"
    found = packages(lock, python)
    identity = hashlib.sha256(f"{reference}\n{lock}\n{python}".encode()).hexdigest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, identity)}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(origin.epoch),
            "component": {
                "type": "container",
                "bom-ref": reference,
                "name": repository,
                "version": version,
                "purl": reference,
                "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
            },
            "properties": [
                {"name": "lock:sha256", "value": hashlib.sha256(lock.encode()).hexdigest()},
                {"name": "python:version", "value": python},
                {"name": "base:image", "value": origin.base},
                {"name": "base:digest", "value": origin.base_digest},
            ],
        },
        "components": [_component(package) for package in found],
        "dependencies": [{"ref": reference, "dependsOn": [package.purl for package in found]}],
    }


def _component(package: Package) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        # Not `hashes`, which are of the component itself: a lock allows several files, and one of them was installed.
        "properties": [{"name": "lock:file:sha256", "value": value} for value in package.hashes],
    }
