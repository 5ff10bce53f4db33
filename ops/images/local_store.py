"""Images on this machine: a folder of the twin's home for a registry, a virtual environment for layers.

    <home>/images/<repository>/tags.json                     {tag: digest}
    <home>/images/<repository>/<digest hex>/image.json       {"entrypoint", "python", "path", "digest"
                                                              [, "reference"][, "programs"]}
    <home>/images/<repository>/<digest hex>/src              the code of the server and its packages, as it was then
    <home>/images/<repository>/<digest hex>/sbom.cdx.json    its SBOM
    <home>/images/<repository>/<digest hex>/provenance.json  where BuildKit built it

What its locks install is shared by every home of this checkout (installed.py).
"""

from __future__ import annotations

import compileall
import json
import platform
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.cli.steps import Runner, Step
from ops.errors import ImageError
from ops.images import installed, provenance, sbom
from ops.images.catalog import Image, Pushed, Source, content_digest
from ops.images.provenance import Origin


def push(image: Image, home: Path, runner: Runner, *, venvs: Path = installed.VENVS) -> Pushed:
    """Put one image into the store; doing it again with the same content changes nothing."""
    digest = content_digest(image.source)
    place = folder(home, image.repository, digest)
    entry = {**_installed(image.source, venvs, runner), "path": [str(place / "src")], "digest": digest}
    is_new = bool(_read(place / "image.json") != entry)

    def act() -> None:
        if is_new:
            _store(image.source, place, entry)
            origin = provenance.find_origin(*image.source.folders)
            describe(home, image, digest, platform.python_version(), origin, {})
        _tag(place.parent / "tags.json", image.tag, digest)

    runner.run(Step(act, None, _lines(image, place, is_new=is_new)))
    return Pushed(image, digest, is_new)


def from_folders(source: Source, runner: Runner, *, venvs: Path = installed.VENVS) -> dict[str, Any]:
    """Return what `push` stores of an image, but running from the server's own folders, as they are now."""
    sources = [str(part / "src") for part in source.folders if (part / "src").is_dir()]
    return {**_installed(source, venvs, runner), "path": sources, "digest": content_digest(source)}


def _installed(source: Source, venvs: Path, runner: Runner) -> dict[str, Any]:
    """Install the locks; return what starts the server, and with which interpreter."""
    python = installed.python_packages(source.requirements, venvs, runner)
    entry: dict[str, Any] = {"entrypoint": list(source.entrypoint), "python": str(python)}
    if source.behind_front:
        entry["programs"] = [str(folder) for folder in _programs(source, venvs, runner)]
    return entry


def _programs(source: Source, venvs: Path, runner: Runner) -> list[Path]:
    """Install what runs behind the front; return the folders in which the front looks for its program."""
    folders = []
    if source.python_behind:
        folders.append(installed.python_packages(source.python_behind, venvs, runner, closed=True).parent)
    if source.node_behind:
        modules = installed.node_packages(source.node_behind, venvs, runner)
        folders += [modules / "node_modules" / ".bin", installed.node_folder(runner)]
    return folders


def _lines(image: Image, place: Path, *, is_new: bool) -> tuple[str, ...]:
    """Return the commands that put the code there, and what else is written; none where it is there already."""
    tagged = (_read(place.parent / "tags.json") or {}).get(image.tag) == f"sha256:{place.name}"
    sources = [str(part / "src") for part in image.source.folders if (part / "src").is_dir()]
    copied = f"mkdir -p {shlex.quote(str(place))} && {shlex.join(['cp', '-R', *sources, f'{place}/'])}"
    noted = f"# tags.json of {image.repository}: {image.tag} is sha256:{place.name}"
    return (*((copied,) if is_new else ()), *(() if tagged else (noted,)))


def folder(home: Path, repository: str, digest: str) -> Path:
    """Return where everything of one image lies."""
    return home / "images" / repository / digest.removeprefix("sha256:")


def note(home: Path, image: Image, digest: str, reference: str) -> bool:
    """Note an image that a Docker engine holds under `reference`; True if it is new."""
    place = folder(home, image.repository, digest)
    place.mkdir(parents=True, exist_ok=True)
    entry = {
        "digest": digest,
        "entrypoint": list(image.source.entrypoint),
        "path": [],
        "python": "",
        "reference": reference,
    }
    is_new = bool(_read(place / "image.json") != entry)
    _write(place / "image.json", entry)
    _tag(place.parent / "tags.json", image.tag, digest)
    return is_new


def note_foreign(home: Path, repository: str, digest: str, reference: str) -> bool:
    """Note an image that somebody else publishes and that a Docker engine holds; True if it is new."""
    place = folder(home, repository, digest)
    entry = {"digest": digest, "entrypoint": [], "path": [], "python": "", "reference": reference, "foreign": True}
    is_new = bool(_read(place / "image.json") != entry)
    place.mkdir(parents=True, exist_ok=True)
    _write(place / "image.json", entry)
    return is_new


def find_digest(home: Path, repository: str, reference: str) -> str:
    """Return the digest of an image by its digest or a tag; ImageError where the store has none."""
    known: dict[str, str] = _read(home / "images" / repository / "tags.json") or {}
    digest = reference if reference.startswith("sha256:") else known.get(reference, "")
    if not digest or not (folder(home, repository, digest) / "image.json").exists():
        held = ", ".join([*known, *sorted(set(known.values()))]) or "nothing"
        raise ImageError(
            f"{repository} has no image {reference} here; it holds {held}; `invoke push` builds from servers/"
        )
    return digest


def describe(
    home: Path,
    image: Image,
    digest: str,
    python: str,
    origin: Origin,
    arguments: Mapping[str, str],
    predicate: Mapping[str, Any] | None = None,
) -> Path:
    """Write the SBOM of a digest, and its provenance where BuildKit gave one (`predicate`); return their folder."""
    try:
        lock = "".join(lock.read_text(encoding="utf-8") for lock in image.source.python_locks)
        node = image.source.node_behind.read_text(encoding="utf-8") if image.source.node_behind else ""
    except OSError as error:
        raise ImageError(f"the SBOM of {image.repository} needs {error.filename}, which cannot be read") from error
    text = sbom.document(image.repository, image.tag, digest, lock, python, origin, arguments, node)
    place = folder(home, image.repository, digest)
    place.mkdir(parents=True, exist_ok=True)
    _replace(place / sbom.FILE, text)
    if predicate:
        _replace(place / provenance.FILE, provenance.statement(image.repository, digest, predicate))
    return place


def _store(source: Source, place: Path, entry: Mapping[str, Any]) -> None:
    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in (part for part in source.folders if (part / "src").is_dir()):
        shutil.copytree(part / "src", partial / "src", ignore=ignored, dirs_exist_ok=True)
    compileall.compile_dir(partial / "src", quiet=2)
    _write(partial / "image.json", entry)
    shutil.rmtree(place, ignore_errors=True)
    partial.replace(place)


def _tag(path: Path, tag: str, digest: str) -> None:
    tags = _read(path) or {}
    if tags.get(tag) != digest:
        _write(path, {**tags, tag: digest})


def _write(path: Path, value: Mapping[str, Any]) -> None:
    _replace(path, json.dumps(value, indent=2, sort_keys=True))


def _replace(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
