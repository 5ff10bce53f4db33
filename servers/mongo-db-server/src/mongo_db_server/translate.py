"""PyMongo's errors, translated once, at the boundary. No sentence here can show a part of the connection string."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bson.errors import BSONError, InvalidBSON
from pymongo import errors as mongo

from mongo_db_server.errors import (
    CallError,
    DatabaseError,
    InvalidCallError,
    RefusedError,
    ThrottledError,
    TimeLimitError,
)

# Cosmos DB for MongoDB: "Request rate is large" ("Prevent rate-limiting errors", Microsoft Learn).
THROTTLED = 16500
_RETRY_AFTER = re.compile(r"RetryAfterMs[=:\s]+(\d+)")

_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_TIME_LIMIT = 50
_DUPLICATE_KEY = 11000
_NAMESPACE_EXISTS = 48
_NAMESPACE_NOT_FOUND = 26

# Addresses and credentials have no place in an answer, whoever put them into the message.
_ADDRESS = re.compile(
    r"(mongodb(\+srv)?://\S+)|(\b[\w.-]+\.(azure\.com|mongodb\.net)(:\d+)?)|(\b\d{1,3}(\.\d{1,3}){3}:\d+)"
)

_CANNOT_BE_SENT = (BSONError, mongo.InvalidName, mongo.DocumentTooLarge, OverflowError, TypeError, ValueError)


def is_throttling(error: BaseException) -> bool:
    return any(code == THROTTLED for code, _ in _reasons(error))


def retry_after_ms(error: BaseException) -> int | None:
    """What the database asked for, from its reply or its message; None when it did not say."""
    details = getattr(error, "details", None) or {}
    if isinstance(milliseconds := details.get("RetryAfterMs"), int | float):
        return int(milliseconds)
    for _, message in _reasons(error):
        if found := _RETRY_AFTER.search(message):
            return int(found.group(1))
    return None


def translate(error: Exception, *, terse: bool = False) -> CallError:
    """The one place where a driver error becomes a sentence for the caller. `terse` leaves out the database's own
    words, which may quote a value that the caller must not see."""
    if isinstance(error, mongo.ServerSelectionTimeoutError):  # also a timeout, but no other query would help
        return DatabaseError("The database cannot be reached at the moment; the call may be tried again.")
    if isinstance(error, mongo.PyMongoError) and error.timeout:
        return TimeLimitError(
            "The time limit passed while waiting for the database: narrow the query or raise `max_time_ms`."
        )
    if is_throttling(error):
        return ThrottledError(
            "The database is throttling requests (16500) and the time limit left no room to retry: wait."
        )
    if isinstance(error, mongo.BulkWriteError):
        return _bulk(error, terse=terse)
    if isinstance(error, mongo.OperationFailure):
        return _operation(error, terse=terse)
    if isinstance(error, mongo.ConnectionFailure):
        return DatabaseError(
            "The connection to the database broke; the call may be tried again. Look first whether a write was done."
        )
    if isinstance(error, InvalidBSON):  # raised while an answer is read; what cannot be sent raises others
        return DatabaseError(
            "The database holds a value here that cannot be decoded: leave its field out, or choose documents without "
            "it by a filter."
        )
    if isinstance(error, _CANNOT_BE_SENT):
        return InvalidCallError(f"The arguments cannot be sent to the database: {_clean(str(error))}.")
    if isinstance(error, mongo.PyMongoError):
        return DatabaseError(f"The database driver failed ({type(error).__name__}).")
    return CallError(f"The server itself failed ({type(error).__name__}); its log says where.")


def _operation(error: mongo.OperationFailure, *, terse: bool) -> CallError:
    if error.code == _AUTHENTICATION_FAILED:
        return DatabaseError("The database refused this server's credential; its operator must renew `MONGODB_URI`.")
    if error.code == _UNAUTHORIZED:
        return RefusedError("The database does not allow this to the credential of this server (Unauthorized, 13).")
    if error.code == _TIME_LIMIT:
        return TimeLimitError("The time limit passed in the database: narrow the query or raise `max_time_ms`.")
    details = error.details or {}
    name = details.get("codeName") or "error"
    if terse:
        return DatabaseError(
            f"The database answered {name} ({error.code}); with redacted fields its words are not shown."
        )
    return DatabaseError(f"The database answered {name} ({error.code}): {_clean(_message(error))}.")


def _bulk(error: mongo.BulkWriteError, *, terse: bool) -> CallError:
    """Says what was done before the first failure: the caller must not repeat it."""
    details: Mapping[str, Any] = error.details or {}
    first = (details.get("writeErrors") or details.get("writeConcernErrors") or [{}])[0]
    reason = _clean(str(first.get("errmsg", "write error")))
    if first.get("code") == _DUPLICATE_KEY:
        fields = ", ".join(first.get("keyPattern") or {}) or "a unique index"
        reason = f"another document has the same {fields} (duplicate key)"
    elif terse:
        reason = f"error {first.get('code')}"
    return DatabaseError(f"Document {first.get('index', 0)} was not written: {reason}; {_done(details)}.")


def _done(details: Mapping[str, Any]) -> str:
    inserted, updated, deleted = (int(details.get(name, 0)) for name in ("nInserted", "nModified", "nRemoved"))
    if updated or deleted:
        return f"{inserted} were inserted, {updated} changed and {deleted} deleted before it"
    return f"{inserted} before it were inserted"


def _reasons(error: BaseException) -> list[tuple[int | None, str]]:
    """(code, message) of the error and, for writes, of each failed document."""
    if not isinstance(error, mongo.OperationFailure):
        return []
    details = error.details or {}
    return [
        (error.code, str(error)),
        *((e.get("code"), str(e.get("errmsg", ""))) for e in details.get("writeErrors", [])),
    ]


def _message(error: mongo.OperationFailure) -> str:
    return str((error.details or {}).get("errmsg") or str(error).split(", full error:")[0])


def _clean(message: str) -> str:
    return _ADDRESS.sub("[address]", message).strip().rstrip(".")[:500]
