"""`python -m tools.fuzz policies [COUNT] [--seed N]`: mutated policy documents and expressions, checked and run.

Promised: no traceback, no hang, and nothing loads that the schema of the policy reference does not hold. What would run
is run with a request: whatever fails there must be an error of the policy, and none of the emulator's. The same seed
makes the same documents; what was found is kept in results/fuzz/.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import random
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lxml import etree

from emulators.apim import trial
from emulators.apim.check import Report, report
from emulators.apim.elements import ELEMENTS, shape_of
from emulators.apim.errors import PolicyProblems
from emulators.apim.policy_sources import documents
from emulators.apim.reference import POLICIES
from emulators.apim.schema import SECTIONS, Policy, Shape
from emulators.base.errors import EmulatorError
from emulators.base.policy_xml import MalformedPolicy, Node, parse

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
FOUND = ROOT / "results" / "fuzz"
SEEDS = (
    "emulators/apim/examples",
    "emulators/apim/tests/samples/good",
    "emulators/apim/tests/samples/bad",
)
#: A document that takes longer, in seconds, hangs; after the second one the session ends with the place.
SLOW, STUCK = 10.0, 60.0

EXPRESSIONS = (
    '@(context.Request.Headers.GetValueOrDefault("X", "a"))',
    '@(context.Request.Method == "POST" && context.Request.Url.Path.Contains("x") // why\n || true)',
    '@{ var x = new JObject(); x["a"] = 1; foreach (var p in x.Properties()) {'
    ' if (p.Name == "a") { return "b"; } }\n return x.ToString(); }',
    '@(((Jwt)context.Variables["jwt"]).Claims.GetValueOrDefault("roles", new string[0]).Contains("admin"))',
    '@{ int i = 0; while (i < 10) { i++; } return i.ToString("D4") + $"{i,5:X}"; }',
    '@(Regex.Match(context.Request.Url.Path, @"^/(?<a>\\w+)").Groups["a"].Value)',
    '@(DateTime.UtcNow.AddDays(1).ToString("yyyy-MM-dd") + Math.Round(2.5, MidpointRounding.AwayFromZero))',
    '@{ try { return int.Parse("x"); } catch (Exception e) { return -1; } finally { } }',
    '@(context.Request.Body?.As<JObject>(preserveContent: true)?["a"]?.ToString() ?? "none")',
    '@(new Dictionary<string, int> { { "a", 1 }, ["b"] = 2 }.Where(p => p.Value > 1).Select(p => p.Key).First())',
    '@{ switch (context.Response.StatusCode) { case 200: return "a"; default: return "b"; } }',
    '@(Convert.ToBase64String(SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes("a"))))',
    "@{ using (var h = new HMACSHA256(new byte[3])) { return BitConverter.ToString(h.ComputeHash(new byte[1])); } }",
    '@(Math.Round(1.005m * 3, 2) + (int)2.9m + (1m / 3).ToString("F4") + decimal.Parse("1.50"))',
    "@{ decimal sum = 0; for (var i = 0; i < 3; i++) { sum += i * 0.1m; } return sum > 0.2m ? sum : -sum; }",
    '@(JArray.Parse("[{a:2},{a:1}]").OrderBy(x => x["a"]).Select(x => (int)x["a"]).Aggregate((x, y) => x * 10 + y))',
    '@{ object o = context.Variables.GetValueOrDefault("x"); return o is string s ? s[0].ToString() : "x"; }',
    '@(TimeSpan.FromSeconds(90).ToString("c") + new DateTime(2024, 2, 29).AddYears(1).ToString("o"))',
    '@(new JObject(new JProperty("a", new JArray(1, "b", null)), new JProperty("c", 1.5m)).ToString(Formatting.None))',
    "@{ Func<int, double> f = x => x; int? n = null; return f(n ?? 1) / 2; }",
    "@(\"a,b\".Split(',').ToDictionary(x => x, x => x.Length).GroupBy(p => p.Value).First().Key)",
    '@(context.Request.MatchedParameters["x"] ?? context.LastError?.Message ?? "")',
)
JUNK = (
    *(
        "",
        " ",
        "true",
        "false",
        "0",
        "-1",
        "1e400",
        "nan",
        "99999999999999999999",
        "x" * 3000,
        "é\u2028\ud7ff",
        "{{a}}",
    ),
    *("@(", "@{", "@()", "@{}", "@(1)", "@(null)", "@{ return; }", "{{body.x | Upcase}}", "{% if %}", "http://x", "/"),
    *(
        "<![CDATA[x]]>",
        "&amp;",
        "&#10;",
        "inbound",
        "base",
        "400",
        "*",
        "https://x.example/.well-known/openid-configuration",
    ),
)
_TOKEN = re.compile(r"\w+|\s+|\"[^\"]*\"|.", re.DOTALL)


@dataclass
class Outcome:
    counts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    findings: list[str] = field(default_factory=list)


class Documents:
    """Mutants of the seeds and of one document for each policy of the reference."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seeds = [*self._from_files(), *map(self._of_policy, POLICIES)]
        self._parts = [one for seed_ in self._seeds if (tree := self._tree(seed_)) is not None for one in tree.iter()]

    @staticmethod
    def _from_files() -> Iterator[str]:
        for folder in SEEDS:
            for path in sorted((ROOT / folder).rglob("*")):
                if path.suffix in (".xml", ".md", ".tf"):
                    yield from (found.text for found in documents(path, path.read_text(encoding="utf-8")))

    def _of_policy(self, policy: Policy) -> str:
        """A document with it, filled from its row."""
        section = policy.sections[0]
        inside = {name: self._filled(policy) if name == section else "<base/>" for name in SECTIONS}
        return f"<policies>{''.join(f'<{name}>{text}</{name}>' for name, text in inside.items())}</policies>"

    def _filled(self, shape: Shape, depth: int = 0) -> str:
        given = [one for one in shape.attributes if one.required or self._chance(0.3)]
        written = "".join(f" {one.name}={self._quoted(self._value(one.kind, one.choices))}" for one in given)
        children = [child for child in shape.children if child.least or self._chance(0.4)]
        inside = "".join(self._filled(shape_of(child), depth + 1) for child in children) if depth < 4 else ""
        text = self._escaped(self._pick(EXPRESSIONS)) if shape.text == "expression" and self._chance(0.5) else ""
        return f"<{shape.tag}{written}>{text or ('x' if shape.text != 'none' else '')}{inside}</{shape.tag}>"

    def _value(self, kind: str, choices: tuple[str, ...]) -> str:
        if choices:
            return self._pick(choices)
        if self._chance(0.2):
            return self._pick(EXPRESSIONS)
        return {"flag": "true", "number": "300", "url": "http://x.example/y"}.get(kind, "x")

    def whole(self, number: int) -> str:
        """A seed as it is."""
        return self._seeds[number % len(self._seeds)]

    def next(self) -> str:
        """One more: most have a mutation or two, some are only damaged text."""
        source = self._pick(self._seeds)
        for _ in range(self._pick((1, 1, 1, 2, 2, 3, 5))):
            source = self._mutated(source)
        return source

    def _mutated(self, source: str) -> str:
        kind = self._random.random()
        if kind < 0.93 and (tree := self._tree(source)) is not None:
            if kind < 0.4 or not self._bend(tree):
                self._change(tree)
            return etree.tostring(tree, encoding="unicode")
        start = self._random.randrange(len(source) + 1)
        end = min(len(source), start + self._pick((0, 1, 1, 2, 8, 40)))
        piece = self._pick(("", source[start:end] * 2, self._pick("<>&\"'@(){}=/\\\n\x00"), self._pick(JUNK)))
        return source[:start] + piece + source[end:]

    def _change(self, tree: etree._Element) -> None:
        nodes = [node for node in tree.iter() if isinstance(node.tag, str)]
        node = self._pick(nodes)
        parent = node.getparent()
        kind = self._random.randrange(10)
        if kind == 0 and parent is not None:
            parent.remove(node)
        elif kind == 1 and parent is not None:
            parent.insert(self._random.randrange(len(parent) + 1), self._copy(node))
        elif kind == 2:
            node.insert(self._random.randrange(len(node) + 1), self._copy(self._pick(self._parts)))
        elif kind == 3:
            node.tag = self._pick(nodes).tag
        elif kind == 4:
            node.text = self._pick((*JUNK, *EXPRESSIONS)).replace("\x00", "")
        elif kind == 5 and node.attrib:
            node.attrib[self._pick(list(node.attrib))] = self._pick((*JUNK, *EXPRESSIONS))
        elif kind == 6 and node.attrib:
            del node.attrib[self._pick(list(node.attrib))]
        elif kind == 7:
            other = self._pick(self._parts)
            for name, value in other.attrib.items():
                node.attrib[name] = value
        elif kind == 8 and parent is not None:
            node.tail = self._pick(JUNK)
        else:
            order = list(node)
            self._random.shuffle(order)
            node[:] = order

    def _bend(self, tree: etree._Element) -> bool:
        """Change one expression, so that the document stays XML; False where it holds none."""
        nodes = [node for node in tree.iter() if isinstance(node.tag, str)]
        found = [(node, name) for node in nodes for name, value in node.attrib.items() if str(value).startswith("@")]
        found += [(node, "") for node in nodes if (node.text or "").lstrip().startswith("@")]
        if not found:
            return False
        node, name = self._pick(found)
        bent = self._bent(str(node.attrib[name]) if name else node.text or "").replace("\x00", "")
        if name:
            node.attrib[name] = bent
        else:
            node.text = bent
        return True

    def _bent(self, source: str) -> str:
        """With a token or two of the expression lost, doubled, or taken from another, or all of another inside it."""
        for _ in range(self._pick((1, 1, 2, 3))):
            tokens = _TOKEN.findall(source) or [""]
            position = self._random.randrange(2, len(tokens)) if len(tokens) > 2 else 0
            other = self._pick((*EXPRESSIONS, source))
            wanted = self._pick((*_TOKEN.findall(other), other[2:-1]))
            tokens[position] = self._pick(("", tokens[position] * 2, wanted, wanted, self._pick(JUNK)))
            source = "".join(tokens)
        return source

    @staticmethod
    def _copy(node: etree._Element) -> etree._Element:
        return etree.fromstring(etree.tostring(node, with_tail=False))

    @staticmethod
    def _tree(source: str) -> etree._Element | None:
        try:
            return etree.fromstring(source.strip().encode("utf-8", "replace"))
        except (etree.XMLSyntaxError, ValueError):
            return None

    @staticmethod
    def _escaped(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def _quoted(self, text: str) -> str:
        return '"' + self._escaped(text).replace('"', "&quot;") + '"'

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, among: Sequence[T]) -> T:
        return self._random.choice(among)


