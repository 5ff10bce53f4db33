"""Which servers there are, which image each is, and what identifies its content.

A server is a folder in `servers/` whose pyproject names its image repository:

    [tool.mcp-server]
    repository = "mongodb-mcp"

and one or more `mcp_servers` entries in terraform.tfvars whose image has that repository. A package of this repository
that the server needs is a folder beside it, which its pyproject names as uv wants it:

    [tool.uv.sources]
    gateway-auth = { path = "../gateway-auth" }

A server that somebody else publishes has no code here. Its folder holds its lock, requirements.txt for PyPI or
package-lock.json for npm, which is installed into an environment of its own; what runs is the front of gateway-auth,
from that package's lock:

    [tool.mcp-server]
    repository = "clock"
    front = true
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
from ops.config.servers import acts_as_caller, is_pinned, is_remote
from ops.errors import ImageError, UsageError

FRONT = "gateway-auth"
_LOCKS = ("requirements.txt", "package.json", "package-lock.json")
_SKIPPED = {"__pycache__", "tests", ".venv", ".git"}


@dataclass(frozen=True)
class Source:
    """A server's folder: `repository` is its image's name, `entrypoint` what the Dockerfile starts, `packages` the
    folders beside it whose packages it needs. `behind_front`: what it locks runs behind the front of gateway-auth."""

    folder: Path
    repository: str
    entrypoint: tuple[str, ...]
    packages: tuple[Path, ...] = ()
    behind_front: bool = False

    @property
    def folders(self) -> tuple[Path, ...]:
        """Everything that the image is made of; the server's own comes first."""
        return (self.folder, *self.packages)

    @property
    def context(self) -> Path:
        """What Docker builds from: the folder that holds all of them."""
        return self.folder.parent if self.packages else self.folder

    @property
    def dockerfile(self) -> Path:
        return self.folder / "Dockerfile"

    @property
    def requirements(self) -> Path:
        """The lock of the Python that the entry point runs with."""
        folder = self.folder.parent / FRONT if self.behind_front else self.folder
        return folder / "requirements.txt"

    @property
    def python_behind(self) -> Path | None:
        """The lock of a server behind the front that comes from PyPI."""
        lock = self.folder / "requirements.txt"
        return lock if self.behind_front and lock.exists() else None

    @property
    def node_behind(self) -> Path | None:
        """The lock of a server behind the front that comes from npm."""
        lock = self.folder / "package-lock.json"
        return lock if self.behind_front and lock.exists() else None

    @property
    def python_locks(self) -> list[Path]:
        """Every lock of Python packages that the image is installed from."""
        return [self.requirements, *([self.python_behind] if self.python_behind else [])]


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

    An entry with a digest names an image that exists already: it is not built here. A server elsewhere has none.
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
    if server is not None and is_remote(entries[server]):
        raise UsageError(f"server {server!r} of {environment.name} runs elsewhere (remote); there is nothing to build")
    built = {name: entry for name, entry in entries.items() if not is_pinned(entry) and not is_remote(entry)}
    wanted = {name: entry for name, entry in built.items() if server in (None, name)}
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
    for relative, path in _content(source):
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
    source = found[repository]
    if acts_as_caller(entry) and (source.python_behind or source.node_behind):
        raise ImageError(
            f'mcp_servers.{name} of {environment.name} has identity = "caller", and {source.folder} holds a package '
            "that speaks over standard input and output, where a call carries no token of who calls; leave identity "
            "and downstream out, or host it as an image that speaks HTTP (docs/add-a-server.md)"
        )
    return Image(name, repository, str(image["tag"]), source)


def _source(folder: Path) -> Source | None:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ImageError(f"{folder / 'pyproject.toml'} is not valid TOML ({error}); correct it") from error
    repository = project.get("tool", {}).get("mcp-server", {}).get("repository")
    if not repository:
        return None
    dockerfile = folder / "Dockerfile"
    packages = _packages(folder, project)
    if not dockerfile.exists():
        raise ImageError(f"{folder} has no Dockerfile; add one, it is what Azure runs")
    behind_front = bool(project["tool"]["mcp-server"].get("front", False))
    if behind_front and folder.parent / FRONT not in packages:
        raise ImageError(
            f"{folder / 'pyproject.toml'} says front = true and does not name {FRONT}, which holds the front, under "
            f'tool.uv.sources; add {FRONT} = {{ path = "../{FRONT}" }} there'
        )
    return Source(folder, str(repository), entrypoint(dockerfile.read_text(encoding="utf-8")), packages, behind_front)


def _packages(folder: Path, project: Mapping[str, Any]) -> tuple[Path, ...]:
    """The folders that `tool.uv.sources` names; ImageError for one that Docker would not be given."""
    given = project.get("tool", {}).get("uv", {}).get("sources", {})
    paths = {name: source["path"] for name, source in given.items() if isinstance(source, dict) and "path" in source}
    found = {name: (folder / path).resolve() for name, path in paths.items()}
    for name, path in found.items():
        if path.parent != folder.resolve().parent or not (path / "src").is_dir():
            raise ImageError(
                f"{folder / 'pyproject.toml'} takes {name} from {paths[name]!r}, which must be a folder beside it "
                "with a package in src/: an image is built from servers/ and nothing outside it"
            )
    return tuple(sorted(folder.parent / path.name for path in found.values()))


def _content(source: Source) -> list[tuple[str, Path]]:
    """Files by the names that count: those of a package begin with its folder's, as it lies beside the server."""
    named = [(name, source.folder / name) for name in ("Dockerfile", "pyproject.toml", *_LOCKS)]
    if source.behind_front:
        named.append((f"{FRONT}/requirements.txt", source.requirements))
    code = [(path.relative_to(source.folder).as_posix(), path) for path in _code(source.folder)]
    shared = [
        (path.relative_to(folder.parent).as_posix(), path) for folder in source.packages for path in _code(folder)
    ]
    return sorted((name, path) for name, path in (*named, *code, *shared) if path.exists())


def _code(folder: Path) -> list[Path]:
    return [path for path in (folder / "src").rglob("*") if path.is_file() and not _skipped(path, folder)]


def _skipped(path: Path, folder: Path) -> bool:
    return path.suffix == ".pyc" or bool(_SKIPPED & set(path.relative_to(folder).parts))


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"
