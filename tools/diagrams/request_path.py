"""The way of a call through the policy that `prod` plans: every element, in the order in which it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from emulators.base.raw_expressions import escape_expressions
from tools.diagrams.plans import DiagramError, Plans
from tools.diagrams.svg import LINE, WIDTH, Box, Canvas, wrap

_INDENT, _LEFT, _NAME = 18, 32, 252
_REFUSALS = ("mcp-refuse", "oauth-refuse")


@dataclass(frozen=True)
class Row:
    """`kind` is a colour: of where the call may end, of where it goes to a server, or plain."""

    depth: int
    name: str
    words: str
    kind: str = "plain"


def draw(plans: Plans) -> str:
    """The SVG of the first server's API; all servers have the same policy but for names and limits."""
    server = sorted(plans.variables["mcp_servers"])[0]
    policies = [p for p in plans.of("azurerm_api_management_api_policy") if p.key == server]
    if len(policies) != 1:
        raise DiagramError(f"the plan has {len(policies)} policies for the server {server}; the picture shows one")
    api = parsed(policies[0].values["xml_content"])
    base = parsed(plans.one("azurerm_api_management_policy")["xml_content"])
    fragments = {
        item.values["name"]: parsed(item.values["value"]) for item in plans.of("azurerm_api_management_policy_fragment")
    }
    canvas = Canvas(
        "The way of a call through the policy",
        "Each policy element in order, from inbound to on-error, with what it does; red ends the call.",
    )
    y = 24.0
    for section in api:
        rows = list(_rows(section, base.find(section.tag), fragments, 0))
        y = _section(canvas, section.tag, rows, y)
    canvas.text(16, y + 4, f"Read from the policy of /{server}/mcp in the plans of environments/prod.", "note")
    return canvas.render(y + 20)


def parsed(text: str) -> ElementTree.Element:
    """A policy's document; in the plan of a platform that runs, expressions are not escaped, as azurerm reads them."""
    return ElementTree.fromstring(escape_expressions(text))


def _section(canvas: Canvas, name: str, rows: list[Row], top: float) -> float:
    y = top + 36
    for row in rows:
        x = _LEFT + row.depth * _INDENT
        lines = wrap(row.words, WIDTH - 32 - _LEFT - _NAME, 12) if row.words else [""]
        if row.kind != "plain":
            canvas.mark(Box(x - 8, y - 14, WIDTH - 24 - x, LINE * len(lines) + 5), row.kind)
        canvas.text(x, y, row.name, "code")
        for position, line in enumerate(lines):
            canvas.text(_LEFT + _NAME, y + LINE * position, line)
        y += LINE * len(lines) + 5
    canvas.frame(Box(16, top, WIDTH - 32, y - top - 4), name)
    return y + 16


def _rows(
    element: ElementTree.Element,
    base: ElementTree.Element | None,
    fragments: Mapping[str, ElementTree.Element],
    depth: int,
) -> Iterator[Row]:
    refusal: dict[str, str] = {}
    headers: list[str] = []
    inline = False  # within a refusal that stands where it is wanted, because fragments do not nest
    for child in element:
        if inline and child.tag == "choose":
            inline = False
            continue
        if child.tag == "set-header" and child.get("exists-action") == "delete":
            headers.append(str(child.get("name")))
            continue
        if headers:
            yield Row(depth, "set-header", f"without {', '.join(headers)}")
            headers = []
        if child.tag == "set-variable" and child.get("name") == "error-body":
            yield Row(depth, "refuse", _refusal(refusal), "stop")
            refusal, inline = {}, True
        elif child.tag == "set-variable" and str(child.get("name")).startswith("error-"):
            refusal[str(child.get("name"))] = str(child.get("value"))
        elif child.tag == "include-fragment" and child.get("fragment-id") in _REFUSALS:
            yield Row(depth, "refuse", _refusal(refusal), "stop")
            refusal = {}
        elif child.tag == "base":
            yield Row(depth, "base", "the gateway's own policy:")
            yield from _rows(base if base is not None else ElementTree.Element("none"), None, fragments, depth + 1)
        else:
            yield from _row(child, fragments, depth)
    if headers:
        yield Row(depth, "set-header", f"without {', '.join(headers)}")
    if refusal:  # a branch that says what is refused; the refusal itself stands behind it
        yield Row(depth, "refuse", _refusal(refusal), "stop")


