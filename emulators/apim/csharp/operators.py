"""C# operators, casts, `is`, `as`, `??` and assignment to closures."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp import decimals, library
from emulators.apim.csharp.arithmetic import ARITHMETIC, SHIFTS, UNARY, arithmetic, shift
from emulators.apim.csharp.clr import ClrError, equals, limited, null_reference, to_text
from emulators.apim.csharp.clr_types import (
    BITS,
    BOOL,
    BYTE,
    CHAR,
    DECIMAL,
    DOUBLE,
    INT,
    LONG,
    NUMERIC,
    STRING,
    TIMESPAN,
    T,
    assignable,
    castable,
    is_numeric,
    is_reference,
    nullable,
    unify,
    wrap,
)
from emulators.apim.csharp.conversions import converter, instance_test
from emulators.apim.csharp.expressions import Compiler, constant, handles, index_of, static_owner
from emulators.apim.csharp.scope import Code, Frame, Typed, fail, field, named, text_of
from emulators.apim.csharp.typenames import type_of

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_ORDERED = {"DateTime", "TimeSpan", "DateTimeOffset", "char"}


@handles("binary_expression")
def _binary(compiler: Compiler, node: Node) -> Typed:
    sign = text_of(field(node, "operator"))
    if sign in ("&&", "||"):
        return _logical(compiler, node, sign)
    left, right = compiler.compile(field(node, "left")), compiler.compile(field(node, "right"))
    if sign == "??":
        return _coalesce(node, left, right)
    return binary(node, sign, left, right)


def _logical(compiler: Compiler, node: Node, sign: str) -> Typed:
    left = compiler.want(field(node, "left"), BOOL, what=f"`{sign}`").run
    right = compiler.want(field(node, "right"), BOOL, what=f"`{sign}`").run
    if sign == "&&":
        return Typed(BOOL, lambda frame: left(frame) and right(frame))
    return Typed(BOOL, lambda frame: left(frame) or right(frame))


def _coalesce(node: Node, left: Typed, right: Typed) -> Typed:
    if not is_reference(left.type) and left.type.name != "Nullable":
        raise fail(node, f"`??` cannot follow {left.type}, which is never null (CS0019)")
    inner = left.type.args[0] if left.type.name == "Nullable" else left.type
    type_ = inner if assignable(right.type, inner) else unify(left.type, right.type)
    if type_ is None:
        raise fail(node, f"`??` has {left.type} and {right.type}, which have no common type (CS0019)")
    first, second = left.run, right.run

    def value(frame: Frame) -> Any:
        found = first(frame)
        return second(frame) if found is None else found

    return Typed(type_, value)


def binary(node: Node, sign: str, left: Typed, right: Typed) -> Typed:
    """An operator on two compiled operands."""
    if sign in ("==", "!="):
        if left.type != right.type:
            left, right = _as_number(left, right.type), _as_number(right, left.type)
        return _equality(node, sign, left, right)
    if sign == "+" and STRING in (left.type, right.type):
        first, second = left.run, right.run
        return Typed(STRING, lambda frame: limited(to_text(first(frame)) + to_text(second(frame))))
    left, right = _as_number(left, right.type), _as_number(right, left.type)
    kinds = (_bare(left.type), _bare(right.type))
    if sign in _COMPARE:
        return _comparison(node, sign, left, right, kinds)
    type_ = _arithmetic_type(sign, *kinds)
    if type_ is None:
        raise fail(node, f"`{sign}` does not take {left.type} and {right.type} (CS0019)", sign)
    apply = shift(SHIFTS[sign], type_) if sign in SHIFTS else arithmetic(sign, type_)
    first, second = left.run, right.run
    if left.constant and right.constant:
        return _folded(node, sign, ARITHMETIC.get(sign, apply), apply, left, right, type_)
    if "Nullable" in (left.type.name, right.type.name):
        return Typed(nullable(type_), _lifted(apply, first, second))
    return Typed(type_, lambda frame: apply(first(frame), second(frame)))


def _folded(
    node: Node,
    sign: str,
    exact: Callable[[Any, Any], Any],
    apply: Callable[[Any, Any], Any],
    left: Typed,
    right: Typed,
    type_: T,
) -> Typed:
    """Two constants: C# checks at once that the result fits, and that nothing is divided by zero."""
    one, two = left.run(Frame(None, 0)), right.run(Frame(None, 0))
    try:
        value = apply(one, two)
    except ClrError as error:
        if error.type_name == "OverflowException":
            raise fail(node, "the decimal overflows at compile time (CS0463)", sign) from error
        raise fail(node, "division by constant zero (CS0020)", sign) from error
    if type_ != DECIMAL and value != exact(one, two):
        raise fail(node, "the operation overflows at compile time (CS0220)", sign)
    return constant(type_, value)


