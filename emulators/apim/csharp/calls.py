"""C# calls to closures: methods, constructors, initialisers, lambdas, `out` arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp import binding, library
from emulators.apim.csharp.clr import EvaluationLimit, limited, null_reference, room_for_items
from emulators.apim.csharp.clr_types import INT, NUMERIC, OBJECT, T, array, assignable, unify
from emulators.apim.csharp.conversions import converter
from emulators.apim.csharp.expressions import (
    ANONYMOUS,
    Compiler,
    default_value,
    fits_byte,
    guarded,
    handles,
    static_owner,
    widened,
)
from emulators.apim.csharp.formats import unknown
from emulators.apim.csharp.library import Member
from emulators.apim.csharp.members.regex import reject_unknown
from emulators.apim.csharp.scope import NIL, Code, Frame, Typed, fail, field, named, text_of
from emulators.apim.csharp.signatures import bound
from emulators.apim.csharp.typenames import declared, type_of


@handles("invocation_expression")
def _invocation(compiler: Compiler, node: Node) -> Typed:
    function = field(node, "function")
    if function.type == "member_access_expression":
        target, name = field(function, "expression"), field(function, "name")
        owner = static_owner(compiler, target)
        if owner is not None:
            return _static_call(compiler, node, owner, name)
        return _call(compiler, node, compiler.chain(target), name)
    if function.type == "conditional_access_expression":
        condition = field(function, "condition")
        binding = named(function)[-1]
        if binding.type == "member_binding_expression":
            receiver = guarded(compiler.chain(condition), condition)
            return _call(compiler, node, receiver, field(binding, "name"))
    if function.type == "identifier" and text_of(function) != "context":
        return _delegate_call(compiler, node, function)
    raise fail(node, f"`{text_of(function)}` cannot be called")


def _delegate_call(compiler: Compiler, node: Node, function: Node) -> Typed:
    """A lambda held in a variable."""
    target = compiler.compile(function)
    if target.type.name != "Func":
        raise fail(node, f"`{text_of(function)}` is not a method (CS0149)", text_of(function))
    arguments = [compiler.compile(named(argument)[0]).run for argument in named(field(node, "arguments"))]
    run = target.run
    compiler.delegate_calls += 1
    return Typed(target.type.args[-1], lambda frame: run(frame)(*[argument(frame) for argument in arguments]))


def _split_name(name: Node) -> tuple[str, list[T]]:
    if name.type == "generic_name":
        return text_of(named(name)[0]), [type_of(child) for child in named(named(name)[1])]
    return text_of(name), []


def _static_call(compiler: Compiler, node: Node, owner: str, name_node: Node) -> Typed:
    name, generics = _split_name(name_node)
    members = library.static(owner, "method", name)
    if not members:
        raise fail(node, f"{owner}.{name} is not in the supported list of types and members", f"{owner}.{name}")
    call = bind(compiler, node, [members], T(owner), generics)
    return Typed(call.result, _applied(call.member.with_types(call.types), call.codes))


def _applied(impl: Callable[..., Any], arguments: list[Code]) -> Code:
    if len(arguments) == 1:
        only = arguments[0]
        return lambda frame: limited(impl(only(frame)))
    return lambda frame: limited(impl(*[argument(frame) for argument in arguments]))


def _call(compiler: Compiler, node: Node, receiver: Typed, name_node: Node) -> Typed:
    name, generics = _split_name(name_node)
    groups = library.methods(receiver.type, name)
    if not groups:
        hint = ": cast it to its type first" if receiver.type.name == "object" else ""
        raise fail(node, f"{receiver.type} has no supported method {name!r}{hint}", f"{receiver.type}.{name}")
    call = bind(compiler, node, groups, receiver.type, generics)
    result, arguments, impl = call.result, call.codes, call.member.with_types(call.types)
    if receiver.safe or call.member.takes_null:
        return Typed(result, _direct(receiver.run, impl, arguments, result), receiver.chain)
    run = receiver.run

    def invoke(frame: Frame) -> Any:
        value = run(frame)
        if value is NIL:
            return NIL
        if value is None:
            raise null_reference()
        return limited(impl(value, *[argument(frame) for argument in arguments]))

    return Typed(result, invoke, receiver.chain)


def _direct(run: Code, impl: Callable[..., Any], arguments: list[Code], result: T) -> Code:
    """A call whose receiver needs no check; what cannot grow is not measured either."""
    if result.name in ("bool", "int", "object") and len(arguments) == 1:
        only = arguments[0]
        return lambda frame: impl(run(frame), only(frame))
    if len(arguments) == 2:
        first, second = arguments
        return lambda frame: limited(impl(run(frame), first(frame), second(frame)))
    return lambda frame: limited(impl(run(frame), *[argument(frame) for argument in arguments]))


def bind(compiler: Compiler, node: Node, groups: list[list[Member]], receiver: T, generics: list[T]) -> binding.Call:
    """The overload that a call means."""
    arguments = binding.arguments_of(compiler, node)
    call = binding.resolve(compiler, node, groups, receiver, generics, arguments)
    if call.member.owner == "Regex":
        _check_patterns(call, arguments)
    if call.member.name == "ToString" and arguments:
        _check_format(receiver, arguments[0])
    return call


def _check_format(receiver: T, argument: binding.Argument) -> None:
    """A constant format that cannot be reproduced does not load."""
    if argument.typed is not None and argument.typed.constant:
        layout = argument.typed.run(Frame(None, 0))
        why = unknown(receiver, layout) if isinstance(layout, str) else ""
        if why:
            raise fail(argument.value, f"the format {layout!r} cannot be used for {receiver}: {why}", str(layout))


def _check_patterns(call: binding.Call, arguments: list[binding.Argument]) -> None:
    """A pattern that Python's engine would take for something else does not load."""
    names = [parameter.name for parameter in call.member.signature.parameters]
    for argument, name in zip(arguments, names, strict=False):
        if name == "pattern" and argument.typed is not None and argument.typed.constant:
            pattern = argument.typed.run(Frame(None, 0))
            try:
                reject_unknown(pattern if isinstance(pattern, str) else "")
            except EvaluationLimit as error:
                raise fail(argument.value, str(error)) from error


