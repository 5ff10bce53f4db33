"""`switch` statements: constants, `case T name`, `when`, several labels on one section, `default` anywhere."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from emulators.apim.csharp.clr import equals
from emulators.apim.csharp.clr_types import BOOL, T, assignable
from emulators.apim.csharp.conversions import instance_test
from emulators.apim.csharp.expressions import Compiler
from emulators.apim.csharp.scope import Code, Frame, fail, field, named, text_of
from emulators.apim.csharp.typenames import type_of

Run = Callable[[Frame], str | None]
Statement = Callable[[Node], Run]
_LABELS = ("constant_pattern", "declaration_pattern", "when_clause")


def switch_of(compiler: Compiler, node: Node, statement: Statement) -> Run:
    """Runs the section that fits, and yields its signal."""
    subject = compiler.compile(field(node, "value"))
    _reject_repeated(node)
    slot = compiler.locals.declare(node, f"<switch {node.start_byte}>", subject.type)
    run, sections = subject.run, _sections(node)
    compiled = [_section(compiler, section, subject.type, slot, statement) for section in sections]
    default = next((body for tests, body in compiled if not tests), None)

    def execute(frame: Frame) -> str | None:
        frame.slots[slot] = run(frame)
        for tests, body in compiled:
            if any(test(frame) for test in tests):
                return body(frame)
        return default(frame) if default is not None else None

    return execute


def _reject_repeated(node: Node) -> None:
    seen: set[str] = set()
    for labels, _ in _sections(node):
        for index, label in enumerate(labels):
            guarded = labels[index + 1 : index + 2] and labels[index + 1].type == "when_clause"
            text = text_of(label)
            if label.type == "constant_pattern" and not guarded:
                if text in seen:
                    raise fail(label, f"the label `case {text}` stands twice (CS0152)", "case")
                seen.add(text)


def switch_ends(node: Node, ends: Callable[[Node], bool]) -> bool:
    """Whether every section leaves the method, and one of them is `default`."""
    sections = _sections(node)
    last = [statements[-1] for _, statements in sections]
    return any(not labels for labels, _ in sections) and all(ends(statement) for statement in last)


def _sections(node: Node) -> list[tuple[list[Node], list[Node]]]:
    """Labels and statements; the grammar gives every label a section, empty where another label follows."""
    found: list[tuple[list[Node], list[Node]]] = []
    labels: list[Node] = []
    default = False
    for section in named(field(node, "body")):
        parts = named(section)
        mine = [part for part in parts if part.type in _LABELS]
        statements = [part for part in parts if part.type.endswith("_statement") or part.type == "block"]
        if len(mine) + len(statements) < len(parts):
            raise fail(section, f"the label `{text_of(parts[0])}` is newer than C# 7", "case")
        default, labels = default or not mine, [*labels, *mine]
        if not mine and any(not labels for labels, _ in found):
            raise fail(section, "the label `default` stands twice (CS0152)", "default")
        if statements:
            _must_leave(statements[-1])
            found.append(([] if default else labels, statements))
            default, labels = False, []
    return found


def _must_leave(statement: Node) -> None:
    last = named(statement)[-1] if statement.type == "block" and named(statement) else statement
    if last.type in ("expression_statement", "local_declaration_statement", "block", "empty_statement"):
        raise fail(statement, "control cannot fall through from one case label to another (CS0163)", "case")


def _section(
    compiler: Compiler, section: tuple[list[Node], list[Node]], type_: T, slot: int, statement: Statement
) -> tuple[list[Code], Run]:
    labels, statements = section
    with compiler.locals.block():
        tests: list[Code] = []
        for label in labels:
            if label.type == "when_clause":
                tests.append(_both(tests.pop(), compiler.want(named(label)[0], BOOL, what="`when`").run))
            else:
                tests.append(_test(compiler, label, type_, slot))
        runs = [statement(one) for one in statements]

    def body(frame: Frame) -> str | None:
        for run in runs:
            signal = run(frame)
            if signal is not None:
                return signal
        return None

    return tests, body


def _both(first: Code, second: Code) -> Code:
    return lambda frame: first(frame) and second(frame)


def _test(compiler: Compiler, label: Node, type_: T, slot: int) -> Code:
    if label.type == "constant_pattern":
        wanted = compiler.compile(named(label)[0])
        if not (assignable(wanted.type, type_) or assignable(type_, wanted.type)):
            raise fail(label, f"a case of {type_} cannot be {wanted.type} (CS0029)", "case")
        value = wanted.run
        return lambda frame: equals(frame.slots[slot], value(frame))
    kind = type_of(field(label, "type"))
    fits, name = instance_test(kind), text_of(field(label, "name"))
    own = compiler.locals.declare(label, name, kind)

    def test(frame: Frame) -> bool:
        frame.slots[own] = frame.slots[slot]
        return fits(frame.slots[slot])

    return test
