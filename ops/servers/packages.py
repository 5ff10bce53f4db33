"""Servers that somebody else publishes, on PyPI or npm: locked by hash, and the program that they bring found."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ops.cli.steps import Runner, Step
from ops.errors import ImageError, UsageError
from ops.images import installed
from ops.images.pip_lock import with_plain_pins

_NOTICE = re.compile(r"(In most cases you or one of your|Note that you can also install|npm notice).*", re.DOTALL)
_START_SECONDS = 60
Registry = Literal["pypi", "npm"]

_NPM = re.compile(r"(?P<name>(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*)@(?P<version>[^@\s]+)")
_SEMANTIC = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_RESOLVE = (
    "install", "--package-lock-only", "--ignore-scripts", "--save-exact", "--omit-lockfile-registry-resolved",
    "--no-audit", "--no-fund", "--loglevel=error",
)  # fmt: skip


@dataclass(frozen=True)
class Package:
    """One version of a package; `command` and `arguments` are how it is started, the command found where it is "".

    `beside`: what else its lock keeps to, such as "mcp<2" for one that an SDK's next version broke.
    """

    registry: Registry
    name: str
    version: str
    command: str = ""
    arguments: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name}{'==' if self.registry == 'pypi' else '@'}{self.version}"


def installed_in(folder: Path) -> tuple[Registry, str] | None:
    """Return which registry's package a server's folder installs, and its label; None where it is none."""
    try:
        if (folder / "package.json").exists():
            given = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
            return "npm", "@".join(next(iter(given.items())))
        if (folder / "requirements.txt").exists():
            return "pypi", _dependencies(folder)[0]
    except (OSError, ValueError, LookupError, StopIteration) as error:
        raise UsageError(
            f"{folder} does not say which package it installs ({error}); restore it, or remove it"
        ) from error
    return None


def beside(folder: Path) -> list[str]:
    """Return what else the lock in a server's folder keeps to."""
    return _dependencies(folder)[1:]


def _dependencies(folder: Path) -> list[str]:
    document = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[str] = document.get("project", {}).get("dependencies", [])
    return found


def parse(registry: Registry, text: str, command: str = "", arguments: str = "", beside: Sequence[str] = ()) -> Package:
    """Return the package that `text` names; UsageError unless it names one exact version."""
    try:
        words = tuple(shlex.split(arguments))
    except ValueError as error:
        raise UsageError(
            f"--arguments {arguments!r} cannot be split into words ({error}); quote it as for a shell"
        ) from error
    name, version = _pypi(text) if registry == "pypi" else _npm(text)
    return Package(registry, name, version, command, words, tuple(_beside(one, registry) for one in beside))


def _beside(text: str, registry: Registry) -> str:
    if registry != "pypi":
        raise UsageError(f"--with {text!r} is for --pypi; npm packages say themselves what they work with")
    try:
        return str(Requirement(text))
    except InvalidRequirement as error:
        raise UsageError(f"--with {text!r} is no requirement ({error}); write it as name<version") from error


def _pypi(text: str) -> tuple[str, str]:
    try:
        given = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(f"--pypi {text!r} is no requirement ({error}); write it as name==version") from error
    pins = [one for one in given.specifier if one.operator == "==" and not one.version.endswith("*")]
    if len(given.specifier) != 1 or not pins or given.url or given.marker:
        raise UsageError(f"--pypi {text!r} must name one exact version, so that everybody runs the same: name==version")
    extras = f"[{','.join(sorted(given.extras))}]" if given.extras else ""
    return f"{canonicalize_name(given.name)}{extras}", pins[0].version


def _npm(text: str) -> tuple[str, str]:
    found = _NPM.fullmatch(text)
    if not found or not _SEMANTIC.fullmatch(found["version"]):
        raise UsageError(
            f"--npm {text!r} must name one exact version, so that everybody runs the same: @scope/name@1.2.3"
        )
    return found["name"], found["version"]


