from __future__ import annotations

from typing import Any

import pytest
from mongo_db_server import ejson, queries
from mongo_db_server.errors import RefusedError
from mongo_db_server.regexes import check_regex


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a+)+$", "(a*)*", "([a-z]+)*", "(a|aa)+", "(.*a){20}", "((a+)b?)+", "(?:a+)+", "(a?)*", "(a{1,3})+"),
        *(r"(\w+\s?)*$", "a{5000}", "a{2,9999}", r"(a)\1", "a*" * 11, "x" * 101),
    ],
)
def test_expressions_that_explode_are_refused(pattern: str) -> None:
    """Repeating a repetition, or referring back, can take longer than any time limit."""
    with pytest.raises(RefusedError):
        check_regex(pattern, 100)


@pytest.mark.parametrize(
    "pattern",
    [
        *("^abc", "a+b*c?", r"^\d{4}-\d{2}$", r"(\d{1,3}\.){3}\d{1,3}", "(foo|bar)", "[(+*]+", r"\(a+\)+", "[]a]+"),
        *("(?i)smith", "a.*?b", "(abc)+", "(foo|bar){1,2}", "^(?=.*x)y", "{", "a{,3}", "", "[^]]*", "\\"),
    ],
)
def test_ordinary_expressions_pass(pattern: str) -> None:
    """Searching text stays possible."""
    assert check_regex(pattern, 100) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "document",
    [
        {"a": {"$regex": "(a+)+"}},
        {"a": {"$regularExpression": {"pattern": "(a+)+", "options": ""}}},
        {"a": {"$in": ["x", {"$regularExpression": {"pattern": "(a+)+", "options": ""}}]}},
        {"$and": [{"a": {"$not": {"$regex": "(a+)+"}}}]},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": "(a+)+"}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": "$b"}}},
        {"$expr": {"$regexFind": {"input": "$a", "regex": {"$concat": ["(a+", ")+"]}}}},
    ],
)
def test_they_are_found_wherever_they_hide(document: dict[str, Any]) -> None:
    """As operator, value, list item or expression; a computed one cannot be judged and is refused."""
    with pytest.raises(RefusedError):
        queries.check_filter(ejson.decode(document, "filter"), "reader")
