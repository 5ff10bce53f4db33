"""Which overload a call means, and what its type parameters are (C# specification, "Overload resolution").

An argument fits a parameter where C# converts it without a cast; of several overloads that fit, the one is taken whose
parameters are nearest to the arguments. What no overload takes does not load, with the overloads that there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tree_sitter import Node

from emulators.apim.csharp.clr_types import (
    NUMERIC,
    OBJECT,
    T,
    assignable,
    dictionary_of,
    element_of,
    unify,
)
from emulators.apim.csharp.expressions import Compiler, fits_byte, widened
from emulators.apim.csharp.library import Member
from emulators.apim.csharp.scope import Code, CSharpError, Typed, fail, named, text_of
from emulators.apim.csharp.signatures import Parameter, bound, is_open


@dataclass
class Argument:
    """One argument as written. `typed` is None for lambdas and `out` arguments, whose types the overload tells."""

    node: Node
    value: Node
    name: str = ""
    typed: Typed | None = None
    out: bool = False
    #: What a lambda compiled to, by the types of its parameters; an error where it does not compile with them.
    lambdas: dict[tuple[T, ...], Typed | CSharpError] = field(default_factory=dict)

    @property
    def is_lambda(self) -> bool:
        return self.value.type == "lambda_expression"


@dataclass
class Candidate:
    """An overload that may fit: `places[i]` is the parameter of argument i, `expanded` whether `params` is spread."""

    member: Member
    places: list[int]
    expanded: bool
    types: dict[str, T]
    kinds: list[T] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """The overload that is meant, its type parameters, and code for each of its parameters."""

    member: Member
    types: dict[str, T]
    codes: list[Code]
    result: T


def arguments_of(compiler: Compiler, node: Node) -> list[Argument]:
    """The arguments of a call or constructor, compiled where their types do not depend on the overload."""
    listed = node.child_by_field_name("arguments")
    found = []
    for argument in [one for one in named(listed) if one.type == "argument"] if listed is not None else []:
        name = argument.child_by_field_name("name")
        made = Argument(argument, named(argument)[-1], text_of(name) if name is not None else "")
        made.out = text_of(argument).startswith("out ") or made.value.type == "declaration_expression"
        if not made.out and not made.is_lambda:
            made.typed = compiler.compile(made.value)
            if made.typed.type.name == "void":
                raise fail(made.value, f"`{text_of(made.value)}` yields nothing (CS1503)")
        found.append(made)
    return found


def resolve(
    compiler: Compiler,
    node: Node,
    groups: Sequence[Sequence[Member]],
    receiver: T,
    generics: list[T],
    arguments: list[Argument],
) -> Call:
    """The call that is meant, of the nearest group that has a member which fits. Raises CSharpError where none does."""
    for group in groups:
        fitting = [
            candidate
            for member in group
            for expanded in (False, True)
            if (candidate := _candidate(compiler, member, receiver, generics, arguments, expanded=expanded)) is not None
        ]
        if fitting:
            best = _best(fitting, arguments)
            if (equal := next((one for one in fitting if _clash(best, one, arguments)), None)) is not None:
                raise _ambiguous(node, best, equal)
            return _call(compiler, best, arguments)
    raise _no_overload(compiler, node, [member for group in groups for member in group], receiver, generics, arguments)


def _places(member: Member, arguments: list[Argument], *, expanded: bool) -> list[int] | None:
    """The parameter of each argument, or None where their number or names do not match."""
    parameters = member.signature.parameters
    spread = bool(parameters) and parameters[-1].many
    if expanded and not spread:
        return None
    names = [parameter.name for parameter in parameters]
    places: list[int] = []
    for position, argument in enumerate(arguments):
        if argument.name:
            if argument.name not in names:
                return None
            places.append(names.index(argument.name))
        elif expanded and position >= len(parameters) - 1:
            places.append(len(parameters) - 1)
        elif position < len(parameters):
            places.append(position)
        else:
            return None
    given = set(places)
    if not expanded and len(given) < len(places):
        return None
    missing = [one for index, one in enumerate(parameters) if index not in given]
    return None if any(not one.optional and not (expanded and one.many) for one in missing) else places


def _candidate(
    compiler: Compiler,
    member: Member,
    receiver: T,
    generics: list[T],
    arguments: list[Argument],
    *,
    expanded: bool,
) -> Candidate | None:
    places = _places(member, arguments, expanded=expanded)
    own = member.signature.generics
    if places is None or (generics and len(generics) != len(own)):
        return None
    types = member.types_of(receiver)
    types.update({f"!{name}": type_ for name, type_ in zip(own, generics, strict=False)})
    found = Candidate(member, places, expanded, types)
    _infer(compiler, found, arguments)
    if any(f"!{name}" not in types for name in own):
        return None
    found.kinds = [bound(kind, types) for kind in _kinds(found)]
    parameters = [member.signature.parameters[place] for place in places]
    fits = all(
        argument.out is parameter.out and _fits(compiler, argument, kind)
        for argument, parameter, kind in zip(arguments, parameters, found.kinds, strict=True)
    )
    return found if fits else None


def _kinds(candidate: Candidate) -> list[T]:
    """The type of each argument's parameter, with type parameters in it."""
    parameters, found = candidate.member.signature.parameters, []
    for place in candidate.places:
        parameter: Parameter = parameters[place]
        found.append(parameter.type.args[0] if parameter.many and candidate.expanded else parameter.type)
    return found