def outside(root: Node) -> Iterator[str]:
    """What a document holds that the rows of the reference do not: read from the rows alone, not by the loader."""
    if root.tag == "fragment":
        yield from _statements(root, "")
        return
    seen = Counter(child.tag for child in root.children)
    yield from (f"<{tag}> in <policies>" for tag in seen if tag not in SECTIONS)
    yield from (f"{count} sections <{tag}>" for tag, count in seen.items() if count > 1)
    yield from _bare(root)
    for section in root.children:
        yield from _statements(section, section.tag)


def _bare(node: Node) -> Iterator[str]:
    yield from (f"{name} of <{node.tag}>" for name in node.attributes)
    if node.text.strip():
        yield f"text in <{node.tag}>"


def _statements(parent: Node, section: str, *, checked: bool = False) -> Iterator[str]:
    if not checked:
        yield from _bare(parent)
    for node in parent.children:
        if node.tag == "base":
            yield from _bare(node)
            yield from (f"<{child.tag}> in <base>" for child in node.children)
            continue
        spec = ELEMENTS.get(node.tag)
        if spec is None:
            yield f"<{node.tag}> in <{parent.tag}>"
            continue
        if section and section not in spec.policy.allowed_in:
            yield f"<{node.tag}> in {section}"
        yield from _held(node, spec.policy, section)


