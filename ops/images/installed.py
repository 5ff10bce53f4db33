"""What a lock installs, on this machine: a virtual environment or a node_modules per lock, shared by every home."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.cli.steps import Runner, Step
from ops.config.environment import ROOT
from ops.errors import ImageError, ToolError

VENVS = ROOT / ".twin" / "venvs"
NODE_LEAST = 20
# A package's install scripts would run here before anybody has read them; the registry is asked for files only.
_NPM = ("npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")

_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_NO_IMAGE = "; the local image cannot be built without it"
_NOISE = re.compile(r"^npm error( code)?( notarget| 404)?|^error: ")


def venv_name(lock: Path) -> str:
    """Return a name per lock and Python: the same lock is never installed twice."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    try:
        digest.update(lock.read_bytes())
    except OSError as error:
        raise ImageError(f"{lock} cannot be read ({error}); compile it with `nox -s lock`") from error
    return digest.hexdigest()[:16]


def python_packages(lock: Path, venvs: Path, runner: Runner, *, closed: bool = False) -> Path:
    """Install a requirements.txt with hashes into an environment of its own; return its interpreter.

    `closed`: nobody may write there afterwards, as in the image; one in which somebody could is installed anew.
    """
    place = venvs / venv_name(lock)
    python = place / "bin" / "python"
    complete = place / "complete"
    with _alone(place, runner):
        if complete.exists() and python.exists() and not (closed and _is_open(place)):
            return python
        # Built beside and moved in one step would break its scripts' paths, so a half-built one is built again.
        runner.run(Step(lambda: _remove(place), None))
        uv(runner, "venv", "--python", sys.executable, str(place))
        # Compiled once here, by all cores, instead of by every tier at once when the platform starts.
        # Links would lead to the cache, whose files are everybody's.
        linked = ("--link-mode", "copy") if closed else ()
        install = ("--require-hashes", *linked, "--compile-bytecode", "--python", str(python), "-r", str(lock))
        uv(runner, "pip", "install", *install)
        uv(runner, "pip", "check", "--python", str(python))
        runner.run(Step(complete.touch, None))
        if closed:
            _close(place, runner)
    return python


def node_packages(lock: Path, places: Path, runner: Runner) -> Path:
    """Install a package-lock.json, whose integrity hashes npm checks, into a folder of its own; return that.

    Nobody may write there afterwards.
    """
    digest = hashlib.sha256(platform.machine().encode() + lock.read_bytes() + _manifest(lock).read_bytes())
    place = places / f"node-{digest.hexdigest()[:16]}"
    complete = place / "complete"
    with _alone(place, runner):
        if complete.exists() and not _is_open(place):
            return place
        node_folder(runner)

        def prepare() -> None:
            _remove(place)
            place.mkdir(parents=True)
            for file in (lock, _manifest(lock)):
                shutil.copy2(file, place)

        copied = shlex.join(["cp", str(lock), str(_manifest(lock)), f"{place}/"])
        runner.run(Step(prepare, None, (f"mkdir -p {shlex.quote(str(place))} && {copied}",)))
        npm = shlex.join(_NPM)
        runner.run(Step(lambda: run_npm(_NPM[1:], place), None, (f"cd {shlex.quote(str(place))} && {npm}",)))
        runner.run(Step(complete.touch, None))
        _close(place, runner)
    return place


def node_folder(runner: Runner) -> Path:
    """Return the folder of `node`; ToolError where there is none that is recent enough."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        if runner.dry_run:
            return Path("/usr/bin")
        raise ToolError(
            f"node and npm are not installed, and a server from npm runs on them: install Node.js {NODE_LEAST} or later"
        )
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < NODE_LEAST:
        raise ToolError(f"node is {said or 'broken'}, and a server from npm needs {NODE_LEAST} or later: install that")
    return Path(found).parent


def uv(runner: Runner, *arguments: str) -> None:
    """Run uv; ImageError with its own words where it fails."""
    runner.run(Step(lambda: run_uv(arguments), None, (shlex.join(["uv", *arguments]),)))


def run_uv(arguments: tuple[str, ...], folder: Path | None = None) -> None:
    import uv as package

    try:
        binary = package.find_uv_bin()
    except FileNotFoundError as error:
        raise ToolError("uv is not installed; run `pip install -r requirements.txt`") from error
    _run((binary, *arguments), f"uv {' '.join(arguments[:2])}", folder, _NO_IMAGE if folder is None else "")


def run_npm(arguments: tuple[str, ...], folder: Path) -> None:
    _run(("npm", *arguments), f"npm {arguments[0]}", folder, _NO_IMAGE if arguments[0] == "ci" else "")


def _run(command: tuple[str, ...], name: str, folder: Path | None, consequence: str) -> None:
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        said = [_NOISE.sub("", line) for line in answer.stderr.splitlines() if "complete log of this run" not in line]
        why = " ".join(" ".join(said).split()).rstrip(".") or f"exit code {answer.returncode}"
        raise ImageError(f"`{name}` failed: {why}{consequence}")


def _close(place: Path, runner: Runner) -> None:
    """Take every right to write away, the folder's own last: what a server keeps here would reach other callers."""

    def act() -> None:
        for path in _paths(place):
            _set(path, path.stat().st_mode & ~_WRITE)

    runner.run(Step(act, None, (f"chmod -R a-w {shlex.quote(str(place))}",)))


def _is_open(place: Path) -> bool:
    return bool(place.stat().st_mode & _WRITE)


def _remove(place: Path) -> None:
    if place.is_dir():
        for path in reversed(_paths(place)):
            if path.is_dir():
                _set(path, path.stat().st_mode | stat.S_IWUSR)
    shutil.rmtree(place, ignore_errors=True)


def _paths(place: Path) -> list[Path]:
    """Return what is in a folder, its own path last; no links, which lead elsewhere."""
    found = [Path(folder, name) for folder, names, files in os.walk(place, topdown=False) for name in (*files, *names)]
    return [path for path in (*found, place) if not path.is_symlink()]


def _set(path: Path, mode: int) -> None:
    path.chmod(stat.S_IMODE(mode))


def _manifest(lock: Path) -> Path:
    return lock.with_name("package.json")


@contextmanager
def _alone(place: Path, runner: Runner) -> Iterator[None]:
    """Wait until no other process builds the same environment: platforms with homes of their own share it."""
    if runner.dry_run:
        yield
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # ends with this process, however it ends
        yield
