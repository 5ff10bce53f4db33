"""From `@(…)` or `@{…}` to something that can be evaluated. Compiled once, at load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp import calls, flow, literals, members, operators
from emulators.apim.csharp.clr import PYTHON_ERRORS, PYTHON_LIMITS, ClrError, EvaluationLimit, translated
from emulators.apim.csharp.clr_types import T
from emulators.apim.csharp.expressions import Compiler
from emulators.apim.csharp.grouping import Source, read
from emulators.apim.csharp.scope import CSharpError, Frame, Typed, fail, named
from emulators.apim.csharp.statements import block_of
from emulators.apim.csharp.time_limit import TIME_LIMIT
from emulators.apim.failures import log_bug

__all__ = ["CSharpError", "Expression", "compile_expression"]

_REGISTERED = (calls, literals, operators, members)  # importing them fills the tables
_PREFIX = "class P { object E() {\n"


class Expression:
    """A compiled expression: call it with the request context. `type` is what it yields."""

    __slots__ = ("_run", "_size", "source", "type")

    def __init__(self, source: str, type_: T, run: Callable[[Frame], Any], size: int) -> None:
        self.source = source
        self.type = type_
        self._run = run
        self._size = size

    def __call__(self, context: Any) -> Any:
        limit = TIME_LIMIT
        if not limit.armed:
            limit.arm()
        limit.beats = 0
        limit.running = True
        try:
            return self._run(Frame(context, self._size))
        except (ClrError, EvaluationLimit):
            raise
        except PYTHON_LIMITS as error:
            raise EvaluationLimit("an expression called itself too deep, or took too much memory") from error
        except Exception as error:
            if not isinstance(error, PYTHON_ERRORS):
                log_bug("an expression", error)
            raise translated(error) from error
        finally:
            limit.running = False


def compile_expression(source: str) -> Expression:
    """Raises CSharpError; its row counts from the first line of `source`."""
    text = source.strip()
    single = text.startswith("@(")
    inner = text[2:-1]
    closing = ")" if single else "}"
    if not text.endswith(closing):
        raise CSharpError(
            f"an expression must be the whole value: it ends in no {closing}, as it is not closed or text follows it",
            text[:40],
        )
    body = f"return (\n{inner}\n);" if single else f"\n{inner}\n"
    parsed, compiler = Source(f"{_PREFIX}{body}}} }}", range(2, 3 + inner.count("\n"))), Compiler()
    try:
        root = read(parsed)
        found = _compile(compiler, root, single=single)
    except CSharpError as error:
        raise _placed(error, parsed, source) from error
    except (*PYTHON_ERRORS, RecursionError) as error:  # a shape of tree or arguments that no handler expects
        raise CSharpError("C# that the local gateway cannot compile", text[:40], _blank_lines(source)) from error
    if found.type.name == "void":
        raise CSharpError("the expression yields nothing", text[:40])
    return Expression(text, found.type, found.run, compiler.locals.size)


def _blank_lines(source: str) -> int:
    return source[: len(source) - len(source.lstrip())].count("\n")


def _placed(error: CSharpError, parsed: Source, source: str) -> CSharpError:
    """The error with its place in `source`, which the parsed text wraps in two lines of its own."""
    row, column = max(error.row - 2, 0), parsed.column(error.row, error.column) + 1
    if row == 0:
        before = source[: source.index("@")]
        column += len(before.rpartition("\n")[2]) + len("@(")
    where = f"column {column}" if row else f"column {column} of the value"
    return CSharpError(f"{error.message} ({where})", error.name, row + _blank_lines(source), column)


def _compile(compiler: Compiler, root: Node, *, single: bool) -> Typed:
    classes = named(root)
    if len(classes) != 1:
        raise fail(root, "an expression must be the whole value: its brackets do not match")
    methods = named(classes[0].child_by_field_name("body") or root)
    body = methods[0].child_by_field_name("body")
    if len(methods) != 1 or body is None:
        raise fail(root, "an expression must be the whole value: its brackets do not match")
    if not single:
        found = block_of(compiler, body, must_return=True)
        flow.check(body)
        return found
    statements = named(body)
    if len(statements) != 1 or statements[0].type != "return_statement":
        raise fail(root, "`@(…)` holds one expression; use `@{…}` for statements")
    result = compiler.compile(named(statements[0])[0])
    flow.check(body)
    return result
