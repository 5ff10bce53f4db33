"""`python -m tools.fuzz members [COUNT] [--seed N]`: calls of every member of expressions, with values at the edges of
their types.

Promised: what compiles yields a value or an exception of .NET that the member raised itself. An error of Python's that
was only translated (a wrong type, a number out of Python's range) is a finding, and so is a compiler that gives up.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from emulators.apim.csharp import clr
from emulators.apim.csharp import compile as compiler
from emulators.apim.csharp.clr import ClrError, EvaluationLimit
from emulators.apim.csharp.clr_types import T
from emulators.apim.csharp.compile import CSharpError, compile_expression
from emulators.apim.csharp.library import Member, catalogue, is_documented
from emulators.apim.csharp.signatures import Parameter
from emulators.apim.tests.harness import make_context

#: After so many seconds the session ends with the place.
STUCK = 60.0
_JWT = '"e30.eyJyb2xlcyI6IFsiYSJdLCAiZXhwIjogMX0.x".AsJwt()'
_TEXTS = (
    *('"a"', '""', '" x "', '"é"', '"\\ud800"', '"1.5"', '"-7"', '"0"', '"true"', '"a,b;c"', '"*"', '"$.a"', '"D2"'),
    *('"2024-01-02T03:04:05Z"', '"1:02:03"', '"00000000-0000-0000-0000-000000000001"', '"AQID"', '"%41+b"', '"[a-z]+"'),
    *('"{\\"a\\":[1,{\\"b\\":null}]}"', '"[1,2]"', '"http://h:1/p?q=1#f"', '"(?<n>a)"', "new string('x', 300)"),
)
#: C# of values, by type: the ends of ranges, empty ones, and what has no number.
VALUES: dict[str, Sequence[str]] = {
    "string": _TEXTS,
    "char": ("'a'", "' '", "'\\0'"),
    "bool": ("true", "false"),
    "byte": ("(byte)0", "(byte)255"),
    "int": ("0", "-1", "1", "5", "2000000", "int.MaxValue", "int.MinValue"),
    "long": ("0L", "-1L", "638400000000000000L", "long.MaxValue", "long.MinValue"),
    "double": ("0.5", "-2.5", "1e300", "-1e-9", "double.NaN", "double.PositiveInfinity"),
    "decimal": ("1.50m", "-2m", "0m", "decimal.MaxValue", "0.0000001m"),
    "object": (*_TEXTS[:3], "1", "1.5m", "true", "null", "Guid.Empty", "DateTime.UtcNow", "new[] {1}", "new JObject()"),
    "DateTime": ("DateTime.UtcNow", "DateTime.MinValue", "DateTime.MaxValue", "new DateTime(2024, 2, 29)"),
    "DateTimeOffset": ("DateTimeOffset.UtcNow", "DateTimeOffset.FromUnixTimeSeconds(0)"),
    "TimeSpan": ("TimeSpan.Zero", "TimeSpan.FromDays(1e5)", "TimeSpan.FromSeconds(-1.5)"),
    "Guid": ("Guid.Empty", "Guid.NewGuid()"),
    "Uri": ('new Uri("http://h:1/p?q=1#f")',),
    "byte[]": ("new byte[] {1, 2, 3}", "new byte[0]", "new byte[16]", "new byte[32]"),
    "string[]": ('new[] {"a", "b"}', "new string[0]", 'new string[] {"a", null}'),
    "char[]": ("new[] {'a', ' '}", "new char[0]"),
    "object[]": ('new object[] {1, "a", null}', "new object[0]"),
    "Array": ('new[] {"a"}', "new[] {2, 1}", "new object[] {1}"),
    "IEnumerable": ("new[] {3, 1}", 'new[] {"b", "a"}', "new int[0]", "new[] {1.5m}", '"abc"', 'JArray.Parse("[1]")'),
    "List": ('new List<string> {"a", "b"}', "new List<int> {3, 1}", "new List<decimal>()"),
    "HashSet": ('new HashSet<string> {"a"}', "new HashSet<int> {1}"),
    "Dictionary": ('new Dictionary<string, int> {{"a", 1}}', "new Dictionary<int, string>()"),
    "IDictionary": ('new Dictionary<string, int> {{"a", 1}}',),
    "IList": ('new List<string> {"a"}', "new[] {1}"),
    "ICollection": ('new List<string> {"a"}',),
    "IOrderedEnumerable": ("new[] {3, 1}.OrderBy(x => x)",),
    "IGrouping": ("new[] {3, 1}.GroupBy(x => x % 2).First()",),
    "KeyValuePair": ('new Dictionary<string, int> {{"a", 1}}.First()',),
    "Stack": ("new Stack<int>()",),
    "Queue": ("new Queue<int>()",),
    "Nullable": ("(int?)1", "(int?)null", "(decimal?)1.5m"),
    "JToken": ("JToken.Parse(\"{a:[1,2.5,null,'x']}\")", 'JToken.Parse("5")', 'JToken.Parse("null")', '(JToken)"x"'),
    "JContainer": ("new JObject()", "new JArray(1)"),
    "JObject": ('JObject.Parse("{a:1,b:[1],c:null}")', "new JObject()"),
    "JArray": ("JArray.Parse(\"[1,'a',null,[2]]\")", "new JArray()"),
    "JValue": ('new JValue("a")', "new JValue(1)", "JValue.CreateNull()"),
    "JProperty": ('new JProperty("a", 1)', 'new JProperty("b", new JArray(1))'),
    "StringBuilder": ('new StringBuilder("ab")',),
    "Exception": ('new Exception("a")',),
    "Random": ("new Random(1)",),
    "Regex": ('new Regex("a+")',),
    "Match": ('Regex.Match("aab", "(a)(?<n>b)")', 'Regex.Match("a", "x")'),
    "MatchCollection": ('Regex.Matches("aab", "a")',),
    "GroupCollection": ('Regex.Match("aab", "(a)b").Groups',),
    "Group": ('Regex.Match("aab", "(a)b").Groups[1]',),
    "Capture": ('Regex.Match("aab", "(a)b").Groups[1].Captures[0]',),
    "CaptureCollection": ('Regex.Match("aab", "(a)b").Groups[1].Captures',),
    "HMACSHA256": ("new HMACSHA256(new byte[3])",),
    "SHA256": ("SHA256.Create()",),
    "BasicAuthCredentials": ('"Basic YTpi".AsBasic()',),
    "Jwt": (_JWT,),
    "IClaims": (f"{_JWT}.Claims",),
    "IContext": ("context",),
    "IRequest": ("context.Request",),
    "IResponse": ("context.Response",),
    "IMessageBody": ("context.Request.Body",),
    "IUrl": ("context.Request.Url",),
    "IQuery": ("context.Request.Url.Query",),
    "IHeaders": ("context.Request.Headers",),
    "IVariables": ("context.Variables",),
    "IReadOnlyDictionary": ("context.Request.Headers", "context.Variables"),
    "IReadOnlyCollection": ("context.Request.Headers",),
    "StringComparison": ("StringComparison.OrdinalIgnoreCase", "StringComparison.Ordinal"),
    "StringComparer": ("StringComparer.OrdinalIgnoreCase",),
    "StringSplitOptions": ("StringSplitOptions.RemoveEmptyEntries",),
    "Formatting": ("Formatting.None", "Formatting.Indented"),
    "RegexOptions": ("RegexOptions.IgnoreCase", "RegexOptions.Singleline"),
    "MidpointRounding": ("MidpointRounding.ToEven", "MidpointRounding.AwayFromZero"),
    "DateTimeKind": ("DateTimeKind.Utc",),
    "Encoding": ("Encoding.UTF8", "Encoding.ASCII"),
    "UriPartial": ("UriPartial.Authority",),
    "Func": ("x => x", "x => true", "(x, y) => x", "x => x.ToString()", "(x, i) => i", "x => 1.5m", "() => 1"),
}


class Calls:
    """One call after the other, of any member, as an expression."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._members = [member for member in catalogue() if is_documented(member.owner)]

    def next(self) -> tuple[Member, str]:
        member = self._random.choice(self._members)
        return member, "".join(self._written(member))

    def _written(self, member: Member) -> Iterator[str]:
        given = [one for one in member.signature.parameters if not one.optional or self._random.random() < 0.5]
        outs = [f"{self._type(one.type)} out{place}; " for place, one in enumerate(given) if one.out]
        arguments = ", ".join(f"out out{at}" if one.out else self._argument(one) for at, one in enumerate(given))
        receiver = member.owner if member.kind.startswith("static") else f"({self._value(member.owner)})"
        types = "<string>" * (member.kind == "constructor" and len(member.variables) == 1)
        types += "<string, int>" * (member.kind == "constructor" and len(member.variables) == 2)
        call = {
            "constructor": f"new {member.owner}{types}({arguments})",
            "indexer": f"{receiver}[{arguments}]",
            "property": f"{receiver}.{member.name}",
        }.get(member.kind.removeprefix("static "), f"{receiver}.{member.name}{self._generics(member)}({arguments})")
        if member.signature.returns.name == "void":
            yield f"@{{ {''.join(outs)}var on = {receiver}; on.{member.name}({arguments}); return on; }}"
        else:
            yield f"@{{ {''.join(outs)}return {call}; }}"

    def _generics(self, member: Member) -> str:
        named = member.signature.generics
        if not named or self._random.random() < 0.6:
            return ""
        return f"<{', '.join(self._random.choice(('string', 'int', 'object', 'decimal')) for _ in named)}>"

    def _argument(self, parameter: Parameter) -> str:
        type_ = parameter.type
        if type_.name.startswith("!"):
            return self._random.choice((*_TEXTS[:3], "1", "1.5m"))
        inner = type_.args[0] if type_.name == "Nullable" else type_
        return self._value(str(inner) if str(inner) in VALUES else inner.name)

    def _value(self, name: str) -> str:
        return self._random.choice(VALUES.get(name, ("null",)))

    @staticmethod
    def _type(type_: T) -> str:
        return "int" if type_.name.startswith("!") else str(type_)


