"""Expressions are grouped as C# groups them (C# specification, "Operator precedence and associativity")."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from emulators.apim.csharp.compile import CSharpError, compile_expression
from emulators.apim.tests.csharp_trees import random_tree, read_shape, shape, written
from emulators.apim.tests.harness import evaluate

BODY = 'var a = JObject.Parse("{\\"b\\": \\"x\\", \\"n\\": {\\"k\\": 1}}"); var z = true; var i = 2; string s = null; '

CHAINS = [
    # a `?.` chain under an operator
    ('z && a["b"]?.ToString() == "x"', True),
    ('a["b"]?.ToString() == "x" && z', True),
    ('!z || a["b"]?.ToString() == "x"', True),
    ('z && a["none"]?.ToString() == "x"', False),
    ('"<" + a["none"]?.ToString() + ">"', "<>"),
    ('s ?? a["b"]?.ToString()', "x"),
    ('s ?? a["none"]?.ToString() ?? "last"', "last"),
    ('(string)a["n"]?["k"] + "!"', "1!"),
    ('(int?)a["none"]?["k"] ?? -1', -1),
    ('!a["b"]?.ToString().StartsWith("y") ?? false', True),
    ("i + s?.Length ?? -1", -1),
    # `?` and `?.` of a conditional
    ("z ? s?.Length : i", None),
    ('z ? a?["b"]?.ToString() : "d"', "x"),
    ('a?["b"].ToString()', "x"),
    ("z?1:2", 1),
    ('z ? (s) : "n"', None),
    ("z ? -i : +i", -2),
    ("(s)?.Length == null && z", True),
    # `is` and `as` before another operator
    ('a["n"] is JObject && z', True),
    ('z && a["n"] is JObject && a["b"] is JValue', True),
    ('a["n"] is JArray || a["b"] is JObject || z', True),
    ('a["n"] is JObject == z', True),
    ('a["n"] is JObject ? "o" : "-"', "o"),
    ("s is null && z", True),
    ('a["n"] is JObject ? (a)?["b"].ToString() : "d"', "x"),
    ("(object)i is int? ? 1 : 2", 1),
    ('((object)"q" as string ?? "none") == "q" && z', True),
    ('z && a["n"]?["k"] is JValue', True),
    ('a["n"] is JObject o && o.Count == 1', True),
    # parentheses that are no cast
    ("(i) - 1", 1),
    ("(i) + 1 * 2", 4),
    ("3 * (i) - 1", 5),
    ("(z) && (z)", True),
    ('(a)["b"].ToString()', "x"),
    ('(a)["n"]["k"].ToString()', "1"),
    ("(int)-1.5", -1),
    # generics and comparisons
    ("Math.Max(i < 3 ? 1 : 0, i > (1) ? 5 : 0)", 5),
    ("string.Concat(i < 1, i > 1)", "FalseTrue"),
    ("i < 3 && i > (1)", True),
    ("new[] {1, 2, 3}.Count(x => x > 1 && x < i + 1)", 1),
    ("new List<int> {1}.Count < i && i > 0", True),
    ('string.Join(",", i * i, i)', "4,2"),
]


@pytest.mark.parametrize(("source", "expected"), CHAINS)
def test_operators_group_as_in_csharp(source: str, expected: Any) -> None:
    """Chains, casts, patterns and comparisons beside other operators mean what C# means by them."""
    found = evaluate("@{ " + BODY + f"return {source}; }}")
    assert (found, type(found)) == (expected, type(expected))


def test_any_expression_is_read_back_as_it_was_written() -> None:
    """Of 400 random expressions, written with no parentheses but those that C# needs, none is misread."""
    unread = 0
    for seed in range(400):
        random = Random(seed)
        tree = random_tree(random, random.choice([2, 3, 4]))
        try:
            assert read_shape(written(tree)) == shape(tree), written(tree)
        except CSharpError:
            unread += 1
    assert unread <= 4


UNREAD = [
    ("@(1 + f(a, ) )", 0, 10),
    ("@{\n  var a = 1;\n  return a +* 2;\n}", 2, 12),
    ("@{\n  return z && b?.c;\n}", 1, 10),
]


@pytest.mark.parametrize(("source", "row", "column"), UNREAD)
def test_what_cannot_be_read_is_refused_with_its_place(source: str, row: int, column: int) -> None:
    """A load error says line and column where the author sees them: added parentheses do not shift them."""
    with pytest.raises(CSharpError, match=f"column {column}") as caught:
        compile_expression(source)
    assert (caught.value.row, caught.value.column) == (row, column)


def test_many_places_are_put_right() -> None:
    """However many they are."""
    assert evaluate("@{ " + BODY + "return " + " && ".join(["z", *['a["n"] is JObject'] * 60]) + "; }") is True


def test_places_too_deep_in_one_another_are_refused() -> None:
    """Rather than read for minutes, or wrongly."""
    with pytest.raises(CSharpError, match="split the expression"):
        compile_expression("@(" + "1 + a?.b(" * 60 + "1" + ")" * 60 + ")")


def test_a_call_with_type_arguments_below_a_cast_is_one() -> None:
    """C# specification, "Grammar ambiguities": `<JObject>` before `(` is a list of type arguments."""
    body = b'{"i": "5", "n": 4}'
    cast = '(string)context.Request.Body.As<JObject>(true)["i"]'
    assert evaluate(f'@({cast} + "x")', body=body) == "5x"
    assert evaluate(f'@({cast} == "5" && (int)context.Request.Body.As<JObject>(true)["n"] > (3))', body=body) is True
    assert evaluate("@{ int a = 1, b = 2, c = 3; return (long)a < b == b > (c); }") is False
