"""Errors as MongoDB reports them: a code, its name, one sentence, and whatever details drivers look for."""

from __future__ import annotations

from typing import Any

from emulators.base.errors import EmulatorError

NAMES = {
    1: "InternalError",
    2: "BadValue",
    9: "FailedToParse",
    11: "UserNotFound",
    13: "Unauthorized",
    14: "TypeMismatch",
    15: "Overflow",
    16: "InvalidLength",
    18: "AuthenticationFailed",
    20: "IllegalOperation",
    26: "NamespaceNotFound",
    27: "IndexNotFound",
    28: "PathNotViable",
    31: "RoleNotFound",
    40: "ConflictingUpdateOperators",
    43: "CursorNotFound",
    47: "NoMatchingDocument",
    48: "NamespaceExists",
    50: "MaxTimeMSExpired",
    52: "DollarPrefixedFieldName",
    53: "InvalidIdField",
    54: "NotSingleValueField",
    56: "EmptyFieldName",
    59: "CommandNotFound",
    66: "ImmutableField",
    67: "CannotCreateIndex",
    68: "IndexAlreadyExists",
    72: "InvalidOptions",
    73: "InvalidNamespace",
    85: "IndexOptionsConflict",
    86: "IndexKeySpecsConflict",
    115: "CommandNotSupported",
    121: "DocumentValidationFailure",
    165: "ViewDepthLimitExceeded",
    166: "CommandNotSupportedOnView",
    167: "OptionNotSupportedOnView",
    168: "InvalidPipelineOperator",
    171: "CannotIndexParallelArrays",
    175: "QueryPlanKilled",
    197: "InvalidIndexSpecificationOption",
    232: "MaxSubPipelineDepthExceeded",
    238: "NotImplemented",
    241: "ConversionFailure",
    334: "MechanismUnavailable",
    11000: "DuplicateKey",
    10334: "BSONObjectTooLarge",
    14031: "OutOfDiskSpace",
    16500: "RequestRateTooLarge",
    17280: "KeyTooLong",
    50692: "Location50692",
}


class MongoError(EmulatorError):
    """The server refuses: a configuration, a file, a message or (CommandError) a command."""


class CommandError(MongoError):
    """A refused or failed command; `reply()` is the document that goes back over the wire."""

    def __init__(self, code: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.details = details

    @property
    def code_name(self) -> str:
        return NAMES.get(self.code, f"Location{self.code}")

    def reply(self) -> dict[str, Any]:
        return {"ok": 0.0, "errmsg": str(self), "code": self.code, "codeName": self.code_name, **self.details}


def not_supported(what: str) -> CommandError:
    """The refusal of something MongoDB has and this server does not: named, so nobody takes it for a wrong answer."""
    return CommandError(238, f"{what} is not supported by the MongoDB stand-in; run it on a real MongoDB")


def bad_value(message: str) -> CommandError:
    return CommandError(2, message)


def failed_to_parse(message: str) -> CommandError:
    return CommandError(9, message)


def type_mismatch(message: str) -> CommandError:
    return CommandError(14, message)
