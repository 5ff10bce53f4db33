"""What a call asks of the database, as spans below the call's own: which command, where, how long, and how it failed.

Names are those of the semantic conventions for database client calls. Of a command only its name and its database are
kept: never a filter, a document or another value.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from mongo_db_server.caller import CALLER

_MOST = 64  # of one call; an export asks for ever more


@dataclass(frozen=True)
class Command:
    """`ended`: seconds since the epoch; `seconds`: how long it took; `error`: MongoDB's name of what went wrong."""

    name: str
    database: str
    ended: float
    seconds: float
    error: str | None


class Commands(CommandListener):
    """Notes each command with the request that it is for: the driver tells of it in the request's own context."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def started(self, event: CommandStartedEvent) -> None:
        """What ended says the same, and how long it took."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._note(event, None)

    def failed(self, event: CommandFailedEvent) -> None:
        self._note(event, str(event.failure.get("codeName") or event.failure.get("code") or "error"))

    def _note(self, event: CommandSucceededEvent | CommandFailedEvent, error: str | None) -> None:
        commands = CALLER.get().commands
        if commands is not None and len(commands) < _MOST:
            commands.append(
                Command(
                    event.command_name, event.database_name, self._clock(), event.duration_micros / 1_000_000, error
                )
            )