def judged(expression: str) -> tuple[str, str]:
    """What came of it (refused, value, exception, limit), and what is wrong with that, or nothing."""
    try:
        compiled = compile_expression(expression)
    except CSharpError as error:
        return "refused", "the compiler gave up" if isinstance(error.__cause__, clr.PYTHON_ERRORS) else ""
    try:
        found = compiled(make_context())
        clr.to_text(found)
        if isinstance(found, list | dict | clr.JToken):
            clr.to_json(clr.unwrap(found), indented=False)
    except ClrError as error:
        return "exception", _translated(error) if "null" not in expression else ""
    except EvaluationLimit:
        return "limit", ""
    return "value", ""


def _translated(error: ClrError) -> str:
    """Where an exception was made of one of Python's when it left the expression."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    made_there = place is not None and place.tb_frame.f_code.co_filename == compiler.__file__
    return f"{type(error.__cause__).__name__}: {error.__cause__}" if made_there and error.__cause__ else ""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz members", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=50_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    logging.getLogger("emulators").setLevel(logging.CRITICAL)
    made, counts, findings = Calls(given.seed), Counter[str](), dict[str, str]()
    started = time.perf_counter()
    for _ in range(given.count):
        member, expression = made.next()
        faulthandler.dump_traceback_later(STUCK, exit=True)
        try:
            kind, problem = judged(expression)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            kind, problem = "traceback", f"{type(error).__name__}: {error}"
        counts[kind] += 1
        if problem:
            findings.setdefault(f"{member.owner}.{member.name}", f"{expression[:300]}: {problem[:200]}")
    faulthandler.cancel_dump_traceback_later()
    print(f"{given.count} calls in {time.perf_counter() - started:.0f} s: {dict(counts.most_common())}")
    for name, finding in sorted(findings.items()):
        print(f"FOUND {name}: {finding}")
    return 1 if findings else 0
