"""What is remembered of a token, and what must not be."""

from __future__ import annotations

import pytest

from emulators.apim.csharp.compile import compile_expression
from emulators.apim.jwt import Jwt
from emulators.apim.tests.world import make_context

TOKEN = '((Jwt)context.Variables["t"])'


def token(**claims: object) -> Jwt:
    return Jwt("", {}, {name: value for name, value in claims.items() if value is not None})


def remembers(source: str) -> bool:
    found, context = token(sub="s", exp=1), make_context()
    context.variables |= {"t": found, "u": "u"}
    compile_expression(source)(context)
    return bool(found.memo)


@pytest.mark.parametrize(
    "source",
    [
        f"@({TOKEN}.Subject)",
        f'@{{ var x = {TOKEN}; var y = ""; y = x.Subject; return y == "s"; }}',
        f'@({TOKEN}.Claims.GetValueOrDefault("a", "").Split(\' \').Contains("b"))',
    ],
)
def test_a_pure_expression_is_evaluated_once_per_token(source: str) -> None:
    """It reads one variable, a token, and nothing else that could change."""
    assert remembers(source)


@pytest.mark.parametrize(
    "source",
    [
        f"@({TOKEN}.Subject + context.Request.Method)",
        f'@({TOKEN}.Subject + (string)context.Variables.GetValueOrDefault<string>("u", ""))',
        f"@({TOKEN}.ExpirationTime < DateTime.UtcNow)",
        f"@({TOKEN}.Subject + Guid.NewGuid().ToString())",
        f"@({TOKEN}.Subject + new Random().Next().ToString())",
        f'@{{ var a = {TOKEN}.Claims["sub"]; a[0] = "x"; return a[0]; }}',
        f"@({TOKEN}.Claims)",
    ],
)
def test_whatever_may_change_is_evaluated_each_time(source: str) -> None:
    """Time, chance, the request, other variables, writes, and answers that could be written to."""
    assert not remembers(source)


def test_tokens_do_not_share_what_is_remembered() -> None:
    """Two tokens with the same text are two."""
    expression, context = compile_expression(f"@({TOKEN}.Subject)"), make_context()
    answers = []
    for name in ("a", "b", "a"):
        context.variables["t"] = token(sub=name)
        answers.append(expression(context))
    assert answers == ["a", "b", "a"]
