"""One call while it runs: the way to the database, past every rule."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from bson.errors import InvalidBSON
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pymongo.errors import PyMongoError

from mongo_db_server import ejson, paging, queries, stages
from mongo_db_server.admission import Admission
from mongo_db_server.audit import Sink, write_line
from mongo_db_server.confirmation import Confirmations
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.limits import Page, Report, collect
from mongo_db_server.rules import Rules
from mongo_db_server.throttling import once, retry_throttled
from mongo_db_server.views import Views, views_in

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection
    from pymongo.asynchronous.database import AsyncDatabase
    from pymongo.asynchronous.mongo_client import AsyncMongoClient

    from mongo_db_server.limits import Limits
    from mongo_db_server.settings import Tier
    from mongo_db_server.stages import Prepared

T = TypeVar("T")
Document = dict[str, Any]

# Reports the call's progress to the caller; None when he did not ask for it.
PROGRESS: ContextVar[Report | None] = ContextVar("progress", default=None)
_MAX_BATCH = 1_000
_KEPT_COLLECTIONS = 256
_MAX_NAME = 255  # "MongoDB Limits and Thresholds": a namespace has at most 255 bytes
_CLOSE_SECONDS = 5.0
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{24}")
_closing: set[asyncio.Task[None]] = set()


def parse_text(value: Any) -> Any:
    """Models often send an object as JSON text; reading it costs nothing and saves them a round."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return ejson.loads(value)
        except ValueError:
            return value
    return value


def parse_list(value: Any) -> Any:
    """A list whose objects may be text too. Raises ValueError for a single object, which says nothing of its place."""
    parsed = parse_text(value)
    if isinstance(parsed, dict):
        raise ValueError("must be an array of objects, as in [{…}]; this is one object")
    return [parse_text(item) for item in parsed] if isinstance(parsed, list) else parsed


JsonObject = Annotated[dict[str, Any], BeforeValidator(parse_text)]
JsonArray = Annotated[list[dict[str, Any]], BeforeValidator(parse_list)]


class Arguments(BaseModel):
    """Base of every tool's arguments; unknown names are refused, so a misspelt limit is not silently ignored. `null`
    for an optional one means that it was left out: frameworks fill it in."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    max_time_ms: int | None = Field(
        None, ge=1, description="Time limit in milliseconds. The server's default applies when omitted."
    )

    @model_validator(mode="before")
    @classmethod
    def _null_means_left_out(cls, given: Any) -> Any:
        if not isinstance(given, dict) or None not in given.values():
            return given
        optional: frozenset[str] = optional_names(cls)
        return {name: value for name, value in given.items() if value is not None or name not in optional}


@cache
def optional_names(arguments: type[BaseModel]) -> frozenset[str]:
    """Every name that an argument goes by which may be left out."""
    names: set[str] = set()
    for name, about in arguments.model_fields.items():
        if not about.is_required():
            alias = about.validation_alias
            choices = alias.choices if isinstance(alias, AliasChoices) else ()
            names |= {name, *(choice for choice in choices if isinstance(choice, str))}
    return frozenset(names)


class InDatabase(Arguments):
    database: str = Field(description="Name of the database.")


class InCollection(InDatabase):
    collection: str = Field(description="Name of the collection.")


class Confirmable(BaseModel):
    """What every tool that may ask for confirmation also takes."""

    dry_run: bool = Field(False, description="Only say what would be touched: how many, and a sample. Nothing changes.")
    confirmation: str | None = Field(
        None,
        max_length=200,
        description="The token of the first call's answer. Give it only after the user has agreed to what that says.",
    )


@dataclass
class Runtime:
    """What all calls of one server share. `tier` is what it may do; `tier_name` what callers and logs know it by."""

    client: AsyncMongoClient[Document]
    tier: Tier
    limits: Limits
    audit: Sink = write_line
    rules: Rules = field(default_factory=Rules)
    confirmations: Confirmations = field(default_factory=Confirmations)
    admission: Admission = field(default_factory=Admission)
    confirm_updates: bool = False
    name: str = "mongodb"
    tier_name: str = ""
    views: Views = field(init=False)
    _collections: dict[tuple[str, str], AsyncCollection[Document]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.tier_name = self.tier_name or self.tier
        self.views = Views(views_in(self.client), self.rules)

    def database(self, name: str) -> AsyncDatabase[Document]:
        """The driver's object for a name that has been checked."""
        return self.client.get_database(name, codec_options=ejson.CODEC)

    def collection(self, database: str, name: str) -> AsyncCollection[Document]:
        """Kept, because making the driver's objects costs as much as writing an answer; not for names too long to
        exist, so that callers cannot fill the memory."""
        found = self._collections.get((database, name))
        if found is None:
            found = self.database(database)[name]
            if len(self._collections) >= _KEPT_COLLECTIONS:
                self._collections.clear()
            if len(name) <= _MAX_NAME:
                self._collections[database, name] = found
        return found


