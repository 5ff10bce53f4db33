"""C# statements to closures. A statement returns None to go on, or one of the signals below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp.clr import PYTHON_ERRORS, ClrError, iterate, null_reference, translated
from emulators.apim.csharp.clr_types import BOOL, EXCEPTION, NULL, OBJECT, VOID, T, ancestry, element_of, unify
from emulators.apim.csharp.expressions import Compiler, default_value
from emulators.apim.csharp.scope import Code, Frame, Typed, fail, field, named, text_of
from emulators.apim.csharp.switches import switch_ends, switch_of
from emulators.apim.csharp.typenames import declared, type_of

BREAK, CONTINUE, RETURN, THROW = "break", "continue", "return", "throw"

#: Runs one statement; yields its signal.
Run = Callable[[Frame], str | None]
Handler = Callable[["Block", Node], Run]
_HANDLERS: dict[str, Handler] = {}

#: Statements that C# 7 has and policy expressions here do not.
_REFUSED = {
    "local_function_statement": "local functions",
    "lock_statement": "`lock` and threads",
    "goto_statement": "`goto` and labels",
    "labeled_statement": "`goto` and labels",
    "yield_statement": "`yield` and iterators",
    "unsafe_statement": "`unsafe` and pointers",
    "fixed_statement": "`fixed` and pointers",
    "checked_statement": "`checked` and `unchecked`",
}


class Block:
    """A body being compiled, with the types its return statements yield."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self.returned: list[T] = []
        #: The slots of the exceptions whose catch clauses are being compiled.
        self.caught: list[int] = []

    def statement(self, node: Node) -> Run:
        handler = _HANDLERS.get(node.type)
        if node.type in _REFUSED:
            raise fail(node, f"{_REFUSED[node.type]} are outside the supported subset", text_of(node).split("\n")[0])
        if handler is None:
            raise fail(node, f"C# `{text_of(node).split(chr(10))[0]}` ({node.type}) is outside the supported subset")
        return handler(self, node)


def _handles(*types: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(types, handler))
        return handler

    return register


def block_of(compiler: Compiler, node: Node, *, must_return: bool = False) -> Typed:
    """A whole body as a value: what it returns, or void."""
    block = Block(compiler)
    run = block.statement(node)
    if (must_return or block.returned) and not _ends(node):
        raise fail(node, "not all code paths return a value (CS0161)", "return")
    type_ = _common(block.returned, node)

    def value(frame: Frame) -> Any:
        frame.result = None
        run(frame)
        return frame.result

    return Typed(type_, value)


def _common(types: list[T], node: Node) -> T:
    if not types:
        return VOID
    found = types[0]
    for type_ in types[1:]:
        wider = unify(found, type_)
        found = wider if wider is not None else OBJECT
    return OBJECT if found == NULL else found


def _ends(node: Node) -> bool:
    """Whether control cannot leave the statement at its end (C# specification, "End points and reachability")."""
    if node.type in ("return_statement", "throw_statement"):
        return True
    if node.type == "using_statement":
        return _ends(field(node, "body"))
    if node.type == "block":
        return any(_ends(child) for child in named(node))
    if node.type == "if_statement":
        alternative = node.child_by_field_name("alternative")
        return alternative is not None and _ends(field(node, "consequence")) and _ends(alternative)
    if node.type == "try_statement":
        catches = [child for child in named(node) if child.type == "catch_clause"]
        return _ends(field(node, "body")) and all(_ends(field(child, "body")) for child in catches)
    if node.type == "switch_statement":
        return switch_ends(node, _ends)
    endless = node.child_by_field_name("condition")
    looping = node.type == "while_statement" and endless is not None and text_of(endless) == "true"
    return looping or (node.type == "for_statement" and endless is None)


@_handles("block")
def _block(block: Block, node: Node) -> Run:
    with block.compiler.locals.block():
        runs = [block.statement(child) for child in named(node)]

    def execute(frame: Frame) -> str | None:
        for run in runs:
            signal = run(frame)
            if signal is not None:
                return signal
        return None

    return execute


@_handles("empty_statement")
def _empty(block: Block, node: Node) -> Run:
    return lambda frame: None


@_handles("local_declaration_statement")
def _local(block: Block, node: Node) -> Run:
    return _declaration(block, next(child for child in named(node) if child.type == "variable_declaration"))


def _declaration(block: Block, node: Node) -> Run:
    """`var a = 1, b = 2`. The variable is declared after its initialiser: it cannot read itself."""
    type_node, stores = field(node, "type"), []
    for declarator in [child for child in named(node) if child.type == "variable_declarator"]:
        stores.append(_declarator(block.compiler, type_node, declarator))

    def execute(frame: Frame) -> None:
        for slot, run in stores:
            frame.slots[slot] = run(frame)

    return execute