def _row(child: ElementTree.Element, fragments: Mapping[str, ElementTree.Element], depth: int) -> Iterator[Row]:
    if child.tag == "choose":
        for branch in child:
            condition = _condition(branch.get("condition", "")) if branch.tag == "when" else "otherwise"
            yield Row(depth, "choose", condition)
            yield from _rows(branch, None, fragments, depth + 1)
        return
    yield Row(depth, child.tag, _words(child), _kind(child))
    if child.tag == "include-fragment":
        yield from _rows(fragments[str(child.get("fragment-id"))], None, fragments, depth + 1)
    elif child.tag in ("retry", "cors", "limit-concurrency"):
        yield from _rows(child, None, fragments, depth + 1) if child.tag != "cors" else ()


def _condition(text: str) -> str:
    words = expression(text)
    computed = words.removeprefix("something computed from ")
    return f"if {words}" if computed == words else f"depending on {computed}"


def _kind(child: ElementTree.Element) -> str:
    return {"forward-request": "server", "validate-jwt": "gateway", "return-response": "stop"}.get(child.tag, "plain")


def _words(child: ElementTree.Element) -> str:
    """What the element does, from its attributes and children."""
    if child.tag == "validate-jwt":
        claims = ", ".join(str(claim.get("name")) for claim in child.iter("claim"))
        status = child.get("failed-validation-httpcode")
        return f"{status} unless signature, lifetime, issuer, audience and {claims} are right"
    if child.tag == "set-variable":
        return f"{child.get('name')} = {expression(child.get('value', ''))}"
    if child.tag == "set-header":
        return f"{child.get('name')}: {expression(child.findtext('value', ''))}"
    if child.tag == "rate-limit-by-key":
        calls, period = expression(child.get("calls", "")), expression(child.get("renewal-period", ""))
        return f"429 after {calls} calls in {period} seconds, for each caller"
    if child.tag == "retry":
        return f"{child.get('count')} more, where the call may be repeated"
    if child.tag == "authentication-managed-identity":
        return "the gateway signs in to the server as itself"
    if child.tag == "forward-request":
        return f"to the server; it may take {child.get('timeout')} s, and its answer is not buffered"
    if child.tag == "return-response":
        answer = child.find("set-status")
        return "" if answer is None else f"{expression(answer.get('code', ''))} {answer.get('reason', '')}"
    wanted = ("fragment-id", "backend-id", "base-url", "template", "allow-credentials", "code")
    return expression(", ".join(str(child.get(name)) for name in wanted if child.get(name)))


def _reads(code: str) -> str:
    """What a longer expression looks at: claims, headers, variables, the request; in the order of its text."""
    found = re.findall(
        r'(?:ContainsKey|GetValueOrDefault|Claims|Variables)[\[(]"([\w-]+)"|Request\.(Method|Body)', code
    )
    names = dict.fromkeys((name or f"the request's {part.lower()}") for name, part in found)
    return ", ".join(name for name in names if name != "caller-token") or "constants"


def _refusal(given: Mapping[str, str]) -> str:
    status = expression(given.get("error-status", "")) or "as set before"
    return f"{status}: {expression(given.get('error-message', ''))}".rstrip(": ")


def expression(text: str) -> str:
    """C# as a reader needs it: a short one without casts, a long one as what it looks at."""
    text = text.strip()
    if not text.startswith("@"):
        return text
    if text.startswith("@{") and "return" in text:
        return f"something computed from {_reads(text)}"
    inner = re.sub(r"\((?:string|int|bool|Jwt)\)context\.Variables\[\"([\w-]+)\"\]", r"\1", text[2:-1])
    inner = re.sub(r"\.ToString\(\)|context\.", "", inner)
    inner = re.sub(r'" \+ (\w+) \+ "', r"{\1}", inner)
    inner = inner[1:-1] if re.fullmatch(r'"[^"]*"', inner) else inner
    return inner.replace("&&", "and").replace("||", "or")
