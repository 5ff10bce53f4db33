"""What no query, update or pipeline of this server may contain, wherever it hides.

The walk goes through every nested object and array, so operators deep in an expression are seen. A refused operator
name is refused even where it would be plain data (inside `$literal`, for example): telling the two apart is the
database's job, and a wrong guess here would be a write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bson.dbref import DBRef
from bson.regex import Regex

from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.filters import check_fields
from mongo_db_server.regexes import check_regex
from mongo_db_server.rules import Rules

if TYPE_CHECKING:
    from mongo_db_server.settings import Tier

# They run JavaScript in the database process (MongoDB manual, "Server-side JavaScript").
JAVASCRIPT = frozenset({"$where", "$function", "$accumulator"})
WRITING_STAGES = frozenset({"$out", "$merge"})
# They show other callers' sessions, commands and configuration, whatever database they are sent to.
_ADMINISTRATIVE_STAGES = frozenset(
    {"$currentOp", "$listSessions", "$listLocalSessions", "$shardedDataDistribution", "$planCacheStats", "$queryStats"}
)
_REGEX_EXPRESSIONS = frozenset({"$regexMatch", "$regexFind", "$regexFindAll"})


def check_filter(document: Any, tier: Tier, rules: Rules | None = None, *, strict: bool = False) -> None:
    """Raises RefusedError for what the tier or a rule refuses, InvalidCallError when it is not an object or
    malformed."""
    rules = rules or Rules()
    if not isinstance(document, Mapping):
        raise InvalidCallError("`filter` must be an object of field conditions.")
    check_operators(document, tier, rules)
    check_fields(document, rules.fields, strict=strict)


def check_operators(value: Any, tier: Tier, rules: Rules | None = None) -> None:
    """Raises RefusedError for JavaScript, writing in the reader tier, other callers' work and costly expressions."""
    max_regex = (rules or Rules()).regex_length
    for name, inner in _entries(value):
        if name in JAVASCRIPT:
            raise RefusedError(
                f"`{name}` runs JavaScript in the database; this server never allows it. "
                "Use aggregation operators instead."
            )
        if tier == "reader" and name in WRITING_STAGES:
            raise RefusedError(f"`{name}` writes; this server is read-only (`MCP_TIER=reader`).")
        if name in _ADMINISTRATIVE_STAGES:
            raise RefusedError(f"`{name}` shows other callers' work; this server does not offer it.")
        if name in _REGEX_EXPRESSIONS:
            _check_expression(name, inner, max_regex)
        else:
            _check_pattern(name, inner, max_regex)


def _check_expression(name: str, value: Any, max_length: int) -> None:
    pattern = value.get("regex") if isinstance(value, Mapping) else None
    if not isinstance(pattern, str | Regex | re.Pattern) or (isinstance(pattern, str) and pattern.startswith("$")):
        raise RefusedError(f"`{name}` must have its `regex` written out: a computed one cannot be judged beforehand.")
    check_regex(_text(pattern), max_length)


def _check_pattern(name: str, value: Any, max_length: int) -> None:
    """`$regex` in either form, and regular expressions as values, alone or in an array."""
    if name == "$regex" and isinstance(value, str):
        check_regex(value, max_length)
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, Regex | re.Pattern):
            check_regex(_text(item), max_length)


def _text(pattern: Any) -> str:
    text = pattern if isinstance(pattern, str) else pattern.pattern
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every (name, value) of every object inside `value`, at any depth; no recursion, so depth cannot exhaust it."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, DBRef):
            item = item.as_doc()  # its extra fields are sent as they are, and could be operators
        if isinstance(item, Mapping):
            for name, inner in item.items():
                yield name, inner
                pending.append(inner)
        elif isinstance(item, list | tuple):
            pending.extend(item)


def names(value: Any) -> set[str]:
    """Every name of every object inside `value`."""
    return {name for name, _ in _entries(value)}


def strings(value: Any) -> Iterator[str]:
    """Every text inside `value`, at any depth; names of fields are left out."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
