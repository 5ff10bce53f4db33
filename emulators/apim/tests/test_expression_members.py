"""Types and members that expressions may use ("API Management policy expressions", ".NET Framework types allowed in
policy expressions" and "Context variable"), member by member; what is not in those tables does not load."""

# ruff: noqa: E501 - a table reads best with one row to a line

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from emulators.apim import documented
from emulators.apim.csharp.compile import CSharpError, compile_expression
from emulators.apim.csharp.library import catalogue, is_documented
from emulators.apim.identity import Authorization
from emulators.apim.jwt import Jwt
from emulators.apim.tests.harness import evaluate, ok

_D = "new DateTime(2024, 2, 29, 13, 5, 7)"
_O = "DateTimeOffset.FromUnixTimeSeconds(86400)"
_U = 'new Uri("https://u@Ex.org:444/a%20b/c?d=e#f")'

_NO_EXPIRY = '"e30.eyJzdWIiOiAiMSJ9.x".AsJwt().ExpirationTime'
_EXPIRY = '"e30.eyJleHAiOiA2MH0.x".AsJwt().ExpirationTime'

TABLE: dict[str, list[tuple[str, Any]]] = {
    "System.Nullable<T>: HasValue, Value, GetValueOrDefault, ToString, Equals": [
        (f"@({_NO_EXPIRY}.HasValue || {_NO_EXPIRY} != null)", False),
        (f"@({_EXPIRY}.HasValue && {_EXPIRY}.Value.Minute == 1)", True),
        ("@{ int? n = null; return n.HasValue; }", False),
        ("@{ DateTime? n = null; return n.HasValue; }", False),
        ("@{ int? n = 0; return n.HasValue; }", True),
        ("@{ int? n = null; return n.GetValueOrDefault() + n.GetValueOrDefault(5); }", 5),
        ("@{ bool? n = true; return n.GetValueOrDefault(); }", True),
        (f"@({_NO_EXPIRY}.GetValueOrDefault() == DateTime.MinValue)", True),
        ("@{ TimeSpan? n = null; return n.GetValueOrDefault() == TimeSpan.Zero; }", True),
        ("@{ Guid? n = null; return n.GetValueOrDefault() == Guid.Empty && default(Guid) == Guid.Empty; }", True),
        ('@{ int? n = null; return n.ToString() + "|" + n.Equals(null) + n.Equals(1); }', "|TrueFalse"),
        ("@{ int? n = null; try { return n.Value; } catch (Exception e) { return -1; } }", -1),
    ],
    "System.DateTime: Add … Year": [
        (f"@({_D}.AddYears(1).Day + {_D}.AddMonths(1).Month)", 31),
        (f"@({_D}.AddSeconds(53).Minute + {_D}.AddMinutes(1).Second + {_D}.AddMilliseconds(5).Millisecond)", 18),
        (f"@({_D}.Hour + {_D}.DayOfYear)", 73),
        (f"@({_D}.DayOfWeek.ToString())", "Thursday"),
        (f"@({_D}.Date.Add({_D}.TimeOfDay) == {_D} && {_D}.AddTicks(10).Ticks - {_D}.Ticks == 10)", True),
        (f"@({_D}.Subtract(TimeSpan.FromDays(1)).Day + {_D}.Subtract({_D}).Days)", 28),
        ("@(DateTime.IsLeapYear(2024) && DateTime.DaysInMonth(2023, 2) == 28)", True),
        ("@(DateTime.MinValue.Year + DateTime.MaxValue.Year)", 10000),
        ("@(DateTime.Now.IsDaylightSavingTime() || DateTime.Today > DateTime.UtcNow)", False),
        ("@(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc).ToString(\"u\"))", "2024-01-01 00:00:00Z"),
    ],
    "System.DateTimeOffset: All": [
        (f"@({_O}.ToUnixTimeSeconds() + {_O}.ToUnixTimeMilliseconds())", 86486400),
        (f"@({_O}.UtcDateTime.Day + {_O}.CompareTo({_O}))", 2),
        (f"@({_O}.Subtract({_O}).TotalMilliseconds + {_O}.AddYears(1).AddMonths(1).AddSeconds(60).AddMilliseconds(1).Minute)", 1.0),
        ("@(DateTimeOffset.Now >= DateTimeOffset.FromUnixTimeSeconds(0))", True),
    ],
    "System.TimeSpan: All": [
        ("@(TimeSpan.FromHours(25).Days + TimeSpan.FromSeconds(61).Minutes + TimeSpan.FromMilliseconds(2000).Seconds)", 4),
        ("@(TimeSpan.FromDays(1).TotalMinutes + TimeSpan.FromDays(1).TotalDays)", 1441.0),
        ("@(TimeSpan.Zero.Ticks)", 0),
    ],
    "System.String, StringComparison, StringComparer: All": [
        ('@(string.Join(",", new[] {"b", "a", "A", "B"}.OrderBy(x => x)))', "a,A,b,B"),
        ('@("a".CompareTo("B") + string.Compare("a", "A", true) + string.CompareOrdinal("a", "B"))', 0),
        ('@(string.Compare("a", "B", StringComparison.Ordinal))', 1),
        ('@("İI".ToLowerInvariant().Length > 1 && "i".ToUpper() == "I")', True),
        ('@("a,b;c".IndexOfAny(new[] {\';\', \',\'}) + "a".GetHashCode() - "a".GetHashCode())', 1),
        ('@("e\u0301".Normalize().Length)', 1),
        ('@("aXbx".Replace("x", "-", StringComparison.InvariantCultureIgnoreCase))', "a-b-"),
        ('@("A".Equals("a", StringComparison.CurrentCultureIgnoreCase) && !"A".Equals("a", StringComparison.CurrentCulture))', True),
        ('@("A".Equals("a", StringComparison.InvariantCulture))', False),
        ('@(new[] {"a"}.Contains("A", StringComparer.InvariantCultureIgnoreCase))', True),
        ('@(new[] {"a"}.Contains("A", StringComparer.Ordinal) || new[] {"a"}.Contains("A", StringComparer.InvariantCulture))', False),
        ('@(new StringBuilder().AppendFormat("{0}-{1}", 1, "x").ToString())', "1-x"),
    ],
    "System.Char, Boolean, Int32, Int64, Double: All": [
        ("@(char.IsLetter('a') && char.IsLetterOrDigit('1') && char.IsLower('a') && char.IsUpper('A'))", True),
        ("@(char.IsWhiteSpace(' ') && char.ToUpper('a') == char.ToUpperInvariant('a') && char.ToLowerInvariant('A') == 'a')", True),
        ("@(bool.TrueString + bool.FalseString)", "TrueFalse"),
        ("@(1.CompareTo(2) + 2L.CompareTo(1L) + 1.5.CompareTo(1.5))", 0),
        ("@(int.MinValue == -2147483648)", True),
    ],
    "System.Convert, System.Math, System.Random: All": [
        ('@(Convert.ToBoolean("true") && Convert.ToDouble("1.5") == 1.5 && Convert.ToInt64("7") == 7L)', True),
        ('@(Convert.ToByte("255") + Convert.ToInt32(2.5) + Convert.ToInt32(3.5))', 261),
        ('@(Convert.ToDecimal("1.5") == 1.5m)', True),
        ("@(Math.Ceiling(1.2) + Math.Floor(1.8) + Math.Truncate(-1.8) + Math.Pow(2, 3) + Math.Sqrt(4))", 12.0),
        ("@(Math.Round(2.5) + Math.Round(2.5, 0, MidpointRounding.AwayFromZero) + Math.Round(2.5, 0, MidpointRounding.ToEven))", 7.0),
        ("@(Math.Sign(-3) + (Math.PI > 3.14 ? 1 : 0))", 0),
        ("@(new Random().NextDouble() < 1)", True),
    ],
    "System.Linq.Enumerable: All": [
        ("@(new[] {1, 2, 3}.Aggregate((a, b) => a * 10 + b))", 123),
        ('@(new[] {1, 2}.Aggregate("", (text, n) => text + n))', "12"),
        ('@(string.Join(",", new[] {"a", "b"}.Zip(new[] {1, 2}, (x, n) => x + n)))', "a1,b2"),
        ('@(string.Join(",", new[] {"a", "b", "a"}.GroupBy(x => x).Select(g => g.Key + g.Count())))', "a2,b1"),
        ('@(new object[] {"a", 1}.OfType<string>().Single() + new object[] {"b"}.Cast<string>().First())', "ab"),
        ('@(string.Join(",", new[] {"bb", "a", "aa", "b"}.OrderBy(x => x.Length).ThenBy(x => x)))', "a,b,aa,bb"),
        ('@(string.Join(",", new[] {"a", "bb", "b"}.OrderByDescending(x => x.Length).ThenByDescending(x => x)))', "bb,b,a"),
        ("@(new int[0].FirstOrDefault() + new int[0].LastOrDefault() + new int[0].SingleOrDefault())", 0),
        ("@(new int[0].DefaultIfEmpty().First() + new int[0].DefaultIfEmpty(7).First() + new[] {1}.ElementAtOrDefault(5))", 7),
        ("@(new[] {1, 2}.Prepend(5).ElementAt(0) + new[] {1, 2, 3}.SkipWhile(x => x < 3).TakeWhile(x => x > 0).Sum())", 8),
        ("@(new[] {1, 2}.Except(new[] {1}).Union(new[] {2, 3}).ToArray().Length + new[] {1, 1}.ToHashSet().Count)", 3),
        ("@(new[] {1, 2}.AsEnumerable().SequenceEqual(new[] {1, 2}) && new[] {1, 2}.Average() == 1.5)", True),
    ],
    "System.Collections.Generic: All": [
        ("@{ var l = new List<int> {3, 1, 2}; l.Sort(); l.RemoveAt(0); l.RemoveAll(x => x == 3); return l.ToArray()[0]; }", 2),
        ('@(new List<string> {"a"}.Exists(x => x == "a") && new List<string>().Find(x => true) == null)', True),
        ("@(new List<int> {1, 2}.FindAll(x => x > 1).Count + new List<int>().Find(x => true))", 1),
        ("@{ var n = 0; new List<int> {1, 2}.ForEach(x => { n += x; }); return n; }", 3),
        ("@{ var q = new Queue<int>(); q.Enqueue(1); q.Enqueue(2); return q.Peek() * 10 + q.Dequeue() + q.Count; }", 12),
        ("@{ var s = new Stack<int>(); s.Push(1); s.Push(2); var n = s.Peek() + s.Pop(); s.Clear(); return n + s.Count; }", 4),
        ("@{ var q = new Queue<int>(new[] {1}); q.Clear(); return q.Count; }", 0),
        ('@{ int n; new Dictionary<string, int>().TryGetValue("a", out n); return n; }', 0),
        ('@{ var d = new Dictionary<string, int> {{"a", 1}}; var k = d.Keys.First() + d.Values.First(); d.Clear(); return k; }', "a1"),
        ("@(((int?)5).HasValue)", True),
    ],
    "System.Text.RegularExpressions: Capture, Group, Match, Regex, RegexOptions": [
        ('@(Regex.Match("ab", "(?<x>b)").Groups["x"].Captures[0].Index + Regex.Match("ab", "b").Groups[0].Captures.Count)', 2),
        ('@(Match.Empty.Groups.Count + Regex.Unescape(@"\\.").Length)', 2),
        ('@(Regex.Match("ab", "(a)(b)").Result("$2$1"))', "ba"),
        (r'@(Regex.IsMatch("a\nb", "^b", RegexOptions.Multiline | RegexOptions.Compiled | RegexOptions.CultureInvariant))', True),
        ('@(Regex.IsMatch("ab", "a b # c", RegexOptions.IgnorePatternWhitespace))', True),
        (r'@(Regex.IsMatch("a\n", @"a\Z") && !Regex.IsMatch("a\n", @"a\z") && Regex.IsMatch("b", "(?\'n\'b)"))', True),
    ],
    "System.Uri, UriPartial, WebUtility": [
        (f"@({_U}.Scheme + {_U}.DnsSafeHost + {_U}.AbsolutePath + {_U}.LocalPath)", "httpsex.org/a%20b/c/a b/c"),
        (f"@({_U}.Fragment + {_U}.UserInfo + {_U}.Segments.Length + {_U}.IsDefaultPort + {_U}.IsAbsoluteUri)", "#fu3FalseTrue"),
        (f"@({_U}.GetLeftPart(UriPartial.Scheme) + {_U}.OriginalString.Length)", "https://34"),
        ('@(new Uri("https://Ex.org").AbsoluteUri)', "https://ex.org/"),
        ('@(Uri.EscapeUriString("a b/c") + WebUtility.UrlDecode("a+b%20c") + WebUtility.HtmlDecode("&lt;"))', "a%20b/ca b c<"),
    ],
    "Newtonsoft.Json: JToken and its kinds, JsonConvert": [
        ('@(JArray.Parse("[1, 2]").ToObject<List<int>>().Sum() + JToken.Parse("5").Value<int>())', 8),
        ('@(JArray.Parse("[\\"a\\"]").Values<string>().First() + JArray.Parse("[\\"a\\"]").ToObject<string[]>()[0])', "aa"),
        ('@(JsonConvert.DeserializeObject<Dictionary<string, string>>("{\\"a\\": \\"b\\"}")["a"])', "b"),
        ('@(string.Join(",", JObject.Parse("{\\"a\\": [{\\"b\\": 1}, {\\"b\\": 2}]}").SelectTokens("$.a[*].b")))', "1,2"),
        ('@(JObject.Parse("{\\"A\\": 1}").GetValue("a", StringComparison.OrdinalIgnoreCase).ToString())', "1"),
        ('@(JObject.Parse("{\\"a\\": null}")["a"].Type == JTokenType.Null && JToken.Parse("1.5").Type == JTokenType.Float)', True),
        ('@(JToken.Parse("[]").Type == JTokenType.Array && JToken.Parse("{}").Type == JTokenType.Object)', True),
        ('@(JToken.Parse("true").Type == JTokenType.Boolean && new JProperty("a", 1).Type == JTokenType.Property)', True),
        ('@(JToken.Parse("\\"2024-01-01T00:00:00Z\\"").Type == JTokenType.Date)', False),
        ('@{ var o = JObject.Parse("{\\"a\\": {\\"b\\": 1}}"); o.Merge(JObject.Parse("{\\"a\\": {\\"c\\": 2}}")); '
         'return o.ToString(Formatting.None); }', '{"a":{"b":1,"c":2}}'),
        ('@(JObject.Parse("{\\"a\\": 1}").Property("a").Value.ToString(Formatting.Indented))', "1"),
        ('@(JToken.DeepEquals(JToken.Parse("[1]"), JToken.Parse("[1]").DeepClone()))', True),
        ('@(JObject.Parse("{\\"a\\": 1}").HasValues && JObject.Parse("{\\"a\\": 1}").Children().Count() == 1)', True),
    ],
    "Encoding, Guid": [
        ('@(Encoding.ASCII.GetBytes("a")[0] + new Random(5).Next(0, 1) + TimeSpan.FromSeconds(1.5).Milliseconds)', 597),
        ('@{ Uri u; return Uri.TryCreate(new Uri("https://a.b/c"), "x", out u) ? u.AbsolutePath : ""; }', "/x"),
        ('@(Encoding.Unicode.GetBytes("a").Length + Guid.Empty.GetHashCode())', 2),
    ],
    "context and what hangs on it": [
        ('@{ context.Trace("t"); return context.Response.StatusCode + context.LastError?.Source + context.LastError?.Scope; }', "200"),
        ("@(context.Tracing || !context.Api.IsCurrentRevision)", False),
        ('@(context.Api.Revision + context.Api.Version + (context.Api.ServiceUrl == null))', "1True"),
        ("@(context.Deployment.Region + context.Operation.UrlTemplate + context.Request.Url.Scheme)", "local/ophttp"),
        ("@(context.LastError?.Section + context.LastError?.PolicyId)", ""),
        ("@(context.Product == null || context.Product.ApprovalRequired || context.Product.SubscriptionRequired)", True),
        ("@(context.Product?.SubscriptionLimit)", None),
        ("@(context.Subscription?.PrimaryKey + context.Subscription?.SecondaryKey)", ""),
        ("@(context.Subscription?.CreatedDate == context.Subscription?.StartDate && context.Subscription?.EndDate == null)", True),
        ("@(context.User?.Email + context.User?.FirstName + context.User?.LastName + context.User?.Note)", ""),
        ("@(context.User?.RegistrationDate == null && context.User?.Identities?.First().Provider == null)", True),
        ("@(context.User?.Groups?.Select(g => g.Name).FirstOrDefault())", None),
        ("@(context.Request.PrivateEndpointConnection?.GroupId + context.Request.PrivateEndpointConnection?.MemberName)", ""),
        ('@(((IResponse)context.Variables["r"]).StatusReason)', ""),
        ('@{ BasicAuthCredentials b; return "Basic dTpw".TryParseBasic(out b) ? b.Password : ""; }', "p"),
        ('@(((Jwt)context.Variables["j"]).IssuedAt == ((Jwt)context.Variables["j"]).NotBefore)', True),
        ('@(((Jwt)context.Variables["j"]).Algorithm + ((Jwt)context.Variables["j"]).Issuer)', "RS256i"),
        ('@(((Jwt)context.Variables["j"]).Audiences.Single())', "a"),
    ],
}  # fmt: skip
ROWS = [(source, expected) for rows in TABLE.values() for source, expected in rows]
TOKEN = Jwt("", {"alg": "RS256"}, {"iss": "i", "aud": "a", "iat": 5, "nbf": 5})


