"""C# expressions yield what C# yields ("API Management policy expressions")."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest

from emulators.apim.tests.harness import evaluate, ok

SYNTAX = [
    # literals
    ("@(1)", 1),
    ("@(0x1F)", 31),
    ("@(1_000)", 1000),
    ("@(1.5)", 1.5),
    ("@(2.5m)", Decimal("2.5")),
    ("@(true)", True),
    ("@(null)", None),
    ("@('x')", "x"),
    (r"@('\n')", "\n"),
    (r'@("a\"b\\c\u0041\t")', 'a"b\\cA\t'),
    (r'@(@"a\b""c")', r'a\b"c'),
    ('@($"{1 + 1}-{"q"}")', "2-q"),
    ('@($"{{x}} {5,4}|{5,-4}|{7:D3}")', "{x}    5|5   |007"),
    (r'@($@"a\b{1}")', r"a\b1"),
    # operators
    ("@(7 / 2)", 3),
    ("@(-7 / 2)", -3),
    ("@(-7 % 3)", -1),
    ("@(7 / 2.0)", 3.5),
    ("@(1 + 2 * 3 - (4 - 5))", 8),
    ("@(1 < 2 && 2 <= 2 && 3 > 2 && !(3 >= 4))", True),
    ("@(false || true ^ true)", False),
    ("@(5 & 3 | 8)", 9),
    ("@(~0)", -1),
    ("@(\"a\" + 1 + true + null + 'c')", "a1Truec"),
    ('@("a" == "a" && "a" != "A")', True),
    ("@(1 == 1.0)", True),
    ('@("b" is string)', True),
    ('@(1 > 0 ? "yes" : "no")', "yes"),
    ('@((string)null ?? "default")', "default"),
    ("@(((string)null)?.Length ?? -1)", -1),
    ('@("abc"?.Length ?? -1)', 3),
    ("@(default(int))", 0),
    ("@(default(string))", None),
    ("@((int)3.9)", 3),
    ('@((object)"x" as string)', "x"),
    ("@((object)1 as string)", None),
    ('@(((object)"x") is string s ? s + s : "")', "xx"),
    ("@(((object)null) is null)", True),
    # collections
    ('@(new[] {"a", "b"}[1])', "b"),
    ('@(new string[] {"a"}.Length)', 1),
    ("@(new int[3].Length)", 3),
    ('@(new List<string> {"a", "b"}.Count)', 2),
    ('@(new Dictionary<string, int> { {"a", 1}, ["b"] = 2 }["b"])', 2),
    ('@(new HashSet<string> {"a", "a"}.Count)', 1),
]

STATEMENTS = [
    ("@{ var a = 1; a += 2; a++; return a; }", 4),
    ('@{ string a = "x", b = "y"; return a + b; }', "xy"),
    ("@{ int n; n = 5; return n--; }", 5),
    ("@{ if (false) { return 1; } else if (true) return 2; return 3; }", 2),
    ("@{ var n = 0; foreach (var i in new[] {1, 2, 3}) { if (i == 2) { continue; } n += i; } return n; }", 4),
    ("@{ var n = 0; for (int i = 0; i < 10; i++) { if (i == 5) break; n = n + i; } return n; }", 10),
    ("@{ var n = 0; while (n < 7) { n++; } do { n++; } while (false); return n; }", 8),
    ('@{ try { return int.Parse("x"); } catch (Exception e) { return e.Message.Length > 0 ? -1 : 0; } }', -1),
    ('@{ try { throw new Exception("boom"); } catch (Exception e) { return e.Message; } }', "boom"),
    ("@{ var n = 0; try { n = 1; } finally { n = n + 10; } return n; }", 11),
    ("@{ try { var a = new int[1]; return a[5]; } catch { return -2; } }", -2),
    ('@{ // a comment\n /* another */ return "x"; }', "x"),
    ("@{ Func<int, int> twice = x => x * 2; return twice(4); }", 8),
    ("@{ var items = new List<int>(); items.Add(1); items.AddRange(new[] {2, 3}); return items.Count; }", 3),
    (
        '@{ var d = new Dictionary<string, string>(); d["k"] = "v"; string r; '
        'return d.TryGetValue("k", out r) ? r : ""; }',
        "v",
    ),
]

STRINGS = [
    ('@("Hello".Contains("ell"))', True),
    ('@("Hello".Contains("ELL", StringComparison.OrdinalIgnoreCase))', True),
    ('@("Hello".StartsWith("he", StringComparison.OrdinalIgnoreCase) && "Hello".EndsWith("lo"))', True),
    ("@(\"a,b,,c\".Split(',').Length)", 4),
    ("@(\"a,b,,c\".Split(new[] {','}, StringSplitOptions.RemoveEmptyEntries).Length)", 3),
    ("@(\"a=b=c\".Split(new[] {'='}, 2)[1])", "b=c"),
    ('@("a--b".Split(new[] {"--"}, StringSplitOptions.None)[1])', "b"),
    ('@(" x ".Trim() + "/y/".TrimEnd(\'/\') + "//z".TrimStart(\'/\'))', "x/yz"),
    ('@("abcdef".Substring(2) + "abcdef".Substring(1, 2))', "cdefbc"),
    ('@("abcabc".IndexOf("c") + "abcabc".LastIndexOf("c") + "abc".IndexOf("z"))', 6),
    ('@("aXbX".Replace("X", "-"))', "a-b-"),
    ('@("Ab".ToLower() + "Ab".ToUpperInvariant())', "abAB"),
    ('@("a".Equals("A", StringComparison.OrdinalIgnoreCase))', True),
    ('@(string.Equals("a", "A"))', False),
    ('@(string.IsNullOrEmpty("") && String.IsNullOrWhiteSpace("  "))', True),
    ('@(string.Join("-", new[] {"a", "b"}) + string.Concat("c", 1))', "a-bc1"),
    ('@(string.Format("{0:D2}|{1}|{{}}", 5, "x"))', "05|x|{}"),
    ('@("abc"[1])', "b"),
    ('@("a".PadLeft(3, \'.\') + "a".PadRight(3))', "..aa  "),
    ('@(string.Compare("a", "b") < 0)', True),
    ('@(new StringBuilder("a").Append("b").AppendLine().ToString())', "ab\r\n"),
]

LINQ = [
    ('@(new[] {"a", "bb"}.Any(x => x.Length == 2))', True),
    ("@(new[] {1, 2}.All(x => x > 0) && !new int[0].Any())", True),
    ('@(string.Join(",", new[] {3, 1, 2}.OrderBy(x => x).Select(x => x * 2)))', "2,4,6"),
    ('@(string.Join(",", new[] {"b", "a"}.Select((x, i) => x + i)))', "b0,a1"),
    ("@(new[] {1, 2, 3}.Where(x => x != 2).Count())", 2),
    ("@(new[] {1, 2, 3}.Where(x => { return x != 2; }).Sum())", 4),
    ('@(new[] {"a"}.FirstOrDefault(x => x == "z") ?? "none")', "none"),
    ('@(new[] {"a", "b"}.First() + new[] {"a", "b"}.Last())', "ab"),
    ('@(new[] {"a", "B"}.Contains("b", StringComparer.OrdinalIgnoreCase))', True),
    ('@(new[] {"a", "a"}.Distinct().Count())', 1),
    ('@(string.Join("", new[] {"a"}.Concat(new[] {"b"}).Reverse()))', "ba"),
    ('@(new[] {"a=1", "b=2"}.ToDictionary(x => x.Split(\'=\')[0], x => x.Split(\'=\')[1])["b"])', "2"),
    ('@(new[] {"ab", "cd"}.SelectMany(x => x.ToCharArray()).Count())', 4),
    ("@(new[] {1, 2, 3}.Skip(1).Take(1).Max())", 2),
    ("@(Enumerable.Range(1, 4).Sum(x => x))", 10),
    ('@(new[] {"a", "b"}.Intersect(new[] {"b"}).Single())', "b"),
    ('@("a1b2".Count(x => char.IsDigit(x)))', 2),
    ('@(new[] {"a", "b"}.ToList().Count)', 2),
]

TYPES = [
    ('@(int.Parse(" 42 ") + long.Parse("1"))', 43),
    ('@{ int n; return int.TryParse("x", out n) ? n : -1; }', -1),
    ('@{ return int.TryParse("7", out var n) ? n : -1; }', 7),
    ('@(bool.Parse("True"))', True),
    ('@(Convert.ToInt32("12") + Convert.ToInt32(true))', 13),
    ("@(Convert.ToString(5))", "5"),
    ('@(Encoding.UTF8.GetString(Convert.FromBase64String("aGk=")))', "hi"),
    ('@(Convert.ToBase64String(Encoding.UTF8.GetBytes("hi")))', "aGk="),
    ("@(Math.Max(1, 2) + Math.Min(3, 4) + Math.Abs(-5))", 10),
    ('@(Regex.IsMatch("abc", "^a.c$"))', True),
    ('@(Regex.IsMatch("ABC", "abc", RegexOptions.IgnoreCase | RegexOptions.Singleline))', True),
    ('@(Regex.Match("max-age=30", @"max-age=(?<age>\\d+)").Groups["age"].Value)', "30"),
    ('@(Regex.Match("x", "(y)?x").Groups[1].Success)', False),
    ('@(Regex.Replace("a1b22", @"\\d+", "<$0>") + Regex.Replace("ab", "(a)(b)", "$2$1"))', "a<1>b<22>ba"),
    ('@(new Regex("b+").Replace("abbb", m => m.Value.Length.ToString()))', "a3"),
    ('@(Regex.Split("a1b2c", @"\\d").Length)', 3),
    ('@(new Uri("https://EXAMPLE.com:8443/a/b?c=d#e").Authority)', "example.com:8443"),
    ('@(new Uri("http://127.0.0.1:5/x").IsLoopback)', True),
    ('@(new Uri("http://h/a?b").PathAndQuery)', "/a?b"),
    ('@(Uri.EscapeDataString("a b&c/ü") + Uri.UnescapeDataString("%20"))', "a%20b%26c%2F%C3%BC "),
    ('@(System.Net.WebUtility.UrlEncode("a b") + WebUtility.HtmlEncode("<"))', "a+b&lt;"),
    ('@(Guid.Parse("{00000000-0000-0000-0000-00000000000a}").ToString("N").Length)', 32),
    ("@(Guid.NewGuid() == Guid.Empty)", False),
    ('@(DateTime.Parse("2026-11-23T10:00:00Z").AddHours(2).ToString("yyyy-MM-dd HH:mm"))', "2026-11-23 12:00"),
    ("@((DateTime.UtcNow.AddDays(1) - DateTime.UtcNow).TotalHours > 23)", True),
    ("@(TimeSpan.FromMinutes(90).Hours)", 1),
    ('@(BitConverter.ToString(SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(""))).Substring(0, 5))', "E3-B0"),
    (
        '@(Convert.ToBase64String(new HMACSHA256(Encoding.UTF8.GetBytes("k"))'
        '.ComputeHash(Encoding.UTF8.GetBytes("d"))).Length)',
        44,
    ),
    ('@(IPAddress.IsLoopback(IPAddress.Parse("::1")))', True),
]

JSON = [
    ('@((string)JObject.Parse("{\\"a\\": \\"b\\"}")["a"])', "b"),
    ('@(JObject.Parse("{}")["a"] == null)', True),
    ('@(JObject.Parse("{\\"a\\": null}")["a"] == null)', False),
    ('@((int)JToken.Parse("[1, 2]")[1])', 2),
    ('@(JObject.Parse("{\\"a\\": {\\"b\\": true}}")["a"]["b"].ToString())', "True"),
    ('@((bool)JObject.Parse("{\\"a\\": true}")["a"])', True),
    ('@(JObject.Parse("{\\"a\\": 1}")["x"]?["y"]?.ToString() ?? "none")', "none"),
    ('@(JArray.Parse("[{\\"n\\": \\"x\\"}]").Select(t => (string)t["n"]).First())', "x"),
    (
        '@(new JObject(new JProperty("a", 1), new JProperty("b", new JArray("x"))).ToString(Formatting.None))',
        '{"a":1,"b":["x"]}',
    ),
    ('@(new JObject(new JProperty("a", 1)).ToString())', '{\r\n  "a": 1\r\n}'),
    (
        '@{ var o = new JObject(); o["a"] = "b"; o.Add("c", 1); o.Remove("c"); return o.ToString(Formatting.None); }',
        '{"a":"b"}',
    ),
    ('@{ var o = new JObject { ["a"] = 1 }; return o.ContainsKey("a") && o.Count == 1; }', True),
    ('@(JObject.Parse("{\\"a\\": 1}").Value<int>("a"))', 1),
    ('@(string.Join(",", JObject.Parse("{\\"a\\": 1, \\"b\\": 2}").Properties().Select(p => p.Name)))', "a,b"),
    ('@(JToken.FromObject(new[] {"a"}).ToString(Formatting.None))', '["a"]'),
    ('@(JToken.Parse("1").Type == JTokenType.Integer)', True),
    ('@((string)JObject.Parse("{\\"a\\": {\\"b\\": [5]}}").SelectToken("a.b[0]"))', "5"),
    ('@(JsonConvert.SerializeObject(new Dictionary<string, int> { {"a", 1} }))', '{"a":1}'),
    ('@(JToken.Parse("[]") is JArray)', True),
    ('@((JToken.Parse("[]") as JObject) == null)', True),
]


@pytest.mark.parametrize(("source", "expected"), [*SYNTAX, *STATEMENTS, *STRINGS, *LINQ, *TYPES, *JSON])
def test_value(source: str, expected: Any) -> None:
    """An expression yields the value, and the type, that C# gives it."""
    found = evaluate(source)
    assert (found, type(found)) == (expected, type(expected))