def _held(node: Node, shape: Shape, section: str) -> Iterator[str]:
    known = {one.name: one for one in shape.attributes}
    for name in node.attributes:
        if (name not in known and not (isinstance(shape, Policy) and name == "id")) or (
            name in known and known[name].refused
        ):
            yield f"{name} of <{node.tag}>"
    yield from (
        f"no {one.name} of <{node.tag}>" for one in known.values() if one.required and one.name not in node.attributes
    )
    if shape.text == "none" and node.text.strip():
        yield f"text in <{node.tag}>"
    if shape.statements:
        yield from _statements(node, section, checked=True)
        return
    children, counts = {child.tag: child for child in shape.children}, Counter(child.tag for child in node.children)
    for tag, count in counts.items():
        if tag not in children:
            yield f"<{tag}> in <{node.tag}>"
        elif (most := children[tag].most) is not None and count > most:
            yield f"{count} <{tag}> in <{node.tag}>"
    yield from (f"no <{child.tag}> in <{node.tag}>" for child in shape.children if counts[child.tag] < child.least)
    order = [list(children).index(child.tag) for child in node.children if child.tag in children]
    if shape.ordered and order != sorted(order):
        yield f"order in <{node.tag}>"
    for child in node.children:
        if child.tag in children:
            yield from _held(child, shape_of(children[child.tag]), section)