@dataclass
class Call:
    """`deadline` is in seconds of `time.monotonic`; `audit` becomes the call's line; `tool` is the tool's name."""

    runtime: Runtime
    tool: str
    deadline: float
    audit: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        runtime = self.runtime
        self.client, self.tier, self.limits, self.rules = runtime.client, runtime.tier, runtime.limits, runtime.rules

    def database(self, name: str) -> AsyncDatabase[Document]:
        """Raises RefusedError for a database out of scope."""
        self.rules.scope.require_database(name)
        self.audit["namespace"] = name
        return self.runtime.database(name)

    def named(self, where: InCollection) -> AsyncCollection[Document]:
        """A collection of which nothing is read. Raises RefusedError for one out of scope."""
        self.rules.scope.require_collection(where.database, where.collection)
        self.audit["namespace"] = f"{where.database}.{where.collection}"
        return self.runtime.collection(where.database, where.collection)

    async def check_views(self, *sources: tuple[str, str]) -> None:
        """Raises RefusedError when one of the namespaces is a view that shows what a rule keeps back."""
        unknown = [source for source in sources if not self.runtime.views.plain(*source)]
        if unknown:
            await self.retry_throttled(lambda: self.runtime.views.check(unknown))

    async def reading(self, where: InCollection) -> AsyncCollection[Document]:
        """The collection to read from; RefusedError where it is a view that shows what a rule keeps back."""
        collection = self.named(where)
        await self.check_views((where.database, where.collection))
        return collection

    def decode(self, value: Any, where: str) -> Any:
        return ejson.decode(value, where, self.rules.depth)

    def filter(self, value: Document, *, strict: bool = False) -> Document:
        """A filter in BSON values, checked. `strict`: no stage removes redacted fields before it is applied."""
        decoded = self.decode(value, "filter")
        queries.check_filter(decoded, self.tier, self.rules, strict=strict)
        return decoded  # type: ignore[no-any-return]  # check_filter has raised for anything but an object

    def fields(self, value: Document | None, name: str) -> Document | None:
        """A projection or sort in BSON values; an empty one means none."""
        decoded = self.decode(value, name)
        if not isinstance(decoded, dict | None):
            raise InvalidCallError(f"`{name}` must be an object of field names.")
        queries.check_operators(decoded, self.tier, self.rules)
        for path in decoded or {} if self.rules.fields.active else ():
            self.rules.fields.require(path)
        return decoded or None

    def prepare(self, pipeline: Any, database: str, collection: str | None) -> Prepared:
        """The pipeline as it is sent. Pass its sources to `check_views` before sending it."""
        return stages.prepare(
            self.decode(pipeline, "pipeline"),
            database=database,
            collection=collection,
            tier=self.tier,
            rules=self.rules,
            max_stages=self.limits.pipeline_stages,
        )

    async def why_nothing(self, where: InCollection, asked: Any) -> str:
        """What may be the reason that nothing was found, as a sentence behind another one; empty where none is seen.
        `asked` is the condition, or the pipeline, in BSON values."""
        database = self.runtime.database(where.database)
        with suppress(PyMongoError):  # a hint only: what was asked for has been answered
            names = await self.retry_throttled(
                lambda: database.list_collection_names(filter={"name": where.collection})
            )
            if where.collection not in names:
                return f" {where.database}.{where.collection} does not exist; list-collections shows what does."
        if any(map(_HEXADECIMAL.fullmatch, queries.strings(asked))):
            return ' A text of 24 hexadecimal digits is not an object id: that is written {"$oid": "…"}.'
        return ""

    def offset(self, arguments: Any) -> int:
        """Where the page begins that the arguments' `cursor` asks for."""
        return 0 if arguments.cursor is None else paging.offset_of(arguments.cursor, self.tool, arguments.model_dump())

    def cursor(self, page: Page, arguments: Any) -> str | None:
        return paging.cursor_at(page.end, self.tool, arguments.model_dump()) if page.more else None

    def batch(self, limit: int | None) -> int:
        """One document more than granted tells "that was all" from "there are more"; it also ends the cursor at the
        database in the common case, so nothing is left open there."""
        return min(self.limits.documents.grant(limit) + 1, _MAX_BATCH)

    async def page(self, cursor: Any, arguments: Any, offset: int = 0) -> Page:
        """Reads one page and closes the cursor. `arguments` has `limit`, `max_bytes` and `ejson`."""
        async with closing(cursor):
            return await collect(
                cursor,
                documents=self.limits.documents,
                asked=arguments.limit,
                max_bytes=self.limits.bytes.grant(arguments.max_bytes),
                form=arguments.ejson,
                offset=offset,
                report=PROGRESS.get(),
            )

    async def retry_throttled(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run `attempt`, which must be safe to repeat, and again while the database throttles."""
        return await retry_throttled(attempt, deadline=self.deadline)

    async def read(
        self, source: AsyncCollection[Document] | AsyncDatabase[Document], attempt: Callable[[Any], Awaitable[T]]
    ) -> T:
        """Run `attempt` with `source`, a collection or a database, and again while the database throttles. Where the
        driver cannot decode a document, `attempt` runs again with a source that leaves documents as they came."""
        try:
            return await self.retry_throttled(lambda: attempt(source))
        except InvalidBSON:
            raw = source.with_options(codec_options=ejson.RAW)
            return await self.retry_throttled(lambda: attempt(raw))

    async def once(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Runs `attempt` a single time: for writes whose repetition would change more."""
        return await once(attempt, deadline=self.deadline)


@asynccontextmanager
async def closing(cursor: Any) -> AsyncIterator[None]:
    """Closes the cursor, at the database too, even while the call is being cancelled: then on its own, because whoever
    cancels may cancel the closing as well."""
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):
        task = asyncio.create_task(_close(cursor))
        _closing.add(task)
        task.add_done_callback(_closing.discard)
        raise
    except BaseException:
        await cursor.close()
        raise
    else:
        await cursor.close()


async def _close(cursor: Any) -> None:
    async with asyncio.timeout(_CLOSE_SECONDS):
        await cursor.close()
