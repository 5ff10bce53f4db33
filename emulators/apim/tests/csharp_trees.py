"""Random C# expressions with a known structure: written with no parentheses but those that C# needs, read back."""

from __future__ import annotations

from random import Random
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp.grouping import Source, read

#: C# specification, "Operator precedence and associativity", loosest first.
_SIGNS = ["??", "||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %"]
_LEVEL = {sign: level for level, signs in enumerate(_SIGNS, 2) for sign in signs.split()}
_CONDITIONAL, _IS, _UNARY, _PRIMARY = 1, _LEVEL["<"], 14, 15
_LEVELS = {"?:": _CONDITIONAL, "is": _IS, "as": _IS, "!": _UNARY, "-": _UNARY, "cast": _UNARY}
_ATOMS = ["a", "b", "context", "1", '"s"', "null", "true"]
_TYPES = ["int", "string", "string[]", "JObject", "List<string>"]

#: An operator and its operands; types and atoms are strings.
Tree = Any


def random_tree(random: Random, depth: int) -> Tree:
    kind = random.choice(["atom", "binary", "binary", "binary", "unary", "cast", "chain", "chain", "is", "as", "?:"])
    if depth == 0 or kind == "atom":
        return random.choice(_ATOMS)

    def operand() -> Tree:
        return random_tree(random, depth - 1)

    if kind == "binary":
        return (random.choice(list(_LEVEL)), operand(), operand())
    if kind == "unary":
        return (random.choice("!-"), operand())
    if kind == "cast":
        return ("cast", random.choice([*_TYPES, "int?"]), operand())
    if kind in ("is", "as"):
        return (kind, operand(), random.choice([*_TYPES, *(["null", "1"] if kind == "is" else [])]))
    if kind == "?:":
        return ("?:", operand(), operand(), operand())
    link = random.choice([".M", "?.M", "[]", "?[]", ".F()", "?.F()"])
    return (link, operand(), *(operand() for _ in range(random.randrange(3) if link.endswith("F()") else 0)))


def _level(tree: Tree) -> int:
    return _PRIMARY if isinstance(tree, str) else _LEVEL.get(tree[0], _LEVELS.get(tree[0], _PRIMARY))


def _operand(tree: Tree, least: int) -> str:
    return written(tree) if _level(tree) >= least else f"({written(tree)})"


def written(tree: Tree) -> str:
    """The tree as C#. `- -a` keeps its space, and `(T)(-a)` its parentheses: C# needs them."""
    if isinstance(tree, str):
        return tree
    kind, first, *rest = tree
    if kind in "!-" and len(tree) == 2:
        return f"{kind} {_operand(first, _UNARY)}"
    if kind in _LEVEL:
        right = kind == "??"
        return f"{_operand(first, _LEVEL[kind] + right)} {kind} {_operand(rest[0], _LEVEL[kind] + (not right))}"
    if kind == "cast":
        value = _operand(rest[0], _UNARY)
        return f"({first})({value})" if value.startswith("-") else f"({first}){value}"
    if kind == "?:":
        return f"{_operand(first, _CONDITIONAL + 1)} ? {written(rest[0])} : {written(rest[1])}"
    if kind in ("is", "as"):
        return f"{_operand(first, _IS)} {kind} {rest[0]}"
    link = kind.replace("[]", '["k"]').replace("()", f"({', '.join(map(written, rest))})")
    return _operand(first, _PRIMARY) + link


def shape(tree: Tree) -> str:
    """The structure, fully bracketed."""
    return tree if isinstance(tree, str) else f"({' '.join([tree[0], *map(shape, tree[1:])])})"


def read_shape(text: str) -> str:
    """The same of what the compiler reads."""
    root = read(Source(f"class P {{ object E() {{\nreturn (\n{text}\n);}} }}"))
    node = root
    while node.type != "return_statement":
        node = node.named_children[-1]
    return _shape(node.named_children[0])


def _shape(node: Node) -> str:
    parts = node.named_children
    if node.type == "parenthesized_expression":
        return _shape(parts[0])
    if node.type in ("argument", "constant_pattern"):
        return _shape(parts[0])
    kinds = {
        "cast_expression": "cast",
        "conditional_expression": "?:",
        "is_expression": "is",
        "is_pattern_expression": "is",
        "as_expression": "as",
        "member_access_expression": ".M",
        "element_access_expression": "[]",
    }
    if node.type in ("member_access_expression", "element_access_expression", "conditional_access_expression"):
        return f"({_link(node)} {_shape(parts[0])})"
    if node.type == "invocation_expression":
        arguments = " ".join(["", *map(_shape, parts[1].named_children)])
        return f"({_link(parts[0]).replace('M', 'F()')} {_shape(parts[0].named_children[0])}{arguments})"
    if node.type in ("binary_expression", "prefix_unary_expression"):
        kind = next(child for child in node.children if not child.is_named).type
        return f"({kind} {' '.join(map(_shape, parts))})"
    if node.type in kinds:
        return f"({kinds[node.type]} {' '.join(map(_shape, parts))})"
    return (node.text or b"").decode()


def _link(node: Node) -> str:
    if node.type != "conditional_access_expression":
        return ".M" if node.type == "member_access_expression" else "[]"
    return "?.M" if node.named_children[1].type == "member_binding_expression" else "?[]"
