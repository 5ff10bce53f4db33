"""What C# would not compile, or what is not documented, does not load; what fails when it runs, fails as in .NET."""

from __future__ import annotations

import pytest

from emulators.apim.csharp.clr import ClrError, EvaluationLimit
from emulators.apim.csharp.compile import CSharpError, compile_expression
from emulators.apim.tests.harness import evaluate

REFUSED = [
    # not documented
    ('@(System.IO.File.ReadAllText("x"))', "System.IO.File"),
    ("@(Environment.MachineName)", "Environment"),
    ("@(typeof(string))", "typeof"),
    ("@(new HttpClient())", "HttpClient"),
    ('@("x".GetType())', "GetType"),
    ("@(context.Secrets)", "IContext.Secrets"),
    ("@(context.Request.Certificate)", "Certificate"),
    ("@(Regex.Matches)", "Regex.Matches"),
    ("@{ dynamic x = 1; return x; }", "dynamic"),
    ("@{ unsafe { return 1; } }", "unsafe"),
    ("@{ lock (context) { return 1; } }", "lock"),
    ('@{ using (var x = new StringReader("")) { return 1; } }', "StringReader"),
    ('@{ using (var x = "a") { return 1; } }', "CS1674"),
    ("@{ using (var x = SHA256.Create()) { x = null; return 1; } }", "CS1656"),
    ('@(new[] {1}.Encrypt("AES", new byte[16], new byte[16]))', "Encrypt"),
    # newer than C# 7, or not an expression
    ("@(1 switch { 1 => 2, _ => 3 })", "switch"),
    ("@((object)1 is not null)", "not null"),
    ("@(nameof(context))", "nameof"),
    ("@(async () => 1)", "lambda"),
    # what the compiler refuses
    ('@("a.b.c".AsJwt().Claims.GetValueOrDefault("n", 5))', "no (string, int)"),
    ('@(context.Request.Headers.GetValueOrDefault("X", 5))', "no (string, int)"),
    ('@(context.Request.OriginalUrl.Query.GetValueOrDefault("x", new[] {1}))', "no (string, int[])"),
    ("@(x)", "'x' does not exist"),
    ("@(1 + )", "not C#"),
    ("@(1) and more", "whole value"),
    ("@(true", "ends in no ), as it is not closed"),
    ("@{ return 1; ", "ends in no }, as it is not closed"),
    ('@("a" * 2)', "CS0019"),
    ('@(1 == "1")', "cast or convert"),
    ("@(!1)", "CS0023"),
    ("@(1 / 0)", "CS0020"),
    ("@(9223372036854775807 + 1)", "CS0220"),
    ("@(1 ?? 2)", "never null"),
    ('@(true ? 1 : "a")', "CS0173"),
    ('@((int)"5")', "CS0030"),
    ('@(context.Variables["x"].StartsWith("a"))', "cast it to its type first"),
    ('@(context.Variables["x"] == "a")', "cast the object to string first"),
    ('@(int.Parse(context.Variables["x"]))', "needs string"),
    ('@(JObject.Parse("{}")["a"] == "b")', "cast or convert"),
    ('@(context.Variables["x"] && true)', "needs bool"),
    ('@{ string s = context.Variables["x"]; return s; }', "needs string"),
    ('@{ string s = JObject.Parse("{}")["a"]; return s; }', "needs string"),
    ("@{ int n = 1.5; return n; }", "needs int"),
    ("@{ var x = null; return x; }", "CS0815"),
    ("@{ var a = 1; var a = 2; return a; }", "CS0128"),
    ("@{ foreach (var x in new[] {1}) { var x = 2; } return 1; }", "CS0128"),
    ("@{ if (true) { return 1; } }", "CS0161"),
    ("@{ context.RequestId; return 2; }", "not C#"),
    ('@{ if ("x") { return 1; } return 2; }', "needs bool"),
    ("@{ if (true) { var y = 1; } return y; }", "'y' does not exist"),
    ("@{ context.Request = null; return 1; }", "cannot be assigned"),
    ('@{ int n; return int.TryParse("1", n); }', "CS1620"),
    ('@("x".Substring())', "takes 1 to 2 arguments"),
    ("@(1; return 2)", "not C#"),
    ("@{ return 1; } } class Q { int R() { return 2; }", "brackets"),
    ("@(1) + (2))", "not C#"),
    ('@($"{1,x}")', "alignment"),
    ('@(new[] {1}.Sum(","))', "it takes no (string)"),
    ("@(" + "(" * 3000 + "1" + ")" * 3000 + ")", "cannot compile"),
]


@pytest.mark.parametrize(("source", "named"), REFUSED)
def test_refused_at_load_by_name(source: str, named: str) -> None:
    """What would not compile, or is not in the documented list, is refused before any request, and named."""
    with pytest.raises(CSharpError) as caught:
        compile_expression(source)
    assert named in f"{caught.value.name} {caught.value.message}"


