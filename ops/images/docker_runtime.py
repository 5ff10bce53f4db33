"""`push` where the local platform runs containers (RUNTIME=docker): the Docker engine builds, the twin notes the name.

With REGISTRY=acr the image also goes to ACR_NAME and is known by the registry's digest, as on Azure; without, by the
engine's own id.
"""

from __future__ import annotations

import json
from pathlib import Path

from ops.config.environment import Environment
from ops.images import acr as images_azure
from ops.images import documents as images_papers
from ops.images import engine as images_engine
from ops.images.catalog import Image, Pushed


def push(image: Image, environment: Environment, home: Path) -> Pushed:
    """Builds the image and leaves its name where the twin looks for it; an unchanged one keeps its digest."""
    name = images_azure.reference(environment, image)
    if environment.settings.registry == "acr":
        digest = images_azure.push(image, environment, home).digest
        reference = f"{name}@{digest}"
    else:
        client = images_engine.connect()
        built = images_engine.build(client, image, f"{name}:{image.tag}", environment.settings.base_image)
        digest = reference = str(built.image.id)
        images_azure.write_papers(home, image, digest, built)
    new = _note(home, image, digest, reference)
    return Pushed(image, digest, built=new)


def commands(image: Image, environment: Environment) -> list[str]:
    lines = images_azure.commands(image, environment)
    return lines if environment.settings.registry == "acr" else lines[1:2]


def _note(home: Path, image: Image, digest: str, reference: str) -> bool:
    """`image.json` as images_local writes it, and the tag; whether it is new."""
    folder = images_papers.folder(home, image.repository, digest)
    folder.mkdir(parents=True, exist_ok=True)
    described = {
        "digest": digest,
        "entrypoint": list(image.source.entrypoint),
        "path": [],
        "python": "",
        "reference": reference,
    }
    text = json.dumps(described, indent=2)
    path, tags = folder / "image.json", folder.parent / "tags.json"
    new = not path.exists() or path.read_text(encoding="utf-8") != text
    path.write_text(text, encoding="utf-8")
    known = json.loads(tags.read_text(encoding="utf-8")) if tags.exists() else {}
    tags.write_text(json.dumps({**known, image.tag: digest}, indent=2, sort_keys=True), encoding="utf-8")
    return new
