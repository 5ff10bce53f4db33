from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mongo_db_server import ejson, queries, regexes
from mongo_db_server.errors import RefusedError
from mongo_db_server.regex_syntax import Alternation, Atomic, Characters, Look, Node, Repetition, Sequence, parse
from mongo_db_server.regexes import check_regex

EXPLODING = [
    *("(a+)+$", "(a*)*", "([a-z]+)*", "(a|aa)+$", "(.*a){20}", "((a+)b?)+", "(?:a+)+", "(a?)*", "(a{1,3})+"),
    *(r"(\w+\s?)*$", "a*" * 11, "^(a|a?){28}b", "^(a{1,9}){30}$", "^((a+){3}){3}$", "^a*a*a*a*a*a*a*a*a*a*$"),
    *(
        "a{0,1000}a{0,1000}a{0,1000}a{0,1000}$",
        "(?x)^(a+) +$",
        "(?x:(a+)  # comment\n +)$",
        "(?i)(a+)+$",
        "(a+){ 1,30 }$",
    ),
    *(
        r"\Qab\E+(\Qb\E+)+$",
        "(?|(a+)|b)+$",
        r"(\x61+)+$",
        r"([\x61-c]+)+$",
        "^(?=(a+)+$)",
        "^(?!(a+)+$)",
        "(k+K+\u212a+)+$",
    ),
]
UNKNOWN = [
    *(
        r"(a)\1",
        r"(a)\g1",
        r"(?<x>a)\k<x>",
        r"(?P<x>a+)(?P=x)",
        r"^(?:(a+)|b)?(?1)+$",
        "(?R)",
        "(?&x)",
        "(?P>x)",
        "(?+1)",
    ),
    *(
        "(?(1)a|b)",
        "(?C1)",
        "(*LIMIT_MATCH=1)a",
        "a(*SKIP)b",
        r"\Ka",
        r"\X+",
        "a{5000}",
        "a{2,9999}",
        "a\0b",
        "(" * 200,
    ),
]
ORDINARY = [
    *("^abc", "a+b*c?", r"^\d{4}-\d{2}$", r"(\d{1,3}\.){3}\d{1,3}", "(foo|bar)", "[(+*]+", r"\(a+\)+", "[]a]+", ""),
    *(
        "(?i)smith",
        "a.*?b",
        "(abc)+",
        "(foo|bar){1,2}",
        "^(?=.*x)y",
        "{",
        "a{,3}",
        "[^]]*",
        "\\",
        r"(*UCP)^\w+$",
        "a++a",
    ),
    *(r"^[\w.+-]+@[\w-]+\.[\w.-]+$", r"^\s*foo\s+bar.*$", ".*foo.*bar.*", r"^(https?|ftp)://[^\s/$.?#].[^\s]*$"),
    *(
        r"^(?=.*[A-Z])(?=.*\d)(?=.*[a-z]).{8,}$",
        "(foo|far|fuzz)+",
        r"^(\w+\s)*\w+$",
        r"\d+\.\d+\.\d+\.\d+",
        "café|naïve",
    ),
    *("[[:alpha:]]+ [[:digit:]]+", "^#?([a-f0-9]{6}|[a-f0-9]{3})$", r"<([a-z]+)[^>]*>.*</", "(?>a+)+$", "a.*b.*c"),
]


@pytest.mark.parametrize("pattern", EXPLODING)
def test_expressions_that_explode_are_refused(pattern: str) -> None:
    """Whatever can take longer than any time limit, by what it does and not by its shape."""
    with pytest.raises(RefusedError, match="take too long"):
        check_regex(pattern, 1000)


@pytest.mark.parametrize("pattern", UNKNOWN)
def test_what_cannot_be_calculated_is_refused(pattern: str) -> None:
    """References, recursion, verbs and whatever is not known: the answer names it."""
    with pytest.raises(RefusedError, match=r"holds .*: its work cannot be told beforehand"):
        check_regex(pattern, 1000)


@pytest.mark.parametrize("pattern", ORDINARY)
def test_ordinary_expressions_pass(pattern: str) -> None:
    """Searching text stays possible."""
    assert check_regex(pattern, 100) is None  # type: ignore[func-returns-value]


def test_length_is_limited() -> None:
    with pytest.raises(RefusedError, match="MCP_REGEX_LENGTH_CEILING"):
        check_regex("x" * 101, 100)


def test_white_space_counts_as_the_option_says() -> None:
    """With `x` a quantifier may stand apart from what it repeats."""
    assert check_regex("^(a+) +$", 100) is None  # type: ignore[func-returns-value]
    with pytest.raises(RefusedError):
        check_regex("^(a+) +$", 100, "ix")


@given(st.text(st.sampled_from("ab(|)*+?{1,3}[^-]\\.dwsQE:#<=! x$"), max_size=60))
def test_any_text_is_judged(pattern: str) -> None:
    """At once, by a refusal or by none: never by another error."""
    with suppress(RefusedError):
        check_regex(pattern, 60)