def lock(package: Package, name: str, pyproject: str, runner: Runner) -> Mapping[str, str]:
    """Return the lock's files by name; ImageError where the registry has no such package."""
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        if package.registry == "pypi":
            (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8")
            return {"requirements.txt": _compile(package, folder, runner)}
        manifest = {"name": name, "private": True, "dependencies": {package.name: package.version}}
        (folder / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        return _resolve(package, folder, runner)


def _compile(package: Package, folder: Path, runner: Runner) -> str:
    target = folder / "requirements.txt"
    # Wheels only, as the image installs: what has none would run its own code while it is built.
    arguments = (
        "pip", "compile", "-q", "--universal", "--generate-hashes", "--no-strip-extras", "--no-header",
        "--only-binary", ":all:", "pyproject.toml", "-o", "requirements.txt",
    )  # fmt: skip
    try:
        runner.run(Step(lambda: installed.run_uv(arguments, folder), None, (shlex.join(["uv", *arguments]),)))
    except ImageError as error:
        raise _not_locked(package, str(error)) from error
    if runner.dry_run:
        return ""
    return with_plain_pins(target.read_text(encoding="utf-8"))


def _resolve(package: Package, folder: Path, runner: Runner) -> Mapping[str, str]:
    if not runner.dry_run:
        installed.node_folder(runner)
    line = shlex.join(["npm", *_RESOLVE])
    try:
        runner.run(Step(lambda: installed.run_npm(_RESOLVE, folder), None, (line,)))
    except ImageError as error:
        raise _not_locked(package, str(error)) from error
    if runner.dry_run:
        return {"package.json": "", "package-lock.json": ""}
    document = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    for place, entry in document["packages"].items():
        # An address is where this machine took it from; the hash says what it is.
        entry.pop("resolved", None)
        if place and not entry.get("integrity"):
            raise ImageError(f"{place} of {package.name}@{package.version} has no hash, so nobody can tell what it is")
    return {
        "package.json": (folder / "package.json").read_text(encoding="utf-8"),
        "package-lock.json": json.dumps(document, indent=2) + "\n",
    }


def _not_locked(package: Package, said: str) -> ImageError:
    """Say it in a sentence where the registry has no such package, or not that version; else in the tool's words."""
    bare = package.name.partition("[")[0]
    words = [
        (f"no version of {bare}=={package.version}", f"PyPI has no version {package.version} of {bare}"),
        (f"no version of {package.label}", f"PyPI has no version {package.version} of {bare}"),
        (f"{bare} was not found in the package registry", f"PyPI has no package {bare}"),
        (f"No matching version found for {package.label}", f"npm has no version {package.version} of {bare}"),
        (f"'{package.label}' could not be found", f"npm has no package {bare}"),
        (f"'{bare}@*' could not be found", f"npm has no package {bare}"),
    ]
    for sign, sentence in words:
        if re.search(rf"(?<![\w@/.-]){re.escape(sign)}(?![\w-])", said):
            return ImageError(f"{sentence}; name one that it has (a mirror may have fewer)")
    return ImageError(f"{package.label} cannot be locked: {_NOTICE.sub('', said).rstrip(' .')}")


def find_command(
    package: Package, locks: Mapping[str, str], runner: Runner, *, places: Path
) -> tuple[tuple[str, ...], list[Path]]:
    """Install the lock; return the command that starts the server, and the folders in which its programs are.

    UsageError where there is no program, or several and none is chosen.

    The environment is the one that the local platform runs it from: nothing is installed twice.
    """
    if runner.dry_run:
        return (package.command or package.name.rpartition("/")[2].partition("[")[0], *package.arguments), []
    with tempfile.TemporaryDirectory() as given:
        for name, text in locks.items():
            (Path(given) / name).write_text(text, encoding="utf-8")
        if package.registry == "pypi":
            python = installed.python_packages(Path(given) / "requirements.txt", places, runner, closed=True)
            programs, folders = _console_scripts(python, package.name), [python.parent]
        else:
            place = installed.node_packages(Path(given) / "package-lock.json", places, runner)
            programs = _binaries(place / "node_modules" / package.name)
            folders = [place / "node_modules" / ".bin", installed.node_folder(runner)]
    return (_chosen(package, programs), *package.arguments), folders


@dataclass(frozen=True)
class Started:
    """What a server answered: how many tools it has, and how many of them say that they only read."""

    tools: int = 0
    reading: int = 0
    failure: str = ""


def start_once(command: Sequence[str], folders: Sequence[Path]) -> Started:
    """Start the server as the front does, with nothing in its environment, and ask for its tools."""
    with tempfile.TemporaryDirectory(prefix="mcp-") as home:
        try:
            tools = asyncio.run(_tools([word.replace("{HOME}", home) for word in command], folders, Path(home)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what a person must know
            return Started(failure=_last_words(Path(home) / "log") or str(error) or type(error).__name__)
    reading = [tool for tool in tools if tool.annotations and tool.annotations.read_only_hint]
    return Started(len(tools), len(reading))


async def _tools(command: Sequence[str], folders: Sequence[Path], home: Path) -> Sequence[Any]:
    from fastmcp import Client
    from fastmcp.client.transports import StdioTransport

    path = ":".join([*map(str, folders), "/usr/local/bin:/usr/bin:/bin"])
    program = shutil.which(command[0], path=path)
    if program is None:
        raise UsageError(f"{command[0]} is no program in {path}")
    env = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}
    transport = StdioTransport(program, list(command[1:]), env, str(home), keep_alive=False, log_file=home / "log")
    async with Client(transport, mode="legacy", init_timeout=_START_SECONDS, timeout=_START_SECONDS) as client:
        return list(await client.list_tools())


def _last_words(log: Path) -> str:
    """The last line that a failed server wrote: where programs say what went wrong."""
    try:
        lines = [
            line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""


def _chosen(package: Package, programs: list[str]) -> str:
    label = f"{package.name} {package.version}"
    if package.command:
        if package.command in programs:
            return package.command
        raise UsageError(f"{label} brings no program {package.command!r}; it brings {', '.join(programs) or 'none'}")
    if not programs:
        raise UsageError(f"{label} brings no program, so there is nothing to start; it is a library, or needs an extra")
    bare = package.name.rpartition("/")[2].partition("[")[0]
    if bare in programs or len(programs) == 1:
        return bare if bare in programs else programs[0]
    raise UsageError(f"{label} brings several programs; choose one with --command: {', '.join(programs)}")


def _console_scripts(python: Path, name: str) -> list[str]:
    """The programs of one distribution, from its metadata ("Entry points specification")."""
    from importlib import metadata

    folders = [str(folder) for folder in (python.parents[1] / "lib").glob("python*/site-packages")]
    bare = canonicalize_name(name.partition("[")[0])
    return sorted(
        entry.name
        for distribution in metadata.distributions(path=folders)
        if canonicalize_name(str(distribution.metadata["Name"])) == bare
        for entry in distribution.entry_points
        if entry.group == "console_scripts"
    )


def _binaries(folder: Path) -> list[str]:
    """The programs of one package ("package.json", bin)."""
    document: dict[str, Any] = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    given = document.get("bin") or {}
    return [document["name"].rpartition("/")[2]] if isinstance(given, str) else sorted(given)