def _infer(compiler: Compiler, candidate: Candidate, arguments: list[Argument]) -> None:
    """Type parameters: first from arguments that have types, then from the bodies of lambdas whose inputs are known."""
    kinds, types = _kinds(candidate), candidate.types
    for argument, kind in zip(arguments, kinds, strict=True):
        if argument.typed is not None:
            _learn(kind, argument.typed.type, types)
    waiting = [pair for pair in zip(arguments, kinds, strict=True) if pair[0].is_lambda and pair[1].name == "Func"]
    for _ in range(len(waiting)):
        for argument, kind in waiting:
            inputs = tuple(bound(arg, types) for arg in kind.args[:-1])
            if not any(is_open(one) for one in inputs):
                body = _lambda(compiler, argument, inputs)
                if body is not None:
                    _learn(kind.args[-1], body.type.args[-1], types)


def _learn(kind: T, given: T, types: dict[str, T]) -> None:
    """What an argument's type says of the type parameters in its parameter's type."""
    if kind.name.startswith("!"):
        if given.name in ("null", "void"):
            return
        known = types.get(kind.name)
        if known is None:
            types[kind.name] = given
        elif (wider := unify(known, given)) is not None:
            types[kind.name] = wider
        return
    if not is_open(kind):
        return
    if kind.name == given.name and len(kind.args) == len(given.args):
        parts: tuple[T, ...] = given.args
    elif kind.name == "Nullable":
        parts = (given,)
    elif len(kind.args) == 2 and (entry := dictionary_of(given)) is not None:
        parts = entry
    elif len(kind.args) == 1 and (element := element_of(given)) is not None:
        parts = (element,)
    else:
        return
    for part, type_ in zip(kind.args, parts, strict=True):
        _learn(part, type_, types)


def _lambda(compiler: Compiler, argument: Argument, inputs: tuple[T, ...]) -> Typed | None:
    """The lambda with parameters of these types, compiled once; None where it does not compile with them."""
    from emulators.apim.csharp.calls import lambda_for

    found = argument.lambdas.get(inputs)
    if found is None:
        try:
            found = lambda_for(compiler, argument.value, list(inputs))
        except CSharpError as error:
            found = error
        argument.lambdas[inputs] = found
    return found if isinstance(found, Typed) else None


def _fits(compiler: Compiler, argument: Argument, kind: T) -> bool:
    if argument.out:
        return True
    if argument.is_lambda:
        if kind.name != "Func":
            return False
        body = _lambda(compiler, argument, kind.args[:-1])
        return body is not None and _returns(body.type.args[-1], kind.args[-1])
    assert argument.typed is not None
    return assignable(argument.typed.type, kind) or fits_byte(argument.typed, kind)


def _returns(body: T, wanted: T) -> bool:
    return wanted.name == "void" or assignable(body, wanted)