def out_argument(compiler: Compiler, argument: Node, value: Node, type_: T) -> Typed:
    """`out v`, `out var v`, `out string v`, `out _`: code that yields a function which stores the result."""
    if not text_of(argument).startswith("out "):
        raise fail(argument, "this argument must be passed with `out` (CS1620)")
    if value.type == "declaration_expression":
        slot = compiler.locals.declare(value, text_of(field(value, "name")), declared(field(value, "type"), type_))
    elif text_of(value) == "_":
        return Typed(type_, lambda frame: lambda result: None)
    else:
        found = compiler.locals.find(text_of(value))
        if found is None:
            raise fail(value, f"the name {text_of(value)!r} does not exist here (CS0103)", text_of(value))
        slot = found[0]

    def setter(frame: Frame) -> Callable[[Any], None]:
        def store(result: Any) -> None:
            frame.slots[slot] = result

        return store

    return Typed(type_, setter)


def _parameters(node: Node) -> list[Node]:
    parameters = field(node, "parameters")
    return [parameters] if parameters.type == "implicit_parameter" else named(parameters)


def lambda_for(compiler: Compiler, node: Node, kinds: list[T]) -> Typed:
    """A lambda whose parameters have these types. Its locals live in the surrounding frame."""
    from emulators.apim.csharp.statements import block_of

    parameters = _parameters(node)
    if len(parameters) != len(kinds):
        raise fail(node, f"this lambda takes {len(kinds)} parameters, not {len(parameters)}")
    body, calls = field(node, "body"), compiler.delegate_calls
    with compiler.locals.block():
        slots = []
        for parameter, kind in zip(parameters, kinds, strict=True):
            name = parameter.child_by_field_name("name") or parameter
            slots.append(compiler.locals.declare(parameter, text_of(name), kind))
        found = block_of(compiler, body) if body.type == "block" else compiler.compile(body)
    run = found.run
    make = _closure(run, slots)
    if compiler.delegate_calls > calls:
        make = _reentrant(make, slice(min(slots, default=compiler.locals.size), compiler.locals.size))
    return Typed(T("Func", (*kinds, found.type)), make)


def yielding(found: Typed, wanted: T) -> Typed:
    """The lambda for a delegate type: a number or character that it yields becomes the wider one that is wanted."""
    kind, target = found.type.args[-1], wanted.args[-1]
    if kind == target or target.name not in NUMERIC or not assignable(kind, target):
        return found
    convert, make = converter(kind, target), found.run

    def made(frame: Frame) -> Callable[..., Any]:
        function = make(frame)
        return lambda *values: convert(function(*values))

    return Typed(T("Func", (*found.type.args[:-1], target)), made)


def _reentrant(make: Code, own: slice) -> Code:
    """A lambda that may call itself: its variables are those of one call."""

    def made(frame: Frame) -> Callable[..., Any]:
        function = make(frame)

        def call(*values: Any) -> Any:
            before = frame.slots[own]
            try:
                return function(*values)
            finally:
                frame.slots[own] = before

        return call

    return made


def _closure(run: Code, slots: list[int]) -> Code:
    single = slots[0] if len(slots) == 1 else None

    def make(frame: Frame) -> Callable[..., Any]:
        def one(value: Any) -> Any:
            frame.tick()
            frame.slots[single] = value  # type: ignore[index]
            return run(frame)

        def several(*values: Any) -> Any:
            frame.tick()
            for slot, value in zip(slots, values, strict=False):
                frame.slots[slot] = value
            return run(frame)

        return several if single is None else one

    return make


