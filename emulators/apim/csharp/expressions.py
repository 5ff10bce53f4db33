"""C# expressions to closures: literals, names, members, indexers, `?.`, conditionals. Calls, operators: own modules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import itemgetter
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp import library
from emulators.apim.csharp.clr import ClrError, null_reference, to_text
from emulators.apim.csharp.clr_types import (
    BOOL,
    BYTE,
    CHAR,
    DECIMAL,
    DOUBLE,
    INT,
    LONG,
    NULL,
    VALUE_TYPES,
    T,
    assignable,
    default_value,
    is_reference,
    nullable,
    unify,
)
from emulators.apim.csharp.scope import NIL, CSharpError, Frame, Locals, Typed, fail, field, named, text_of
from emulators.apim.csharp.signatures import bound
from emulators.apim.csharp.typenames import type_name, type_of

Handler = Callable[["Compiler", Node], Typed]
_HANDLERS: dict[str, Handler] = {}


def handles(*types: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(types, handler))
        return handler

    return register


#: Expressions that C# 7 has and policy expressions here do not.
_REFUSED = {
    "tuple_expression": "tuples and deconstruction",
    "query_expression": "query expressions (`from … select`; Where and Select are not)",
    "checked_expression": "`checked` and `unchecked`",
    "typeof_expression": "`typeof` and reflection",
    "sizeof_expression": "`sizeof` and pointers",
    "await_expression": "`async` and `await`",
    "stackalloc_expression": "`stackalloc` and pointers",
    "ref_expression": "`ref` variables",
    "range_expression": "ranges, newer than C# 7,",
}


class Compiler:
    """One expression's compilation."""

    def __init__(self) -> None:
        self.locals = Locals()
        #: How many calls of lambdas that variables hold were compiled: a lambda with one may call itself.
        self.delegate_calls = 0

    def compile(self, node: Node) -> Typed:
        """The expression as a value: a `?.` chain ends here."""
        found = self.chain(node)
        if not found.chain:
            return found
        run = found.run

        def ended(frame: Frame) -> Any:
            value = run(frame)
            return None if value is NIL else value

        return Typed(found.type if found.type.name == "void" else nullable(found.type), ended)

    def chain(self, node: Node) -> Typed:
        """The expression as part of a `?.` chain."""
        handler = _HANDLERS.get(node.type)
        if node.type in _REFUSED:
            raise fail(node, f"{_REFUSED[node.type]} are outside the supported subset")
        if handler is None:
            kind = node.type.replace("_", " ")
            raise fail(node, f"C# `{text_of(node)}` ({kind}) is outside the supported subset")
        return handler(self, node)

    def want(self, node: Node, type_: T, *, what: str) -> Typed:
        """The expression, which must convert to `type_` without a cast."""
        found = self.compile_for(node, type_)
        if not assignable(found.type, type_) and not fits_byte(found, type_):
            raise fail(node, f"{what} needs {type_}, and `{text_of(node)}` is {found.type}: add a cast or conversion")
        return widened(found, type_)

    def compile_for(self, node: Node, type_: T) -> Typed:
        """Compiles with a target type, which array initialisers and lambdas take theirs from."""
        from emulators.apim.csharp.calls import array_of, lambda_for, yielding

        if node.type == "initializer_expression" and type_.name == "Array":
            return array_of(self, node, type_.args[0])
        if node.type == "lambda_expression":
            if type_.name not in ("Func", "Predicate"):
                raise fail(node, f"a lambda cannot become {type_}")
            if type_.name == "Func":
                return yielding(lambda_for(self, node, list(type_.args[:-1])), type_)
            return lambda_for(self, node, list(type_.args))
        return self.compile(node)


def fits_byte(found: Typed, type_: T) -> bool:
    """A constant from 0 to 255 converts to a byte (C# specification, "Implicit constant expression conversions")."""
    return type_ == BYTE and found.constant and found.type == INT and 0 <= found.run(Frame(None, 0)) <= 255