def _as_number(operand: Typed, beside: T) -> Typed:
    """A character beside a number or a character counts as its code."""
    if operand.type.name != "char" or not (is_numeric(beside) or beside.name == "char"):
        return operand
    run = operand.run
    return Typed(INT, lambda frame: ord(run(frame)))


def _lifted(apply: Callable[[Any, Any], Any], first: Code, second: Code) -> Code:
    """An operator on nullable values: null where either is."""

    def value(frame: Frame) -> Any:
        one, two = first(frame), second(frame)
        return None if one is None or two is None else apply(one, two)

    return value


def _bare(type_: T) -> T:
    return type_.args[0] if type_.name == "Nullable" else type_


def _arithmetic_type(sign: str, left: T, right: T) -> T | None:
    if sign in ("&", "|", "^") and left == right and left.name in ("bool", "RegexOptions"):
        return left
    if sign in SHIFTS:
        return (LONG if left == LONG else INT) if left in (INT, LONG, BYTE, CHAR) and right in (INT, BYTE) else None
    if sign in ("&", "|", "^") and (DOUBLE in (left, right) or DECIMAL in (left, right)):
        return None
    if is_numeric(left) and is_numeric(right):
        if {left, right} == {DOUBLE, DECIMAL}:
            return None
        wider = left if NUMERIC[left.name] >= NUMERIC[right.name] else right
        return INT if wider.name == "byte" else wider
    if left.name == "DateTime" and right.name == "DateTime" and sign == "-":
        return TIMESPAN
    if left.name in ("DateTime", "TimeSpan") and right.name == "TimeSpan" and sign in "+-":
        return left
    return None


def _comparison(node: Node, sign: str, left: Typed, right: Typed, kinds: tuple[T, T]) -> Typed:
    numbers = is_numeric(kinds[0]) and is_numeric(kinds[1]) and set(kinds) != {DOUBLE, DECIMAL}
    if not numbers and not (kinds[0] == kinds[1] and kinds[0].name in _ORDERED):
        raise fail(node, f"`{sign}` does not take {left.type} and {right.type} (CS0019)", sign)
    first, second, compare = left.run, right.run, _COMPARE[sign]

    def value(frame: Frame) -> bool:
        one, two = first(frame), second(frame)
        return False if one is None or two is None else compare(one, two)

    return Typed(BOOL, value)


def _equality(node: Node, sign: str, left: Typed, right: Typed) -> Typed:
    _comparable(node, sign, _bare(left.type), _bare(right.type))
    first, second = left.run, right.run
    if right.type.name == "null":
        if sign == "==":
            return Typed(BOOL, lambda frame: first(frame) is None)
        return Typed(BOOL, lambda frame: first(frame) is not None)
    if left.type == right.type and left.type.name in ("string", "int", "long", "bool", "char"):
        compare = operator.eq if sign == "==" else operator.ne
        if right.constant:
            fixed = second(Frame(None, 0))
            return Typed(BOOL, lambda frame: compare(first(frame), fixed))
        return Typed(BOOL, lambda frame: compare(first(frame), second(frame)))
    if sign == "==":
        return Typed(BOOL, lambda frame: equals(first(frame), second(frame)))
    return Typed(BOOL, lambda frame: not equals(first(frame), second(frame)))


def _comparable(node: Node, sign: str, left: T, right: T) -> None:
    """C# compares references of unrelated types with nothing, and `object == string` by reference."""
    if {left.name, right.name} == {"object", "string"}:
        raise fail(node, f"`{sign}` compares object and string by reference: cast the object to string first", sign)
    both_numbers = is_numeric(left) and is_numeric(right) and {left, right} != {DOUBLE, DECIMAL}
    tokens = "JToken" in (left.name, right.name) and not (is_reference(left) and is_reference(right))
    related = assignable(left, right) or assignable(right, left)
    scalar = "string" in (left.name, right.name) and left != right and "null" not in (left.name, right.name)
    if "null" in (left.name, right.name) and "void" not in (left.name, right.name):
        return
    if both_numbers or (related and not tokens and not scalar):
        return
    raise fail(node, f"`{sign}` does not take {left} and {right}: cast or convert one of them (CS0019)", sign)