def _declarator(compiler: Compiler, type_node: Node, node: Node) -> tuple[int, Code]:
    if node.child_by_field_name("name") is None or field(node, "name").type != "identifier":
        raise fail(node, "tuples and deconstruction are outside the supported subset")
    name_node = field(node, "name")
    values = [child for child in named(node) if child != name_node]
    name = text_of(name_node)
    if not values:
        type_ = type_of(type_node)
        empty = default_value(type_)
        return compiler.locals.declare(node, name, type_), lambda frame: empty
    if type_node.type == "implicit_type":
        found = compiler.compile(values[0])
        return compiler.locals.declare(node, name, declared(type_node, found.type)), found.run
    type_ = type_of(type_node)
    run = compiler.want(values[0], type_, what=f"the variable {name!r}").run
    return compiler.locals.declare(node, name, type_), run


@_handles("expression_statement")
def _expression(block: Block, node: Node) -> Run:
    inner = named(node)[0]
    if inner.type not in (
        "assignment_expression",
        "invocation_expression",
        "postfix_unary_expression",
        "prefix_unary_expression",
        "conditional_access_expression",
    ):
        raise fail(node, f"`{text_of(node)}` is not a statement (CS0201)")
    run = block.compiler.compile(inner).run

    def execute(frame: Frame) -> None:
        run(frame)

    return execute


@_handles("if_statement")
def _if(block: Block, node: Node) -> Run:
    condition = block.compiler.want(field(node, "condition"), BOOL, what="an if condition").run
    yes = _nested(block, field(node, "consequence"))
    alternative = node.child_by_field_name("alternative")
    no: Run = _nested(block, alternative) if alternative is not None else lambda frame: None
    return lambda frame: yes(frame) if condition(frame) else no(frame)


def _nested(block: Block, node: Node) -> Run:
    with block.compiler.locals.block():
        return block.statement(node)


@_handles("return_statement")
def _return(block: Block, node: Node) -> Run:
    values = named(node)
    if not values:
        return lambda frame: RETURN
    found = block.compiler.compile(values[0])
    block.returned.append(found.type)
    run = found.run

    def execute(frame: Frame) -> str:
        frame.result = run(frame)
        return RETURN

    return execute


@_handles("break_statement")
def _break(block: Block, node: Node) -> Run:
    return lambda frame: BREAK


@_handles("continue_statement")
def _continue(block: Block, node: Node) -> Run:
    return lambda frame: CONTINUE


@_handles("foreach_statement")
def _foreach(block: Block, node: Node) -> Run:
    compiler = block.compiler
    source = compiler.compile(field(node, "right"))
    element, target = element_of(source.type), field(node, "left")
    if element is None or target.type != "identifier":
        raise fail(node, f"foreach cannot iterate over {source.type} like this", "foreach")
    with compiler.locals.block():
        slot = compiler.locals.declare(target, text_of(target), declared(field(node, "type"), element))
        body = block.statement(field(node, "body"))
    items = source.run

    def execute(frame: Frame) -> str | None:
        for item in iterate(items(frame)):
            frame.tick()
            frame.slots[slot] = item
            signal = body(frame)
            if signal is RETURN:
                return signal
            if signal is BREAK:
                break
        return None

    return execute


def _looping(condition: Code, body: Run, update: list[Code], *, first: bool = False) -> Run:
    def execute(frame: Frame) -> str | None:
        unchecked = first
        while unchecked or condition(frame):
            unchecked = False
            frame.tick()
            signal = body(frame)
            if signal is RETURN:
                return signal
            if signal is BREAK:
                break
            for step in update:
                step(frame)
        return None

    return execute


@_handles("while_statement", "do_statement")
def _while(block: Block, node: Node) -> Run:
    condition = block.compiler.want(field(node, "condition"), BOOL, what="a loop condition").run
    return _looping(condition, _nested(block, field(node, "body")), [], first=node.type == "do_statement")


def _always(frame: Frame) -> bool:
    return True


@_handles("for_statement")
def _for(block: Block, node: Node) -> Run:
    compiler = block.compiler
    with compiler.locals.block():
        initializer = node.child_by_field_name("initializer")
        start: Run = lambda frame: None  # noqa: E731 - a default for the optional clause
        if initializer is not None and initializer.type == "variable_declaration":
            start = _declaration(block, initializer)
        elif initializer is not None:
            begin = compiler.compile(initializer).run
            start = lambda frame: begin(frame) and None  # noqa: E731 - as above
        clause = node.child_by_field_name("condition")
        condition = compiler.want(clause, BOOL, what="a loop condition").run if clause is not None else _always
        update = [compiler.compile(child).run for child in node.children_by_field_name("update") if child.is_named]
        loop = _looping(condition, block.statement(field(node, "body")), update)

    def execute(frame: Frame) -> str | None:
        start(frame)
        return loop(frame)

    return execute


