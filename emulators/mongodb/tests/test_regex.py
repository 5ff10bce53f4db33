"""PCRE2's patterns, as MongoDB compiles them: with UTF, and with ASCII for classes."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
from bson import Regex

from emulators.mongodb.deadline import Deadline, running
from emulators.mongodb.deadline import run as run_command
from emulators.mongodb.errors import CommandError
from emulators.mongodb.query.regex import MATCH_SECONDS, MAX_PATTERN, compile_regex


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


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:a{65535}){65535}",
        r"(?:(?:[ab]{1000}){1000}){1000,}",
        r"((((a{99}){99}){99}){99}){99}",
        "(?i)" + "(?:\u00e9{60000})" * 2,
        r"(?:(?=a){9999}){9999}",
        r"\b" * 16_000,
        r"\R" * 16_000,
        "a{65536}",
        "a{0,99999999999}",
        "a{" + "9" * 5000 + "}",
    ],
    ids=lambda pattern: pattern[:30],
)
def test_what_would_take_all_memory_written_out_is_too_large(pattern):
    """The package writes a counted repetition out as many times as there have to be."""
    begun = time.process_time()
    with pytest.raises(CommandError) as raised:
        compile_regex(pattern)
    assert raised.value.code == 51091
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("pattern", ["(?r)ab", "(?e)ab", "(?b)ab", "(?p)ab", "(?f)ab", "(?w)ab", "(?V1)ab", "(?r:ab)"])
def test_what_only_the_package_knows_is_malformed(pattern):
    with pytest.raises(CommandError) as raised:
        compile_regex(pattern)
    assert raised.value.code == 51091


@pytest.mark.parametrize("pattern", ["(?n)(a)", "(?J)a", "(?U)a+", "(?^)a", "(?C1)a"])
def test_what_pcre2_knows_beyond_the_package_is_refused_by_name(pattern):
    with pytest.raises(CommandError) as raised:
        compile_regex(pattern)
    assert raised.value.code == 238


def test_a_relative_reference_counts_the_groups_before_it():
    match = compile_regex(r"(a)(?:x)(?=b)(?<n>b)(?<=b)\g{-1}\g{-2}").search("axbba")
    assert match is not None
    assert match.group(0) == "axbba"


def test_many_large_expressions_in_one_command_are_refused(run):
    """Each of them alone would do; together they would take the memory of all."""
    run({"insert": "c", "documents": [{"a": "x"}]})
    large = [Regex(f"{letter}{{60000}}") for letter in "abcdefghij"]
    assert run({"find": "c", "filter": {"a": large[0]}})["ok"] == 1.0
    assert run({"find": "c", "filter": {"a": {"$in": large}}})["code"] == 146


def test_the_time_of_a_match_is_its_own_commands(monkeypatch):
    """Beside a match that takes long others run, with limits of their own."""

    @contextmanager
    def beside_another():
        before = running()
        run_command(Deadline(1))
        try:
            yield
        finally:
            run_command(before)

    monkeypatch.setattr("emulators.mongodb.query.regex.aside", beside_another)
    begun = time.process_time()
    with pytest.raises(CommandError) as raised:
        compile_regex("^(a|aa)+$").search("a" * 60 + "!")
    assert raised.value.code == 51156
    assert time.process_time() - begun > MATCH_SECONDS / 2
