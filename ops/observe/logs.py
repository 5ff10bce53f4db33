"""`invoke logs`: the end of the platform's log files, of the containers' output on Azure, or either as it grows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops.azure import az
from ops.cli import output
from ops.config.environment import Environment
from ops.config.servers import DOCUMENTDB, USERS_JOB, apps, slots, uses_database
from ops.errors import AzError, NotDeployedError, UsageError
from twin import control

_TAIL_OF_APPS = 300  # lines that Azure gives of an app at most
_TAIL = 20  # lines of each log that are shown
_PAUSE = 0.3  # seconds between two looks at growing files
_PAUSE_AZURE = 5.0  # each look asks Azure once per slot


def print_logs(environment: Environment, *, part: str | None = None, follow: bool = False) -> None:
    """Print the end of each log, each line with its part's name; with `follow`, goes on until Ctrl-C."""
    if not environment.is_local:
        _print_containers(environment, part, follow=follow)
        return
    files = chosen(control.log_files(environment.home), part)
    ends = {name: _tail(name, path) for name, path in files.items()}
    while follow:
        time.sleep(_PAUSE)
        for name, path in files.items():
            ends[name] = more(name, path, ends[name])


def chosen(files: Mapping[str, Path], part: str | None) -> dict[str, Path]:
    """Return the logs of one part, or all; UsageError for an unknown part, naming those that have a log."""
    if not files:
        raise NotDeployedError("there are no logs yet; run `invoke deploy`")
    if part is None:
        return dict(files)
    if part not in files:
        raise UsageError(f"part {part!r} has no log; these have: {', '.join(sorted(files))}")
    return {part: files[part]}


def _print_containers(environment: Environment, part: str | None, *, follow: bool) -> None:
    """Print what each container wrote since it started; the gateway's requests are in Log Analytics."""
    groups = chosen_groups(environment, part)
    seen: dict[str, str] = {}
    while True:
        for name, text in _texts(environment, groups):
            for line in fresh(seen.get(name, ""), text):
                output.data(f"{name} {line}")
            seen[name] = text
        if not follow:
            return
        time.sleep(_PAUSE_AZURE)


def _texts(environment: Environment, groups: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the log of each container group, and of each replica of an app, by its name."""
    of_apps = apps(environment)
    place = ("--resource-group", environment.need("RESOURCE_GROUP"))
    for name, group in groups.items():
        if name in of_apps:
            yield from _of_replicas(place, group)
        else:
            yield name, az.text("container", "logs", *place, "--name", group)


def _of_replicas(place: tuple[str, ...], app: str) -> Iterator[tuple[str, str]]:
    """Yield the end of what each replica of the app's active revisions wrote: Azure gives the log of one at a time."""
    where = (*place, "--name", app)
    lines = ("--tail", str(_TAIL_OF_APPS), "--format", "text")

    def running(which: tuple[str, ...]) -> list[str]:
        return [str(replica["name"]) for replica in az.run("containerapp", "replica", "list", *which) or ()]

    for revision in az.run("containerapp", "revision", "list", *where) or ():
        which = (*where, "--revision", str(revision["name"]))
        for name in running(which):
            try:
                yield name, az.text("containerapp", "logs", "show", *which, "--replica", name, *lines)
            except AzError:
                if name in running(which):  # else it ended since it was listed
                    raise


def chosen_groups(environment: Environment, part: str | None) -> dict[str, str]:
    """Return the container group of each slot and job, and each app, or one; UsageError for another, naming all."""
    groups = {name: slot.group for name, slot in slots(environment).items()}
    groups |= {name: name for name in apps(environment)}
    if uses_database(environment, DOCUMENTDB):
        groups[USERS_JOB.removeprefix("aci-")] = USERS_JOB
    if part is None:
        return groups
    found = {name: group for name, group in groups.items() if part in (name, group)}
    if not found:
        raise UsageError(
            f"part {part!r} has no log on Azure; these slots have: {', '.join(sorted(groups))}. The gateway's log is "
            f"in Log Analytics: `invoke watch --env {environment.name}`, or the workbook"
        )
    return found


def fresh(before: str, now: str) -> list[str]:
    """Return the lines to print of a log that Azure gives whole: the last ones first, then what was added.

    A container that started again begins a new log; of an app Azure gives the last lines only.
    """
    if before and now.startswith(before):
        return now[len(before) :].splitlines()
    lines, last = now.splitlines(), before.splitlines()[-1:]
    if last and last[0] in lines:
        return lines[len(lines) - lines[::-1].index(last[0]) :]
    return now.splitlines()[-_TAIL:]


def _tail(name: str, path: Path) -> int:
    content = path.read_bytes()
    for line in content.decode("utf-8", "replace").splitlines()[-_TAIL:]:
        output.data(f"{name:<12} {line}")
    return len(content)


def more(name: str, path: Path, position: int) -> int:
    """Print the whole lines after `position`; where the next look starts."""
    for line in _whole_lines(path, position if path.stat().st_size >= position else 0):
        output.data(f"{name:<12} {line.decode('utf-8', 'replace').rstrip()}")
        position += len(line)
    return position


def _whole_lines(path: Path, position: int) -> Iterator[bytes]:
    """Return what was written after `position`, without a last line that is still being written."""
    with path.open("rb") as file:
        file.seek(position)
        yield from (line for line in file if line.endswith(b"\n"))
