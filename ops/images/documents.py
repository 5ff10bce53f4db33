"""An image's papers, in a folder beside its digest: `sbom.cdx.json` (what is in it), `provenance.json` (where from)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.errors import ImageError
from ops.images import provenance as images_origin
from ops.images import sbom as images_sbom
from ops.images.catalog import Image
from ops.images.provenance import Origin

SBOM, PROVENANCE = "sbom.cdx.json", "provenance.json"


def folder(home: Path, repository: str, digest: str) -> Path:
    return home / "images" / repository / digest.removeprefix("sha256:")


def write(
    home: Path, image: Image, digest: str, python: str, origin: Origin, *, parameters: Mapping[str, str] | None = None
) -> Path:
    """Both papers of `digest`; returns their folder. ImageError where the lock is not one."""
    try:
        lock = image.source.requirements.read_bytes()
        dockerfile = (image.source.folder / "Dockerfile").read_bytes()
    except OSError as error:
        raise ImageError(f"the papers of {image.repository} need {error.filename}, which cannot be read") from error
    where = folder(home, image.repository, digest)
    where.mkdir(parents=True, exist_ok=True)
    bill = images_sbom.bill(image.repository, image.tag, digest, lock.decode(), python, origin)
    files = {"Dockerfile": dockerfile, "requirements.txt": lock}
    _write(where / SBOM, bill)
    _write(where / PROVENANCE, images_origin.statement(image.repository, digest, origin, files, parameters or {}))
    return where


def _write(path: Path, document: Mapping[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
