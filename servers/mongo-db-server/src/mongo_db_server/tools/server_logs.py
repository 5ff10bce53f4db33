from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field
from pymongo.errors import OperationFailure

from mongo_db_server.errors import RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Arguments, Call, output, tool

# CommandNotFound, CommandNotSupported, and what Cosmos DB for MongoDB answers to commands it does not have.
_NO_SUCH_COMMAND = frozenset({59, 115, 40324})
_DEFAULT_LINES = 50
_ADDRESS = re.compile(r"(\b\d{1,3}(\.\d{1,3}){3}(:\d+)?)|(mongodb(\+srv)?://[^\s\"]+)")


class ServerLogsArguments(Arguments):
    type: Literal["global", "startupWarnings"] = Field(
        "global", description="`global` is the recent log; `startupWarnings` what the last start warned of."
    )
    limit: int = Field(_DEFAULT_LINES, ge=1, le=1024, description="Lines to return, the newest last.")


@tool(
    "server-logs",
    title="Show the database server's log",
    operation=Operation.ADMIN,
    arguments=ServerLogsArguments,
    output=output(returned={"type": "integer"}, lines={"type": "array", "items": {"type": "string"}}),
)
async def server_logs(arguments: ServerLogsArguments, call: Call) -> Reply:
    """Returns the newest lines of the database server's own log, for finding out why the server is slow or what failed.
    Azure Cosmos DB keeps none: there Azure Monitor has the logs."""
    if call.rules.scope.active or call.rules.fields.active:
        raise RefusedError(
            "The log quotes what all callers do, so it is closed where databases or fields are restricted."
        )

    async def attempt() -> dict[str, Any]:
        return await call.client.admin.command({"getLog": arguments.type})

    try:
        found = await call.retry_throttled(attempt)
    except OperationFailure as error:
        if error.code in _NO_SUCH_COMMAND:
            raise RefusedError(
                "This database offers no log (`getLog` is not a command of it); on Azure Cosmos DB see Azure Monitor."
            ) from None
        raise
    lines = [_ADDRESS.sub("[address]", str(line)) for line in found.get("log", [])][-arguments.limit :]
    kept: list[str] = []
    room = call.limits.bytes.default
    for line in reversed(lines):
        room -= len(line.encode())
        if room < 0:
            break
        kept.insert(0, line)
    cut = None if len(kept) == len(lines) else f"The oldest {len(lines) - len(kept)} lines did not fit."
    return Reply(f"{len(kept)} lines of the log.", {"returned": len(kept)}, Untrusted.of("lines", kept), cut)
