"""From `@(…)` or `@{…}` to something that can be evaluated. Compiled once, at load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from twin.gateway.csharp import calls, members, operators
from twin.gateway.csharp.clr import PYTHON_ERRORS, translated
from twin.gateway.csharp.expressions import Compiler
from twin.gateway.csharp.purity import only_input
from twin.gateway.csharp.scope import CSharpError, Frame, Typed, fail, named
from twin.gateway.csharp.statements import block_of
from twin.gateway.csharp.types import T
from twin.gateway.jwt import Jwt

__all__ = ["CSharpError", "Expression", "compile_expression"]

_REGISTERED = (calls, operators, members)  # importing them fills the tables
_PREFIX = "class P { object E() {\n"
_UNKNOWN = object()
_IMMUTABLE = frozenset({str, bool, int})
_PARSER = Parser(Language(tree_sitter_c_sharp.language()))


class Expression:
    """A compiled expression: call it with the request context. `type` is what it yields."""

    __slots__ = ("_input", "_run", "_size", "source", "type")

    def __init__(
        self, source: str, type_: T, run: Callable[[Frame], Any], size: int, only_input: str | None = None
    ) -> None:
        self.source = source
        self.type = type_
        self._run = run
        self._size = size
        self._input = only_input

    def __call__(self, context: Any) -> Any:
        if self._input is not None:
            given = context.variables.get(self._input)
            if given.__class__ is Jwt:
                return self._of_token(given, context)
        return self._evaluate(context)

    def _of_token(self, token: Jwt, context: Any) -> Any:
        """A pure expression says of one token always the same: it is evaluated once per token."""
        found = token.memo.get(self, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._evaluate(context)
            if found.__class__ in _IMMUTABLE:
                token.memo[self] = found
        return found

    def _evaluate(self, context: Any) -> Any:
        try:
            return self._run(Frame(context, self._size))
        except PYTHON_ERRORS as error:
            raise translated(error) from error


def compile_expression(source: str) -> Expression:
    """Raises CSharpError; its row counts from the first line of `source`."""
    text = source.strip()
    single = text.startswith("@(")
    inner = text[2:-1]
    if not text.endswith(")" if single else "}"):
        raise CSharpError("an expression must be the whole value: nothing may follow it", text[:40])
    body = f"return (\n{inner}\n);" if single else f"\n{inner}\n"
    root = _PARSER.parse(f"{_PREFIX}{body}}} }}".encode()).root_node
    skipped = source[: len(source) - len(source.lstrip())].count("\n")
    compiler = Compiler()
    try:
        found = _compile(compiler, root, single=single)
    except CSharpError as error:
        raise CSharpError(error.message, error.name, max(error.row - 2, 0) + skipped) from error
    except PYTHON_ERRORS as error:  # a shape of tree or arguments that no handler expects
        raise CSharpError("C# that the local gateway cannot compile", text[:40], skipped) from error
    if found.type.name == "void":
        raise CSharpError("the expression yields nothing", text[:40])
    return Expression(text, found.type, found.run, compiler.locals.size, only_input(root))


def _compile(compiler: Compiler, root: Node, *, single: bool) -> Typed:
    _reject_syntax_errors(root)
    classes = named(root)
    if len(classes) != 1:
        raise fail(root, "an expression must be the whole value: its brackets do not match")
    methods = named(classes[0].child_by_field_name("body") or root)
    body = methods[0].child_by_field_name("body")
    if len(methods) != 1 or body is None:
        raise fail(root, "an expression must be the whole value: its brackets do not match")
    if not single:
        return block_of(compiler, body, must_return=True)
    statements = named(body)
    if len(statements) != 1 or statements[0].type != "return_statement":
        raise fail(root, "`@(…)` holds one expression; use `@{…}` for statements")
    return compiler.compile(named(statements[0])[0])


def _reject_syntax_errors(root: Node) -> None:
    if not root.has_error:
        return
    queue = [root]
    while queue:
        node = queue.pop(0)
        if node.is_error or node.is_missing:
            raise fail(node, f"not C# that parses, near `{_near(node)}`")
        queue.extend(child for child in node.children if child.has_error or child.is_missing)
    raise fail(root, "not C# that parses")


def _near(node: Node) -> str:
    text = (node.text or b"").decode().strip().split("\n", 1)[0]
    return text[:60] or f"missing {node.type}"