@handles("prefix_unary_expression")
def _prefix(compiler: Compiler, node: Node) -> Typed:
    sign = text_of(node.children[0])
    target = named(node)[0]
    if sign in ("++", "--"):
        return _step(compiler, node, target, sign, before=True)
    found = compiler.compile(target)
    run = found.run
    if sign == "!" and found.type == BOOL:
        return Typed(BOOL, lambda frame: not run(frame))
    kind = _bare(found.type)
    if (sign == "!" and kind == BOOL) or (sign in "+-~" and is_numeric(kind) and (sign != "~" or kind in (INT, LONG))):
        apply, bits = UNARY[sign], BITS.get(kind.name)
        if kind == DECIMAL:
            apply = decimals.negated if sign == "-" else lambda value: value
        if found.constant:
            return constant(found.type, apply(run(Frame(None, 0))))
        if sign == "-" and bits is not None:
            return Typed(found.type, lambda frame: None if (value := run(frame)) is None else wrap(-value, bits))
        return Typed(found.type, lambda frame: None if (value := run(frame)) is None else apply(value))
    raise fail(node, f"`{sign}` does not take {found.type} (CS0023)", sign)


@handles("postfix_unary_expression")
def _postfix(compiler: Compiler, node: Node) -> Typed:
    sign = text_of(node.children[-1])
    if sign not in ("++", "--"):
        raise fail(node, f"the operator `{sign}` is not supported", sign)
    return _step(compiler, node, named(node)[0], sign, before=False)


def _step(compiler: Compiler, node: Node, target: Node, sign: str, *, before: bool) -> Typed:
    if target.type == "element_access_expression":
        return _step_element(compiler, node, target, sign, before=before)
    found = compiler.locals.find(text_of(target))
    if found is None or not is_numeric(found[1]):
        raise fail(node, f"`{sign}` needs a numeric variable or element", sign)
    slot, type_ = found
    add, change = arithmetic("+", type_), 1 if sign == "++" else -1

    def step(frame: Frame) -> Any:
        old = frame.slots[slot]
        frame.slots[slot] = add(old, change)
        return frame.slots[slot] if before else old

    return Typed(type_, step)


def _step_element(compiler: Compiler, node: Node, target: Node, sign: str, *, before: bool) -> Typed:
    """`counts[key]++`."""
    place = _element_of(compiler, node, target, sign)
    if not is_numeric(place.type):
        raise fail(node, f"`{sign}` needs a numeric variable or element", sign)
    add, change = arithmetic("+", place.type), 1 if sign == "++" else -1

    def step(frame: Frame) -> Any:
        owner, key = place.owner(frame), place.key(frame)
        old = place.read(owner, key)
        new = add(old, change)
        place.write(owner, key, new)
        return new if before else old

    return Typed(place.type, step)