def widened(found: Typed, type_: T) -> Typed:
    """A number or character as the wider number that it is assigned to."""
    run = found.run
    if type_ in (DOUBLE, DECIMAL) and found.type in (INT, LONG, BYTE):
        number: Callable[[int], Any] = float if type_ == DOUBLE else Decimal
        return Typed(type_, lambda frame: number(run(frame)))
    if found.type == CHAR and type_ in (INT, LONG, DOUBLE):
        return Typed(type_, lambda frame: ord(run(frame)))
    if found.type == CHAR and type_ == DECIMAL:
        return Typed(type_, lambda frame: Decimal(ord(run(frame))))
    return found


def constant(type_: T, value: Any) -> Typed:
    return Typed(type_, lambda frame: value, safe=value is not None, constant=True)


def _context(frame: Frame) -> Any:
    return frame.context


@handles("parenthesized_expression")
def _parenthesized(compiler: Compiler, node: Node) -> Typed:
    return compiler.compile(named(node)[0])


@handles("identifier")
def _identifier(compiler: Compiler, node: Node) -> Typed:
    name = text_of(node)
    if name == "context":
        return Typed(T("IContext"), _context, safe=True)
    found = compiler.locals.find(name)
    if found is None and name in ("System", "Newtonsoft"):
        raise _undocumented(node)
    if found is None:
        raise fail(node, f"the name {name!r} does not exist here (CS0103)", name)
    slot, type_ = found
    return Typed(type_, lambda frame: frame.slots[slot])


def _undocumented(node: Node) -> CSharpError:
    """Names the whole of `System.IO.File.ReadAllText`, of which this node is the first word."""
    whole = node
    while whole.parent is not None and whole.parent.type == "member_access_expression":
        whole = whole.parent
    name = text_of(whole)
    return fail(whole, f"{name} is not in the supported list of types and members", name)


@handles("conditional_expression")
def _conditional(compiler: Compiler, node: Node) -> Typed:
    condition = compiler.want(field(node, "condition"), BOOL, what="a condition").run
    yes, no = compiler.compile(field(node, "consequence")), compiler.compile(field(node, "alternative"))
    type_ = unify(yes.type, no.type)
    if type_ is None:
        raise fail(node, f"the branches of `?:` are {yes.type} and {no.type}, which have no common type (CS0173)")
    first, second = yes.run, no.run
    return Typed(type_, lambda frame: first(frame) if condition(frame) else second(frame))


def static_owner(compiler: Compiler, node: Node) -> str | None:
    """The type that `X` in `X.Member` names, unless X is a variable."""
    if node.type in ("identifier", "member_access_expression", "predefined_type", "qualified_name"):
        first = text_of(node).split(".", 1)[0]
        if first == "context" or compiler.locals.find(first) is not None:
            return None
        name = type_name(text_of(node))
        if library.is_type(name) and not library.is_documented(name):
            raise fail(node, f"the type {name!r} is not in Microsoft's list of types for policy expressions", name)
        return name if library.is_type(name) else None
    return None


@handles("member_access_expression")
def _member(compiler: Compiler, node: Node) -> Typed:
    target, name = field(node, "expression"), text_of(field(node, "name"))
    owner = static_owner(compiler, target)
    if owner is not None:
        found = library.static(owner, "property", name)
        if not found:
            raise fail(node, f"{owner}.{name} is not in the supported list of types and members", f"{owner}.{name}")
        read = found[0].impl
        return Typed(found[0].result(T(owner)), lambda frame: read())
    return property_of(compiler.chain(target), name, node)


def property_of(receiver: Typed, name: str, node: Node) -> Typed:
    if receiver.type.name == ANONYMOUS:
        return anonymous_property(receiver, name, node)
    found = library.find(receiver.type.name, "property", name)
    if found is None:
        raise fail(
            node,
            f"{receiver.type} has no supported property {name!r}" + _hint(receiver.type),
            f"{receiver.type}.{name}",
        )
    type_ = found.result(receiver.type)
    safe = found.never_null or (type_.name in VALUE_TYPES and type_.name != "Nullable")
    return through(receiver, found.impl, type_, safe=safe, takes_null=found.takes_null)


#: The name of anonymous types; their arguments are their properties, each with its type.
ANONYMOUS = "Anonymous"


