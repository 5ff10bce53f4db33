"""PyMongo's errors, translated once, at the boundary. No sentence here can show a part of the connection string."""

from __future__ import annotations

import json
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
from mongo_db_server.identity import NoTokenError

# Cosmos DB for MongoDB: "Request rate is large" ("Prevent rate-limiting errors", Microsoft Learn).
THROTTLED = 16500
_RETRY_AFTER = re.compile(r"RetryAfterMs[=:\s]+(\d+)")

_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_TIME_LIMIT = 50
_DUPLICATE_KEY = 11000
_ON_A_VIEW = 166

_LONGEST_MESSAGE, _LOOKED_THROUGH, _SHOWN = 65_536, 2_000, 500  # characters
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")  # of an error; anything else is not one of MongoDB's
_ERRORS = re.compile(r'"Errors"\s*:\s*(?=\[)')
# What Azure Cosmos DB writes behind a reason, for its own operators.
_NOISE = re.compile(r"[\s,;]*\b(?:ActivityId|Request URI|RequestStats|SDK): ")
_UNINDEXED_SORT = re.compile(r"order[- ]by.{0,80}\b(?:excluded|composite index)", re.IGNORECASE | re.DOTALL)

# Addresses and credentials have no place in an answer, whoever put them into the message.
_ADDRESS = re.compile(
    r"((?:mongodb(?:\+srv)?|rntbd)://\S+)|(\b[\w.-]+\.(azure\.com|mongodb\.net)(:\d+)?)|(\b\d{1,3}(\.\d{1,3}){3}:\d+)"
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
    if isinstance(error, NoTokenError):
        return DatabaseError(
            "This server got no token for its managed identity: the call may be tried again; if it stays so, its "
            "operator must look at the identity that `MONGODB_URI` names."
        )
    if isinstance(error, mongo.PyMongoError):
        return DatabaseError(f"The database driver failed ({type(error).__name__}).")
    return CallError(f"The server itself failed ({type(error).__name__}); its log says where.")


def _operation(error: mongo.OperationFailure, *, terse: bool) -> CallError:
    if error.code == _AUTHENTICATION_FAILED:
        return DatabaseError(
            "The database refused this server's credential; its operator must renew `MONGODB_URI`, or give its managed "
            "identity a role in the database."
        )
    if error.code == _UNAUTHORIZED:
        return RefusedError("The database does not allow this to the credential of this server (Unauthorized, 13).")
    if error.code == _TIME_LIMIT:
        return TimeLimitError("The time limit passed in the database: narrow the query or raise `max_time_ms`.")
    if error.code == _ON_A_VIEW:
        return InvalidCallError(
            "This is a view (CommandNotSupportedOnView, 166): it has no storage and no indexes of its own and takes no "
            "writes. Name the collection that it shows."
        )
    name = _code_name(error)
    if terse:
        return DatabaseError(
            f"The database answered {name} ({error.code}); with redacted fields its words are not shown."
        )
    words = reason_in(_message(error))
    return DatabaseError(
        f"The database answered {name} ({error.code}); its own words follow as data.{_advice(words)}",
        foreign=_clean(words),
    )


def _code_name(error: mongo.OperationFailure) -> str:
    name = (error.details or {}).get("codeName")
    return name if isinstance(name, str) and _NAME.fullmatch(name) else "error"


def _advice(words: str) -> str:
    """Azure Cosmos DB for MongoDB sorts by indexed fields only ("Manage indexing in Azure Cosmos DB for MongoDB",
    Microsoft Learn)."""
    if not _UNINDEXED_SORT.search(words):
        return ""
    return (
        " This database sorts only by fields that an index holds, several of them by one compound index: create-index "
        "makes it, or sort by an indexed field."
    )


def reason_in(message: str) -> str:
    """The part of a message that gives the reason. Azure Cosmos DB wraps it in the answers of its inner services, any
    number of them deep, with their activity ids and addresses: the innermost list of errors is what was wrong, else the
    innermost reason."""
    plain = message[:_LONGEST_MESSAGE].replace('\\"', '"')
    found = [errors for at in _ERRORS.finditer(plain) if (errors := _texts_at(plain, at.end()))]
    if found:
        return "; ".join(found[-1])
    return _NOISE.split(plain.rsplit("Reason: (", 1)[-1], maxsplit=1)[0].strip(" \r\n,;")


def _texts_at(text: str, at: int) -> list[str]:
    """The texts of the JSON array that begins at `at`; empty where there is none."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        return []
    return [str(item) for item in found] if isinstance(found, list) else []


def _bulk(error: mongo.BulkWriteError, *, terse: bool) -> CallError:
    """Says what was done before the first failure: the caller must not repeat it."""
    details: Mapping[str, Any] = error.details or {}
    first = (details.get("writeErrors") or details.get("writeConcernErrors") or [{}])[0]
    foreign: str | None = None
    if first.get("code") == _DUPLICATE_KEY:
        reason = "another document has the same value in a unique index (duplicate key)"
        if fields := ", ".join(first.get("keyPattern") or {}):
            foreign = f"The fields of the index: {fields}"
    else:
        reason = f"error {first.get('code')}"
        if not terse:
            foreign = _clean(reason_in(str(first.get("errmsg", "write error"))))
    return DatabaseError(
        f"Document {first.get('index', 0)} was not written: {reason}; {_done(details)}.", foreign=foreign
    )


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
    return _ADDRESS.sub("[address]", message[:_LOOKED_THROUGH]).strip().rstrip(".")[:_SHOWN]
