"""Completion of database, collection and field names for prompts and resource templates, within the caller's scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mongo_db_server.errors import CallError
from mongo_db_server.toolkit import MongoTool, Runtime
from mongo_db_server.tools.collection_schema import collection_schema
from mongo_db_server.tools.list_collections import list_collections
from mongo_db_server.tools.list_databases import list_databases

if TYPE_CHECKING:
    from fastmcp import FastMCP

_MAX_TIME_MS = 3_000  # a user is typing
_SAMPLE = 20


class Completer:
    def __init__(self, runtime: Runtime) -> None:
        self._tools = {
            declaration.name: MongoTool.bind(declaration, runtime)
            for declaration in (list_databases, list_collections, collection_schema)
            if runtime.rules.tools.admits(declaration.name)
        }

    async def complete(self, argument: str, typed: str, known: dict[str, str]) -> list[str]:
        """Names that start with what has been typed; `known` are the arguments given so far."""
        database, collection = known.get("database"), known.get("collection")
        if argument == "database":
            names = await self._names("list-databases", "databases", "name", {})
        elif argument == "collection" and database:
            names = await self._names("list-collections", "collections", "name", {"database": database})
        elif argument == "field" and database and collection:
            where = {"database": database, "collection": collection, "sample_size": _SAMPLE}
            names = [
                name for name in await self._names("collection-schema", "fields", "path", where) if "[]" not in name
            ]
        else:
            return []
        return [name for name in names if name.startswith(typed)]

    async def _names(self, tool: str, items: str, key: str, arguments: dict[str, Any]) -> list[str]:
        if tool not in self._tools:
            return []
        answer = await self._tools[tool].perform({**arguments, "max_time_ms": _MAX_TIME_MS})
        if isinstance(answer, CallError) or answer.untrusted is None:
            return []  # the audit line says why; a completion has no place for it
        return [str(item[key]) for item in answer.untrusted.items]


def add_completion(mcp: FastMCP[Any], runtime: Runtime) -> None:
    completer = Completer(runtime)

    @mcp.completion
    async def complete(reference: Any, argument: Any, context: Any) -> list[str]:
        known = dict(context.arguments or {}) if context is not None else {}
        return await completer.complete(argument.name, argument.value, known)
