"""What the C# compiler finds by following every path: variables that are read before they are assigned, constants and
loop variables that are assigned, `break` and `continue` outside loops (C# specification, "Definite assignment").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tree_sitter import Node

from emulators.apim.csharp.scope import fail, named, text_of

#: The names that are assigned at a point; None where the point cannot be reached.
State = frozenset[str] | None
_LAMBDAS = ("lambda_expression", "anonymous_method_expression")
_CONSTANT = {
    "integer_literal",
    "real_literal",
    "string_literal",
    "verbatim_string_literal",
    "character_literal",
    "boolean_literal",
    "null_literal",
    "parenthesized_expression",
    "prefix_unary_expression",
    "binary_expression",
    "cast_expression",
    "conditional_expression",
    "predefined_type",
    "default_expression",
}


def check(body: Node) -> None:
    """Raises CSharpError for the first fault on any path through a block."""
    _Flow().statement(body, frozenset())


def _meet(one: State, two: State) -> State:
    if one is None or two is None:
        return two if one is None else one
    return one & two


def _with(state: State, *names: str) -> State:
    return None if state is None else state | frozenset(names)


class _Flow:
    def __init__(self) -> None:
        #: Variables in sight that have no value yet when they are declared.
        self.tracked: set[str] = set()
        self.constants: set[str] = set()
        self.loop_variables: set[str] = set()
        self.breaks: list[list[State]] = []
        self.continues: list[list[State]] = []

    # Statements: the state after them

    def statement(self, node: Node, state: State) -> State:
        handler: Callable[[Node, State], State] | None = getattr(self, f"_{node.type}", None)
        return handler(node, state) if handler is not None else self.expression(node, state)

    def _block(self, node: Node, state: State) -> State:
        before = set(self.tracked), set(self.constants)
        for child in named(node):
            state = self.statement(child, state)
        self.tracked, self.constants = before
        return state

    def _local_declaration_statement(self, node: Node, state: State) -> State:
        constant = any(child.type == "modifier" and text_of(child) == "const" for child in node.children)
        declaration = next(child for child in named(node) if child.type == "variable_declaration")
        return self._variable_declaration(declaration, state, constant=constant)

    def _variable_declaration(self, node: Node, state: State, *, constant: bool = False) -> State:
        for declarator in [child for child in named(node) if child.type == "variable_declarator"]:
            name_node, *values = named(declarator)
            name = text_of(name_node)
            for value in values:
                state = self.expression(value, state)
            if constant:
                self._constant(declarator, name, values)
            state = _with(state, name) if values or state is None else state - {name}
            self.tracked.add(name)
        return state

    def _constant(self, node: Node, name: str, values: list[Node]) -> None:
        if not values:
            raise fail(node, f"the constant {name!r} needs a value (CS0145)", name)
        queue = list(values)
        while queue:
            part = queue.pop()
            if part.type not in _CONSTANT and text_of(part) not in self.constants:
                raise fail(
                    values[0], f"the value of {name!r} must be constant, as `{text_of(part)}` is not (CS0133)", name
                )
            queue.extend(named(part))
        self.constants.add(name)

    def _if_statement(self, node: Node, state: State) -> State:
        yes, no = self.condition(_field(node, "condition"), state)
        after = self.statement(_field(node, "consequence"), yes)
        alternative = node.child_by_field_name("alternative")
        return _meet(after, self.statement(alternative, no) if alternative is not None else no)

    @contextmanager
    def _loop(self) -> Iterator[tuple[list[State], list[State]]]:
        breaks, continues = list[State](), list[State]()
        self.breaks.append(breaks)
        self.continues.append(continues)
        try:
            yield breaks, continues
        finally:
            self.breaks.pop()
            self.continues.pop()

    def _while_statement(self, node: Node, state: State) -> State:
        yes, no = self.condition(_field(node, "condition"), state)
        with self._loop() as (breaks, _):
            self.statement(_field(node, "body"), yes)
        return _all(no, breaks)

    def _do_statement(self, node: Node, state: State) -> State:
        with self._loop() as (breaks, continues):
            after = _all(self.statement(_field(node, "body"), state), continues)
        _, no = self.condition(_field(node, "condition"), after)
        return _all(no, breaks)

    def _for_statement(self, node: Node, state: State) -> State:
        before = set(self.tracked)
        initializer, clause = node.child_by_field_name("initializer"), node.child_by_field_name("condition")
        if initializer is not None:
            state = self.statement(initializer, state)
        yes, no = self.condition(clause, state) if clause is not None else (state, None)
        with self._loop() as (breaks, continues):
            after = _all(self.statement(_field(node, "body"), yes), continues)
        for update in [child for child in node.children_by_field_name("update") if child.is_named]:
            after = self.expression(update, after)
        self.tracked = before
        return _all(no, breaks)

    def _foreach_statement(self, node: Node, state: State) -> State:
        state, name = self.expression(_field(node, "right"), state), text_of(_field(node, "left"))
        self.loop_variables.add(name)
        with self._loop() as (breaks, _):
            self.statement(_field(node, "body"), state)
        self.loop_variables.discard(name)
        return _all(state, breaks)

    def _using_statement(self, node: Node, state: State) -> State:
        before = set(self.tracked)
        after = self.statement(named(node)[0], state)
        self.loop_variables |= (held := self.tracked - before)
        after = self.statement(_field(node, "body"), after)
        self.loop_variables -= held
        self.tracked = before
        return after

    def _switch_statement(self, node: Node, state: State) -> State:
        state = self.expression(_field(node, "value"), state)
        self.breaks.append([])
        falls, default = state, False
        for section in named(_field(node, "body")):
            parts = named(section)
            default = default or not any(part.type.endswith("_pattern") for part in parts)
            inside = state
            for part in parts:
                if part.type == "declaration_pattern":
                    inside = _with(inside, text_of(_field(part, "name")))
                elif part.type == "when_clause":
                    inside, _ = self.condition(named(part)[0], inside)
                elif not part.type.endswith("_pattern"):
                    inside = self.statement(part, inside)
        return _all(None if default else falls, self.breaks.pop())

    def _try_statement(self, node: Node, state: State) -> State:
        after = self.statement(_field(node, "body"), state)
        for child in named(node):
            if child.type == "catch_clause":
                for clause in [part for part in named(child) if part.type == "catch_filter_clause"]:
                    self.expression(clause, state)
                after = _meet(after, self.statement(_field(child, "body"), state))
        for child in named(node):
            if child.type == "finally_clause":
                last = self.statement(named(child)[0], state)
                after = None if last is None or after is None else after | last
        return after

    def _return_statement(self, node: Node, state: State) -> State:
        self.expression(node, state)
        return None

    def _throw_statement(self, node: Node, state: State) -> State:
        self.expression(node, state)
        return None

    def _break_statement(self, node: Node, state: State) -> State:
        if not self.breaks:
            raise fail(node, "no loop or switch encloses this `break` (CS0139)", "break")
        self.breaks[-1].append(state)
        return None

    def _continue_statement(self, node: Node, state: State) -> State:
        if not self.continues:
            raise fail(node, "no loop encloses this `continue` (CS0139)", "continue")
        self.continues[-1].append(state)
        return None

    # Expressions: the state after them; conditions: after true, and after false

    def condition(self, node: Node, state: State) -> tuple[State, State]:
        if node.type == "parenthesized_expression":
            return self.condition(named(node)[0], state)
        text, sign = text_of(node), _sign(node)
        if text in ("true", "false"):
            return (state, None) if text == "true" else (None, state)
        if node.type == "prefix_unary_expression" and text.startswith("!"):
            yes, no = self.condition(named(node)[0], state)
            return no, yes
        if node.type == "binary_expression" and sign in ("&&", "||"):
            left = self.condition(_field(node, "left"), state)
            right = self.condition(_field(node, "right"), left[0] if sign == "&&" else left[1])
            if sign == "&&":
                return right[0], _meet(left[1], right[1])
            return _meet(left[0], right[0]), right[1]
        if node.type == "is_pattern_expression" and _field(node, "pattern").type == "declaration_pattern":
            after = self.expression(_field(node, "expression"), state)
            name = text_of(_field(_field(node, "pattern"), "name"))
            self.tracked.add(name)
            return _with(after, name), None if after is None else after - {name}
        after = self.expression(node, state)
        return after, after

    def expression(self, node: Node, state: State) -> State:
        if node.type == "identifier":
            return self._read(node, state)
        if _branches(node):
            return _meet(*self.condition(node, state))
        if node.type == "binary_expression" and _sign(node) == "??":
            after = self.expression(_field(node, "left"), state)
            self.expression(_field(node, "right"), after)
            return after
        if node.type == "conditional_expression":
            yes, no = self.condition(_field(node, "condition"), state)
            return _meet(
                self.expression(_field(node, "consequence"), yes), self.expression(_field(node, "alternative"), no)
            )
        if node.type == "assignment_expression":
            return self._assignment(node, state)
        if node.type in ("postfix_unary_expression", "prefix_unary_expression"):
            self._writable(named(node)[0], node)
        if node.type in _LAMBDAS:
            return self._lambda(node, state)
        if node.type == "conditional_access_expression":
            after = self.expression(_field(node, "condition"), state)
            for child in named(node)[1:]:
                self.expression(child, after)
            return after
        return self._parts(node, state)

    def _parts(self, node: Node, state: State) -> State:
        """The parts from left to right; names of members and of types are no variables."""
        if node.type == "member_access_expression":
            return self.expression(_field(node, "expression"), state)
        if node.type == "argument" and text_of(node).startswith("out "):
            value = named(node)[-1]
            name = value.child_by_field_name("name") if value.type == "declaration_expression" else value
            self._writable(value, node)
            return _with(state, text_of(name)) if name is not None else state
        skipped = {"generic_name", "type_argument_list", "nullable_type", "array_type", "member_binding_expression"}
        skip = [node.child_by_field_name(field) for field in ("type", "name")] if node.type != "element_access" else []
        for child in named(node):
            if child.type not in skipped and child not in skip:
                state = self.expression(child, state)
        return state

    def _read(self, node: Node, state: State) -> State:
        name = text_of(node)
        if state is not None and name in self.tracked and name not in state:
            raise fail(node, f"the variable {name!r} may be read before it is assigned (CS0165)", name)
        return state

    def _assignment(self, node: Node, state: State) -> State:
        left, sign = _field(node, "left"), text_of(_field(node, "operator"))
        if left.type != "identifier":
            if left.type != "element_binding_expression":
                state = self.expression(left, state)
            return self.expression(_field(node, "right"), state)
        if sign != "=":
            self._read(left, state)
        state = self.expression(_field(node, "right"), state)
        self._writable(left, node)
        return _with(state, text_of(left))

    def _writable(self, target: Node, node: Node) -> None:
        name = text_of(target)
        if target.type == "identifier" and name in self.constants:
            raise fail(node, f"the constant {name!r} cannot be assigned (CS0131)", name)
        if (
            target.type == "identifier"
            and name in self.loop_variables
            and not text_of(node).startswith(("-", "!", "~"))
        ):
            raise fail(node, f"the loop variable {name!r} cannot be assigned (CS1656)", name)

    def _lambda(self, node: Node, state: State) -> State:
        body, outer = _field(node, "body"), (self.breaks, self.continues)
        self.breaks, self.continues = [], []
        parameters = _names(_field(node, "parameters"))
        hidden = self.tracked & parameters
        self.tracked -= hidden
        self.statement(body, state)
        self.tracked |= hidden
        self.breaks, self.continues = outer
        return state


def _branches(node: Node) -> bool:
    """Whether it assigns otherwise where it is true than where it is false."""
    if node.type == "binary_expression":
        return _sign(node) in ("&&", "||")
    if node.type == "is_pattern_expression":
        return _field(node, "pattern").type == "declaration_pattern"
    return node.type == "prefix_unary_expression" and text_of(node).startswith("!")


def _names(node: Node) -> set[str]:
    if node.type in ("implicit_parameter", "identifier"):
        return {text_of(node)}
    return {text_of(child.child_by_field_name("name") or child) for child in named(node)}


def _all(state: State, others: list[State]) -> State:
    for other in others:
        state = _meet(state, other)
    return state


def _sign(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return text_of(operator) if operator is not None else ""


def _field(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    if found is None:
        raise fail(node, f"`{text_of(node)}` is not complete")
    return found
