"""No expression takes the gateway's time or memory: each kind of runaway is stopped, and the caller gets an error."""

from __future__ import annotations

import time

import pytest

from emulators.apim.csharp import time_limit
from emulators.apim.csharp.clr import EvaluationLimit
from emulators.apim.csharp.compile import compile_expression
from emulators.apim.tests.harness import evaluate, make_context, make_gateway

RUNAWAYS = {
    "endless loop": "@{ while (true) { } return 1; }",
    "nested loops": "@{ for (int i = 0; i < 9999; i++) { for (int j = 0; j < 9999; j++) { } } return 1; }",
    "doubling string": '@{ var s = "0123456789"; while (true) { s += s; } return s; }',
    "string by replacement": '@{ var s = new string(\'a\', 4000); return s.Replace("a", s).Replace("a", s); }',
    "string by joining": "@(string.Join(new string('a', 99999), Enumerable.Range(0, 999)))",
    "string by regex": "@{ var s = new string('a', 9999); return Regex.Replace(s, \"a\", s); }",
    "string by padding": '@("a".PadLeft(2000000000))',
    "string by format": '@(string.Format("{0,2000000000}", 1))',
    "recursion": "@{ Func<int, int> f = null; f = n => f(n + 1) + 1; return f(0); }",
    "regex backtracking": '@(Regex.IsMatch(new string(\'a\', 60) + "b", "^(a+)+$"))',
    "regex in a lambda": '@(new[] {1}.Select(x => Regex.Replace(new string(\'a\', 60), "(a|a)*b", "")).First())',
    "instance regex": '@(new Regex(@"^(\\w+\\s?)*$").Match(new string(\'a\', 60) + "!").Success)',
    "huge list": "@{ var l = new List<int> {1}; while (true) { l.AddRange(l); } return 1; }",
    "huge array": "@(new int[2000000000].Length)",
    "huge range": "@(Enumerable.Range(0, 2000000000).Count())",
    "huge repetition": '@(Enumerable.Repeat("a", 2000000000).Count())',
    "many lambda calls": "@(Enumerable.Range(0, 1000000).Count(x => x > 0))",
    "doubling JSON": "@{ var a = new JArray(1); for (int i = 0; i < 60; i++) { a = new JArray(a, a); } "
    "return a.ToString(); }",
}


@pytest.mark.parametrize("kind", RUNAWAYS)
def test_a_runaway_expression_is_stopped(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By steps, by size or by the clock, wherever it spends its time."""
    monkeypatch.setattr(time_limit, "BEATS", 2)
    with pytest.raises(EvaluationLimit):
        evaluate(RUNAWAYS[kind])


def test_no_catch_clause_hides_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """`catch` takes .NET exceptions, not the gateway's limits."""
    monkeypatch.setattr(time_limit, "BEATS", 2)
    search = RUNAWAYS["regex backtracking"][2:-1]
    with pytest.raises(EvaluationLimit, match="ran for more than"):
        evaluate(f"@{{ try {{ return {search}; }} catch {{ return false; }} }}")


async def test_the_caller_gets_an_evaluation_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reason ExpressionValueEvaluationFailure, and on-error runs ("Error handling in API Management policies")."""
    monkeypatch.setattr(time_limit, "BEATS", 2)
    search = RUNAWAYS["regex backtracking"].replace('"', "&quot;")
    gateway = make_gateway(
        inbound=f'<set-variable name="v" value="{search}"/>',
        on_error='<set-header name="Why"><value>@(context.LastError.Reason)</value></set-header>',
    )
    reply = await gateway.send()
    assert (reply.status, reply.headers.get("why")) == (500, ["ExpressionValueEvaluationFailure"])


def test_evaluations_do_not_add_up() -> None:
    """The clock is each evaluation's own; between two, the process is not interrupted at all."""
    expression, context = compile_expression("@(1 + 1)"), make_context()
    deadline = time.monotonic() + 3 * time_limit.BEAT
    while time.monotonic() < deadline:
        assert expression(context) == 2
    assert not time_limit.TIME_LIMIT.running


def test_a_lambda_that_calls_itself_keeps_its_variables() -> None:
    """Each call has its own."""
    source = "Func<int, int> f = null; f = n => { var m = n; return n <= 1 ? 1 : f(n - 1) * m; }; return f(5);"
    assert evaluate(f"@{{ {source} }}") == 120
