"""Reads C# with the grammar, and puts right what the grammar groups otherwise than C# does.

The grammar takes `z && a?.b` for `(z && a)?.b`, `a is B && c` for a pattern `B && c`, and `(a) - b` for a cast. Each
such place gets the parentheses that C# implies (C# specification, "Operator precedence and associativity" and
"Cast expressions"), and the text is read again. What then still binds in another order than C#'s does not load.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterator

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from emulators.apim.csharp.scope import CSharpError, fail, text_of

_PARSER = Parser(Language(tree_sitter_c_sharp.language()))

#: So deep may places that are put right stand in one another.
MAX_PASSES = 40

#: How tightly an operator binds. What is not here binds tightest.
_BINARY = {
    sign: level
    for level, signs in enumerate(["??", "||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %"], 2)
    for sign in signs.split()
}
_RELATIONAL, _UNARY, _PRIMARY = _BINARY["<"], 14, 15
_LEVELS = {
    "conditional_expression": 1,
    "is_expression": _RELATIONAL,
    "is_pattern_expression": _RELATIONAL,
    "as_expression": _RELATIONAL,
    "prefix_unary_expression": _UNARY,
    "cast_expression": _UNARY,
    **dict.fromkeys(("assignment_expression", "lambda_expression", "throw_expression", "query_expression"), 0),
}
#: What follows a primary expression, and the field that holds it.
_POSTFIX = {
    "conditional_access_expression": "condition",
    "member_access_expression": "expression",
    "element_access_expression": "expression",
    "invocation_expression": "function",
}
#: A type name in parentheses before one of these is no cast.
_NOT_AFTER_CAST = ("[", "+", "-", "&", "*", "|", "^")

_TYPE = re.compile(r"[A-Za-z_][\w.]*(?:\[\]|\?)*")
_REMEDY = "check its brackets, quotes and semicolons, or put its parts in parentheses"

Range = tuple[int, int]


class Source:
    """A text that grows by parentheses, and still knows where everything stood before."""

    def __init__(self, text: str, own: range | None = None) -> None:
        """`own` are the lines that somebody wrote; what stands around them is never shown."""
        self.data = text.encode()
        self.own = own or range(text.count("\n") + 1)
        self._added: list[int] = []

    def enclose(self, range_: Range) -> None:
        for at, sign in ((range_[1], b")"), (range_[0], b"(")):
            self.data = self.data[:at] + sign + self.data[at:]
            self._added = [old + (old >= at) for old in self._added]
            insort(self._added, at)

    def column(self, row: int, column: int) -> int:
        """The character, counted from 0, that stood at this byte of a line before anything was added."""
        start = sum(len(line) + 1 for line in self.data.split(b"\n")[:row])
        added = sum(start <= at < start + column for at in self._added)
        return len(self.data[start : start + column].decode(errors="replace")) - added


def read(source: Source) -> Node:
    """The tree of the text, grouped as C# groups it. Raises CSharpError where that cannot be had."""
    for _ in range(MAX_PASSES):
        root = _PARSER.parse(source.data).root_node
        _reject_syntax_errors(root, source)
        repairs = _repairs(root)
        if not repairs:
            _reject_misreadings(root)
            return root
        for range_ in repairs:
            source.enclose(range_)
    raise fail(root, "places that C# groups otherwise than the grammar stand too deep: split the expression", "C#")


def _reject_syntax_errors(root: Node, source: Source) -> None:
    """The first place of the author's own text that is no C#; the grammar may blame what stands around it."""
    if not root.has_error:
        return
    bad = [node for node in _walk(root) if node.is_error or node.is_missing]
    own = [node for node in bad if node.start_point[0] in source.own and (node.is_missing or text_of(node).strip())]
    node = own[0] if own else root
    raise fail(node, f"not C# that parses, near `{_near(node, source)}`: {_REMEDY}")


def _near(node: Node, source: Source) -> str:
    """The first of the author's lines in the node; of something that is missing, what stands before it."""
    row, column = node.start_point
    lines = source.data.decode(errors="replace").split("\n")[source.own.start : source.own.stop]
    if node.is_missing:
        return lines[row - source.own.start][:column].strip()[-60:]
    own = lines if row not in source.own else text_of(node).split("\n")[: source.own.stop - row]
    return next((line.strip() for line in own if line.strip()), "")[:60]


def _walk(root: Node) -> Iterator[Node]:
    queue = [root]
    while queue:
        node = queue.pop()
        yield node
        queue.extend(reversed(node.named_children))


def _repairs(root: Node) -> list[Range]:
    """What parentheses must enclose: of the first kind of which there is any, since one hides another. Last first."""
    for find in (_false_cast, _false_comparison, _wide_chain, _wide_pattern, _false_declaration):
        found = sorted({range_ for node in _walk(root) if (range_ := find(node)) is not None}, reverse=True)
        apart = [range_ for range_, after in zip(found, [None, *found], strict=False) if _ends_before(range_, after)]
        if apart:
            return apart
    return []


def _ends_before(range_: Range, after: Range | None) -> bool:
    return after is None or range_[1] <= after[0]


