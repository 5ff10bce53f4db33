from __future__ import annotations

from mongo_db_server import ejson
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Arguments, Call, output, tool


@tool(
    "list-databases",
    title="List databases",
    operation=Operation.METADATA,
    arguments=Arguments,
    output=output(
        count={"type": "integer"},
        databases={
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "size_on_disk": {"type": "integer", "description": "Bytes."},
                },
            },
        },
    ),
)
async def list_databases(arguments: Arguments, call: Call) -> Reply:
    """Lists the databases this server can see, with their size on disk in bytes. Start here when the user has not named
    a database. System databases, and those that the operator
    keeps back, are hidden."""

    async def attempt() -> list[dict[str, object]]:
        return [found async for found in await call.client.list_databases()]

    databases = [
        {"name": found["name"], "size_on_disk": int(found.get("sizeOnDisk") or 0)}  # type: ignore[call-overload]
        for found in await call.retry_throttled(attempt)
        if call.rules.scope.admits_database(str(found["name"]))
    ]
    encoded = [ejson.encode(database) for database in databases]
    return Reply(f"{len(databases)} databases.", {"count": len(databases)}, Untrusted.of("databases", encoded))