@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("@(1 + )", "1 +"),
        ("@{\n  return 1\n}", "return 1"),
        ("@(a b)", "a b"),
        ("@{ if (true { return 1; } return 2; }", "if (true"),
        ('@("a)', '"a'),
        ("@(\n\n  x.y(\n)", "x.y("),
    ],
)
def test_what_does_not_parse_is_shown_in_the_author_s_own_words(source: str, near: str) -> None:
    """Never what the expression is wrapped in to be parsed."""
    with pytest.raises(CSharpError, match="not C# that parses, near `") as caught:
        compile_expression(source)
    shown = caught.value.message.split("`")[1]
    assert shown.startswith(near[:2]) and "class P" not in shown  # noqa: PT018 - one claim about one text


def test_the_line_of_a_problem_is_its_own() -> None:
    """A problem in the third line of an expression says row 2, counted from 0."""
    with pytest.raises(CSharpError) as caught:
        compile_expression("@{\n  var a = 1;\n  return b;\n}")
    assert (caught.value.row, caught.value.name) == (2, "b")


RAISED = [
    ('@(context.Variables["none"])', "KeyNotFoundException"),
    ('@(context.Request.Headers["None"])', "KeyNotFoundException"),
    ("@(((string)null).Length)", "NullReferenceException"),
    ('@(int.Parse("x"))', "FormatException"),
    ('@(int.Parse("99999999999"))', "OverflowException"),
    ("@((string)(object)5)", "InvalidCastException"),
    ('@(JObject.Parse("[]"))', "JsonReaderException"),
    ('@(JObject.Parse("{"))', "JsonReaderException"),
    ('@(JObject.Parse("{\\"a\\": 1}")["a"]["b"])', "InvalidOperationException"),
    ('@((int)JObject.Parse("{}")["a"])', "ArgumentNullException"),
    ("@(new int[1][5])", "IndexOutOfRangeException"),
    ("@(new List<int>()[5])", "ArgumentOutOfRangeException"),
    ('@("abc".Substring(5))', "ArgumentOutOfRangeException"),
    ('@(Regex.Replace("a", null, "b"))', "ArgumentNullException"),
    ('@("a".IndexOf((string)null))', "ArgumentNullException"),
    (
        '@("a".Substring(1).Split((char[])null).Select(x => x.Length).Sum() + "b".Insert(0, null))',
        "ArgumentNullException",
    ),
    ("@{ var n = 0; return 1 / n; }", "DivideByZeroException"),
    ("@(new string[0].First())", "InvalidOperationException"),
    ('@(new[] {"a", "a"}.ToDictionary(x => x)["a"])', "ArgumentException"),
    ('@(new Uri("nope"))', "FormatException"),
    ('@(Regex.IsMatch("a", "("))', "ArgumentException"),
    ('@(Convert.FromBase64String("%"))', "FormatException"),
]


@pytest.mark.parametrize(("source", "exception"), RAISED)
def test_failures_are_dot_net_exceptions(source: str, exception: str) -> None:
    """A failing expression raises what .NET raises, so `catch` clauses match."""
    with pytest.raises(ClrError) as caught:
        evaluate(source)
    assert caught.value.is_a(exception), caught.value.type_name


ENDLESS = [
    "@{ while (true) { } return 1; }",
    "@{ var n = 0; for (int i = 0; i >= 0; i++) { n = i; } return n; }",
    "@(Enumerable.Range(0, 1000000).Count(x => x > 0))",
    '@{ var s = "0123456789"; while (true) { s += s; } return s; }',
    "@(new int[2000000000].Length)",
    "@(\"a\".PadLeft(2000000000).Length + new string('a', 2000000000).Length)",
    '@{ var b = new StringBuilder("0123456789"); while (true) { b.Append(b.ToString()); } return 1; }',
    "@{ var l = new List<int> {1}; while (true) { l.AddRange(l); } return 1; }",
]


@pytest.mark.parametrize("source", ENDLESS)
def test_endless_work_is_stopped(source: str) -> None:
    """Neither time nor memory of the gateway is an expression's to take."""
    with pytest.raises(EvaluationLimit):
        evaluate(source)


def test_every_failure_can_be_caught() -> None:
    """A null where none may be is an exception like any other."""
    assert evaluate('@{ try { return Regex.IsMatch("a", null); } catch (Exception) { return "null"; } }') == "null"


def test_no_catch_clause_hides_a_limit() -> None:
    """`catch` takes .NET exceptions, not the gateway's limits."""
    with pytest.raises(EvaluationLimit):
        evaluate("@{ while (true) { try { while (true) { } } catch { } } return 1; }")