_LIMITS = {"byte": (0, 255), "int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


@handles("cast_expression")
def _cast(compiler: Compiler, node: Node) -> Typed:
    type_node, value = field(node, "type"), field(node, "value")
    type_, found = type_of(type_node), compiler.compile(value)
    if found.constant and is_numeric(found.type) and (limits := _LIMITS.get(type_.name)) is not None:
        constant_value = found.run(Frame(None, 0))
        if not limits[0] - 1 < constant_value < limits[1] + 1:
            raise fail(node, f"the constant {text_of(value)} is out of the range of {type_} (CS0221)", str(type_))
    if found.constant and found.type == DOUBLE and type_ == DECIMAL:
        try:
            decimals.of_double(found.run(Frame(None, 0)))
        except ClrError as error:
            raise fail(node, f"the constant {text_of(value)} is out of the range of decimal (CS0031)") from error
    if not castable(found.type, type_):
        raise fail(node, f"{found.type} cannot be cast to {type_} (CS0030)", str(type_))
    convert, run = converter(found.type, type_), found.run
    if type_ == STRING:
        return Typed(type_, _string_cast(run, convert))
    return Typed(type_, lambda frame: convert(run(frame)))


def _string_cast(run: Code, convert: Callable[[Any], Any]) -> Code:
    """The commonest cast, which usually finds a string already."""

    def cast(frame: Frame) -> Any:
        value = run(frame)
        return value if value.__class__ is str else convert(value)

    return cast


@handles("as_expression")
def _as(compiler: Compiler, node: Node) -> Typed:
    found, type_ = compiler.compile(field(node, "left")), type_of(field(node, "right"))
    if not castable(found.type, type_) or not is_reference(type_):
        raise fail(node, f"`{text_of(node)}` does not compile (CS0039)")
    test, run = instance_test(type_), found.run

    def value(frame: Frame) -> Any:
        held = run(frame)
        return held if test(held) else None

    return Typed(type_, value)


@handles("is_expression")
def _is(compiler: Compiler, node: Node) -> Typed:
    run, test = compiler.compile(field(node, "left")).run, instance_test(type_of(field(node, "right")))
    return Typed(BOOL, lambda frame: test(run(frame)))


@handles("is_pattern_expression")
def _is_pattern(compiler: Compiler, node: Node) -> Typed:
    run, pattern = compiler.compile(field(node, "expression")).run, field(node, "pattern")
    if pattern.type == "constant_pattern" and (name := static_owner(compiler, named(pattern)[0])) is not None:
        test = instance_test(T(name))  # the grammar takes `x is JArray` for a constant
        return Typed(BOOL, lambda frame: test(run(frame)))
    if pattern.type == "constant_pattern":
        wanted = compiler.compile(named(pattern)[0]).run
        return Typed(BOOL, lambda frame: equals(run(frame), wanted(frame)))
    if pattern.type == "declaration_pattern":
        type_ = type_of(field(pattern, "type"))
        test = instance_test(type_)
        slot = compiler.locals.declare(pattern, text_of(field(pattern, "name")), type_)
        return Typed(BOOL, _capturing(run, test, slot))
    raise fail(pattern, f"the pattern `{text_of(pattern)}` is newer than C# 7, which policy expressions use")


def _capturing(run: Code, test: Callable[[Any], bool], slot: int) -> Code:
    def matches(frame: Frame) -> bool:
        value = run(frame)
        if not test(value):
            return False
        frame.slots[slot] = value
        return True

    return matches


@handles("assignment_expression")
def _assignment(compiler: Compiler, node: Node) -> Typed:
    target, sign = field(node, "left"), text_of(field(node, "operator"))
    value_node = field(node, "right")
    if target.type == "element_access_expression":
        return _element_assignment(compiler, node, target, sign, value_node)
    found = compiler.locals.find(text_of(target))
    if sign == "??=":
        raise fail(node, "`??=` is newer than C# 7, which policy expressions use", sign)
    if target.type != "identifier" or found is None:
        raise fail(node, f"`{text_of(target)}` cannot be assigned: only variables and elements can", text_of(target))
    slot, type_ = found
    if sign == "=":
        run = compiler.want(value_node, type_, what=f"the variable {text_of(target)!r}").run
    else:
        current = Typed(type_, lambda frame: frame.slots[slot])
        changed = binary(node, sign[:-1], current, compiler.compile(value_node))
        if changed.type != type_ and not (is_numeric(changed.type) and is_numeric(type_)):
            raise fail(node, f"`{sign}` yields {changed.type}, and {text_of(target)!r} is {type_} (CS0029)", sign)
        run = _narrowed(changed, type_)

    def assign(frame: Frame) -> Any:
        frame.slots[slot] = value = run(frame)
        return value

    return Typed(type_, assign)


def _narrowed(changed: Typed, type_: T) -> Code:
    """`n += 1.5` converts its result to the type of `n`, as a cast does."""
    if changed.type == type_:
        return changed.run
    convert, run = converter(changed.type, type_), changed.run
    return lambda frame: convert(run(frame))


def _element_assignment(compiler: Compiler, node: Node, target: Node, sign: str, value_node: Node) -> Typed:
    if sign == "??=":
        raise fail(node, "`??=` is newer than C# 7, which policy expressions use", sign)
    place = _element_of(compiler, node, target, sign)
    if sign == "=":
        value = compiler.want(value_node, place.type, what="this element").run
    else:
        held: list[Any] = [None]
        present = Typed(place.type, lambda frame: held[0])
        changed = binary(node, sign[:-1], present, compiler.compile(value_node))
        if changed.type != place.type and not (is_numeric(changed.type) and is_numeric(place.type)):
            raise fail(node, f"`{sign}` yields {changed.type}, and the element is {place.type} (CS0029)", sign)
        narrowed = _narrowed(changed, place.type)

    def assign(frame: Frame) -> Any:
        owner, key = place.owner(frame), place.key(frame)
        if sign != "=":
            held[0] = place.read(owner, key)
        result = value(frame) if sign == "=" else narrowed(frame)
        place.write(owner, key, result)
        return result

    return Typed(place.type, assign)


@dataclass(frozen=True)
class _Element:
    """`owner[key]`, which is evaluated once, to be read and written."""

    type: T
    owner: Code
    key: Code
    read: Callable[[Any, Any], Any]
    write: Callable[[Any, Any, Any], Any]


def _element_of(compiler: Compiler, node: Node, target: Node, sign: str) -> _Element:
    receiver = compiler.compile(field(target, "expression"))
    at = library.find(receiver.type.name, "indexer", "this[]")
    if at is None or at.write is None or (receiver.type.name.startswith("J") and sign != "="):
        raise fail(node, f"an element of {receiver.type} cannot be assigned with `{sign}`", f"{receiver.type}[]")
    type_ = index_of(compiler, receiver, field(target, "subscript"), target).type
    key = compiler.compile(named(named(field(target, "subscript"))[0])[0]).run
    run = receiver.run

    def owner(frame: Frame) -> Any:
        found = run(frame)
        if found is None:
            raise null_reference()
        return found

    return _Element(type_, owner, key, at.impl, at.write)
