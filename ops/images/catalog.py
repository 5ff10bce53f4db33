"""Which servers there are, which image each is, and what identifies its content.

A server is a folder in `servers/` whose pyproject names its image repository:

    [tool.mcp-server]
    repository = "mongodb-mcp"

and one or more `mcp_servers` entries in terraform.tfvars whose image has that repository.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.config.environment import Environment
from ops.config.servers import is_pinned
from ops.errors import ImageError, UsageError

_SKIPPED = {"__pycache__", "tests", ".venv", ".git"}


@dataclass(frozen=True)
class Source:
    """A server's folder: `repository` is its image's name, `entrypoint` what the Dockerfile starts."""

    folder: Path
    repository: str
    entrypoint: tuple[str, ...]

    @property
    def requirements(self) -> Path:
        return self.folder / "requirements.txt"


@dataclass(frozen=True)
class Image:
    """One `mcp_servers` entry and the folder it is built from."""

    server: str
    repository: str
    tag: str
    source: Source


@dataclass(frozen=True)
class Pushed:
    """An image in its registry; `digest` is `sha256:<hex>`, `built` False where it was there already."""

    image: Image
    digest: str
    built: bool

    def entry(self) -> dict[str, str]:
        return {"repository": self.image.repository, "digest": self.digest, "tag": self.image.tag}


def decide(environment: Environment, server: str | None = None, servers_dir: Path | None = None) -> list[Image]:
    """Return the images that `mcp_servers` wants by tag, or one server's; UsageError where there is none to build.

    An entry with a digest names an image that exists already: it is not built here.
    """
    found = sources(servers_dir or environment.servers_dir)
    entries = environment.servers
    if server is not None and server not in entries:
        raise UsageError(
            f"server {server!r} does not exist; mcp_servers of {environment.name} holds: {_list(entries)}; "
            f"servers/ holds: {_list({source.folder.name: source for source in found.values()})}"
        )
    if server is not None and is_pinned(entries[server]):
        raise UsageError(
            f"server {server!r} of {environment.name} pins its image by digest; there is nothing to build: "
            "give it image.tag in mcp_servers to build it from servers/"
        )
    wanted = {name: entry for name, entry in entries.items() if server in (None, name) and not is_pinned(entry)}
    return [_image(name, entry, found, environment) for name, entry in wanted.items()]


def sources(servers_dir: Path) -> dict[str, Source]:
    """Return the server folders by image repository."""
    found = (_source(path.parent) for path in sorted(servers_dir.glob("*/pyproject.toml")))
    return {source.repository: source for source in found if source}


def entrypoint(dockerfile: str) -> tuple[str, ...]:
    """Return the last ENTRYPOINT and CMD in exec form, as Docker joins them; ImageError for the shell form."""
    joined = re.sub(r"\\\n", " ", dockerfile)
    parts: dict[str, list[str]] = {"ENTRYPOINT": [], "CMD": []}
    for name, value in re.findall(r"^\s*(ENTRYPOINT|CMD)\s+(.+)$", joined, re.MULTILINE):
        try:
            parts[name] = [str(part) for part in json.loads(value)]
        except ValueError as error:
            raise ImageError(
                f'{name} {value} must be in exec form, ["python", "-m", "…"]; change the Dockerfile'
            ) from error
    command = (*parts["ENTRYPOINT"], *parts["CMD"])
    if not command:
        raise ImageError("a Dockerfile needs an ENTRYPOINT in exec form; add one")
    return command


def content_digest(source: Source) -> str:
    """Return `sha256:<hex>` over everything that goes into the image: same content, same digest, on any machine."""
    digest = hashlib.sha256()
    for path in _content(source.folder):
        relative = path.relative_to(source.folder).as_posix()
        digest.update(f"{relative}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return f"sha256:{digest.hexdigest()}"


def tag_for(sha: str) -> str:
    """Return the tag that ties an image to its commit."""
    if not re.fullmatch(r"[0-9a-f]{7,40}", sha):
        raise ImageError(f"commit {sha!r} must be 7–40 hexadecimal digits; build from a git checkout")
    return f"sha-{sha[:12]}"


def _image(name: str, entry: Mapping[str, Any], found: Mapping[str, Source], environment: Environment) -> Image:
    image = entry.get("image") or {}
    repository = str(image.get("repository", ""))
    if repository not in found:
        raise ImageError(
            f"mcp_servers.{name} of {environment.name} wants image {repository!r}, which no folder in servers/ builds; "
            f"pyproject.toml names these: {_list(found)}"
        )
    if not image.get("tag"):
        raise ImageError(f"mcp_servers.{name} of {environment.name} has neither a tag nor a digest; add image.tag")
    return Image(name, repository, str(image["tag"]), found[repository])


def _source(folder: Path) -> Source | None:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ImageError(f"{folder / 'pyproject.toml'} is not valid TOML ({error}); correct it") from error
    repository = project.get("tool", {}).get("mcp-server", {}).get("repository")
    if not repository:
        return None
    dockerfile = folder / "Dockerfile"
    if not dockerfile.exists():
        raise ImageError(f"{folder} has no Dockerfile; add one, it is what Azure runs")
    return Source(folder, str(repository), entrypoint(dockerfile.read_text(encoding="utf-8")))


def _content(folder: Path) -> list[Path]:
    named = [folder / name for name in ("Dockerfile", "pyproject.toml", "requirements.txt")]
    code = [path for path in (folder / "src").rglob("*") if path.is_file() and not _skipped(path, folder)]
    return sorted(path for path in (*named, *code) if path.exists())


def _skipped(path: Path, folder: Path) -> bool:
    return path.suffix == ".pyc" or bool(_SKIPPED & set(path.relative_to(folder).parts))


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"