@handles("object_creation_expression")
def _new(compiler: Compiler, node: Node) -> Typed:
    type_ = type_of(field(node, "type"))
    members = next((group for group in library.overloads(type_.name, "constructor", "new")), [])
    if not members or members[0].owner != type_.name:
        raise fail(node, f"`new {type_}` is not supported", f"new {type_}")
    if len(members[0].variables) != len(type_.args):
        raise fail(node, f"{type_.name} needs {len(members[0].variables)} type arguments (CS0305)", f"new {type_}")
    call = bind(compiler, node, [members], type_, [])
    impl, arguments = call.member.with_types(call.types), call.codes
    initializer = node.child_by_field_name("initializer")
    if initializer is None:
        return Typed(type_, lambda frame: impl(*[argument(frame) for argument in arguments]), safe=True)
    fills = [_filler(compiler, item, type_) for item in named(initializer)]

    def create(frame: Frame) -> Any:
        made = impl(*[argument(frame) for argument in arguments])
        for fill in fills:
            fill(frame, made)
        return made

    return Typed(type_, create, safe=True)


def _filler(compiler: Compiler, item: Node, type_: T) -> Callable[[Frame, Any], Any]:
    """`{ a }` and `{ {k, v} }` call Add, `{ [k] = v }` the indexer (C# specification, "Collection initializers")."""
    if item.type == "assignment_expression":
        return _indexed(compiler, item, type_)
    groups = library.overloads(type_.name, "method", "Add")
    if not groups:
        raise fail(item, f"{type_} takes no initialiser: it has no Add (CS1922)", f"{type_}.Add")
    given = named(item) if item.type == "initializer_expression" else [item]
    arguments = [binding.Argument(one, one, typed=compiler.compile(one)) for one in given]
    call = binding.resolve(compiler, item, groups, type_, [], arguments)
    add, codes = call.member.with_types(call.types), call.codes
    return lambda frame, made: add(made, *[code(frame) for code in codes])


def _indexed(compiler: Compiler, item: Node, type_: T) -> Callable[[Frame, Any], Any]:
    target, at = field(item, "left"), library.find(type_.name, "indexer", "this[]")
    if target.type != "element_binding_expression" or at is None or at.write is None:
        raise fail(item, f"{type_} takes no initialiser of this form", f"{type_}[]")
    types = at.types_of(type_)
    key = compiler.want(named(named(target)[0])[0], bound(at.signature.parameters[0].type, types), what="this key").run
    value = compiler.want(field(item, "right"), bound(at.signature.returns, types), what="this value").run
    write = at.write
    return lambda frame, made: write(made, key(frame), value(frame))


@handles("implicit_array_creation_expression")
def _implicit_array(compiler: Compiler, node: Node) -> Typed:
    return array_of(compiler, named(node)[-1], None)


@handles("array_creation_expression")
def _array(compiler: Compiler, node: Node) -> Typed:
    type_ = type_of(field(node, "type"))
    initializer = named(node)[-1]
    if initializer.type == "initializer_expression":
        return array_of(compiler, initializer, type_.args[0])
    sizes = [
        child for rank in named(field(node, "type")) if rank.type == "array_rank_specifier" for child in named(rank)
    ]
    if len(sizes) != 1:
        raise fail(node, "only one-dimensional arrays are supported")
    size, element = compiler.want(sizes[0], INT, what="an array length").run, default_value(type_.args[0])
    return Typed(type_, lambda frame: [element] * room_for_items(size(frame)))


def array_of(compiler: Compiler, node: Node, element: T | None) -> Typed:
    """An array initialiser; without a type, the best common type of its elements."""
    items = [compiler.compile(item) for item in named(node)]
    found = element or (items[0].type if items else OBJECT)
    for item, item_node in zip(items, named(node), strict=True):
        fits = assignable(item.type, found) or fits_byte(item, found)
        wider = found if fits else (None if element else unify(found, item.type))
        if wider is None:
            raise fail(item_node, f"an element of {found}[] cannot be {item.type}")
        found = wider
    codes = [widened(item, found).run for item in items]
    return Typed(array(found), lambda frame: [code(frame) for code in codes])


@handles("anonymous_object_creation_expression")
def _anonymous(compiler: Compiler, node: Node) -> Typed:
    """`new { a = 1, b.C }`: its properties are read by name, or serialised."""
    found: dict[str, Typed] = {}
    waiting: str | None = None
    for child in node.children:
        if child.type == "=":
            waiting, _ = found.popitem()
        elif child.is_named and child.type != "comment":
            name = waiting or text_of(child.child_by_field_name("name") or child)
            named_next = child.next_sibling is not None and child.next_sibling.type == "="
            found[name] = Typed(OBJECT, lambda frame: None) if named_next else compiler.compile(child)
            waiting = None
    runs = [(name, value.run) for name, value in found.items()]
    type_ = T(ANONYMOUS, tuple(T(name, (value.type,)) for name, value in found.items()))
    return Typed(type_, lambda frame: {name: run(frame) for name, run in runs}, safe=True)
