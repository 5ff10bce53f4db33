"""What every task does around its one call: loads the environment, and turns errors and signals into one line.

Settings and output take long to load; they are loaded when a person already sees that the task works.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from invoke.parser.argument import Argument
from invoke.tasks import Task

from emulators.base.errors import TwinError
from ops.cli import spinner as waiting
from ops.errors import InterruptError, OpsError

if TYPE_CHECKING:
    from ops.config.environment import Environment

_COLLECT_AFTER = 100_000  # new objects; Python's own 700 suit programs that live longer

F = TypeVar("F", bound=Callable[..., Any])


class Doorway(Task[Any]):
    """A task whose `--yes` may also be written `--auto-approve`, as Terraform calls it."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        found = super().get_arguments(ignore_unknown_help)
        for argument in found:
            if argument.names[0] == "yes":
                argument.names = (*argument.names, "auto-approve")
        return found


def doorway(task: F) -> F:
    """Turns what the project raises on purpose into one line on stderr and an exit code; the rest stays a traceback.

    `invoke --debug` or OPS_DEBUG=1 shows the traceback of those too.
    """

    @functools.wraps(task)
    def guarded(*arguments: Any, **options: Any) -> Any:
        signal.signal(signal.SIGTERM, _interrupt)
        # What a task loads (schemas, an SDK) it keeps to its end: looking through it again and again finds nothing.
        gc.set_threshold(_COLLECT_AFTER)
        try:
            with waiting.patience():
                return task(*arguments, **options)
        except (OpsError, TwinError) as error:
            if debugging():
                raise
            _exit(str(error), getattr(error, "exit_code", 1))
        except KeyboardInterrupt:
            _exit("interrupted; the next run goes on from here", InterruptError.exit_code)

    return guarded  # type: ignore[return-value]  # the wrapper has the task's own signature


def load(name: str, setting: list[str] | None = None) -> Environment:
    """The environment a task works on, with what `--setting NAME=VALUE` says."""
    from ops.config import environment as environments
    from ops.config import settings

    return environments.load(name, settings.parse_flags(setting or []))


def debugging() -> bool:
    return bool(os.environ.get("OPS_DEBUG")) or logging.getLogger("invoke").getEffectiveLevel() <= logging.DEBUG


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _exit(sentence: str, code: int) -> None:
    from ops.cli import output

    output.error(sentence)
    sys.exit(code)
