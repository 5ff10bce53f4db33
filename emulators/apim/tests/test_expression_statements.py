"""Statements and operators beyond the simplest ("API Management policy expressions", "Syntax": C# 7)."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.apim.csharp.compile import CSharpError, compile_expression
from emulators.apim.tests.harness import evaluate

RUN = [
    # switch
    ('switch (2) { case 1: return "a"; case 2: case 3: return "b"; default: return "c"; }', "b"),
    ('switch ("x") { default: return "d"; case "y": return "y"; }', "d"),
    ('var r = ""; switch ("x") { case "x": r = "hit"; break; case "y": r = "y"; break; } return r; ', "hit"),
    ("switch ((object)5) { case string s: return 0; case int n when n > 4: return n; default: return -1; }", 5),
    ("var n = 0; foreach (var i in new[] {1, 2}) { switch (i) { case 1: continue; } n += i; } return n;", 2),
    # loops
    ("int i; for (i = 0; i < 3; i++) { } return i;", 3),
    ("var n = 0; for (;;) { n++; if (n == 4) { break; } } return n;", 4),
    ("var n = 0; for (int i = 0, j = 9; i < j; i++, j--) { n++; } return n;", 5),
    # exceptions
    ('try { throw new Exception("a"); } catch (Exception e) when (e.Message == "b") { } catch { } return 2;', 2),
    ('try { try { throw new Exception("a"); } catch { throw; } } catch (Exception e) { return e.Message; }', "a"),
    ("var n = 1; try { return n; } finally { n = 2; }", 1),
    # assignment
    ('var d = new Dictionary<string, int> {{"a", 1}}; d["a"] += 2; return d["a"];', 3),
    ("var s = \"a\"; s += 1; s += 'c'; return s;", "a1c"),
    ("int n = 7; n /= 2; n <<= 2; n |= 1; return n;", 13),
    ("int n = 5; n *= 2; n -= 1; n %= 4; return n;", 1),
    ("int n = 3; double d = n; d += 1; return d;", 4.0),
    # integers wrap around, as outside `checked`
    ("int n = int.MaxValue; n++; return n;", -2147483648),
    ("int n = int.MaxValue; return n + 1;", -2147483648),
    ("long n = long.MaxValue; return n * 2;", -2),
    ("int n = 300; return (byte)n;", 44),
    ("long n = 4294967297; return (int)n;", 1),
    ("var n = 33; return 1 << n;", 2),
    ("return -8 >> 1;", -4),
    ("return 'a' + 1;", 98),
    ("return 'b' > 'a' && 'a' == 97;", True),
    ("return (char)('a' + 1);", "b"),
    ("return new byte[] {1, 255}.Length;", 2),
    ("int? n = null; return n + 1;", None),
    ("bool? b = null; return !b == null;", True),
    ("return -7.5 % 2;", -1.5),
    # anonymous types
    ('var a = new { Name = "n", Size = 2 }; return a.Name + a.Size;', "n2"),
    ('return JsonConvert.SerializeObject(new { error = "x", codes = new[] {1, 2} });', '{"error":"x","codes":[1,2]}'),
    ("return JObject.FromObject(new { a = new { b = 1 } }).ToString(Formatting.None);", '{"a":{"b":1}}'),
    ('var name = "v"; return JsonConvert.SerializeObject(new { name, "abc".Length });', '{"name":"v","Length":3}'),
    ('return string.Join(",", new[] {3, 4}.Select(x => new { K = x }).Select(y => y.K));', "3,4"),
]


@pytest.mark.parametrize(("body", "expected"), RUN)
def test_a_statement_does_what_csharp_does(body: str, expected: Any) -> None:
    """Each of these compiles in C# 7, and yields this."""
    found = evaluate(f"@{{ {body} }}")
    assert (found, type(found)) == (expected, type(expected))


REFUSED = [
    ("int Add(int a) { return a; } return Add(1);", "local functions"),
    ("return (1, 2);", "tuples"),
    ("var (a, b) = (1, 2); return a;", "tuples"),
    ('string s = null; s ??= "x"; return s;', "newer than C# 7"),
    ("goto done; done: return 1;", "`goto`"),
    ("return checked(1 + 1);", "`checked`"),
    ("return from x in new[] {1} select x;", "query expressions"),
    ("yield return 1;", "`yield`"),
    ("return await context;", "`await`"),
    ("return typeof(int);", "`typeof`"),
    ('return "abc"[0..1];', "ranges"),
    ("switch (1) { case 1: var x = 1; default: return 2; }", "CS0163"),
    ('switch (1) { case "a": return 1; default: return 2; }', "CS0029"),
    ("switch (1) { case 1: return 2; }", "CS0161"),
    ("throw; ", "CS0156"),
    ("return int.MaxValue + 2147483648 * 4294967296 * 9;", "CS0220"),
    ("var a = new { X = 1 }; return a.Y;", "CS1061"),
    ('int n = 1; n += "a"; return n;', "CS0029"),
    ("byte b = 256; return b;", "needs byte"),
    ("return 1.5 << 2;", "CS0019"),
]


@pytest.mark.parametrize(("body", "named"), REFUSED)
def test_what_does_not_run_is_refused_by_name_and_place(body: str, named: str) -> None:
    """At load, with the construct's name and its column."""
    with pytest.raises(CSharpError, match=r"\(column \d+ of the value\)") as caught:
        compile_expression(f"@{{ {body} }}")
    assert named in caught.value.message
