"""`push` on this machine: a folder of the twin's home for a registry, a virtual environment for layers.

    <home>/images/<repository>/tags.json                 {tag: digest}
    <home>/images/<repository>/<digest hex>/image.json   {"entrypoint", "python", "path", "digest"}
    <home>/images/<repository>/<digest hex>/src          the server's code, as it was when it was pushed
    <home>/images/<repository>/<digest hex>/*.json       its papers, see images_papers

Virtual environments are shared by every home of this checkout: one per lock.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ops.config.environment import ROOT
from ops.errors import ImageError, ToolError
from ops.images import documents as images_papers
from ops.images import provenance as images_origin
from ops.images.catalog import Image, Pushed, Source, content_digest

# Compiled once here, by all cores, instead of by every tier at once when the platform starts.
_INSTALL = ("--require-hashes", "--compile-bytecode")
VENVS = ROOT / ".twin" / "venvs"


def push(image: Image, home: Path, *, venvs: Path = VENVS) -> Pushed:
    """Puts one image into the local store; doing it again with the same content changes nothing."""
    digest = content_digest(image.source)
    folder = home / "images" / image.repository / digest.removeprefix("sha256:")
    python = _virtual_environment(image.source, venvs)
    described = {
        "entrypoint": list(image.source.entrypoint),
        "python": str(python),
        "path": [str(folder / "src")],
        "digest": digest,
    }
    built = _read(folder / "image.json") != described
    if built:
        _store(image.source, folder, described)
        images_papers.write(home, image, digest, platform.python_version(), images_origin.look(image.source.folder))
    _tag(folder.parent / "tags.json", image.tag, digest)
    return Pushed(image, digest, built)


def venv_name(source: Source) -> str:
    """One environment per lock and Python: the same lock is never installed twice."""
    import sys

    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    try:
        digest.update(source.requirements.read_bytes())
    except OSError as error:
        raise ImageError(
            f"{source.requirements} cannot be read ({error}); compile it with "
            "`uv pip compile --universal --generate-hashes pyproject.toml -o requirements.txt`"
        ) from error
    return digest.hexdigest()[:16]


def commands(image: Image, *, venvs: Path = VENVS) -> list[str]:
    """What a first push of this image runs, as a person would type it."""
    folder = venvs / venv_name(image.source)
    return [
        f"uv venv {folder}",
        f"uv pip install {' '.join(_INSTALL)} --python {folder / 'bin' / 'python'} -r {image.source.requirements}",
    ]


def _virtual_environment(source: Source, venvs: Path) -> Path:
    folder = venvs / venv_name(source)
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if complete.exists() and python.exists():
        return python
    # Built beside and moved in one step would break its scripts' paths, so a half-built one is built again.
    shutil.rmtree(folder, ignore_errors=True)
    _uv("venv", "--quiet", "--python", _this_python(), str(folder))
    _uv("pip", "install", "--quiet", *_INSTALL, "--python", str(python), "-r", str(source.requirements))
    _uv("pip", "check", "--quiet", "--python", str(python))
    complete.touch()
    return python


def _this_python() -> str:
    import sys

    return sys.executable


def _uv(*arguments: str) -> None:
    import uv

    try:
        binary = uv.find_uv_bin()
    except FileNotFoundError as error:
        raise ToolError("uv is not installed; run `pip install -r requirements.txt`") from error
    answer = subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        why = " ".join(answer.stderr.split()) or f"exit code {answer.returncode}"
        raise ImageError(f"`uv {' '.join(arguments[:2])}` failed: {why}; the local image cannot be built without it")


def _store(source: Source, folder: Path, described: dict[str, Any]) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source.folder / "src", partial / "src", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    compileall.compile_dir(partial / "src", quiet=2)
    (partial / "image.json").write_text(json.dumps(described, indent=2), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


def _tag(path: Path, tag: str, digest: str) -> None:
    tags = _read(path) or {}
    if tags.get(tag) != digest:
        path.write_text(json.dumps({**tags, tag: digest}, indent=2, sort_keys=True), encoding="utf-8")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
