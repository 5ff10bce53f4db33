from __future__ import annotations

import pytest
from bson.errors import InvalidBSON, InvalidDocument
from mongo_db_server import errors
from mongo_db_server.translate import is_throttling, retry_after_ms, translate
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
)

SECRET = "mongodb://account:s3cret@account.mongo.cosmos.azure.com:10255/?ssl=true"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ServerSelectionTimeoutError(f"{SECRET}: timed out"), errors.DatabaseError, "cannot be reached"),
        (NetworkTimeout("account.mongo.cosmos.azure.com:10255: timed out"), errors.TimeLimitError, "time limit"),
        (ExecutionTimeout("operation exceeded time limit", 50), errors.TimeLimitError, "max_time_ms"),
        (AutoReconnect("account.mongo.cosmos.azure.com:10255: refused"), errors.DatabaseError, "Look first whether"),
        (OperationFailure("not authorized on shop", 13), errors.RefusedError, "Unauthorized"),
        (OperationFailure("Authentication failed.", 18), errors.DatabaseError, "MONGODB_URI"),
        (
            OperationFailure("bad stage", 40324, {"codeName": "Location40324", "errmsg": f"bad stage at {SECRET}"}),
            errors.DatabaseError,
            "Location40324 (40324): bad stage at [address]",
        ),
        (OperationFailure("Request rate is large", 16500), errors.ThrottledError, "16500"),
        (InvalidBSON("invalid boolean value: 2"), errors.DatabaseError, "holds a value here that cannot be decoded"),
        (InvalidDocument("cannot encode"), errors.InvalidCallError, "cannot be sent"),
        (OverflowError("MongoDB can only handle up to 8-byte ints"), errors.InvalidCallError, "8-byte"),
        (KeyError("s3cret"), errors.CallError, "KeyError"),
    ],
)
def test_driver_errors_become_sentences(error: Exception, kind: type[errors.CallError], words: str) -> None:
    """Each error has its outcome and one sentence, without any part of the connection string."""
    translated = translate(error)
    assert type(translated) is kind
    assert words in str(translated)
    for part in ("s3cret", "cosmos.azure.com", "mongodb://"):
        assert part not in str(translated)


def test_duplicate_key_says_how_far_it_came() -> None:
    """After a failed insert the caller knows what not to repeat, and sees no other document's values."""
    error = BulkWriteError(
        {
            "nInserted": 2,
            "writeErrors": [
                {
                    "index": 2,
                    "code": 11000,
                    "errmsg": 'E11000 duplicate key error collection: shop.people dup key: { email: "a@b" }',
                    "keyPattern": {"email": 1},
                    "keyValue": {"email": "a@b"},
                }
            ],
        }
    )
    assert str(translate(error)) == (
        "Document 2 was not written: another document has the same email (duplicate key); 2 before it were inserted."
    )


def test_throttling_is_seen_in_commands_and_in_writes() -> None:
    """Cosmos DB reports throttling in both places."""
    assert is_throttling(OperationFailure("Request rate is large", 16500))
    assert is_throttling(BulkWriteError({"writeErrors": [{"code": 16500, "errmsg": "RetryAfterMs=9"}]}))
    assert not is_throttling(OperationFailure("x", 11000))
    assert not is_throttling(ValueError("16500"))


@pytest.mark.parametrize(
    ("error", "milliseconds"),
    [
        (OperationFailure("Error=16500, RetryAfterMs=34, Details='…'", 16500), 34),
        (OperationFailure("x", 16500, {"RetryAfterMs": 12}), 12),
        (BulkWriteError({"writeErrors": [{"code": 16500, "errmsg": "Error=16500, RetryAfterMs=7"}]}), 7),
        (OperationFailure("Request rate is large", 16500), None),
    ],
)
def test_wait_is_the_one_asked_for(error: Exception, milliseconds: int | None) -> None:
    """The database knows best when it will have capacity again."""
    assert retry_after_ms(error) == milliseconds