def _best(candidates: list[Candidate], arguments: list[Argument]) -> Candidate:
    """The one that no other beats; the first of several equals."""
    best = candidates[0]
    for other in candidates[1:]:
        if _rank(other, best, arguments) > 0:
            best = other
    return best


def _clash(best: Candidate, other: Candidate, arguments: list[Argument]) -> bool:
    """Whether an argument leaves open which of the two is meant: then neither is better, and the call is an error.

    C# standard (ECMA-334), 12.6.4.3 "Better function member" and 12.6.4.7 "Better conversion target", 2026-11-30.

    Lambdas are not asked: how much better a body's type is than another is not modelled here.
    """
    if other is best or _rank(best, other, arguments) > 0:
        return False
    steps = [
        _nearer(argument, first, second)
        for argument, first, second in zip(arguments, best.kinds, other.kinds, strict=True)
        if argument.typed is not None and first != second
    ]
    return 0 in steps or (any(step > 0 for step in steps) and any(step < 0 for step in steps))


def _ambiguous(node: Node, one: Candidate, other: Candidate) -> CSharpError:
    name = f"{one.member.owner}.{one.member.name}"
    both = f"{one.member.signature.text} and {other.member.signature.text}"
    return fail(node, f"{name} is ambiguous between {both} (CS0121): convert an argument, as in (double)x", name)


def _rank(one: Candidate, two: Candidate, arguments: list[Argument]) -> int:
    """1 where `one` is better, -1 where `two` is, 0 where neither."""
    wins = losses = 0
    for argument, first, second in zip(arguments, one.kinds, two.kinds, strict=True):
        if first == second:
            continue
        step = _nearer(argument, first, second)
        wins, losses = wins + (step > 0), losses + (step < 0)
    if wins and not losses:
        return 1
    if losses:
        return -1
    ties = [
        (two.expanded, one.expanded),
        (len(two.member.signature.parameters), len(one.member.signature.parameters)),
        (bool(two.member.signature.generics), bool(one.member.signature.generics)),
    ]
    return next((1 if left > right else -1 for left, right in ties if left != right), 0)


def _nearer(argument: Argument, first: T, second: T) -> int:
    """Which conversion of an argument is better (C# specification, "Better conversion from expression")."""
    given = argument.typed.type if argument.typed is not None else None
    if given in (first, second):
        return 1 if given == first else -1
    if assignable(first, second) is not assignable(second, first):
        return 1 if assignable(first, second) else -1
    if given is not None and given.name in NUMERIC and first.name in NUMERIC and second.name in NUMERIC:
        return NUMERIC[second.name] - NUMERIC[first.name]
    return 0


def _call(compiler: Compiler, candidate: Candidate, arguments: list[Argument]) -> Call:
    parameters, codes = candidate.member.signature.parameters, list[Code]()
    by_place: dict[int, list[Code]] = {}
    for argument, place, kind in zip(arguments, candidate.places, candidate.kinds, strict=True):
        by_place.setdefault(place, []).append(_code(compiler, argument, parameters[place], kind))
    for place, parameter in enumerate(parameters):
        found = by_place.get(place, [])
        if parameter.many and candidate.expanded:
            codes.append(_listed(found))
        elif found:
            codes.append(found[0])
        else:
            codes.append(_constant(parameter.default))
    result = bound(candidate.member.signature.returns, candidate.types)
    return Call(candidate.member, candidate.types, codes, OBJECT if is_open(result) else result)


def _listed(codes: list[Code]) -> Code:
    return lambda frame: [code(frame) for code in codes]


def _constant(value: Any) -> Code:
    return lambda frame: value


def _code(compiler: Compiler, argument: Argument, parameter: Parameter, kind: T) -> Code:
    from emulators.apim.csharp.calls import out_argument, yielding

    if parameter.out:
        return out_argument(compiler, argument.node, argument.value, kind).run
    if argument.is_lambda:
        found = _lambda(compiler, argument, kind.args[:-1])
        assert found is not None
        return yielding(found, kind).run
    assert argument.typed is not None
    return widened(argument.typed, kind).run


