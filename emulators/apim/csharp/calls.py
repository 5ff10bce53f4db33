"""C# calls to closures: methods, constructors, initialisers, lambdas, `out` arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp import library
from emulators.apim.csharp.clr import EvaluationLimit, limited, null_reference, room_for_items
from emulators.apim.csharp.clr_types import INT, OBJECT, T, array, assignable, dictionary_of, element_of, unify
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
from emulators.apim.csharp.library import Member
from emulators.apim.csharp.members.regex import reject_unknown
from emulators.apim.csharp.scope import NIL, Code, Frame, Typed, fail, field, named, text_of
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
    member = library.find_static(owner, "method", name)
    if member is None:
        raise fail(node, f"{owner}.{name} is not in the supported list of types and members", f"{owner}.{name}")
    types, arguments = bind(compiler, node, member, T(owner), generics)
    return Typed(member.result(T(owner), types, generics), _applied(member.bound(generics), arguments))


def _applied(impl: Callable[..., Any], arguments: list[Code]) -> Code:
    if len(arguments) == 1:
        only = arguments[0]
        return lambda frame: limited(impl(only(frame)))
    return lambda frame: limited(impl(*[argument(frame) for argument in arguments]))


def _call(compiler: Compiler, node: Node, receiver: Typed, name_node: Node) -> Typed:
    name, generics = _split_name(name_node)
    member = library.find(receiver.type.name, "method", name)
    if member is None:
        hint = ": cast it to its type first" if receiver.type.name == "object" else ""
        raise fail(node, f"{receiver.type} has no supported method {name!r}{hint}", f"{receiver.type}.{name}")
    types, arguments = bind(compiler, node, member, receiver.type, generics)
    result = member.result(receiver.type, types, generics)
    impl = member.bound(generics, receiver.type)
    if receiver.safe or member.takes_null:
        return Typed(result, _direct(receiver.run, impl, arguments, result), receiver.chain)
    run = receiver.run

    def call(frame: Frame) -> Any:
        value = run(frame)
        if value is NIL:
            return NIL
        if value is None:
            raise null_reference()
        return limited(impl(value, *[argument(frame) for argument in arguments]))

    return Typed(result, call, receiver.chain)


def _direct(run: Code, impl: Callable[..., Any], arguments: list[Code], result: T) -> Code:
    """A call whose receiver needs no check; what cannot grow is not measured either."""
    if result.name in ("bool", "int", "object") and len(arguments) == 1:
        only = arguments[0]
        return lambda frame: impl(run(frame), only(frame))
    if len(arguments) == 2:
        first, second = arguments
        return lambda frame: limited(impl(run(frame), first(frame), second(frame)))
    return lambda frame: limited(impl(run(frame), *[argument(frame) for argument in arguments]))


def bind(compiler: Compiler, node: Node, member: Member, receiver: T, generics: list[T]) -> tuple[list[T], list[Code]]:
    """Static types and code of a call's arguments, checked against the member."""
    given = [argument for argument in named(field(node, "arguments")) if argument.type == "argument"]
    if not member.required <= len(given) <= member.most:
        expected = str(member.required) if member.required == member.most else f"{member.required} to {member.most}"
        raise fail(node, f"{member.owner}.{member.name} takes {expected} arguments, not {len(given)}", member.name)
    types: list[T] = []
    codes: list[Code] = []
    for position, argument in enumerate(given):
        if argument.child_by_field_name("name") is not None:
            argument_name = text_of(field(argument, "name"))
            if argument_name != "preserveContent":
                raise fail(argument, f"the named argument {argument_name!r} is not supported; pass it by position")
        value = named(argument)[-1]
        if position in member.outs:
            found = out_argument(compiler, argument, value, member.out(receiver, types, generics))
        elif value.type == "lambda_expression":
            found = _lambda_argument(compiler, value, member, receiver, types)
        else:
            found = compiler.compile(value)
            _check_argument(member, position, found.type, value)
            if member.owner == "Regex" and found.constant and member.names[position : position + 1] == ("pattern",):
                _check_pattern(found, value)
        types.append(found.type)
        codes.append(found.run)
    return types, codes


def _check_pattern(found: Typed, node: Node) -> None:
    """A pattern that Python's engine would take for something else does not load."""
    pattern = found.run(Frame(None, 0))
    try:
        reject_unknown(pattern if isinstance(pattern, str) else "")
    except EvaluationLimit as error:
        raise fail(node, str(error)) from error


def _check_argument(member: Member, position: int, given: T, node: Node) -> None:
    wanted = member.params[position] if position < len(member.params) else None
    if wanted is None or assignable(given, wanted) or (wanted.name == "string" and given.name == "char"):
        return
    raise fail(
        node,
        f"{member.owner}.{member.name} needs {wanted} here, and `{text_of(node)}` is {given}: add a cast or conversion",
        f"{member.owner}.{member.name}",
    )


def _lambda_argument(compiler: Compiler, node: Node, member: Member, receiver: T, types: list[T]) -> Typed:
    count = len(_parameters(node))
    kinds = member.lambdas(receiver, count, types) if member.lambdas else [element_of(receiver) or OBJECT, INT][:count]
    return lambda_for(compiler, node, kinds)


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
    member = library.find(type_.name, "constructor", "new")
    if member is None or member.owner != type_.name:
        raise fail(node, f"`new {type_}` is not supported", f"new {type_}")
    arguments: list[Code] = []
    if node.child_by_field_name("arguments") is not None:
        _, arguments = bind(compiler, node, member, type_, list(type_.args))
    elif member.required:
        raise fail(node, f"`new {type_}` needs arguments", f"new {type_}")
    impl = member.impl
    initializer = node.child_by_field_name("initializer")
    if initializer is None:
        return Typed(type_, lambda frame: impl(*[argument(frame) for argument in arguments]))
    fill = _initializer(compiler, initializer, type_)

    def create(frame: Frame) -> Any:
        made = impl(*[argument(frame) for argument in arguments])
        fill(frame, made)
        return made

    return Typed(type_, create)


def _initializer(compiler: Compiler, node: Node, type_: T) -> Callable[[Frame, Any], None]:
    """`{ a, b }` adds elements; `{ {k, v} }` and `{ [k] = v }` add entries."""
    entry = dictionary_of(type_) or ((T("string"), T("JToken")) if type_.name == "JObject" else None)
    if entry is None:
        element = element_of(type_) or OBJECT
        items = [compiler.want(item, element, what=f"an element of {type_}").run for item in named(node)]
        return lambda frame, made: made.extend([item(frame) for item in items])
    pairs = [_entry(compiler, item, entry) for item in named(node)]
    write = library.find(type_.name, "indexer", "this[]=")
    if write is None:
        raise fail(node, f"{type_} takes no initialiser")
    store = write.impl

    def fill(frame: Frame, made: Any) -> None:
        for key, value in pairs:
            store(made, key(frame), value(frame))

    return fill


def _entry(compiler: Compiler, node: Node, kinds: tuple[T, T]) -> tuple[Code, Code]:
    if node.type == "assignment_expression":
        binding = field(node, "left")
        if binding.type != "element_binding_expression":
            raise fail(node, "property initialisers are not supported here")
        key, value = named(named(binding)[0])[0], field(node, "right")
    elif node.type == "initializer_expression" and len(named(node)) == 2:
        key, value = named(node)
    else:
        raise fail(node, "a dictionary initialiser needs `{ key, value }` or `[key] = value`")
    return (
        compiler.want(key, kinds[0], what="this key").run,
        compiler.want(value, kinds[1], what="this value").run,
    )


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
