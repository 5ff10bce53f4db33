"""How a tool is declared, and what happens around every call: arguments, turn, confirmation, time limit, errors,
audit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fastmcp.tools import Tool
from fastmcp.tools.base import ToolResult
from gateway_auth import CALLER
from pydantic import Field, ValidationError
from pymongo.errors import PyMongoError

from mongo_db_server import replies
from mongo_db_server.call import (
    Arguments,
    Call,
    Confirmable,
    InCollection,
    InDatabase,
    JsonArray,
    JsonObject,
    Runtime,
    parse_text,
)
from mongo_db_server.confirmation import Subject
from mongo_db_server.errors import CallError, InvalidCallError
from mongo_db_server.operation import Operation, tool_annotations
from mongo_db_server.translate import translate

if TYPE_CHECKING:
    from mongo_db_server.replies import Reply

__all__ = [
    "Arguments",
    "Call",
    "Confirmable",
    "Declaration",
    "InCollection",
    "InDatabase",
    "JsonArray",
    "JsonObject",
    "MongoTool",
    "Runtime",
    "output",
    "parse_text",
    "tool",
]

A = TypeVar("A", bound=Arguments)
Run = Callable[[A, Call], Awaitable["Reply"]]
Judge = Callable[[A, Call], Awaitable[bool]]

logger = logging.getLogger(__name__)

_NULL = {"type": "null"}
# How a call is done and not what it does: confirmation does not depend on them.
_NOT_CONFIRMED = {"confirmation", "dry_run", "max_time_ms", "confirm_database"}


@dataclass(frozen=True)
class Declaration(Generic[A]):
    """One tool. `may_write`: in the admin tier an argument can make it write although its operation only reads.
    `preview` says what a call would do, for dry runs and confirmation; `destroys` whether this call needs to be
    confirmed although its operation does not always: by what it does, which the database may have to be asked for."""

    name: str
    title: str
    description: str
    operation: Operation
    arguments: type[A]
    output: dict[str, Any]
    run: Run[A]
    may_write: bool = False
    preview: Run[A] | None = None
    destroys: Judge[A] | None = None

    def __post_init__(self) -> None:
        if self.operation.confirmed and self.preview is None:
            raise TypeError(f"{self.name} destroys, so it needs a preview to be confirmed by.")


def tool(
    name: str,
    *,
    title: str,
    operation: Operation,
    arguments: type[A],
    output: dict[str, Any],
    may_write: bool = False,
    preview: Run[A] | None = None,
    destroys: Judge[A] | None = None,
) -> Callable[[Run[A]], Declaration[A]]:
    """Declares the decorated function as a tool; its docstring is the description that models read."""

    def declare(run: Run[A]) -> Declaration[A]:
        description = " ".join((run.__doc__ or "").split())
        schema = output if preview is None else _previewed(output)
        return Declaration(name, title, description, operation, arguments, schema, run, may_write, preview, destroys)

    return declare


def _previewed(schema: dict[str, Any]) -> dict[str, Any]:
    """The output of a tool that may answer with what it would do."""
    more = {
        "dry_run": {"type": "boolean", "description": "True: nothing was changed."},
        "confirmation_required": {"type": "boolean", "description": "True: nothing was changed yet."},
        "confirmation": {"type": "string", "description": "Token for the same call again, once the user agrees."},
        "expires_in_seconds": {"type": "integer"},
        "would_drop": {"type": "integer", "description": "Documents that are there now and would be lost."},
        "would_affect": {"type": "integer", "description": "Documents, or objects, that the call would touch."},
        "sample": {"type": "array", "items": {}, "description": "Some of the documents that the call would touch."},
    }
    return {**schema, "properties": {**schema["properties"], **more}, "required": []}


def output(*, optional: dict[str, Any] | None = None, **properties: dict[str, Any]) -> dict[str, Any]:
    """An output schema; every answer may also say what was cut off and where untrusted content begins."""
    common = {
        "truncated": {"type": "string", "description": "What a limit kept back; absent when nothing was."},
        "notice": {"type": "string"},
        "boundary": {"type": "string", "description": "Marks the untrusted part of the text content."},
    }
    every = {**properties, **(optional or {}), **common}
    return {"type": "object", "properties": every, "required": list(properties)}


def input_schema(arguments: type[Arguments]) -> dict[str, Any]:
    """The model's JSON schema without Pydantic's generated titles, which only repeat the names."""
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    required = schema.get("required", [])
    schema["properties"] = {
        name: _property(prop, optional=name not in required) for name, prop in schema.get("properties", {}).items()
    }
    return schema


def _property(prop: dict[str, Any], *, optional: bool) -> dict[str, Any]:
    """Every optional argument takes null too, which means that it is left out. As `anyOf`: strict clients refuse a list
    of types."""
    about: dict[str, Any] = {key: prop.pop(key) for key in ("description", "default") if key in prop}
    prop.pop("title", None)
    if about.get("default", ...) is None:
        del about["default"]
    if not optional:
        return {**prop, **about}
    choices = [choice for choice in prop.get("anyOf", [prop]) if choice != _NULL]
    return {"anyOf": [*choices, _NULL], **about}


class MongoTool(Tool):
    """A declared tool, bound to a database and a tier."""

    declaration: Any = Field(exclude=True)
    runtime: Any = Field(exclude=True)

    @classmethod
    def bind(cls, declaration: Declaration[Any], runtime: Runtime) -> MongoTool:
        return cls(
            name=declaration.name,
            title=declaration.title,
            description=declaration.description,
            parameters=input_schema(declaration.arguments),
            output_schema=declaration.output,
            annotations=tool_annotations(
                declaration.operation,
                title=declaration.title,
                may_write=declaration.may_write and runtime.tier == "admin",
            ),
            declaration=declaration,
            runtime=runtime,
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
            record |= {"outcome": reply.outcome, "result_chars": reply.size}
            return reply
        finally:
            record["duration_ms"] = round((time.monotonic() - started) * 1000, 2)
            self.runtime.audit(record)

    async def _reply(self, arguments: dict[str, Any], started: float, record: dict[str, Any]) -> Reply:
        runtime: Runtime = self.runtime
        try:
            given = self.declaration.arguments.model_validate(arguments)
            deadline = started + runtime.limits.time_ms.grant(given.max_time_ms) / 1000
            await runtime.admission.enter(record["caller"], deadline - time.monotonic())
            try:
                return await self._carry_out(given, Call(runtime, self.name, deadline, record))
            finally:
                runtime.admission.leave(record["caller"])
        except ValidationError as error:
            raise InvalidCallError(explain(error)) from None
        except CallError:
            raise
        except Exception as error:
            record["error"] = type(error).__name__
            if not isinstance(error, PyMongoError):
                logger.exception("%s failed", self.name)
            raise translate(error, terse=runtime.rules.fields.active) from error

    async def _carry_out(self, given: Any, call: Call) -> Reply:
        """Runs the tool, or says what it would do when that is asked for or must be confirmed first."""
        declaration: Declaration[Any] = self.declaration
        if declaration.preview is None:
            return await declaration.run(given, call)
        if given.dry_run:
            reply = await declaration.preview(given, call)
            facts = {**reply.facts, "dry_run": True}
            return replace(
                reply, summary=f"{reply.summary} Dry run: nothing was changed.", facts=facts, outcome="dry-run"
            )
        if await self._needs_confirmation(given, call):
            caller = CALLER.get()
            meant = Subject(caller.subject, caller.client, self.name, given.model_dump(exclude=_NOT_CONFIRMED))
            if given.confirmation is None:
                return self._ask(await declaration.preview(given, call), meant)
            call.runtime.confirmations.take(given.confirmation, meant)
        return await declaration.run(given, call)

    async def _needs_confirmation(self, given: Any, call: Call) -> bool:
        """A call that brings a confirmation is held to it, whatever the database holds by now."""
        declaration, runtime = self.declaration, self.runtime
        if declaration.operation.confirmed or (declaration.operation is Operation.UPDATE and runtime.confirm_updates):
            return True
        if declaration.destroys is None:
            return False
        return given.confirmation is not None or await declaration.destroys(given, call)

    def _ask(self, preview: Reply, meant: Subject) -> Reply:
        confirmations = self.runtime.confirmations
        token = confirmations.issue(meant)
        summary = (
            f"{preview.summary} Nothing has been changed yet. Show this to the user; if he agrees, call {self.name} "
            f'again with the same arguments and "confirmation": "{token}" (once, within {confirmations.seconds} s).'
        )
        asked = {"confirmation_required": True, "confirmation": token, "expires_in_seconds": confirmations.seconds}
        return replace(preview, summary=summary, facts={**preview.facts, **asked}, outcome="confirmation-required")

    def _record(self) -> dict[str, Any]:
        caller = CALLER.get()
        return {
            "event": "call",
            "caller": caller.subject,
            "client": caller.client,
            "tier": self.runtime.tier_name,
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