async def _at_once(seconds: float) -> None:
    """A policy that waits for minutes does not hang."""
    await asyncio.sleep(0)


class Session:
    """Judges documents one by one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "document.xml"
        self.outcome = Outcome()
        self._logged: list[str] = []
        handler = logging.Handler()
        handler.setLevel(logging.ERROR)  # what nobody foresaw (`failures.log_bug`), and asyncio's own complaints
        handler.emit = lambda record: self._logged.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger().addHandler(handler)

    def judge(self, number: int, source: str) -> None:
        faulthandler.dump_traceback_later(STUCK, exit=True)
        started = time.perf_counter()
        try:
            problem = self._problem(source)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            logging.getLogger(__name__).debug("traceback", exc_info=error)
        took = time.perf_counter() - started
        faulthandler.cancel_dump_traceback_later()
        self.outcome.slowest = max(self.outcome.slowest, took)
        if took > SLOW:
            problem = problem or f"took {took:.1f} s"
        if problem:
            FOUND.mkdir(parents=True, exist_ok=True)
            kept = FOUND / f"{number}.xml"
            kept.write_text(source, encoding="utf-8", errors="surrogatepass")
            self.outcome.findings.append(f"{kept.relative_to(ROOT)}: {problem[:300]}")

    def _problem(self, source: str) -> str:
        self._path.write_text(source, encoding="utf-8", errors="replace")
        source = self._path.read_text(encoding="utf-8")
        try:
            (one,) = report([self._path])
        except EmulatorError as error:
            self.outcome.counts["refused"] += 1
            return "" if str(error) else "a refusal without a word"
        if one.problems:
            self.outcome.counts["refused"] += 1
            self.outcome.refused.update(type(problem).__name__ for problem in one.problems)
            return self._unsaid(one)
        self.outcome.counts["accepted"] += 1
        try:
            strange = list(outside(parse(source, "document")))
        except MalformedPolicy as error:
            return f"accepted, and not well-formed: {error}"
        return f"accepted outside the schema: {', '.join(strange)}" if strange else self._run(source)

    @staticmethod
    def _unsaid(one: Report) -> str:
        nameless = [problem for problem in one.problems if not problem.reason or "Traceback" in problem.reason]
        return "a refusal without a word" if nameless else ""

    def _run(self, source: str) -> str:
        """A request through it: what a single policy refers to may be missing, which is no finding."""
        self._logged.clear()
        sent = trial.Sent(
            "POST", "/a/b?c=d", [("X", "y"), ("Content-Type", "application/json")], b'{"a": [1, {"b": null}]}'
        )
        try:
            outcome = trial.run(trial.Setup(source, claims={"roles": ["a"], "sub": "s"}, sleep=_at_once), sent)
        except PolicyProblems:
            self.outcome.counts["refers to what is not there"] += 1
            return ""
        self.outcome.counts[f"answered {outcome.reply.status}"] += 1
        return f"a fault of the emulator: {self._logged[0]}" if self._logged else ""


def main(arguments: list[str]) -> int:
    import tempfile

    parser = argparse.ArgumentParser(prog="python -m tools.fuzz policies", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}", flush=True)
    logging.getLogger().setLevel(logging.WARNING)
    made, started = Documents(given.seed), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        session = Session(Path(folder))
        for number in range(given.count):
            session.judge(number, made.next())
            if (number + 1) % 1000 == 0:
                print(f"{number + 1} documents, {len(session.outcome.findings)} found", flush=True)
    outcome, took = session.outcome, time.perf_counter() - started
    print(f"{given.count} documents in {took:.0f} s, the slowest {outcome.slowest:.2f} s")
    print(f"{dict(outcome.counts.most_common())}; refusals: {dict(outcome.refused.most_common())}")
    for finding in outcome.findings:
        print(f"FOUND {finding}")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
