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
# Below these a name is one that documents have, and its value a schema.
_BY_NAME = frozenset({"properties", "patternProperties", "dependencies"})
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
    for item in _items(value):
        if not isinstance(item, Mapping):
            continue
        for name in item:
            if name in JAVASCRIPT:
                raise RefusedError(
                    f"`{name}` runs JavaScript in the database; this server never allows it. "
                    "Use aggregation operators instead."
                )
            if tier == "reader" and name in WRITING_STAGES:
                raise RefusedError(f"`{name}` writes; this tier only reads.")
            if name in _ADMINISTRATIVE_STAGES:
                raise RefusedError(f"`{name}` shows other callers' work; this server does not offer it.")
    _check_patterns(value, (rules or Rules()).regex_length)


def _check_patterns(value: Any, max_length: int) -> None:
    """Every regular expression, wherever it stands: as a value, beside `$regex`, in an expression or in a schema."""
    for item in _items(value):
        if isinstance(item, Regex | re.Pattern):
            check_regex(_text(item), max_length, _options(item))
        elif isinstance(item, Mapping):
            if isinstance(pattern := item.get("$regex"), str | Regex | re.Pattern):
                options = str(item.get("$options", ""))
                check_regex(_text(pattern), max_length, options + _options(pattern))
            for name in _REGEX_EXPRESSIONS & item.keys():
                _check_expression(name, item[name], max_length)
            if "$jsonSchema" in item:
                _check_schema(item["$jsonSchema"], max_length)


def _check_expression(name: str, value: Any, max_length: int) -> None:
    given = value if isinstance(value, Mapping) else {}
    pattern, options = given.get("regex"), given.get("options", "")
    computed = isinstance(pattern, str) and pattern.startswith("$")
    if not isinstance(pattern, str | Regex | re.Pattern) or computed:
        raise RefusedError(f"`{name}` must have its `regex` written out: a computed one cannot be judged beforehand.")
    if not isinstance(options, str | None) or (options or "").startswith("$"):
        raise RefusedError(f"`{name}` must have its `options` written out: computed ones cannot be judged beforehand.")
    check_regex(_text(pattern), max_length, (options or "") + _options(pattern))


def _check_schema(schema: Any, max_length: int) -> None:
    """`pattern` and the names in `patternProperties` ("$jsonSchema", MongoDB manual), at any depth; the names in
    `properties` are names."""
    pending = [schema]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, Mapping):
            if isinstance(pattern := item.get("pattern"), str):
                check_regex(pattern, max_length)
            for name, inner in item.items():
                if name == "patternProperties" and isinstance(inner, Mapping):
                    for named in inner:
                        check_regex(named, max_length)
                named_schemas = name in _BY_NAME and isinstance(inner, Mapping)
                pending.extend(inner.values() if named_schemas else [inner])


def _text(pattern: Any) -> str:
    text = pattern if isinstance(pattern, str) else pattern.pattern
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _options(pattern: Any) -> str:
    """Those that decide how a pattern is read."""
    flags = getattr(pattern, "flags", 0)
    return ("x" if flags & re.VERBOSE else "") + ("m" if flags & re.MULTILINE else "")


def _items(value: Any) -> Iterator[Any]:
    """`value` and everything inside it, at any depth; no recursion, so depth cannot exhaust it."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, DBRef):
            item = item.as_doc()  # its extra fields are sent as they are, and could be operators
        yield item
        if isinstance(item, Mapping):
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)


def names(value: Any) -> set[str]:
    """Every name of every object inside `value`."""
    return {name for item in _items(value) if isinstance(item, Mapping) for name in item}


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