def _level(node: Node) -> int:
    if node.type == "binary_expression":
        return _BINARY.get(_sign(node), _PRIMARY)
    return _LEVELS.get(node.type, _PRIMARY)


def _sign(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return text_of(operator) if operator is not None else ""


def _false_cast(node: Node) -> Range | None:
    """`(a) - b` and `(a)["k"]`: C# takes these for a cast only where the type is a keyword, `T[]` or `T?`."""
    if node.type != "cast_expression":
        return None
    type_, value = node.child_by_field_name("type"), node.child_by_field_name("value")
    close = next((child for child in node.children if child.type == ")"), None)
    if type_ is None or value is None or close is None or not text_of(value).startswith(_NOT_AFTER_CAST):
        return None
    named = type_.type in ("identifier", "qualified_name", "generic_name")
    return (node.start_byte, close.end_byte) if named or _has_length(type_) else None


def _false_comparison(node: Node) -> Range | None:
    """`(string)a.As<JObject>(true)["i"]`, read as `a.As < JObject > (true)`.

    A list of type arguments before `(` is one (C# specification, "Grammar ambiguities").
    """
    if node.type != "binary_expression" or _sign(node) != ">":
        return None
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None or left.type != "binary_expression" or _sign(left) != "<":
        return None
    called, type_ = left.child_by_field_name("left"), left.child_by_field_name("right")
    if called is None or type_ is None or not text_of(right).startswith("(") or not _TYPE.fullmatch(text_of(type_)):
        return None
    return _last_operand(called).start_byte, _first_operand(right).end_byte


def _first_operand(node: Node) -> Node:
    while _level(node) != _PRIMARY:
        node = node.named_children[0]
    return node


def _has_length(type_: Node) -> bool:
    """`a?["k"]`, read as an array type: only `new` takes one with a length."""
    return any(node.type == "array_rank_specifier" and node.named_children for node in _walk(type_))


def _wide_chain(node: Node) -> Range | None:
    """`z && a?.b`, `!a?.b`, `(T)a?.b`: the chain is the last operand before it and all that follows."""
    base = node.child_by_field_name(_POSTFIX.get(node.type, ""))
    if base is None or _level(base) == _PRIMARY:
        return None
    if base.named_children[-1].type == "nullable_type":  # `a is T ? (b) : c`, read as a call of `T?`
        return base.start_byte, base.named_children[-1].named_children[0].end_byte
    end = node
    while end.parent is not None and end.parent.child_by_field_name(_POSTFIX.get(end.parent.type, "")) == end:
        end = end.parent
    return _last_operand(base).start_byte, end.end_byte


def _last_operand(node: Node) -> Node:
    while _level(node) != _PRIMARY:
        node = node.named_children[-1]
    return node


def _wide_pattern(node: Node) -> Range | None:
    """`a is B && c`: the pattern ends before an operator that binds less tightly than `is`."""
    pattern = node.child_by_field_name("pattern") if node.type == "is_pattern_expression" else None
    if pattern is None or pattern.type != "constant_pattern":
        return None
    inner = pattern.named_children[0]
    if _level(inner) > _RELATIONAL:
        return None
    while _level(inner) <= _RELATIONAL:
        inner = inner.named_children[0]
    return node.start_byte, inner.end_byte


def _false_declaration(node: Node) -> Range | None:
    """`f(a < b, c > d)` and `f(a * b)`: an argument declares a variable only after `out`."""
    if node.type != "declaration_expression" or node.parent is None or node.parent.children[0] != node:
        return None
    type_ = node.child_by_field_name("type") or node
    if type_.type == "pointer_type":
        return node.start_byte, node.end_byte
    lists = [found for found in _walk(type_) if found.type == "type_argument_list"]
    if not lists or len(lists[0].named_children) < 2:
        return None
    return node.start_byte, lists[0].named_children[0].end_byte


def _reject_misreadings(root: Node) -> None:
    for node in _walk(root):
        if node.type == "collection_expression":
            raise fail(
                node, f"`{text_of(node)}` stands where C# 7 has no brackets: put the `?[…]` chain in parentheses"
            )
        for child, least in _demands(node):
            if _level(child) < least:
                shown = text_of(child).split("\n", 1)[0]
                raise fail(child, f"the local gateway cannot group this as C# does: put `{shown}` in parentheses")


def _demands(node: Node) -> Iterator[tuple[Node, int]]:
    """The operands of a node, with how tightly each must bind."""
    level = _level(node)
    operands = [child for child in node.named_children if child.type != "comment"]
    if node.type == "binary_expression" and len(operands) == 2:
        left, right = operands
        yield left, level + (_sign(node) == "??")
        if not (_sign(node) == "??" and right.type == "throw_expression"):
            yield right, level + (_sign(node) != "??")
    elif level == _RELATIONAL:
        yield operands[0], _RELATIONAL
    elif level == _UNARY:
        yield operands[-1], _UNARY
    elif node.type == "conditional_expression":
        yield operands[0], level + 1
    elif (base := node.child_by_field_name(_POSTFIX.get(node.type, ""))) is not None:
        yield base, _PRIMARY


__all__ = ["MAX_PASSES", "CSharpError", "Source", "read"]
