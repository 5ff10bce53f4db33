"""Progress of a build and a push: bars on a terminal, one line per step or layer anywhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from ops.cli import output

_STEP = re.compile(r"^Step \d+/\d+ : ")
_BUILDX_STEP = re.compile(r"^#\d+ (\[[^\]]*\d+/\d+\] .*)")
_DONE = ("Pushed", "Layer already exists", "Mounted from")

Messages = Iterable[dict[str, Any]]


def build(messages: Messages, say: Callable[[str], None] = output.say) -> Iterator[dict[str, Any]]:
    """Pass the classic builder's messages on, and say each step of the Dockerfile."""
    for message in messages:
        line = str(message.get("stream") or "").strip()
        if _STEP.match(line):
            say(f"  {' '.join(line.split())[:110]}")
        yield message


def buildx(lines: Iterable[str], say: Callable[[str], None] = output.say) -> Iterator[str]:
    """Pass the lines of `docker buildx build --progress=plain` on, and say each step of the Dockerfile once."""
    said: set[str] = set()
    for line in lines:
        found = _BUILDX_STEP.match(line)
        if found and found[1] not in said:
            said.add(found[1])
            say(f"  {' '.join(found[1].split())[:110]}")
        yield line.rstrip()


def push(
    messages: Messages,
    reference: str,
    console: Console = output.console,
    say: Callable[[str], None] = output.say,
) -> Iterator[dict[str, Any]]:
    """Pass the engine's messages on, and show how far each layer is."""
    if console.is_terminal and not os.environ.get("CI"):
        yield from _bars(messages, reference, console)
    else:
        yield from _lines(messages, reference, say)


def _lines(messages: Messages, reference: str, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    for message in messages:
        if done := finished(message):
            say(f"  {reference}: {done}")
        yield message


def finished(message: Mapping[str, Any]) -> str:
    """Return `layer bccb9c8080c7: pushed` for the message that ends a layer; else nothing."""
    status, layer = str(message.get("status") or ""), message.get("id")
    return f"layer {layer}: {status.lower()}" if layer and status.startswith(_DONE) else ""


def _bars(messages: Messages, reference: str, console: Console) -> Iterator[dict[str, Any]]:
    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}
        for message in messages:
            layer, detail = str(message.get("id") or ""), message.get("progressDetail") or {}
            if layer and (detail.get("total") or finished(message)):
                if layer not in tasks:
                    tasks[layer] = bars.add_task(f"{layer} {reference}", total=None)
                _advance(bars, tasks[layer], detail, done=bool(finished(message)))
            yield message


def _advance(bars: Progress, task: Any, detail: Mapping[str, Any], *, done: bool) -> None:
    if detail.get("total"):
        bars.update(task, total=detail["total"], completed=min(detail.get("current", 0), detail["total"]))
    if done:
        shown = next(entry for entry in bars.tasks if entry.id == task)
        bars.update(task, total=shown.total or 1, completed=shown.total or 1)