@_handles("switch_statement")
def _switch(block: Block, node: Node) -> Run:
    run = switch_of(block.compiler, node, block.statement)

    def execute(frame: Frame) -> str | None:
        signal = run(frame)
        return None if signal is BREAK else signal

    return execute


#: Documented types that are IDisposable: `using` takes no others.
_DISPOSABLE = ("HashAlgorithm", "HMAC", "SHA", "MD5", "SymmetricAlgorithm", "StringReader", "StringWriter")


@_handles("using_statement")
def _using(block: Block, node: Node) -> Run:
    """There is nothing to dispose of: the objects hold no resources here."""
    compiler = block.compiler
    with compiler.locals.block():
        resource = named(node)[0]
        if resource.type == "variable_declaration":
            start = _declaration(block, resource)
            name = text_of(field(next(c for c in named(resource) if c.type == "variable_declarator"), "name"))
            found = compiler.locals.find(name)
            type_ = found[1] if found is not None else OBJECT
        else:
            value = compiler.compile(resource)
            type_, run = value.type, value.run
            start = lambda frame: run(frame) and None  # noqa: E731 - one expression, evaluated once
        if not type_.name.startswith(_DISPOSABLE):
            raise fail(resource, f"`using` needs an IDisposable, and this is {type_} (CS1674)", type_.name)
        body = block.statement(field(node, "body"))

    def execute(frame: Frame) -> str | None:
        start(frame)
        return body(frame)

    return execute


@_handles("throw_statement")
def _throw(block: Block, node: Node) -> Run:
    if not named(node):
        return _rethrow(block, node)
    run = block.compiler.want(named(node)[0], EXCEPTION, what="throw").run

    def execute(frame: Frame) -> str | None:
        error = run(frame)
        raise error if isinstance(error, ClrError) else null_reference()

    return execute


def _rethrow(block: Block, node: Node) -> Run:
    if not block.caught:
        raise fail(node, "`throw;` stands only in a catch clause (CS0156)", "throw")
    slot = block.caught[-1]

    def execute(frame: Frame) -> str | None:
        raise frame.slots[slot]

    return execute


@_handles("try_statement")
def _try(block: Block, node: Node) -> Run:
    _check_catches(node)
    body = block.statement(field(node, "body"))
    catches = [_catch(block, child) for child in named(node) if child.type == "catch_clause"]
    lasts = [_nested(block, named(child)[0]) for child in named(node) if child.type == "finally_clause"]

    def guarded(frame: Frame) -> str | None:
        try:
            return body(frame)
        except (ClrError, *PYTHON_ERRORS) as caught:
            error = caught if isinstance(caught, ClrError) else translated(caught)
            for type_, slot, wanted, handler in catches:
                if error.is_a(type_):
                    frame.slots[slot] = error
                    if wanted(frame):
                        return handler(frame)
            raise error from caught

    def execute(frame: Frame) -> str | None:
        try:
            return guarded(frame)
        finally:
            for last in lasts:
                last(frame)

    return execute if lasts else guarded


def _check_catches(node: Node) -> None:
    clauses = [child for child in named(node) if child.type in ("catch_clause", "finally_clause")]
    if not clauses:
        raise fail(node, "a `try` needs a catch or finally clause (CS1524)", "try")
    taken: list[str] = []
    for clause in [clause for clause in clauses if clause.type == "catch_clause"]:
        declarations = [child for child in named(clause) if child.type == "catch_declaration"]
        filters = [child for child in named(clause) if child.type == "catch_filter_clause"]
        name = type_of(field(declarations[0], "type")).name if declarations else EXCEPTION.name
        if "" in taken:
            raise fail(clause, "a catch clause without a type must be the last one (CS1017)", "catch")
        if any(earlier in ancestry(name) for earlier in taken):
            raise fail(clause, f"an earlier catch clause takes every {name} (CS0160)", name)
        if not filters:
            taken.append(name if declarations else "")


def _catch(block: Block, node: Node) -> tuple[str, int, Code, Run]:
    """Which exceptions it takes, where it keeps one, its `when`, and its body."""
    declarations = [child for child in named(node) if child.type == "catch_declaration"]
    filters = [child for child in named(node) if child.type == "catch_filter_clause"]
    compiler, type_ = block.compiler, EXCEPTION
    with compiler.locals.block():
        name: Node | None = None
        if declarations:
            type_, name = type_of(field(declarations[0], "type")), declarations[0].child_by_field_name("name")
        kept = text_of(name) if name is not None else f"<catch {node.start_byte}>"
        slot = compiler.locals.declare(node, kept, type_)
        wanted = compiler.want(named(filters[0])[0], BOOL, what="`when`").run if filters else _always
        block.caught.append(slot)
        body = block.statement(field(node, "body"))
        block.caught.pop()
    return type_.name, slot, wanted, body
