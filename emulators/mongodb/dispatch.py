"""From a command document to its reply: who may, which fields are known, how long it may take, what is written down.

Commands register themselves by name (see `commands`). Each lists the fields it understands; any other field is refused,
because an option that is ignored is a wrong answer.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bson import InvalidDocument

from emulators.mongodb.config import User
from emulators.mongodb.cursors import Cursors
from emulators.mongodb.deadline import Deadline, run
from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.expr.core import Scope
from emulators.mongodb.failpoints import FailPoints, Failure
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.scram import Conversation, Credentials
from emulators.mongodb.storage.store import Store, check_database
from emulators.mongodb.turns import SLICE, Overrun, Turns
from emulators.mongodb.values import INT32_MAX, Document, is_number, type_name

# Fields that any command may carry and that change nothing on a single server.
GENERIC = frozenset(
    {"$db", "$readPreference", "$clusterTime", "lsid", "comment", "maxTimeMS", "readConcern", "writeConcern"}
    | {"apiVersion", "apiStrict", "apiDeprecationErrors", "$client", "$audit", "$tenant"}
)
_TRANSACTION = ("startTransaction", "autocommit", "txnNumber", "stmtId", "stmtIds")
_READ_CONCERNS = (None, "local", "available", "majority")


@dataclass
class Server:
    """What all connections share."""

    store: Store
    credentials: Credentials
    cursors: Cursors = field(default_factory=Cursors)
    failpoints: FailPoints = field(default_factory=FailPoints)
    turns: Turns = field(default_factory=Turns)
    started: float = field(default_factory=time.monotonic)
    connections: int = 0
    counters: dict[str, int] = field(default_factory=dict)


@dataclass
class Session:
    """One connection: who it is, and its sign-in under way."""

    number: int = 1
    peer: str = "127.0.0.1:0"
    user: User | None = None
    conversation: Conversation | None = None
    signing_in: User | None = None
    short_exchange: bool = False
    app_name: str | None = None

    @property
    def owner(self) -> str:
        """The user for whom cursors are kept: by role too, since roles share a name."""
        return f"{self.user.name}/{self.user.role}" if self.user else ""


@dataclass(frozen=True)
class Call:
    """One command on its way: everything a handler needs."""

    server: Server
    session: Session
    name: str
    database: str
    body: Document
    deadline: Deadline
    scope: Scope

    @property
    def store(self) -> Store:
        return self.server.store

    def collection_name(self) -> str:
        """The namespace operand of the command: `{find: "things"}`."""
        value = self.body[self.name]
        if type(value) is not str or not value:
            raise CommandError(73, f"collection name has invalid type {type(value).__name__}")
        return value

    def with_let(self) -> Call:
        """The call with the command's `let` among its variables."""
        values = self.body.get("let") or {}
        if not isinstance(values, dict):
            raise bad_value(f"BSON field '{self.name}.let' must be an object")
        from emulators.mongodb.expr.core import compile_expression  # `let` values are expressions without fields

        found = {name: compile_expression(spec, self.scope)({}, self.scope.start({})) for name, spec in values.items()}
        scope = self.scope.with_values(found)
        return Call(self.server, self.session, self.name, self.database, self.body, self.deadline, scope)


Handler = Callable[[Call], Document]


@dataclass(frozen=True)
class Command:
    """A registered command. `writes` decides whether a read-only user is refused."""

    name: str
    handler: Handler
    fields: frozenset[str]
    refused: frozenset[str]
    writes: Callable[[Document], bool]
    needs_user: bool


COMMANDS: dict[str, Command] = {}


def command(
    *names: str,
    fields: str = "",
    refused: str = "",
    writes: bool | Callable[[Document], bool] = False,
    needs_user: bool = True,
) -> Callable[[Handler], Handler]:
    """Registers a handler under its names. `refused` are fields MongoDB has and this server does not.

    A refused field may be there when it is falsy. The field "*" accepts any.
    """

    def decide(body: Document) -> bool:
        return writes if isinstance(writes, bool) else writes(body)

    def register(handler: Handler) -> Handler:
        for name in names:
            known = frozenset(fields.split()) | {name}
            COMMANDS[name] = Command(name, handler, known, frozenset(refused.split()), decide, needs_user)
        return handler

    return register


def strike(server: Server, session: Session, body: Document) -> Failure | None:
    """The failure that a fail point has in store for this command."""
    return server.failpoints.strike(next(iter(body), ""), session.app_name)


