"""What compiled code runs in (Frame), and what the compiler knows while compiling it (Locals)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp.clr import EvaluationLimit
from emulators.apim.csharp.clr_types import T

#: Loop turns and lambda calls one evaluation may make.
MAX_STEPS = 200_000


class Frame:
    """One evaluation: the request context, the local variables, and what is left of the step allowance."""

    __slots__ = ("context", "result", "slots", "steps")

    def __init__(self, context: Any, size: int) -> None:
        self.context = context
        self.slots: list[Any] = [None] * size
        self.steps = MAX_STEPS
        self.result: Any = None

    def tick(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise EvaluationLimit(f"an expression took more than {MAX_STEPS} steps")


Code = Callable[[Frame], Any]


class _Nil:
    """What a `?.` chain carries once its receiver was null."""


NIL = _Nil()


@dataclass(frozen=True, slots=True)
class Typed:
    """Compiled code and its static type. `chain`: it may yield NIL, which the end of a `?.` chain turns into null.

    `safe`: it yields neither null nor NIL. `constant`: it needs no frame.
    """

    type: T
    run: Code
    chain: bool = False
    safe: bool = False
    constant: bool = False


class CSharpError(Exception):
    """The expression does not compile; `row` counts lines from 0 within it, `column` characters in its line."""

    def __init__(self, message: str, name: str, row: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.row = row
        self.column = column


def text_of(node: Node) -> str:
    return (node.text or b"").decode()


def fail(node: Node, message: str, name: str | None = None) -> CSharpError:
    shown = text_of(node).split("\n", 1)[0]
    row, column = node.start_point
    return CSharpError(message, name or (shown if len(shown) <= 60 else shown[:57] + "..."), row, column)


def named(node: Node) -> list[Node]:
    """Named children, comments left out."""
    return [child for child in node.named_children if child.type != "comment"]


def field(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    if found is None:
        raise fail(node, f"`{text_of(node)}` is not complete")
    return found


class Locals:
    """Declared variables. C# forbids reusing a name in a nested block, so lookups never shadow."""

    def __init__(self) -> None:
        self._visible: dict[str, tuple[int, T]] = {}
        self.size = 0

    def declare(self, node: Node, name: str, type_: T) -> int:
        if name in self._visible or name == "context":
            raise fail(node, f"the variable {name!r} is declared twice (CS0128)", name)
        self._visible[name] = (self.size, type_)
        self.size += 1
        return self.size - 1

    def find(self, name: str) -> tuple[int, T] | None:
        return self._visible.get(name)

    @contextmanager
    def block(self) -> Iterator[None]:
        before = dict(self._visible)
        try:
            yield
        finally:
            self._visible = before
