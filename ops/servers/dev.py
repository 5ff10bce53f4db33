"""`invoke dev NAME`: one server of the running local platform from its folder, started again when a file changes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import watchfiles

from emulators.base.errors import EmulatorError
from ops.cli import output
from ops.cli.steps import Runner
from ops.clients import connect, outputs
from ops.config.environment import Environment
from ops.config.servers import slots
from ops.errors import NotDeployedError, OpsError, UsageError
from ops.images import catalog, installed, local_store
from ops.images.catalog import Source
from ops.observe import logs
from twin import control
from twin.supervise import registry

_LOOK = 300  # milliseconds between two looks at the logs
_TOLD = 3  # changed files that are named


def develop(environment: Environment, name: str) -> None:
    """Run until Ctrl-C; after that the image that was deployed runs again.

    UsageError for a server that has no code here, NotDeployedError where the platform does not run.
    """
    source = _source(environment, name)
    platform = outputs.deployed(environment)
    if name not in platform.endpoints:
        raise NotDeployedError(f"{name} is not deployed yet; run `invoke deploy`, then this again")
    if control.status(environment.home) is None:
        raise NotDeployedError("the local platform is not running; start it with `invoke deploy`, then run this again")
    server = Developed(environment, name, source)
    output.facts([("endpoint", platform.endpoints[name]), ("watched", ", ".join(map(str, source.folders)))])
    output.say(f"call it from another terminal: {_call(environment, platform, name)}")
    try:
        server.start()
        server.follow(_changes(source.folders))
    except KeyboardInterrupt:
        pass  # that is how a person ends it
    finally:
        server.stop()


def _call(environment: Environment, platform: outputs.Platform, name: str) -> str:
    options = connect.options_of(environment, platform)
    return connect.curl_line(name, platform.endpoints[name], options[name])


class Developed:
    """A server whose slots run from its folders. Errors of what is edited are said, and the watching goes on."""

    def __init__(self, environment: Environment, name: str, source: Source, venvs: Path = installed.VENVS) -> None:
        self._environment, self._source, self._venvs = environment, source, venvs
        self._parts = [slot.group for slot in slots(environment).values() if slot.server == name]
        self._name = name
        self._digest = ""
        self._logs: dict[str, int] = {}

    def start(self) -> None:
        for part, path in self._log_files():
            self._logs[part] = path.stat().st_size
        self._restart("its folder")

    def follow(self, changes: Iterable[list[Path]]) -> None:
        """Restart at each change; the slots' logs are printed as they grow. An empty change is a look at the logs."""
        watched = False
        for changed in changes:
            if changed or not watched:  # what was changed before the watch began is a change too
                self._restart(_told(changed, self._source.folder.parent) if changed else "its folder")
            if not watched:
                output.say("watching; Ctrl-C ends it")
                watched = True
            self._print_logs()

    def stop(self) -> None:
        registry.run_images(self._environment.home / "images", self._source.repository)
        if control.status(self._environment.home) is not None:
            control.reload(self._environment.home)
        output.say(f"{self._name} runs as it was deployed again; `invoke deploy` deploys what you changed")

    def _restart(self, why: str) -> None:
        """Start the slots of this server anew, unless nothing changed that runs, such as a test."""
        started = time.monotonic()
        try:
            source = catalog.sources(self._source.folder.parent)[self._source.repository]  # also a changed Dockerfile
            entry = local_store.from_folders(source, Runner(), venvs=self._venvs)
            if entry["digest"] == self._digest:
                return
            self._digest = str(entry["digest"])
            registry.run_instead(self._environment.home / "images", self._source.repository, entry)
            control.reload(self._environment.home)
        except (OpsError, EmulatorError) as error:
            self._print_logs()
            output.warn(f"{why} changed, and {self._name} does not serve: {error}")
            return
        except KeyError:
            output.warn(f"{self._source.folder} no longer names the image {self._source.repository}; put that back")
            return
        self._print_logs()
        output.say(f"{self._name} runs from {why} ({time.monotonic() - started:.1f} s)")

    def _print_logs(self) -> None:
        for part, path in self._log_files():
            self._logs[part] = logs.more(part, path, self._logs.get(part, 0))

    def _log_files(self) -> list[tuple[str, Path]]:
        return [(part, path) for part, path in control.log_files(self._environment.home).items() if part in self._parts]


def _source(environment: Environment, name: str) -> Source:
    if not environment.is_local:
        raise UsageError(f"dev restarts a server on this machine, and {environment.name} is on Azure; leave --env out")
    if name not in environment.servers:
        known = ", ".join(sorted(environment.servers)) or "none"
        raise UsageError(f"there is no server {name!r} in {environment.name}; mcp_servers holds: {known}")
    if environment.settings.runtime == "docker":
        raise UsageError("dev runs a server's folder, and RUNTIME is docker; deploy with `--setting RUNTIME=process`")
    if environment.servers[name].get("remote"):
        raise UsageError(f"{name} runs elsewhere, so there is nothing of it here to start anew; it is developed there")
    wanted = str((environment.servers[name].get("image") or {}).get("repository", ""))
    source = catalog.sources(environment.servers_dir).get(wanted)
    if source is None:
        raise UsageError(f"no folder of {environment.servers_dir} builds {name}'s image {wanted!r}; nothing to watch")
    if not (source.folder / "src").is_dir():
        raise UsageError(
            f"{name} is a package that somebody else publishes, and {source.folder} holds no code of it; change its "
            "entry in mcp_servers, or its version, and run `invoke deploy`"
        )
    return source


def _changes(folders: Iterable[Path]) -> Iterator[list[Path]]:
    """Yield the files that changed together, and an empty list where none did for a while; without end."""
    for found in watchfiles.watch(*folders, rust_timeout=_LOOK, yield_on_timeout=True, debounce=_LOOK):
        yield sorted({Path(path) for _, path in found})


def _told(changed: list[Path], root: Path) -> str:
    names = [str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for path in changed]
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return f"{', '.join(names[:_TOLD])}{more}"
