"""From a command document to its reply: who may, which fields are known, how long it may take, what is written down.

Commands register themselves by name (see `commands`). Each lists the fields it understands; any other field is refused,
because an option that is ignored is a wrong answer.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bson import DBRef, InvalidDocument, Timestamp

from emulators.mongodb.config import ADMINISTRATOR, User
from emulators.mongodb.cursors import Cursors
from emulators.mongodb.deadline import Deadline, run
from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.expr.core import Scope
from emulators.mongodb.failpoints import FailPoints, Failure
from emulators.mongodb.numeric import as_integer, cut
from emulators.mongodb.oidc import Tokens
from emulators.mongodb.query.collation import TextKey, parse_collation
from emulators.mongodb.scram import Conversation, Credentials
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.store import Store, check_database
from emulators.mongodb.turns import SLICE, Overrun, Turns
from emulators.mongodb.values import INT32_MAX, Document, is_number, type_name

# Fields that any command may carry and that change nothing on a single server.
GENERIC = frozenset(
    {"$db", "$readPreference", "$clusterTime", "lsid", "comment", "maxTimeMS", "readConcern", "writeConcern"}
    | {"apiVersion", "apiStrict", "apiDeprecationErrors", "$client", "$audit", "$tenant"}
)
_TRANSACTION = ("startTransaction", "autocommit", "txnNumber", "stmtId", "stmtIds")


@dataclass
class Server:
    """What all connections share."""

    store: Store
    credentials: Credentials
    tokens: Tokens | None = None
    cursors: Cursors = field(default_factory=Cursors)
    failpoints: FailPoints = field(default_factory=FailPoints)
    turns: Turns = field(default_factory=Turns)
    started: float = field(default_factory=time.monotonic)
    connections: int = 0
    counters: dict[str, int] = field(default_factory=dict)

    @property
    def asks_who(self) -> bool:
        """Whether a command needs somebody who has signed in."""
        return bool(self.credentials) or self.tokens is not None


@dataclass
class Session:
    """One connection: who it is, and its sign-in under way."""

    number: int = 1
    peer: str = "127.0.0.1:0"
    user: User | None = None
    ends: float | None = None  # when the token ends that the user signed in with, in seconds since 1970
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
            raise CommandError(73, f"collection name has invalid type {type_name(value)}")
        if "\0" in value or value.startswith(("$", ".")):
            raise CommandError(73, f"Invalid collection name specified '{self.database}.{value}'")
        return value

    def with_let(self) -> Call:
        """The call with the command's `let` among its variables: constants, each of which may refer to earlier ones."""
        values = self.body.get("let") or {}
        if not values:
            return self
        from emulators.mongodb.expr.core import check_name, compile_expression, refers_to_document

        scope = self.scope
        for name, spec in values.items():
            if name in ("NOW", "CLUSTER_TIME", "USER_ROLES"):
                raise CommandError(4738901, f"'let' cannot define the system variable {name}")
            if name != "CURRENT":
                check_name(name)
            if refers_to_document(spec):
                raise CommandError(4890500, f"'let' may not refer to a field: {name}")
            if mentions(spec, "$$NOW") or mentions(spec, "$$CLUSTER_TIME"):
                raise CommandError(51144, f"'let' may not refer to a system variable: {name}")
            scope = scope.with_values({name: compile_expression(spec, scope)({}, scope.start({}))})
        return Call(self.server, self.session, self.name, self.database, self.body, self.deadline, scope)


def mentions(spec: Any, variable: str) -> bool:
    """Whether an expression has the variable anywhere."""
    if isinstance(spec, str):
        return spec == variable or spec.startswith(f"{variable}.")
    if isinstance(spec, dict):
        return any(mentions(value, variable) for value in spec.values())
    return isinstance(spec, list) and any(mentions(value, variable) for value in spec)


Handler = Callable[[Call], Document]


@dataclass(frozen=True)
class Command:
    """A registered command. `writes` decides whether a read-only user is refused."""

    name: str
    handler: Handler
    fields: Mapping[str, str]
    refused: frozenset[str]
    writes: Callable[[Document], bool]
    needs_user: bool
    administers: bool


COMMANDS: dict[str, Command] = {}


def command(
    *names: str,
    fields: str = "",
    refused: str = "",
    writes: bool | Callable[[Document], bool] = False,
    needs_user: bool = True,
    administers: bool = False,
) -> Callable[[Handler], Handler]:
    """Registers a handler under its names.

    `fields` are those it knows, each with its type behind a colon (see `KINDS`) and a `!` where it has to be there.
    `refused` are fields MongoDB has and this server does not; one may be there when it is falsy. The field "*" accepts
    any. `administers`: only for an administrator, where the server asks who one is.
    """

    def decide(body: Document) -> bool:
        return writes if isinstance(writes, bool) else writes(body)

    def register(handler: Handler) -> Handler:
        for name in names:
            known = dict(_declared(item) for item in fields.split())
            known[name] = ""
            COMMANDS[name] = Command(name, handler, known, frozenset(refused.split()), decide, needs_user, administers)
        return handler

    return register