def execute(
    server: Server,
    session: Session,
    body: Document,
    *,
    received: float | None = None,
    give_way: Callable[[], None] | None = None,
    slice_seconds: float = SLICE,
) -> Document:
    """The reply to one command. Errors become replies; what was changed is in the log when this returns.

    `received` is when the command came in (`time.monotonic`), from which `maxTimeMS` counts. `give_way` is called after
    each slice of work; an Overrun that it raises comes out of here, and nothing of the command has happened then.
    """

    def hand_on() -> None:
        # Nobody sees what is not written down yet.
        if give_way is not None:
            if not isinstance(give_way, GiveUp):
                server.store.flush()
            give_way()

    try:
        reply = _execute(server, session, body, received, None if give_way is None else hand_on, slice_seconds)
    except Overrun:
        server.store.take_back()
        raise
    except CommandError as error:
        reply = error.reply()
    except RecursionError:
        reply = bad_value("the command is nested too deeply").reply()
    except InvalidDocument as error:
        reply = bad_value(f"the result cannot be stored or sent as BSON: {error}").reply()
    except ArithmeticError as error:
        reply = bad_value(f"a number is out of the range of its type: {error!r}").reply()
    finally:
        run(Deadline())
    try:
        server.store.flush(sync=_wants_sync(body))
    except CommandError as error:
        return error.reply()
    return reply


class GiveUp:
    """What the first attempt of a command does when its slice is over: it raises Overrun."""

    def __call__(self) -> None:
        raise Overrun


def _wants_sync(body: Document) -> bool:
    concern = body.get("writeConcern")
    return isinstance(concern, dict) and bool(concern.get("j"))


def _execute(
    server: Server,
    session: Session,
    body: Document,
    received: float | None,
    give_way: Callable[[], None] | None,
    slice_seconds: float,
) -> Document:
    name = next(iter(body), "")
    found = COMMANDS.get(name)
    if found is None:
        raise CommandError(59, f"no such command: '{name}'")
    database = body.get("$db", "admin")
    check_database(database)
    if found.needs_user and server.credentials and session.user is None:
        raise CommandError(13, f"Command {name} requires authentication")
    if session.user is not None and session.user.role == "read" and found.writes(body):
        raise CommandError(13, f"not authorized on {database} to execute command {name}")
    deadline = Deadline(_time_limit(server, body), started=received, give_way=give_way, slice_seconds=slice_seconds)
    run(deadline)
    _check_fields(found, body)
    _check_concerns(body)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    scope = Scope({"NOW": now.replace(microsecond=now.microsecond // 1000 * 1000)})
    call = Call(server, session, name, database, body, deadline, scope)
    call.deadline.check()
    reply = found.handler(call)
    call.deadline.check()
    server.counters[name] = server.counters.get(name, 0) + 1
    return reply


def _time_limit(server: Server, body: Document) -> int | None:
    """Milliseconds that the command may take; None for no limit."""
    value = body.get("maxTimeMS")
    if value is None:
        return None
    if not is_number(value):
        raise bad_value(f"maxTimeMS must be a number, not {type_name(value)}")
    limit = as_integer(value)
    if limit is None or not 0 <= limit <= INT32_MAX:
        code = 9 if limit is None else 2
        raise CommandError(code, f"{value!r} value for maxTimeMS is out of range [0, {INT32_MAX}]")
    if limit and server.failpoints.always_time_out:
        raise CommandError(50, "operation exceeded time limit")
    return limit


def _check_fields(found: Command, body: Document) -> None:
    for name, value in body.items():
        if name in found.fields or name in GENERIC or "*" in found.fields:
            continue
        if name in _TRANSACTION:
            raise CommandError(20, "Transaction numbers are only allowed on a replica set member or mongos")
        if name == "collation":
            _check_collation(value)
        elif name not in found.refused:
            raise CommandError(40415, f"BSON field '{found.name}.{name}' is an unknown field.")
        elif value:
            raise not_supported(f"the option '{name}' of {found.name}")


def _check_collation(value: Any) -> None:
    if value and value != {"locale": "simple"}:
        raise not_supported("a collation other than {locale: 'simple'}")


def _check_concerns(body: Document) -> None:
    read, write = body.get("readConcern") or {}, body.get("writeConcern") or {}
    if not isinstance(read, dict) or read.get("level") not in _READ_CONCERNS or set(read) - {"level"}:
        raise not_supported(f"the read concern {read!r}")
    if not isinstance(write, dict) or set(write) - {"w", "j", "wtimeout", "fsync"}:
        raise not_supported(f"the write concern {write!r}")
    acknowledged = write.get("w", 1)
    if acknowledged not in ("majority", 0, 1):
        raise bad_value("cannot use 'w' > 1 or a custom write concern when a host is not replicated")
    if body.get("apiVersion", "1") != "1" or body.get("apiStrict"):
        raise not_supported("an API version other than '1', or apiStrict")
