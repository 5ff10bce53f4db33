"""`invoke logs`: the platform's log files, whole or as they grow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops.cli import output
from ops.config.environment import Environment
from ops.errors import NotDeployedError, UsageError
from twin import control

_TAIL = 20  # lines of each log that are shown
_PAUSE = 0.3  # seconds between two looks at growing files


def print_logs(environment: Environment, *, part: str | None = None, follow: bool = False) -> None:
    """Print the end of each log, each line with its part's name; with `follow`, goes on until Ctrl-C."""
    if not environment.is_local:
        raise UsageError(
            f"logs of {environment.name} are in its Log Analytics workspace; use `az monitor log-analytics query`, or "
            f"`az container logs --resource-group {environment.need('RESOURCE_GROUP')} --name <container group>`"
        )
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