@pytest.mark.parametrize(("source", "expected"), ROWS)
def test_a_member_does_what_dot_net_does(source: str, expected: Any) -> None:
    """The tables' members, with .NET's answers."""
    found = evaluate(source, variables={"r": ok(), "j": TOKEN})
    assert (found, type(found)) == (expected, type(expected))


def test_an_authorization_has_a_token_and_claims() -> None:
    """ "Get authorization context", Authorization object: AccessToken and Claims."""
    variables = {"a": Authorization("t", {"scope": "repo"})}
    for member, wanted in (("AccessToken", "t"), ('Claims["scope"]', "repo"), ("Claims.Count", 1)):
        assert evaluate(f'@(((Authorization)context.Variables["a"]).{member})', variables=variables) == wanted


def test_every_member_stands_in_a_test() -> None:
    """What is registered is tried: constructors and indexers, which have no name, stand beside their types."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_expression*.py"))
    names = {
        f"{m.owner}.{m.name}"
        for m in catalogue()
        if m.name not in ("new", "this[]", "this[]=") and is_documented(m.owner)
    }
    assert [name for name in sorted(names) if not re.search(rf"\b{name.partition('.')[2]}\b", tests)] == []


UNDOCUMENTED = [
    ("@(DateTime.UtcNow.ToUniversalTime())", "ToUniversalTime"),
    ("@(DateTime.UtcNow.CompareTo(DateTime.UtcNow))", "CompareTo"),
    ('@{ DateTime d; return DateTime.TryParse("2024", out d); }', "TryParse"),
    ('@(Regex.Escape("."))', "Regex.Escape"),
    ("@(new MD5Managed())", "MD5Managed"),
    ("@(context.User.Key)", "IUser.Key"),
    ("@(context.Request.Url.ToUri())", "ToUri"),
    ("@{ try { return 1; } catch (FormatException) { return 2; } }", "FormatException"),
    ('@(Uri.IsWellFormedUriString("a", UriKind.Absolute))', "Uri.IsWellFormedUriString"),
    ("@{ IReadOnlyList<int> l = new List<int>(); return l.Count; }", "IReadOnlyList"),
    # documented by Microsoft, and not reproduced
    (r'@(Regex.IsMatch("a", @"\p{L}"))', "Unicode categories"),
    ('@(Regex.IsMatch("a", "[a-z-[aeiou]]"))', "class subtraction"),
    ("@(new RNGCryptoServiceProvider())", "RNGCryptoServiceProvider"),
]


@pytest.mark.parametrize(("source", "named"), UNDOCUMENTED)
def test_what_is_not_documented_does_not_load(source: str, named: str) -> None:
    """API Management refuses it too, when the policy is saved."""
    with pytest.raises(CSharpError) as caught:
        compile_expression(source)
    assert named in f"{caught.value.name} {caught.value.message}"


def test_types_are_those_of_the_documentation() -> None:
    """No expression can write a type's name that Microsoft's table does not hold."""
    assert not {"FormatException", "UriKind", "File", "Environment"} & documented.TYPES
