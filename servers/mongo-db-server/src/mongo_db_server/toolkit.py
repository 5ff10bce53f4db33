"""How a tool is declared, and what happens around every call: arguments, time limit, errors, audit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastmcp.tools import Tool
from fastmcp.tools.base import ToolResult
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pymongo.errors import PyMongoError

from mongo_db_server import ejson, namespaces, queries, replies
from mongo_db_server.audit import Sink, write_line
from mongo_db_server.caller import CALLER
from mongo_db_server.errors import CallError, InvalidCallError
from mongo_db_server.operation import Operation, tool_annotations
from mongo_db_server.throttling import once, patiently
from mongo_db_server.translate import translate

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection
    from pymongo.asynchronous.database import AsyncDatabase
    from pymongo.asynchronous.mongo_client import AsyncMongoClient

    from mongo_db_server.limits import Limits
    from mongo_db_server.replies import Reply
    from mongo_db_server.settings import Tier

T = TypeVar("T")
A = TypeVar("A", bound="Arguments")
Document = dict[str, Any]

logger = logging.getLogger(__name__)


def parse_text(value: Any) -> Any:
    """Models often send an object as JSON text; reading it costs nothing and saves them a round."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return ejson.loads(value)
        except ValueError:
            return value
    return value


JsonObject = Annotated[dict[str, Any], BeforeValidator(parse_text)]
JsonArray = Annotated[list[dict[str, Any]], BeforeValidator(parse_text)]


