"""PCRE2's patterns, as MongoDB compiles them: with UTF, and with ASCII for classes."""

from __future__ import annotations

import time

import pytest

from emulators.mongodb.errors import CommandError
from emulators.mongodb.query.regex import MAX_PATTERN, compile_regex


@pytest.mark.parametrize(
    ("pattern", "options", "text", "found"),
    [
        (r"[[:alpha:]]+", "", "é1b", "b"),
        (r"[[:digit:][:space:]]+", "", "a1 2", "1 2"),
        (r"a{,3}", "", "a{,3}", "a{,3}"),
        (r"a{2}", "", "caab", "aa"),
        (r"x{y", "", "x{y", "x{y"),
        (r"end\Z", "", "the end\n", "end"),
        (r"end\z", "", "the end\n", None),
        (r"\p{Lu}+", "", "aÉB", "ÉB"),
        (r"\Qa.b\E", "", "a.b", "a.b"),
        (r"\Qa.b\E", "", "axb", None),
        (r"(*UTF8)é", "", "é", "é"),
        (r"(*UCP)\w+", "", "éa", "éa"),
        (r"\w+", "", "éa", "a"),
        (r"[\W]+", "", "aé!b", "é!"),
        (r"\bb", "", "éb", "b"),
        (r"É", "i", "é", "é"),
        (r"(?i)abc", "", "xABC", "ABC"),
        (r"a(?i)b", "", "aB", "aB"),
        (r"(?<n>a)\k<n>", "", "aa", "aa"),
        (r"(?<n>a)\g{n}", "", "aa", "aa"),
        (r"(a)\g1", "", "aa", "aa"),
        (r"foo\Kbar", "", "foobar", "bar"),
        (r"\x{e9}", "", "é", "é"),
        (r"a#b", "x", "a", "a"),
        (r"a(?#comment)b", "", "ab", "ab"),
        (r"(?>a+)b", "", "aab", "aab"),
        (r"a++b", "", "aab", "aab"),
        (r"\((?:[^()]|(?R))*\)", "", "x(a(b)c)", "(a(b)c)"),
        (r"^b$", "m", "a\nb\nc", "b"),
        (r"a.b", "s", "a\nb", "a\nb"),
        (r"[]a]+", "", "]a", "]a"),
        (r"[a&&b]+", "", "&b", "&b"),
    ],
)
def test_a_pattern_finds_what_pcre2_finds(pattern, options, text, found):
    match = compile_regex(pattern, options).search(text)
    assert (match.group(0) if match else None) == found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a" * MAX_PATTERN, "a" * MAX_PATTERN),
        (r"\Q" + "a" * 3000 + r"\E", "a" * 3000),
        (r"\x61" * 5000, "a" * 5000),
        ("[a]" * 5000, "a" * 5000),
        (("(?:" + "a" * 10 + ")") * 2000, "a" * 20_000),
        ("(?:" + "|".join("a" * n for n in range(200, 1, -1)) + ")", "a" * 2000),
    ],
    ids=["plain", "quoted", "numbered", "classes", "groups", "alternatives"],
)
def test_a_long_text_in_a_pattern_is_prepared_soon(pattern, text):
    """The package's preparation of one takes the third power of its length, and no time limit ends it."""
    begun = time.process_time()
    assert compile_regex(pattern).search(text) is not None
    assert time.process_time() - begun < 3


@pytest.mark.parametrize("pattern", ["(", "[", "a**", r"\u0041", r"\p{Nope}", "x" * (MAX_PATTERN + 1), "\\"])
def test_what_does_not_parse_has_mongodbs_code(pattern):
    with pytest.raises(CommandError) as raised:
        compile_regex(pattern)
    assert raised.value.code == 51091
