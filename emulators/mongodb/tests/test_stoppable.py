"""What the interpreter does in one step cannot be stopped, and everybody waits for it: no value makes one long."""

from __future__ import annotations

import time

import pytest

_MANY = 200_000
_TEXTS = {
    "digits": "1" * _MANY + "x",
    "digits behind a point": "1." + "1" * _MANY + "x",
    "hexadecimal": "+0x" + "f" * _MANY + "g",
    "blanks behind a date": "2026-01-01" + " " * _MANY + "x",
    "blanks behind a time": "2026-01-01T00:00" + " " * _MANY + "x",
    "blanks in a written date": "jan 01 00:00" + " " * _MANY + "x",
    "blanks behind eight digits": "20260101" + " " * _MANY + "x",
    "letters": "mon" + "a" * _MANY,
}
_LETTERS = "".join(map(chr, range(0x100, 0x6100)))
_EXPRESSIONS = {
    **{
        f"{to} of {name}": {"$convert": {"input": {"$literal": text}, "to": to, "onError": None}}
        for to in ("int", "double", "decimal", "date", "bool", "objectId")
        for name, text in _TEXTS.items()
    },
    "trim": {"$trim": {"input": _LETTERS[-1] * _MANY + "!", "chars": _LETTERS}},
    "rtrim": {"$rtrim": {"input": "!" + _LETTERS[-1] * _MANY, "chars": _LETTERS}},
    "format": {"$dateFromString": {"dateString": "a", "format": "a" * _MANY}},
}


@pytest.mark.parametrize("name", list(_EXPRESSIONS))
def test_a_long_text_is_read_soon(run, name):
    begun = time.process_time()
    reply = run({"aggregate": 1, "pipeline": [{"$documents": [{}]}, {"$set": {"x": _EXPRESSIONS[name]}}], "cursor": {}})
    assert time.process_time() - begun < 2
    assert reply["ok"] == 1.0 or reply["code"] == 238


@pytest.mark.parametrize(
    ("input", "chars", "left", "right"),
    [("  a b ", " ", "a b ", "  a b"), (f"!{_LETTERS}x{_LETTERS}", _LETTERS + "!", f"x{_LETTERS}", f"!{_LETTERS}x")],
    ids=["few", "many"],
)
def test_trimming_by_few_and_by_many_characters(run, input, chars, left, right):
    both = {"l": {"$ltrim": {"input": input, "chars": chars}}, "r": {"$rtrim": {"input": input, "chars": chars}}}
    (row,) = run({"aggregate": 1, "pipeline": [{"$documents": [{}]}, {"$set": both}], "cursor": {}})["cursor"][
        "firstBatch"
    ]
    assert row == {"l": left, "r": right}