def _no_overload(
    compiler: Compiler,
    node: Node,
    members: list[Member],
    receiver: T,
    generics: list[T],
    arguments: list[Argument],
) -> CSharpError:
    name = f"{members[0].owner}.{members[0].name}" if members[0].name != "new" else f"new {members[0].owner}"
    for argument in arguments:
        known = {parameter.name for member in members for parameter in member.signature.parameters}
        if argument.name and argument.name not in known:
            return fail(argument.node, f"{name} has no parameter named {argument.name!r} (CS1739)", argument.name)
    counts = sorted({count for member in members for count in (member.signature.required, member.signature.most)})
    fitting = [m for m in members if m.signature.required <= len(arguments) <= m.signature.most]
    if not fitting:
        least, most = counts[0], counts[-1]
        expected = str(least) if least == most else f"{least} to {most}" if most < 99 else f"{least} or more"
        return fail(node, f"{name} takes {expected} arguments, not {len(arguments)} (CS1501)", name)
    own = fitting[0].signature.generics
    if generics and all(len(member.signature.generics) != len(generics) for member in fitting):
        return fail(node, f"{name} takes {len(own)} type arguments, not {len(generics)} (CS0305)", name)
    if (error := _lambda_error(arguments)) is not None:
        return error
    if len({_without_names(member) for member in fitting}) == 1:
        return _mismatch(compiler, node, name, fitting[0], receiver, generics, arguments)
    shown = ", ".join(_shown(argument) for argument in arguments)
    listed = "; ".join(dict.fromkeys(member.signature.text for member in fitting))
    wanted = _wanted(fitting, receiver)
    hint = f"needs {wanted} here" if wanted else "has no such overload"
    return fail(node, f"{name} {hint}: it takes no ({shown}) (CS1503); there is: {listed}", name)


def _wanted(members: list[Member], receiver: T) -> str:
    """The type of the only parameter, where every overload has one."""
    if any(len(member.signature.parameters) != 1 for member in members):
        return ""
    kinds = [bound(member.signature.parameters[0].type, member.types_of(receiver)) for member in members]
    return " or ".join(dict.fromkeys(map(str, kinds)))


def _without_names(member: Member) -> tuple[T, ...]:
    return tuple(parameter.type for parameter in member.signature.parameters)


def _shown(argument: Argument) -> str:
    return str(argument.typed.type) if argument.typed is not None else "lambda" if argument.is_lambda else "out"


def _lambda_error(arguments: list[Argument]) -> CSharpError | None:
    """Why a lambda's body did not compile, where no overload could take it."""
    for argument in arguments:
        found = list(argument.lambdas.values())
        if found and all(isinstance(one, CSharpError) for one in found) and isinstance(found[0], CSharpError):
            return found[0]
    return None


def _mismatch(
    compiler: Compiler,
    node: Node,
    name: str,
    member: Member,
    receiver: T,
    generics: list[T],
    arguments: list[Argument],
) -> CSharpError:
    """The first argument that does not fit the only overload."""
    types = member.types_of(receiver)
    types.update({f"!{one}": type_ for one, type_ in zip(member.signature.generics, generics, strict=False)})
    expanded = _places(member, arguments, expanded=False) is None
    places = _places(member, arguments, expanded=expanded)
    if places is None:
        return fail(node, f"{name} cannot be called like this: it is {member.signature.text}", name)
    candidate = Candidate(member, places, expanded, types)
    _infer(compiler, candidate, arguments)
    for argument, kind in zip(arguments, _kinds(candidate), strict=True):
        wanted = bound(kind, types)
        if member.signature.parameters[places[arguments.index(argument)]].out and not argument.out:
            return fail(argument.node, "this argument must be passed with `out` (CS1620)", name)
        if not is_open(wanted) and not _fits(compiler, argument, wanted):
            given = _shown(argument)
            if argument.is_lambda:
                bodies = [one for one in argument.lambdas.values() if isinstance(one, Typed)]
                given = f"a lambda that yields {bodies[0].type.args[-1]}" if bodies else "a lambda"
            message = (
                f"{name} needs {wanted} here, and `{text_of(argument.value)}` is {given}: add a cast or conversion"
            )
            return fail(argument.value, f"{message} (CS1503)", name)
    return fail(node, f"the type arguments of {name} cannot be told from its arguments (CS0411)", name)