CONTEXT = [
    ("@(context.Request.Method)", "POST"),
    ('@(context.Request.Headers.GetValueOrDefault("X-Many", ""))', "1,2"),
    ('@(context.Request.Headers.GetValueOrDefault("None", "d"))', "d"),
    ('@(context.Request.Headers["x-many"][1])', "2"),
    ('@(context.Request.Headers.ContainsKey("X-MANY"))', True),
    ('@{ string[] v; return context.Request.Headers.TryGetValue("X-Many", out v) ? v.Length : 0; }', 2),
    ('@(string.Join(",", context.Request.Headers.Select(h => h.Key)))', "X-Many,Authorization"),
    ("@(context.Request.OriginalUrl.Host + context.Request.OriginalUrl.Port)", "gw.test8080"),
    ("@(context.Request.OriginalUrl.Path + context.Request.OriginalUrl.QueryString)", "/a/op?x=1&x=2&y=z"),
    ('@(context.Request.OriginalUrl.Query["x"].Length)', 2),
    ('@(context.Request.Url.Query.GetValueOrDefault("y", ""))', "z"),
    ("@(context.Request.Url.Path)", "/op"),
    ("@(context.Request.IpAddress)", "203.0.113.7"),
    ('@(context.Request.MatchedParameters["id"])', "7"),
    ('@(context.Request.MatchedParameters.GetValueOrDefault("no", "d"))', "d"),
    ("@(context.Api.Name + context.Api.Path + context.Operation.Id)", "Aaop0"),
    ("@(context.Deployment.ServiceName)", "gw"),
    ("@(context.Deployment.GatewayId)", "managed"),
    ("@(context.Subscription == null && context.User == null)", True),
    ('@(context.Subscription?.Id ?? "none")', "none"),
    ("@(context.LastError == null)", True),
    ('@((string)context.Variables["v"])', "value"),
    ('@(context.Variables.ContainsKey("none"))', False),
    ('@(context.Variables.GetValueOrDefault<string>("none", "d"))', "d"),
    ('@(context.Variables.GetValueOrDefault("n", 0) + 1)', 6),
    ('@(context.Variables.GetValueOrDefault<bool>("none"))', False),
    ("@(context.Timestamp.Year)", 2027),
    ("@(context.RequestId.ToString().Length)", 36),
    ("@(context.Elapsed.TotalSeconds < 1)", True),
    ('@((string)context.Request.Body.As<JObject>(preserveContent: true)["k"])', "v"),
    ("@(context.Request.Body.As<string>(true).Length)", 10),
    ('@(context.Request.Headers.GetValueOrDefault("Authorization", "").AsBasic().UserId)', "u"),
    ('@(((IResponse)context.Variables["r"]).StatusCode)', 200),
]