def anonymous_property(receiver: Typed, name: str, node: Node) -> Typed:
    types = {argument.name: argument.args[0] for argument in receiver.type.args}
    if name not in types:
        raise fail(node, f"this anonymous type has no property {name!r} (CS1061)", name)
    return through(receiver, itemgetter(name), types[name])


def _hint(type_: T) -> str:
    return ": cast it to its type first" if type_.name == "object" else ""


def through(
    receiver: Typed, impl: Callable[[Any], Any], type_: T, *, safe: bool = False, takes_null: bool = False
) -> Typed:
    """A member read of the receiver: null raises, unless the member takes it; NIL passes."""
    run = receiver.run
    if run is _context:
        return Typed(type_, lambda frame: impl(frame.context), safe=safe)
    if receiver.safe:
        return Typed(type_, lambda frame: impl(run(frame)), safe=safe)

    def read(frame: Frame) -> Any:
        value = run(frame)
        if value is None and not takes_null:
            raise null_reference()
        return NIL if value is NIL else impl(value)

    return Typed(type_, read, receiver.chain, safe and not receiver.chain)


@handles("element_access_expression")
def _element(compiler: Compiler, node: Node) -> Typed:
    return index_of(compiler, compiler.chain(field(node, "expression")), field(node, "subscript"), node)


def index_of(compiler: Compiler, receiver: Typed, subscript: Node, node: Node) -> Typed:
    arguments = [argument for argument in named(subscript) if argument.type == "argument"] or [subscript]
    found = library.find(receiver.type.name, "indexer", "this[]")
    if found is None or len(arguments) != 1:
        raise fail(node, f"{receiver.type} cannot be indexed like this" + _hint(receiver.type), f"{receiver.type}[]")
    key = compiler.compile(named(arguments[0])[0])
    run, at, impl = receiver.run, key.run, found.impl
    wanted = bound(found.signature.parameters[0].type, found.types_of(receiver.type))
    if not assignable(key.type, wanted):
        raise fail(node, f"{receiver.type} is indexed by {wanted}, not by {key.type}", f"{receiver.type}[]")
    type_ = found.result(receiver.type)
    if receiver.safe and key.constant:
        fixed = at(Frame(None, 0))
        return Typed(type_, lambda frame: impl(run(frame), fixed))

    def read(frame: Frame) -> Any:
        value = run(frame)
        if value is None:
            raise null_reference()
        return NIL if value is NIL else impl(value, at(frame))

    return Typed(type_, read, receiver.chain)


@handles("conditional_access_expression")
def _conditional_access(compiler: Compiler, node: Node) -> Typed:
    condition = field(node, "condition")
    receiver = guarded(compiler.chain(condition), condition)
    binding = next(child for child in named(node) if child.type.endswith("_binding_expression"))
    if binding.type == "member_binding_expression":
        found = property_of(receiver, text_of(field(binding, "name")), node)
    else:
        found = index_of(compiler, receiver, binding, node)
    return Typed(found.type, found.run, chain=True)


def guarded(receiver: Typed, node: Node) -> Typed:
    """The receiver of `?.`: null becomes NIL, and a nullable value counts as its value."""
    if not is_reference(receiver.type) and receiver.type.name != "Nullable":
        raise fail(node, f"`?.` cannot follow {receiver.type}, which is never null (CS0023)")
    run = receiver.run
    inner = receiver.type.args[0] if receiver.type.name == "Nullable" else receiver.type

    def value(frame: Frame) -> Any:
        found = run(frame)
        return NIL if found is None else found

    return Typed(inner, value, chain=True)


@handles("default_expression")
def _default(compiler: Compiler, node: Node) -> Typed:
    type_node = node.child_by_field_name("type")
    if type_node is None:
        raise fail(node, "`default` needs its type: default(T)")
    type_ = type_of(type_node)
    return constant(type_, default_value(type_))


@handles("throw_expression")
def _throw(compiler: Compiler, node: Node) -> Typed:
    run = compiler.compile(named(node)[0]).run

    def throw(frame: Frame) -> Any:
        error = run(frame)
        raise error if isinstance(error, ClrError) else null_reference()

    return Typed(NULL, throw)


__all__ = ["CSharpError", "Compiler", "default_value", "to_text"]