def _declared(item: str) -> tuple[str, str]:
    """A field and its kind, from `name`, `name!`, `name:kind` or `name:kind!`."""
    field_name, _, kind = item.partition(":")
    return field_name.rstrip("!"), kind or ("!" if field_name.endswith("!") else "")


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
    if found.needs_user or database != "$external":  # where a token's user is, who is meeting the server
        check_database(database)
    user = session.user
    if found.needs_user and server.asks_who and user is None:
        raise CommandError(13, f"Command {name} requires authentication")
    if found.needs_user and session.ends is not None and time.time() >= session.ends:
        # "Authentication" (MongoDB's specifications): the driver signs in anew and repeats the command.
        raise CommandError(391, "ReauthenticationRequired: the access token has ended")
    if user is not None and (
        (found.administers and user.role != ADMINISTRATOR) or (found.writes(body) and not user.may_write)
    ):
        raise CommandError(13, f"not authorized on {database} to execute command {name}")
    deadline = Deadline(
        _time_limit(server, body),
        started=received,
        give_way=give_way,
        slice_seconds=slice_seconds,
        may_spill=body.get("allowDiskUse") is not False,
    )
    run(deadline)
    _check_fields(found, body)
    _check_concerns(name, body)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    collection = named_collection(server.store, database, body)
    scope = Scope({"NOW": now.replace(microsecond=now.microsecond // 1000 * 1000)}, searched=collection)
    deadline.check()
    deadline.text_key = text_key_of(body, collection) if name not in ("create", "createIndexes") else None
    run(deadline)
    reply = found.handler(Call(server, session, name, database, body, deadline, scope))
    with deadline.whole():  # it is done: given up now, it would be done twice
        deadline.check()
    server.counters[name] = server.counters.get(name, 0) + 1
    return reply


def _time_limit(server: Server, body: Document) -> int | None:
    """Milliseconds that the command may take; None for no limit."""
    value = body.get("maxTimeMS")
    if value is None:
        return None
    if not is_number(value):
        raise CommandError(14, f"BSON field 'maxTimeMS' is the wrong type '{type_name(value)}'")
    limit = as_integer(value)
    if limit is None or not 0 <= limit <= INT32_MAX:
        code = 9 if limit is None else 2
        raise CommandError(code, f"{value!r} value for maxTimeMS is out of range [0, {INT32_MAX}]")
    if limit and server.failpoints.always_time_out:
        raise CommandError(50, "operation exceeded time limit")
    return limit


# What a field may be, by its kind: its `$type` names, and the code for another type. Source: the commands' IDL files.
_NUMBERS = ("int", "long", "double", "decimal")
KINDS: dict[str, tuple[tuple[str, ...], int]] = {
    "bool": (("bool",), 14),
    "flag": (("bool", *_NUMBERS), 14),
    "object": (("object",), 14),
    "array": (("array",), 14),
    "string": (("string",), 14),
    "number": (_NUMBERS, 14),
    "hint": (("string", "object"), 9),
    "long": (("long",), 14),
    "update": (("object", "array"), 9),
}


def check_kinds(name: str, body: Document, fields: Mapping[str, str]) -> None:
    """The code of a field of a wrong type; 40414 for one that has to be there. Null means left out, and goes."""
    for option, kind in fields.items():
        needed, kind = kind.endswith("!"), kind.rstrip("!")
        strict, kind = kind.endswith("~"), kind.rstrip("~")
        if not kind:
            if needed and body.get(option) is None:
                raise CommandError(40414, f"BSON field '{name}.{option}' is missing but a required field")
            continue
        value = body.get(option)
        if value is None and option in body and not strict and kind != "hint":
            del body[option]
        if option not in body:
            if needed:
                raise CommandError(40414, f"BSON field '{name}.{option}' is missing but a required field")
            continue
        types, code = KINDS[kind]
        if isinstance(value, DBRef):
            value = body[option] = dict(value.as_doc())
        if type_name(value) not in types:
            raise CommandError(
                code,
                f"BSON field '{name}.{option}' is the wrong type '{type_name(value)}', expected {' or '.join(types)}",
            )


def _check_fields(found: Command, body: Document) -> None:
    for name, value in body.items():
        if name in found.fields or name in GENERIC or "*" in found.fields:
            continue
        if name in _TRANSACTION:
            raise CommandError(20, "Transaction numbers are only allowed on a replica set member or mongos")
        if name == "collation":
            if found.name not in COLLATED and value != {"locale": "simple"}:
                raise CommandError(40415, f"BSON field '{found.name}.{name}' is an unknown field.")
        elif name not in found.refused:
            raise CommandError(40415, f"BSON field '{found.name}.{name}' is an unknown field.")
        elif value:
            raise not_supported(f"the option '{name}' of {found.name}")
    check_kinds(found.name, body, found.fields)


# The commands that take a collation of their own; those that read one collection have its default otherwise.
COLLATED = ("find", "aggregate", "count", "distinct", "findAndModify", "findandmodify", "create")


def named_collection(store: Store, database: Any, body: Document) -> Collection | None:
    """The collection that the command names, if there is one."""
    name: Any = next(iter(body.values()), None)
    known = type(name) is str and type(database) is str  # code is a text too, which nothing is called by
    return store.find(database, name) if known else None


def text_key_of(body: Document, collection: Collection | None) -> TextKey | None:
    """How the command compares texts: by its own collation, else by its collection's; None for code points.

    TypeMismatch (14) and others for a collation that is none; see `query.collation`.
    """
    if not body.get("collation"):
        return None if collection is None else collection.text_key
    found = parse_collation(body["collation"])
    return None if found is None else found.text_key


_LEVELS = ("local", "available", "majority", "linearizable", "snapshot")
_PROVENANCES = ("clientSupplied", "implicitDefault", "customDefault", "getLastErrorDefaults", "internalWriteDefault")
# Who may ask for a read that only a replica set can do; the others are told that it is no option of theirs.
_LINEARIZABLE, _SNAPSHOT = ("find", "aggregate", "count", "distinct"), ("find", "aggregate", "distinct")
_READERS = ("find", "count", "distinct", "getMore", "listCollections", "listIndexes", "dbStats", "collStats")


def _check_concerns(name: str, body: Document) -> None:
    _check_read_concern(name, body.get("readConcern"))
    write = body.get("writeConcern")
    if write is not None:
        if isinstance(write, dict) and name in _READERS:
            raise CommandError(72, f"{name} does not support writeConcern")
        _check_write_concern(write)
    if body.get("apiVersion", "1") != "1" or body.get("apiStrict"):
        raise not_supported("an API version other than '1', or apiStrict")


def _concern(field: str, value: Any, known: tuple[str, ...]) -> Document:
    if not isinstance(value, dict):
        raise CommandError(14, f"BSON field '{field}' is the wrong type '{type_name(value)}', expected type 'object'")
    for name in value:
        if name not in known:
            raise CommandError(40415, f"BSON field '{field}.{name}' is an unknown field.")
    provenance = value.get("provenance")
    if provenance is not None and type(provenance) is not str:
        raise CommandError(14, f"BSON field '{field}.provenance' is the wrong type '{type_name(provenance)}'")
    if provenance is not None and provenance not in _PROVENANCES:
        raise bad_value(f"Enumeration value '{provenance}' for field '{field}.provenance' is not a valid value.")
    return value


def _check_read_concern(name: str, value: Any) -> None:
    if value is None:
        return
    concern = _concern(
        "readConcern", value, ("level", "afterClusterTime", "atClusterTime", "afterOpTime", "provenance")
    )
    level = concern.get("level")
    if level is not None and type(level) is not str:
        raise CommandError(14, f"BSON field 'readConcern.level' is the wrong type '{type_name(level)}'")
    if level is not None and level not in _LEVELS:
        raise bad_value(f"Enumeration value '{level}' for field 'readConcern.level' is not a valid value.")
    for time_ in ("afterClusterTime", "atClusterTime"):
        if concern.get(time_) is not None and not isinstance(concern[time_], Timestamp):
            raise CommandError(14, f"BSON field 'readConcern.{time_}' is the wrong type '{type_name(concern[time_])}'")
    if concern.get("atClusterTime") is not None:
        raise CommandError(72, "readConcern.atClusterTime is only allowed with the level snapshot, in a replica set")
    if level in ("linearizable", "snapshot"):
        able = name in (_LINEARIZABLE if level == "linearizable" else _SNAPSHOT)
        raise CommandError(123 if able else 72, f"read concern {level} needs a replica set, and a command that has it")
    if concern.get("afterClusterTime"):
        raise CommandError(20, "Cannot specify afterClusterTime readConcern without a replica set")


def _check_write_concern(value: Any) -> None:
    concern = _concern("writeConcern", value, ("w", "j", "wtimeout", "fsync", "provenance"))
    wanted = concern.get("w", 1)
    if is_number(wanted):
        if cut(wanted) not in (0, 1):
            code = 2 if 0 <= (cut(wanted) or 0) <= 50 else 9
            raise CommandError(code, "cannot use 'w' > 1 when a host is not replicated")
    elif type(wanted) is str:
        if wanted != "majority":
            raise bad_value(f"cannot use the write concern '{wanted}' when a host is not replicated")
    elif not isinstance(wanted, dict) and wanted is not None:
        raise CommandError(9, f"w has to be a number, string, or object; found: {type_name(wanted)}")
    for name in ("j", "fsync"):
        if concern.get(name) is not None and type_name(concern[name]) not in ("bool", *_NUMBERS):
            raise CommandError(14, f"BSON field 'writeConcern.{name}' is the wrong type '{type_name(concern[name])}'")
    timeout = concern.get("wtimeout")
    if is_number(timeout) and (cut(timeout) or 0) > INT32_MAX:
        raise CommandError(9, f"wtimeout value must be within the range of 32 bits, found {timeout}")
