"""Values as .NET computes them, and overloads as C# resolves them (.NET API reference, by type; C# specification)."""

# ruff: noqa: E501 - a table reads best with one row to a line

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulators.apim.csharp.clr import ClrError
from emulators.apim.csharp.compile import CSharpError, compile_expression
from emulators.apim.tests.harness import evaluate

#: A token with the roles ["non-admin-readers"] and the subject "231".
TOKEN = '"e30.eyJyb2xlcyI6IFsibm9uLWFkbWluLXJlYWRlcnMiXSwgInN1YiI6ICIyMzEifQ.x".AsJwt()'

VALUES: dict[str, list[tuple[str, Any]]] = {
    "Claims, headers and parameters with an array as default are arrays": [
        (f'@({TOKEN}.Claims.GetValueOrDefault("roles", new string[0]).Contains("admin"))', False),
        (f'@({TOKEN}.Claims.GetValueOrDefault("roles", new string[0]).Contains("non-admin-readers"))', True),
        (f'@({TOKEN}.Claims.GetValueOrDefault("sub", new string[]{{""}})[0])', "231"),
        (f'@({TOKEN}.Claims.GetValueOrDefault("none", new string[]{{"x"}})[0])', "x"),
        ('@(context.Request.Url.Query.GetValueOrDefault("x", new string[0]).Length)', 2),
        ('@(context.Request.Headers.GetValueOrDefault("None", new[] {"a"}).First())', "a"),
    ],
    "Variables keep their types": [
        ('@(context.Variables.GetValueOrDefault("none", 5) + 1)', 6),
        ('@(context.Variables.GetValueOrDefault<int>("none"))', 0),
        ('@(context.Variables.GetValueOrDefault("none", null) == null)', True),
    ],
    "Math.Round and its modes": [
        ("@(Math.Round(2.5, MidpointRounding.AwayFromZero))", 3.0),
        ("@(Math.Round(2.5))", 2.0),
        ("@(Math.Round(-2.5, MidpointRounding.AwayFromZero))", -3.0),
        ("@(Math.Round(2.345, 2))", 2.35),
        ("@(Math.Round(2.345, 2, MidpointRounding.ToEven))", 2.35),
        ("@(Math.Max(1, 2.5) + Math.Min(3, 4))", 5.5),
        ("@(Math.Max(1, 2).ToString())", "2"),
        ("@(Math.Abs(-5L) + Math.Sign(-2.5))", 4),
        ("@(Math.E > 2.7 && double.IsNaN(double.NaN) && double.IsInfinity(double.PositiveInfinity))", True),
        ("@(double.NegativeInfinity < double.MinValue && double.Epsilon > 0)", True),
    ],
    "DateTime: kinds, milliseconds, formats": [
        ("@(new DateTime(2024,1,2,3,4,5,678).Millisecond)", 678),
        ('@(new DateTime(2024,1,2,3,4,5).ToString("o"))', "2024-01-02T03:04:05.0000000"),
        ('@(new DateTime(2024,1,2,3,4,5,DateTimeKind.Utc).ToString("o"))', "2024-01-02T03:04:05.0000000Z"),
        ('@(new DateTime(2024,1,2,3,4,5,6,DateTimeKind.Utc).ToString("o"))', "2024-01-02T03:04:05.0060000Z"),
        ('@(DateTime.MinValue.ToString("yyyy"))', "0001"),
        ("@(DateTime.MinValue.ToString())", "01/01/0001 00:00:00"),
        ('@(new DateTime(638400000000000000).ToString("s"))', "2024-01-04T21:20:00"),
        ('@(DateTime.Parse("2024-01-02T03:04:05").ToString("o"))', "2024-01-02T03:04:05.0000000"),
        ('@(new DateTime(2024,1,2,13,4,5).ToString("d.M.yy h:mm tt \'at\' ddd"))', "2.1.24 1:04 PM at Tue"),
        ('@(new DateTime(2024,1,2).ToString("D") + new DateTime(2024,1,2).ToString("%d"))', "Tuesday, 02 January 20242"),
        ('@(DateTimeOffset.FromUnixTimeSeconds(0).ToString("o"))', "1970-01-01T00:00:00.0000000+00:00"),
        ("@(DateTimeOffset.FromUnixTimeMilliseconds(1500).ToUnixTimeMilliseconds())", 1500),
        ("@(new DateTimeOffset(new DateTime(1970,1,1)).ToUnixTimeSeconds() + DateTimeOffset.UtcNow.Offset.Ticks)", 0),
        ("@(DateTimeOffset.FromUnixTimeSeconds(0).DateTime == new DateTime(1970,1,1))", True),
        ("@(new DateTime(2024,1,2) < DateTime.UtcNow)", True),
    ],
    "TimeSpan: parts, formats, constructors": [
        ("@(new TimeSpan(1,2,3,4).ToString() + new TimeSpan(1,2,3,4,5).Milliseconds)", "1.02:03:045"),
        ('@(new TimeSpan(1,2,3).ToString(@"hh\\:mm") + new TimeSpan(5L).Ticks)', "01:020"),
        ("@(TimeSpan.FromMinutes(-90).Hours + TimeSpan.FromMinutes(-90).Minutes)", -31),
        ("@(TimeSpan.FromHours(1).Add(TimeSpan.FromHours(2)).Subtract(TimeSpan.FromHours(1)).TotalHours)", 2.0),
        ("@(TimeSpan.FromHours(1).Negate().Duration().CompareTo(TimeSpan.Zero))", 1),
    ],
    "Numbers: formats": [
        ('@(1234567.891.ToString("#,##0.00"))', "1,234,567.89"),
        ('@(1.50.ToString("0.###") + "|" + 0.ToString("#"))', "1.5|"),
        ('@(12345.678.ToString("E2") + 1.5.ToString("C"))', "1.23E+004¤1.50"),
        ('@(2.5.ToString("F0") + 0.125.ToString("F2") + (-0.001).ToString("F2"))', "30.130.00"),
        ('@(255.ToString("X4") + (-1).ToString("x") + 5.ToString("D3") + (-5).ToString("D3"))', "00FFffffffff005-005"),
        ('@(0.256.ToString("P1") + 0.25.ToString("0%") + 7.ToString("000"))', "25.6 %25%007"),
        ('@(string.Format("{0:N1}|{1,5}|{{}}|{2:D2}", 1234.56, "a", 7))', "1,234.6|    a|{}|07"),
        ('@($"{1234.5:#,##0.0}|{3:00}")', "1,234.5|03"),
        ("@(Convert.ToString(255, 2) + Convert.ToString(255, 16) + Convert.ToChar(65))", "11111111ffA"),
        ("@(Convert.ToInt32('A') + byte.MaxValue + long.MinValue.CompareTo(0L))", 319),
    ],
    # ("Decimal", Remarks and methods; "Arithmetic operators": division; "Floating-point numeric types": conversions)
    "JSON values compare by what they hold (JValue.CompareTo)": [
        ('@(JArray.Parse("[10, 9, 2.5]").Max().ToString() + JArray.Parse("[10, 9]").Min())', "109"),
        ("""@(string.Join(",", JArray.Parse("[{n:10},{n:9},{n:'2'},{n:null}]").OrderBy(x => x["n"]).Select(x => x["n"].ToString())))""", ",2,9,10"),
        ("""@(string.Join(",", JArray.Parse("['b','B','a']").OrderBy(x => x)))""", "B,a,b"),
        ("@{ var s = new JObject(); s.Merge(1); s.Merge(JObject.Parse(\"{a:1}\")); return s.Count; }", 1),
    ],
    "Numbers that lambdas yield become those that are wanted": [
        ('@("abc".Sum(c => c))', 294),
        ("@{ Func<int, double> half = x => x; return half(1) / 2; }", 0.5),
        ("@{ Func<int, decimal> exact = x => x; return exact(3); }", Decimal(3)),
        ('@{ Func<int, double> d = x => x; return new JObject(new JProperty("a", d(1))).ToString(Formatting.None); }', '{"a":1.0}'),
    ],
    "Bases of Convert: two's complement of the type": [
        ('@(Convert.ToInt32("ff", 16) + Convert.ToInt32("0xFF", 16) + Convert.ToInt32("11", 2) + Convert.ToInt32("17", 8))', 528),
        ('@(Convert.ToInt32("ffffffff", 16) + Convert.ToInt64("ffffffff", 16) + Convert.ToByte("ff", 16))', 4294967549),
        ("@(Convert.ToInt32((string)null, 16) + Convert.ToInt32((object)null))", 0),
    ],
    "Ticks and escapes": [
        ("@(new DateTime(638400000000000010).Ticks - new DateTime(638400000000000000).Ticks)", 10),
        ("@(new TimeSpan(-19L).Ticks + new TimeSpan(9223372036854775807L).Days)", 10675189),
        ('@(Uri.EscapeDataString("\\ud800") + Uri.EscapeUriString("\\ud800/") + WebUtility.UrlEncode("\\ud800"))', "%EF%BF%BD%EF%BF%BD/%EF%BF%BD"),
    ],
    "Decimal: scale, 28 digits, rounding": [
        ("@((0.1m + 0.2m).ToString())", "0.3"),
        ("@(0.1m + 0.2m == 0.3m)", True),
        ('@(1.0m + "|" + 1.10m * 2.0m + "|" + (1.10m + 1.9m) + "|" + (1.5m - 0.50m))', "1.0|2.200|3.00|1.00"),
        ("@((1m / 3m).ToString())", "0.3333333333333333333333333333"),
        ('@(20m / 3m + "|" + 200m / 3m)', "6.6666666666666666666666666667|66.666666666666666666666666667"),
        ('@(1.00m / 2 + "|" + 5.0m / 2.00m + "|" + 2.0m / 1 + "|" + 100m / 0.1m + "|" + 1.0m / 4)', "0.50|2.5|2.0|1000|0.25"),
        ('@(5.5m % 2.00m + "|" + -5.5m % 2 + "|" + 1.5m % 2.00m)', "1.50|-1.5|1.5"),
        ('@(decimal.MaxValue + "|" + decimal.MinValue)', "79228162514264337593543950335|-79228162514264337593543950335"),
        ('@(decimal.MaxValue - 0.4m + "|" + 79228162514264337593543950335m * 0.1m)', "79228162514264337593543950335|7922816251426433759354395033.5"),
        ('@(1e3m + "|" + 1.50e1m + "|" + 1_000.0m + "|" + -0.0m)', "1000|15.0|1000.0|0.0"),
        ("@(1.0000000000000000000000000000500m.ToString())", "1.0000000000000000000000000000"),
        ("@(0.00000000000000000000000000015m.ToString())", "0.0000000000000000000000000002"),
        ("@{ decimal d = 1; d += 0.10m; d++; d *= 2; return d.ToString(); }", "4.20"),
        ("@{ var d = new Dictionary<string, decimal> {{\"a\", 1.5m}}; d[\"a\"]--; return d[\"a\"].ToString(); }", "0.5"),
        ("@{ decimal d = 'a'; return d.ToString() + default(decimal) + (+d) + (-d); }", "97097-97"),
        ("@(context.Tracing ? 1 : 2.50m)", Decimal("2.50")),
        ("@{ decimal? d = null; return (d + 1) == null && (d ?? 1.0m) == 1; }", True),
        ('@(1.0m == 1.00m && 1.0m.Equals(1.00m) && 2m > 1.5m && 3 <= 3.0m)', True),
        ("@(Math.Round(2.345m, 2) + \"|\" + Math.Round(2.345m, 2, MidpointRounding.AwayFromZero) + \"|\" + Math.Round(2.5m) + \"|\" + Math.Round(-2.5m, MidpointRounding.AwayFromZero))", "2.34|2.35|2|-3"),
        ('@(Math.Round(1.2m, 5) + "|" + Math.Round(1.25m, 1) + "|" + decimal.Round(1.35m, 1) + "|" + decimal.Round(0.5m))', "1.2|1.2|1.4|0"),
        ('@(Math.Ceiling(-1.20m) + "|" + Math.Floor(-1.20m) + "|" + Math.Truncate(1.90m) + "|" + Math.Abs(-1.50m) + "|" + Math.Sign(-0.5m))', "-1|-2|1|1.50|-1"),
        ('@(decimal.Ceiling(1.1m) + decimal.Floor(1.9m) + decimal.Truncate(-1.9m) + "|" + Math.Max(1.0m, 1) + Math.Min(1.5m, 2))', "2|1.01.5"),
        ('@(decimal.Add(1.0m, 2) + "|" + decimal.Subtract(1, 2.50m) + "|" + decimal.Multiply(2, 1.5m) + "|" + decimal.Divide(1, 8) + "|" + decimal.Remainder(7, 4) + "|" + decimal.Negate(1.0m))', "3.0|-1.50|3.0|0.125|3|-1.0"),
        ("@(decimal.One + decimal.Zero + decimal.MinusOne == 0 && decimal.Compare(1.0m, 2) == -1 && 2m.CompareTo(1m) == 1)", True),
        ("@(decimal.ToInt32(2.9m) + decimal.ToInt64(-2.9m) + decimal.ToByte(255.5m) + decimal.ToDouble(0.5m))", 255.5),
    ],
    "Decimal: conversions": [
        ('@((decimal)0.1 + "|" + (decimal)(1.0 / 3) + "|" + (decimal)123456789.123456789 + "|" + (decimal)1e20 + "|" + (decimal)1e-30)', "0.1|0.333333333333333|123456789.123457|100000000000000000000|0"),
        ("@((int)-2.9m + (long)2.9m + (byte)1.9m)", 1),
        ("@((double)0.1m + (double)2)", 2.1),
        ("@((char)65.9m)", "A"),
        ("@((decimal)(object)1.50m)", Decimal("1.50")),
        ("@{ object o = 1.50m; return o is decimal && !(o is double) && !(o is int); }", True),
        ('@(Convert.ToDecimal("1,234.50") + "|" + Convert.ToDecimal(0.1) + "|" + Convert.ToDecimal(true) + "|" + Convert.ToDecimal((object)null) + "|" + Convert.ToDecimal(5L))', "1234.50|0.1|1|0|5"),
        ("@(Convert.ToInt32(2.5m) + Convert.ToInt32(3.5m) + Convert.ToInt64(-2.5m) + Convert.ToByte(0.5m))", 4),
        ("@(Convert.ToDouble(0.1m) == 0.1 && Convert.ToBoolean(0.1m) && !Convert.ToBoolean(0.0m))", True),
        ('@(decimal.Parse(" 1.50 ") + "|" + decimal.Parse("-1,000") + "|" + decimal.Parse("2-") + "|" + decimal.Parse(".5"))', "1.50|-1000|-2|0.5"),
        ('@{ decimal d; return decimal.TryParse("1e3", out d) || decimal.TryParse("--1", out d) || decimal.TryParse(null, out d) || decimal.TryParse("", out d); }', False),
        ('@{ double d; return double.TryParse("1_0", out d) || double.TryParse("inf", out d) || double.TryParse("", out d); }', False),
        ('@(double.Parse("1,000.5e1") + double.Parse("-.5"))', 10004.5),
        ('@(double.Parse("Infinity") > double.MaxValue && double.IsNaN(double.Parse("NaN")))', True),
        ('@((decimal)JToken.Parse("0.1") + "|" + (decimal)JToken.Parse("\'1.50\'") + "|" + JToken.Parse("{a:7}").Value<decimal>("a") + "|" + (decimal?)JToken.Parse("{a:null}")["a"])', "0.1|1.50|7|"),
        ('@(new JObject(new JProperty("a", 1.50m), new JProperty("b", 2m), new JProperty("c", -0.00000001m)).ToString(Formatting.None))', '{"a":1.50,"b":2.0,"c":-0.00000001}'),
        ('@(JsonConvert.SerializeObject(new[] {1.10m}) + new JValue(1.10m) + JToken.FromObject(1.10m).Type)', "[1.10]1.10Float"),
        ('@(((JObject)JObject.Parse("{a:1}").DeepClone()).Count + new JObject(new JObject(new JProperty("a", 1.50m))).ToString(Formatting.None))', '1{"a":1.50}'),
        ("@(new[] {0.1m, 0.2m}.Sum() + \"|\" + new[] {1m, 2m, 2m}.Average() + \"|\" + new[] {1, 2}.Sum(x => x * 0.5m) + \"|\" + new[] {1.5m, 0.5m}.Max() + new decimal[0].Sum())", "0.3|1.6666666666666666666666666667|1.5|1.50"),
        ('@(string.Join(",", new[] {1.5m, 0.50m, 1}.OrderBy(d => d)))', "0.50,1,1.5"),
    ],
    "Decimal: formats": [
        ('@(1234.565m.ToString("F2") + "|" + 1234.5m.ToString("N1") + "|" + 0.256m.ToString("P1") + "|" + 1.5m.ToString("C"))', "1234.57|1,234.5|25.6 %|¤1.50"),
        ('@(79228162514264337593543950335m.ToString("N0") + "|" + 0.1234567890123456789012345678m.ToString("F28"))', "79,228,162,514,264,337,593,543,950,335|0.1234567890123456789012345678"),
        ('@(1.50m.ToString("G") + "|" + 1.50m.ToString("G29") + "|" + 123.456m.ToString("G5") + "|" + 12345m.ToString("G2") + "|" + 0.0000015m.ToString("G5"))', "1.50|1.5|123.46|1.2E+04|1.5E-06"),
        ('@(1234.5m.ToString("#,##0.00") + "|" + 0.5m.ToString("0%") + "|" + 1.50m.ToString("0.###") + "|" + 12345.678m.ToString("E2"))', "1,234.50|50%|1.5|1.23E+004"),
        ('@(string.Format("{0:0.00}|{1,6}", 1.005m, 1.0m) + $"{2.50m:F1}|{2.50m}")', "1.01|   1.02.5|2.50"),
        ('@(99999.ToString("G2") + "|" + 1234.5678.ToString("G6") + "|" + 0.00001234.ToString("g2"))', "1E+05|1234.57|1.2e-05"),
    ],
    "Collections: initialisers and comparers": [
        ('@(new JArray { "x", 1, true }.ToString(Formatting.None))', '["x",1,true]'),
        ('@(new JArray { new JObject { {"a", 1} } }.ToString(Formatting.None))', '[{"a":1}]'),
        ('@(new JObject { new JProperty("a", new JArray("x", "y")), {"b", null} }.ToString(Formatting.None))', '{"a":["x","y"],"b":null}'),
        ('@(new JObject { ["a"] = 1 }.ToString(Formatting.None))', '{"a":1}'),
        ("@(new HashSet<string>(StringComparer.OrdinalIgnoreCase).Count)", 0),
        ('@{ var s = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "X" }; return s.Contains("x") && !s.Add("x") && !s.Contains("a"); }', True),
        ('@{ var s = new HashSet<string>(new[] {"a", "A"}, StringComparer.OrdinalIgnoreCase); s.Remove("A"); return s.Count; }', 0),
        ('@{ var d = new Dictionary<string,string>(StringComparer.OrdinalIgnoreCase) { {"Key", "v"} }; return d["KEY"] + d.ContainsKey("key") + d.Count + d.Keys.First(); }', "vTrue1Key"),
        ('@{ var d = new Dictionary<string,int>(StringComparer.OrdinalIgnoreCase); d["a"] = 1; d["A"]++; string k; return d["a"]; }'.replace(" string k;", ""), 2),
        ('@{ var d = new Dictionary<string,int>(new Dictionary<string,int>{{"a",1}}, StringComparer.OrdinalIgnoreCase); d.Remove("A"); return d.Count; }', 0),
        ('@(new Dictionary<string,int>{ ["a"] = 1, ["a"] = 2 }["a"])', 2),
        ('@{ var d = new Dictionary<string,int>{{"a",1}}; d["a"]++; d["a"] += 5; return d["a"]; }', 7),
        ('@{ var s = new HashSet<int>{1,2}; s.UnionWith(new[]{3}); s.ExceptWith(new[]{1}); s.IntersectWith(new[]{3,4}); return s.Overlaps(new[]{3}) && s.SetEquals(new[]{3}) && s.IsSubsetOf(new[]{3,4}) && s.IsSupersetOf(new int[0]); }', True),
        ("@{ var l = new List<int>{3,1,2}; l.Sort((a, b) => b - a); l.Reverse(); return l[0] + (l.TrueForAll(x => x > 0) ? 10 : 0); }", 11),
        ("@(Array.Exists(new[]{1,2}, x => x == 2))", True),
        ('@(string.Join(",", new[]{"b","A","a"}.OrderBy(x => x, StringComparer.Ordinal)))', "A,a,b"),
        ('@(string.Join(",", new[]{"b","A"}.ToDictionary(x => x, x => 1, StringComparer.OrdinalIgnoreCase).Keys) + new[]{"a"}.ToHashSet(StringComparer.OrdinalIgnoreCase).Contains("A"))', "b,ATrue"),
    ],
    "Newtonsoft.Json's reading rules": [
        ("@((int)JObject.Parse(\"{'a':1}\")[\"a\"])", 1),
        ('@((int)JObject.Parse("{a: 0x1F, /* c */ b: [1, 2,], // d\\n}")["a"])', 31),
        ('@((string)JObject.Parse("﻿{\\"a\\": \'it\\\\\'s\'}")["a"])', "it's"),
        ('@(JToken.Parse("NaN").Type.ToString() + JToken.Parse("undefined").Type)', "FloatNull"),
        ('@{ try { JObject.Parse("{a"); return ""; } catch (Exception e) { return e.Message; } }', "Unexpected end of content. Path '', line 1, position 2."),
        ('@(new JObject { {"a", double.NaN}, {"b", -1.0 / 0.0} }.ToString(Formatting.None))', '{"a":"NaN","b":"-Infinity"}'),
        ('@(BitConverter.ToString(Encoding.UTF8.GetBytes("\\ud800")))', "EF-BF-BD"),
        ("@(JValue.CreateNull().Type.ToString() + JValue.CreateString(\"a\"))", "Nulla"),
        ('@{ JToken t; return JObject.Parse("{\\"A\\": 1}").TryGetValue("a", StringComparison.OrdinalIgnoreCase, out t) && (int)t == 1; }', True),
        ('@{ var a = new JArray(1, 2); a.RemoveAt(0); var o = JObject.Parse("{\\"a\\":1}"); o.RemoveAll(); return a.Count + o.Count; }', 1),
        ('@(JObject.Parse("{\\"a\\":[1,2]}")["a"].Values<int>().Sum() + new JArray(1, 2).Values().Count())', 5),
    ],
    "byte[].Encrypt and Decrypt (FIPS 197 and NIST SP 800-38A, F.2.1), using": [
        ('@(BitConverter.ToString(Convert.FromBase64String("a8G+4i5An5bpPX4Rc5MXKg==").Encrypt("AES", Convert.FromBase64String("K34VFiiu0qar9xWICc9PPA=="), Convert.FromBase64String("AAECAwQFBgcICQoLDA0ODw=="))).Substring(0, 23))', "76-49-AB-AC-81-19-B2-46"),
        ('@{ var k = new byte[16]; var c = Encoding.UTF8.GetBytes("secret").Encrypt("Aes", k, k); return Encoding.UTF8.GetString(c.Decrypt("Rijndael", k, k)); }', "secret"),
        ('@{ using (var a = SymmetricAlgorithm.Create("TripleDES")) { var k = Encoding.ASCII.GetBytes("0123456789abcdefABCDEFGH"); var v = new byte[8]; return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes("x").Encrypt(a, k, v).Decrypt(a, k, v)); } }', "x"),
        ('@{ try { return new byte[16].Decrypt("AES", new byte[16], new byte[16]).Length; } catch (Exception e) { return e.Message; } }'.replace("return new byte[16].Decrypt", "return \"\" + new byte[16].Decrypt"), "Padding is invalid and cannot be removed."),
        ('@{ using (var s = SHA256.Create()) { return Convert.ToBase64String(s.ComputeHash(Encoding.UTF8.GetBytes("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))).TrimEnd(\'=\').Replace(\'+\', \'-\').Replace(\'/\', \'_\'); } }', "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ],
    "Overloads": [
        ('@("a,b".Split(\',\').Length + "a, b".Split(new[] {\',\', \' \'}, StringSplitOptions.RemoveEmptyEntries).Length + "a--b".Split(new[] {"--"}, StringSplitOptions.None).Length)', 6),
        ('@("a,b,c".Split(new[] {\',\'}, 2)[1] + "a b".Split()[1] + "a::b".Split("::")[1])', "b,cbb"),
        ('@("xax".Trim(\'x\') + "xax".TrimStart(\'x\') + " a ".Trim())', "aaxa"),
        ('@("abc".IndexOf(\'c\') + "abcb".IndexOf("b", 2) + "ABC".IndexOf("b", StringComparison.OrdinalIgnoreCase))', 6),
        ('@(string.Join(",", 1, 2) + string.Join("-", new[] {1, 2}) + string.Concat("a", 1, \'b\') + string.Concat(new[] {"x", "y"}))', "1,21-2a1bxy"),
        ("@(new[]{1,2,3}.Sum() + new[]{1,2}.Sum(x => x * 2) + new[]{1.5}.Sum())", 13.5),
        ("@(new[]{1,2}.Average() + new[]{\"a\",\"bb\"}.Average(x => x.Length))", 3.0),
        ('@(new[]{"b","a"}.Min() + new[]{"b","a"}.Max(x => x.Length))', "a1"),
        ('@(Guid.Empty.ToByteArray().Length + Guid.Empty.CompareTo(Guid.Empty))', 16),
        ('@(new StringBuilder(5).Append(\'x\', 3).Append(1).AppendLine("y").ToString())', "xxx1y\r\n"),
        ('@(object.ReferenceEquals(null, null) && string.Copy("a") == "a")', True),
        ("@(new List<int>(10).Count + new Dictionary<string, int>(10).Count + new Queue<int>(new[]{1}).Dequeue() + new Stack<int>(new[]{1,2}).Pop())", 3),
        ('@(context.Request.Body.As<string>(preserveContent: true) + context.Request.Body.As<string>())', "xx"),
        ("@(new[]{1,2,3}.Where((x, i) => i > 0).Aggregate((a, b) => a * b) + new[]{1,2}.Aggregate(10, (a, b) => a + b))", 19),
        ("@(string.Join(\",\", new[]{\"ab\",\"ac\",\"b\"}.GroupBy(x => x[0], x => x.Length).Select(g => g.Key.ToString() + g.Count())))", "a2,b1"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), [row for rows in VALUES.values() for row in rows])
def test_values_are_dot_net_s(source: str, expected: Any) -> None:
    """To the type: 1.0 is no 1."""
    found = evaluate(source, body=b"x")
    assert (found, type(found)) == (expected, type(expected))


REFUSED = [
    # definite assignment, constants, statements
    ("@{ int x; return x; }", "CS0165"),
    ("@{ string s; if (context.Tracing) { s = \"a\"; } return s; }", "CS0165"),
    ("@{ int x; while (context.Tracing) { x = 1; } return x; }", "CS0165"),
    ("@{ const int c = 1; c = 2; return c; }", "CS0131"),
    ("@{ const int c = 1; c++; return c; }", "CS0131"),
    ("@{ const int c; return 1; }", "CS0145"),
    ("@{ const int c = context.Response.StatusCode; return c; }", "CS0133"),
    ("@{ try { return 1; } }", "CS1524"),
    ("@{ foreach (var x in new[] {1}) { x = 2; } return 1; }", "CS1656"),
    ("@{ break; return 1; }", "CS0139"),
    ("@{ continue; return 1; }", "CS0139"),
    ("@{ switch (1) { case 1: return 1; case 1: return 2; } return 3; }", "CS0152"),
    ("@{ switch (1) { case 1: return 1; default: return 2; default: return 3; } }", "CS0152"),
    ("@{ try { return 1; } catch { return 2; } catch (Exception e) { return 3; } }", "CS1017"),
    ("@{ try { return 1; } catch (Exception e) { return 2; } catch (ArgumentException e) { return 3; } }", "ArgumentException"),
    # decimal and double do not mix, and what a constant decimal cannot hold is seen at once
    ("@(1.5m + 1.5)", "CS0019"),
    ("@(1.5m < 1.5)", "CS0019"),
    ("@(1.5m == 1.5)", "CS0019"),
    ("@{ decimal d = 1.5; return d; }", "needs decimal"),
    ("@{ double d = 1.5m; return d; }", "needs double"),
    ("@(context.Tracing ? 1.5 : 1.5m)", "decimal"),
    ("@(79228162514264337593543950336m)", "CS0594"),
    ("@(decimal.MaxValue + 1m * 1e28m * 1e28m)", "CS0463"),
    ("@(1m / 0m)", "CS0020"),
    ("@(1m % 0m)", "CS0020"),
    ("@((decimal)1e30)", "CS0031"),
    ("@((int)1e10m)", "CS0221"),
    ("@(1m & 1m)", "CS0019"),
    ("@(1m << 1)", "CS0019"),
    ("@(~1m)", "CS0023"),
    ('@(1.5m.ToString("D2"))', "Format"),
    ('@(1.5m.ToString("R"))', "Format"),
    ("@(Math.Sqrt(2m))", "CS1503"),
    # overloads, conversions, constants
    ('@(Math.Max("a", 2))', "CS1503"),
    # neither double nor decimal is nearer to an integer (C# specification, "Better conversion target")
    ("@(Math.Round(5))", "CS0121"),
    ("@(Math.Ceiling(7 / 2))", "static double Ceiling(double a) and static decimal Ceiling(decimal d) (CS0121)"),
    ("@{ long all = 7; return Math.Floor(all); }", "CS0121"),
    ("@(Math.Truncate(context.Request.Body.As<JArray>().Count))", "CS0121"),
    ("@(Math.Round(5, MidpointRounding.ToEven))", "CS0121"),
    ('@("a".Trim("x"))', "Trim"),
    ('@(new HashSet<int>().Add("x"))', "CS1503"),
    ("@(new[]{1,2}.Where(x => x))", "bool"),
    ("@((byte)300)", "CS0221"),
    ("@((int)3000000000)", "CS0221"),
    ("@(new List<int>{\"a\"})", "needs int"),
    ("@(new Dictionary<string,int>{{1, 2}})", "needs string"),
    ("@(new JArray(1) { {\"a\", 1} })", "takes"),
    ('@("a".Substring(start: 1))', "CS1739"),
    ("@(new[]{\"a\"}.Sum())", "Sum"),
    ("@(new[]{1}.Values<int>())", "Values"),
    ("@(0.1f + 0.2f)", "float"),
    ("@{ float f = 1; return f; }", "float"),
    ("@{ short s = 1; return s; }", "short"),
    ("@(5u)", "uint"),
    ("@(18446744073709551615)", "ulong"),
    ("@((uint)5)", "uint"),
    ("@(new List<int, string>())", "CS0305"),
    ("@(context.Request.Body.As<string, int>())", "CS0305"),
    ('@(5.ToString("QQ;"))', "format"),
    ('@(5.5.ToString("D2"))', "Format"),
    ("@($\"{5.5:D2}\")", "Format"),
    ('@(string.Join(context.Request))', "string"),
    ("@{ Func<int, string> f = x => x; return f(1); }", "string"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "named"), REFUSED)
def test_what_the_compiler_refuses_does_not_load(source: str, named: str) -> None:
    """By its error, or by the name of what is wrong."""
    with pytest.raises(CSharpError) as caught:
        compile_expression(source)
    assert named in f"{caught.value.name} {caught.value.message}"


#: Expression, and what it fails with when it runs.
FAILS = [
    ("@{ decimal d = 1e28m; return d * d; }", "OverflowException"),
    ("@{ decimal d = decimal.MaxValue; return d + 0.5m; }", "OverflowException"),
    ("@{ decimal d = decimal.MaxValue; d++; return d; }", "OverflowException"),
    ("@{ decimal d = 1e28m; return (long)d; }", "OverflowException"),
    ("@{ decimal d = -1; return (byte)d; }", "OverflowException"),
    ("@{ decimal d = 0; return 1 / d; }", "DivideByZeroException"),
    ("@{ decimal d = 0; return 1 % d; }", "DivideByZeroException"),
    ("@{ double d = 1e30; return (decimal)d; }", "OverflowException"),
    ("@((decimal)double.NaN)", "OverflowException"),
    ("@(Convert.ToDecimal(double.PositiveInfinity))", "OverflowException"),
    ('@(decimal.Parse("1e3"))', "FormatException"),
    ('@(Convert.ToDecimal("x"))', "FormatException"),
    ("@(decimal.Parse(null))", "ArgumentNullException"),
    ('@(decimal.Parse("79228162514264337593543950336"))', "OverflowException"),
    ("@((decimal)(object)1)", "InvalidCastException"),
    ("@(Math.Round(1.5m, 29))", "ArgumentOutOfRangeException"),
    ("@(new decimal[0].Average())", "InvalidOperationException"),
    ("@(Convert.ToInt32(3000000000m))", "OverflowException"),
    # dates and spans (DateTime, DateTimeOffset, TimeSpan: exceptions)
    ("@(DateTime.UtcNow.AddDays(1e300))", "ArgumentOutOfRangeException"),
    ("@(DateTime.UtcNow.AddSeconds(double.NaN))", "ArgumentOutOfRangeException"),
    ("@(DateTimeOffset.UtcNow.AddMonths(int.MaxValue))", "ArgumentOutOfRangeException"),
    ("@(DateTime.MaxValue.AddYears(1))", "ArgumentOutOfRangeException"),
    ("@(DateTime.MinValue.AddMonths(-1))", "ArgumentOutOfRangeException"),
    ("@(DateTimeOffset.FromUnixTimeSeconds(long.MaxValue))", "ArgumentOutOfRangeException"),
    ("@(new DateTime(2024, 1, 1, 0, 0, 0, int.MinValue))", "ArgumentOutOfRangeException"),
    ("@(DateTime.DaysInMonth(2024, 13))", "ArgumentOutOfRangeException"),
    ("@(DateTime.IsLeapYear(0))", "ArgumentOutOfRangeException"),
    ("@(TimeSpan.FromDays(1e300))", "OverflowException"),
    ("@(TimeSpan.FromSeconds(double.NaN))", "ArgumentException"),
    ("@(TimeSpan.FromDays(1e7).Add(TimeSpan.FromDays(1e7)))", "OverflowException"),
    ("@(new TimeSpan(int.MaxValue, 0, 0, 0))", "OverflowException"),
    # conversions (Convert), comparisons, elements
    ('@(Convert.ToInt32("12", 5))', "ArgumentException"),
    ('@(Convert.ToInt32("12", 2))', "FormatException"),
    ('@(Convert.ToInt32("", 16))', "ArgumentOutOfRangeException"),
    ('@(Convert.ToByte("100", 16))', "OverflowException"),
    ("@(Convert.ToInt32(Guid.Empty))", "InvalidCastException"),
    ("@(Convert.ToDecimal(DateTime.UtcNow))", "InvalidCastException"),
    ("@(Convert.ToDouble(new[] {1}))", "InvalidCastException"),
    ("@(Convert.ToBoolean(new JObject()))", "InvalidCastException"),
    ("@(Convert.ToChar(-1))", "OverflowException"),
    ('@(JArray.Parse("[[1],[2]]").Max())', "ArgumentException"),
    ("@(new[] {1, 2}.OrderBy(x => new[] {x}).Count())", "ArgumentException"),
    ('@(Regex.Match("ab", "(a)b").Groups[1].Captures[-1].Value)', "ArgumentOutOfRangeException"),
]


@pytest.mark.parametrize(("source", "failure"), FAILS)
def test_failures_are_those_of_dot_net(source: str, failure: str) -> None:
    """A decimal's overflow is checked in every context ("Decimal"; C# specification, "The checked and unchecked
    operators"); no failure of Python's is taken for another one of .NET."""
    with pytest.raises(ClrError) as caught:
        evaluate(source)
    assert caught.value.type_name == failure


ALLOWED = [
    ("@{ int x; if (context.Tracing) { x = 1; } else { x = 2; } return x; }", 2),
    ("@{ int x; x = 1; return x; }", 1),
    ('@{ int x; int.TryParse("5", out x); return x; }', 5),
    ("@{ int x; switch (1) { case 1: x = 1; break; default: x = 2; break; } return x; }", 1),
    ("@{ int x; try { x = 1; } catch { return 0; } return x; }", 1),
    ("@{ int x; for (x = 0; x < 3; x++) { } return x; }", 3),
    ("@{ string s; if (context.Tracing) { return 0; } else { s = \"a\"; } return s.Length; }", 1),
    ("@{ int x; while (true) { x = 1; break; } return x; }", 1),
    ("@{ const int c = 1 + 2; return c; }", 3),
    ("@{ object o = 5; if (o is int n && n > 2) { return n; } return 0; }", 5),
    ('@{ int n; if (!int.TryParse("7", out n)) { return 0; } return n; }', 7),
    ("@{ int x; do { x = 1; } while (x < 1); return x; }", 1),
    ("@{ int? n = 5; long l = 1; double d = 'a'; return n.Value + l + d; }", 103.0),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), ALLOWED)
def test_what_the_compiler_takes_loads(source: str, expected: Any) -> None:
    """Definite assignment follows every path (C# specification, "Definite assignment")."""
    assert evaluate(source) == expected
