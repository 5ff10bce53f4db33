"""MongoDB's error codes for the arguments of expressions, by operator.

Each operator parses its own argument in the server, and has numbers of its own for what it refuses there: no object at
all, a field that it does not know, a field that is not there. Source: the operators' `parse` functions in the server's
`src/mongo/db/pipeline/expression*.cpp`. An operator that is not listed takes the common code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FAILED_TO_PARSE = 9


@dataclass(frozen=True)
class Codes:
    """`shape`: the argument is no object; `unknown`: a field too many; `missing`: one too few, by its name."""

    shape: int = FAILED_TO_PARSE
    unknown: int = FAILED_TO_PARSE
    missing: Mapping[str, int] = field(default_factory=dict)
    absent: int = FAILED_TO_PARSE

    def of_missing(self, name: str) -> int:
        return self.missing.get(name, self.absent)


_REGEX = Codes(51103, 31024, {"input": 31022, "regex": 31023})
_TRIM = Codes(50696, 50694, {"input": 50695})
_REPLACE = Codes(51751, 51750, {"input": 51749, "find": 51748, "replacement": 51747})
_DATE_ADD = Codes(5166400, 5166401, absent=5166402)
_SET_FIELD = Codes(4161100, 4161101, {"field": 4161102, "value": 4161103, "input": 4161109})

ARGUMENT: dict[str, Codes] = {
    "$cond": Codes(FAILED_TO_PARSE, 17083, {"if": 17080, "then": 17081, "else": 17082}),
    "$convert": Codes(),
    "$dateAdd": _DATE_ADD,
    "$dateDiff": Codes(5166301, 5166302, {"startDate": 5166303, "endDate": 5166304, "unit": 5166305}),
    "$dateFromParts": Codes(40519, 40518, absent=40516),
    "$dateFromString": Codes(40540, 40541, {"dateString": 40542}),
    "$dateSubtract": _DATE_ADD,
    "$dateToParts": Codes(40524, 40520, {"date": 40522}),
    "$dateToString": Codes(18629, 18534, {"date": 18628}),
    "$dateTrunc": Codes(5439007, 5439008, {"date": 5439009, "unit": 5439010}),
    "$filter": Codes(28646, 28647, {"input": 28648, "cond": 28650}),
    "$getField": Codes(3041701, 3041701, {"field": 3041702, "input": 3041703}),
    "$let": Codes(16874, 16875, {"vars": 16876, "in": 16877}),
    "$ltrim": _TRIM,
    "$map": Codes(16878, 16879, {"input": 16880, "in": 16882}),
    "$reduce": Codes(40075, 40076, {"input": 40077, "initialValue": 40078, "in": 40079}),
    "$regexFind": _REGEX,
    "$regexFindAll": _REGEX,
    "$regexMatch": _REGEX,
    "$replaceAll": _REPLACE,
    "$replaceOne": _REPLACE,
    "$rtrim": _TRIM,
    "$setField": _SET_FIELD,
    "$sortArray": Codes(2942500, 2942501, {"input": 2942502, "sortBy": 2942503}),
    "$switch": Codes(40060, 40067, {"branches": 40068}),
    "$switch branch": Codes(40062, 40063, {"case": 40064, "then": 40065}),
    "$trim": _TRIM,
    "$unsetField": _SET_FIELD,
    "$zip": Codes(34460, 34464, {"inputs": 34465}),
}

# The number of operands is wrong: 16020, but for the operators that take a range of numbers, and for these.
ARITY: dict[str, int] = dict.fromkeys(
    ("$indexOfArray", "$indexOfBytes", "$indexOfCP", "$range", "$round", "$slice", "$trunc"), 28667
)
ARITY |= {"$ifNull": 1257300, "$setEquals": 17045}
_SHORT = ("$toBool", "$toDate", "$toDecimal", "$toDouble", "$toInt", "$toLong", "$toObjectId", "$toString")
ARITY |= dict.fromkeys(_SHORT, 50723)
WRONG_ARITY = 16020