class Arguments(BaseModel):
    """Base of every tool's arguments; unknown names are refused, so a misspelt limit is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    max_time_ms: int | None = Field(
        None, ge=1, description="Time limit in milliseconds. The server's default applies when omitted."
    )


class InDatabase(Arguments):
    database: str = Field(description="Name of the database.")


class InCollection(InDatabase):
    collection: str = Field(description="Name of the collection.")


@dataclass
class Call:
    """One call while it runs: the way to the database, the limits, and what the audit line will say."""

    client: AsyncMongoClient[Document]
    tier: Tier
    limits: Limits
    deadline: float
    audit: dict[str, Any] = field(default_factory=dict)

    def database(self, name: str) -> AsyncDatabase[Document]:
        namespaces.require_database(name)
        self.audit["namespace"] = name
        return self.client.get_database(name, codec_options=ejson.CODEC)

    def collection(self, where: InCollection) -> AsyncCollection[Document]:
        database = self.database(where.database)
        namespaces.require_collection(where.collection)
        self.audit["namespace"] = f"{where.database}.{where.collection}"
        return database[where.collection]

    def filter(self, value: Document) -> Document:
        """A filter in BSON values, checked for what this tier refuses."""
        decoded = ejson.decode(value, "filter")
        queries.check_filter(decoded, self.tier)
        return decoded  # type: ignore[no-any-return]  # check_filter has raised for anything but an object

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Runs `attempt`, which must be safe to repeat, again while the database throttles."""
        return await patiently(attempt, deadline=self.deadline)

    async def once(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Runs `attempt` a single time: for writes whose repetition would change more."""
        return await once(attempt, deadline=self.deadline)


@dataclass(frozen=True)
class Declaration(Generic[A]):
    """One tool. `may_write`: in the admin tier an argument can make it write although its operation only reads."""

    name: str
    title: str
    description: str
    operation: Operation
    arguments: type[A]
    output: dict[str, Any]
    run: Callable[[A, Call], Awaitable[Reply]]
    may_write: bool = False


def tool(
    name: str,
    *,
    title: str,
    operation: Operation,
    arguments: type[A],
    output: dict[str, Any],
    may_write: bool = False,
) -> Callable[[Callable[[A, Call], Awaitable[Reply]]], Declaration[A]]:
    """Declares the decorated function as a tool; its docstring is the description that models read."""

    def declare(run: Callable[[A, Call], Awaitable[Reply]]) -> Declaration[A]:
        description = " ".join((run.__doc__ or "").split())
        return Declaration(name, title, description, operation, arguments, output, run, may_write)

    return declare


def output(**properties: dict[str, Any]) -> dict[str, Any]:
    """An output schema; every answer may also say what was cut off and where untrusted content begins."""
    common = {
        "truncated": {"type": "string", "description": "What a limit kept back; absent when nothing was."},
        "notice": {"type": "string"},
        "boundary": {"type": "string", "description": "Marks the untrusted part of the text content."},
    }
    return {"type": "object", "properties": {**properties, **common}, "required": list(properties)}


def input_schema(arguments: type[Arguments]) -> dict[str, Any]:
    """The model's JSON schema without Pydantic's generated titles, which only repeat the names."""
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    schema["properties"] = {name: _flat(prop) for name, prop in schema.get("properties", {}).items()}
    return schema


def _flat(prop: dict[str, Any]) -> dict[str, Any]:
    """`anyOf [T, null]` becomes `T`: leaving an argument out already means null, and models choose better."""
    prop.pop("title", None)
    choices = [choice for choice in prop.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        prop = {**choices[0], **{key: value for key, value in prop.items() if key != "anyOf"}}
    if prop.get("default", ...) is None:
        del prop["default"]
    return prop


class MongoTool(Tool):
    """A declared tool, bound to a database and a tier."""

    declaration: Any = Field(exclude=True)
    client: Any = Field(exclude=True)
    tier: Any = Field(exclude=True)
    limits: Any = Field(exclude=True)
    audit: Any = Field(default=write_line, exclude=True)

    @classmethod
    def bind(
        cls,
        declaration: Declaration[Any],
        *,
        client: AsyncMongoClient[Document],
        tier: Tier,
        limits: Limits,
        audit: Sink = write_line,
    ) -> MongoTool:
        return cls(
            name=declaration.name,
            title=declaration.title,
            description=declaration.description,
            parameters=input_schema(declaration.arguments),
            output_schema=declaration.output,
            annotations=tool_annotations(
                declaration.operation,
                title=declaration.title,
                may_write=declaration.may_write and tier == "admin",
            ),
            declaration=declaration,
            client=client,
            tier=tier,
            limits=limits,
            audit=audit,
        )

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult.from_mcp_result(replies.render(await self.perform(arguments)))

    async def perform(self, arguments: dict[str, Any]) -> Reply | CallError:
        """Runs the call to its end, good or bad, and writes its audit line."""
        started, record = time.monotonic(), self._record()
        try:
            reply = await self._reply(arguments, started, record)
        except CallError as error:
            record["outcome"] = error.outcome
            return error
        except asyncio.CancelledError:
            record["outcome"] = "cancelled"
            raise
        else:
            record |= {"outcome": "ok", "result_chars": reply.size}
            return reply
        finally:
            record["duration_ms"] = round((time.monotonic() - started) * 1000, 2)
            self.audit(record)

    async def _reply(self, arguments: dict[str, Any], started: float, record: dict[str, Any]) -> Reply:
        declaration: Declaration[Any] = self.declaration
        try:
            given = declaration.arguments.model_validate(arguments)
            limit_ms = self.limits.time_ms.grant(given.max_time_ms)
            call = Call(self.client, self.tier, self.limits, started + limit_ms / 1000, record)
            return await declaration.run(given, call)
        except ValidationError as error:
            raise InvalidCallError(explain(error)) from None
        except CallError:
            raise
        except Exception as error:
            record["error"] = type(error).__name__
            if not isinstance(error, PyMongoError):
                logger.exception("%s failed", self.name)
            raise translate(error) from error

    def _record(self) -> dict[str, Any]:
        caller = CALLER.get()
        return {
            "event": "call",
            "caller": caller.subject,
            "client": caller.client,
            "tier": self.tier,
            "tool": self.name,
            "operation": self.declaration.operation.value,
            "namespace": None,
            "request_bytes": caller.request_bytes,
            "outcome": "failed",
        }


def explain(error: ValidationError) -> str:
    """One sentence about the first argument that is wrong, without its value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "arguments"
    if first["type"] == "extra_forbidden":
        return f"`{name}` is not an argument of this tool."
    if first["type"] == "missing":
        return f"`{name}` is required."
    reason = first["msg"].removeprefix("Value error, ")
    return f"`{name}` is not valid: {reason[:1].lower()}{reason[1:]}."