@pytest.mark.parametrize(("source", "expected"), CONTEXT)
def test_context(source: str, expected: Any) -> None:
    """`context` has the documented members."""
    headers = [("X-Many", "1"), ("X-Many", "2"), ("Authorization", "Basic dTpw")]
    variables = {"v": "value", "n": 5, "r": ok()}
    found = evaluate(source, headers=headers, body=b'{"k": "v"}', variables=variables)
    assert (found, type(found)) == (expected, type(expected))


def test_a_body_is_gone_once_it_was_read_without_preserve_content() -> None:
    """`As<T>()` renders the body unavailable; `preserveContent` keeps it."""
    source = "@(context.Request.Body.As<string>() + context.Request.Body.As<string>())"
    assert evaluate(source, body=b"x") == "x"
    assert evaluate(source.replace("()", "(true)"), body=b"x") == "xx"


def test_a_form_body_reads_as_a_dictionary_of_lists() -> None:
    """`AsFormUrlEncodedContent` decodes names and values and keeps repeats."""
    read = "var f = context.Request.Body.AsFormUrlEncodedContent(preserveContent: true);"
    source = "@{" + read + ' return f["a"][1] + f["b"].Count(); }'
    assert evaluate(source, body=b"a=1&a=x+y%26&b=2") == "x y&1"


def test_claims_of_a_jwt_are_lists_of_texts() -> None:
    """`AsJwt` reads without verifying; arrays give one text each."""
    token = jwt_of({"sub": "s", "roles": ["a", "b"], "n": 5, "exp": 4102444800})
    headers = [("Authorization", f"Bearer {token}")]
    header = 'context.Request.Headers.GetValueOrDefault("Authorization", "")'
    source = "@{ Jwt t; if (!" + header + '.TryParseJwt(out t)) { return ""; } '
    assert evaluate(source + 'return t.Subject + t.Claims["roles"][1] + t.Claims["n"][0]; }', headers=headers) == "sb5"
    joined = source + 'return t.Claims.GetValueOrDefault("roles", "") + t.Claims.GetValueOrDefault("x", "-"); }'
    assert evaluate(joined, headers=headers) == "a,b-"
    assert evaluate(source + "return t.ExpirationTime.Value.Year; }", headers=headers) == 2100
    assert evaluate('@("rubbish".AsJwt() == null)') is True


def jwt_of(claims: dict[str, Any]) -> str:
    """A token whose signature is rubbish."""
    parts = [json.dumps({"alg": "RS256"}), json.dumps(claims), "x"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)