class Engine:
    """An engine that backtracks, and counts the characters it looks at: what the calculation is an upper bound of."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = 0

    def search(self, node: Node) -> int:
        for start in range(len(self.text) + 1):
            if next(self.ends(node, start), None) is not None:
                break
        return self.steps

    def ends(self, node: Node, at: int) -> Iterator[int]:
        if isinstance(node, Characters):
            self.steps += 1
            if at < len(self.text) and not node.disjoint(Characters.of(self.text[at])):
                yield at + 1
        elif isinstance(node, Look):
            if node.inner is None or next(self.ends(node.inner, at), None) is not None:
                yield at
        elif isinstance(node, Atomic):
            end = next(self.ends(node.inner, at), None)
            if end is not None:
                yield end
        elif isinstance(node, Alternation):
            for branch in node.branches:
                yield from self.ends(branch, at)
        elif isinstance(node, Sequence):
            yield from self._sequence(node.parts, at)
        else:
            yield from self._rounds(node, at, 0)

    def _sequence(self, parts: tuple[Node, ...], at: int) -> Iterator[int]:
        if not parts:
            yield at
            return
        for end in self.ends(parts[0], at):
            yield from self._sequence(parts[1:], end)

    def _rounds(self, node: Repetition, at: int, done: int) -> Iterator[int]:
        if node.most is None or done < node.most:
            for end in self.ends(node.inner, at):
                if end > at or done < node.least:  # engines end a repetition of nothing
                    yield from self._rounds(node, end, done + 1)
        if done >= node.least:
            yield at


LETTERS = st.sampled_from(["a", "b", "ab", "c"]).map(Characters.of)
TREES: st.SearchStrategy[Node] = st.recursive(
    LETTERS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Sequence(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Alternation(tuple(parts))),
        st.tuples(inner, st.integers(0, 2), st.sampled_from([None, 2, 3])).map(lambda given: Repetition(*given)),
        inner.map(Atomic),
        inner.map(Look),
    ),
    max_leaves=6,
)
LONG = 7


@settings(max_examples=400, deadline=None)
@given(TREES, st.sampled_from("abz").map(Characters.of), st.text("abc", min_size=LONG, max_size=LONG))
def test_no_engine_takes_more_steps_than_calculated(tree: Node, last: Characters, text: str) -> None:
    """The bound holds for what an engine that tries everything really does."""
    whole = Sequence((tree, last, Characters(0)))  # nothing matches it, so everything is tried
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regexes, "TEXT", LONG + 1)
        calculated = regexes.steps_of(whole)
    if calculated < 200_000:
        assert Engine(text).search(whole) <= calculated


@pytest.mark.parametrize(
    "document",
    [
        {"a": {"$regex": "(a+)+$"}},
        {"a": {"$regex": "(a+) +$", "$options": "x"}},
        {"a": {"$options": "x", "$regex": "(a+) +$"}},
        {"a": {"$regularExpression": {"pattern": "(a+) +$", "options": "x"}}},
        {"a": {"$regularExpression": {"pattern": "(a+)+$", "options": ""}}},
        {"a": {"$in": ["x", {"$regularExpression": {"pattern": "(a+)+$", "options": ""}}]}},
        {"a": [[{"$regularExpression": {"pattern": "(a+)+$", "options": ""}}]]},
        {"$and": [{"a": {"$not": {"$regex": "(a+)+$"}}}]},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": "(a+)+$"}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": "(a+) +$", "options": "x"}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": "a", "options": "$b"}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": "$b"}}},
        {"$expr": {"$regexFind": {"input": "$a", "regex": {"$concat": ["(a+", ")+"]}}}},
        {"$jsonSchema": {"properties": {"a": {"pattern": "^(a+)+$"}}}},
        {"$jsonSchema": {"properties": {"a": {"items": [{"not": {"pattern": "^(a+)+$"}}]}}}},
        {"$jsonSchema": {"patternProperties": {"^(a+)+$": {"bsonType": "int"}}}},
    ],
    ids=str,
)
def test_they_are_found_wherever_they_hide(document: dict[str, Any]) -> None:
    """As operator, value, list item, expression or schema; a computed one cannot be judged and is refused."""
    with pytest.raises(RefusedError):
        queries.check_filter(ejson.decode(document, "filter"), "reader")


def test_a_property_may_be_called_pattern() -> None:
    """In a schema the names of properties are names, and elsewhere `pattern` is a field."""
    for document in (
        {"pattern": "(a+)+$"},
        {"$jsonSchema": {"properties": {"pattern": {"bsonType": "string"}, "patternProperties": {"pattern": "^a"}}}},
    ):
        assert queries.check_filter(document, "reader") is None  # type: ignore[func-returns-value]


def test_parsing_keeps_what_follows_a_comment() -> None:
    """Comments and options stand for nothing."""
    assert parse("a(?#b)(?i)c") == Sequence((Characters.of("a"), Characters.of("c")))
